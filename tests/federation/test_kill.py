"""kill -9 of every node, the origin too, at random moments of a real exchange between real processes.

The seed is in the test's name; what was killed when is in its output. After every node is back the result is
what it would have been: federated is pooled, each message had one effect, every log verifies.
"""

import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from comity.entrypoints.demo.cast import CAST, KILLED
from comity.entrypoints.demo.play import Play
from comity.entrypoints.demo.stage import build
from comity.entrypoints.demo.verdict import judge

pytestmark = [pytest.mark.federation, pytest.mark.xdist_group("federation")]
TRANSFERS = 2_000
LAST_MOMENT = 160
"""Events on all nodes by which the last kill is due: the whole exchange makes about twice as many."""


@dataclass(slots=True)
class Battle(Play):
    """The demo's play, with a kill of each node in a random order, each when so many events have happened."""

    dice: random.Random = field(default_factory=random.Random)
    plan: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        victims = self.dice.sample([actor.id for actor in CAST], len(CAST))
        moments = sorted(self.dice.randrange(1, LAST_MOMENT) for _ in victims)
        self.plan = list(zip(moments, victims, strict=True))

    def _kill_once(self) -> None:
        """Called at every look: kill whoever's moment has come, and start it again at once."""
        since = len([one for one in self.seen if one.event.case_id or one.event.kind.startswith("message.")])
        while self.plan and since >= self.plan[0][0]:
            moment, victim = self.plan.pop(0)
            time.sleep(self.dice.random() * 0.2)
            self.stage.kill(victim)
            print(f"killed {victim} after {since} events (planned after {moment})")
            if victim == KILLED:
                self.killed_at = self.stage.nodes[victim].clock()
            self.stage.start(victim)
        if not self.plan and self.back_at is None:
            for actor in CAST:
                self.stage.wait_until_up(actor.id)
            self.back_at = self.stage.nodes[KILLED].clock()


@pytest.mark.parametrize("seed", [1, 2])
def test_every_node_killed_at_random_and_nothing_lost_or_done_twice(tmp_path: Path, seed: int) -> None:
    stage = build(tmp_path, seed=seed, transfers=TRANSFERS, say=lambda _: None)
    battle = Battle(stage=stage, on_look=lambda _: None, dice=random.Random(f"battle {seed}"))
    try:
        battle.run()
        verdict = judge(battle)
    finally:
        stage.stop()
    assert battle.plan == []
    assert [f"{check.name}: {check.detail}" for check in verdict.checks if not check.held] == []
