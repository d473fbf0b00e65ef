"""Whatever is lost, repeated, held back or killed on the way: every message has exactly one effect, and the
result is the one that a calm network gives.
"""

import random

import pytest

from comity.node.log.prove import publish_log
from comity.node.run import work
from tests.nodes.effects import assert_each_message_had_one_effect
from tests.nodes.story import CA, HK, TH, pooled
from tests.nodes.town import Town
from tests.nodes.wires import Carried, Fate, Killed

STEPS = 120
NODES = (CA, HK, TH)
WEATHER = (*[Fate.ARRIVES] * 6, Fate.LOST, Fate.LOST, Fate.ANSWER_LOST, Fate.ANSWER_LOST, Fate.TWICE)


def storm(town: Town, dice: random.Random) -> list[str]:
    """Random steps of random nodes under a network that loses and repeats, and nodes that die in between;
    return who died.
    """
    died: list[str] = []

    def bury(node_id: str) -> None:
        died.append(node_id)
        town.reopen(node_id)

    town.wires.on_death = bury
    town.wires.fate = lambda _: dice.choice(WEATHER)
    for _ in range(STEPS):
        node_id = dice.choice(NODES)
        if dice.random() < 0.25:
            town.doom(node_id, fuse=dice.randint(1, 4), after=dice.random() < 0.5)
        try:
            step(town, dice, node_id)
        except Killed:
            bury(node_id)
    for node_id in NODES:
        town.reopen(node_id)
    town.wires.fate = lambda _: Fate.ARRIVES
    return died


def step(town: Town, dice: random.Random, node_id: str) -> None:
    what = dice.randrange(8)
    if what < 3:
        work(town[node_id])
    elif what < 6:
        peer = dice.choice([one for one in NODES if one != node_id])
        town.deliver(node_id, peer, random=dice.random())
    elif what == 6 and town.wires.carried:
        again(town, dice.choice(town.wires.carried))
    else:
        town.clock.advance(seconds=dice.randint(1, 60))
        publish_log(town[node_id])


def again(town: Town, carried: Carried) -> None:
    """An old envelope comes once more, long after newer ones."""
    try:
        done = town.wires.bring(carried)
    except Killed:
        town.reopen(carried.receiver)
    else:
        assert done.status in (200, 202)


@pytest.mark.parametrize("seed", range(8))
def test_one_effect_in_a_storm_in_which_nodes_die(town: Town, seed: int) -> None:
    dice = random.Random(f"storm {seed}")
    case = town.report()
    died = storm(town, dice)
    assert len(died) > 3
    town.settle()
    assert town.found(case.id) == pooled()
    assert_each_message_had_one_effect(town)
    town.verify_logs()


@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after the commit"])
def test_one_effect_wherever_each_node_dies(town: Town, after: bool) -> None:
    """Every node dies at every second or third transaction that it makes, from the first to the last."""
    case = town.report()
    for _ in range(400):
        for fuse, node_id in enumerate(NODES, start=2):
            town.doom(node_id, fuse=fuse, after=after)
            try:
                busy = town.round([node_id])
            except Killed:
                busy = True
            town.reopen(node_id)
            town.clock.advance(seconds=40)
        if not busy and not any(town.queued(node_id) for node_id in NODES):
            break
    town.settle()
    assert town.found(case.id) == pooled()
    assert_each_message_had_one_effect(town)
    town.verify_logs()


def test_everything_repeated_in_reverse_changes_nothing(town: Town) -> None:
    """The whole exchange is brought once more, newest first: same receipts, no new event."""
    town.report()
    town.settle()
    before = {node_id: len(town.events(node_id)) for node_id in NODES}
    for carried in reversed(town.wires.carried):
        assert town.wires.bring(carried).status == 200
    town.settle()
    assert {node_id: len(town.events(node_id)) for node_id in NODES} == before
