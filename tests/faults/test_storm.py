"""At least 2,000 messages among four real nodes that die, are cut off, run out of disk and misread the clock.

The same by hand, with other seeds and for longer: `python -m tests.faults.storm --seed N --minutes 10`.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.harness.field import NODES, Field, found_field
from tests.faults.harness.outside import look
from tests.faults.harness.run import all_said, run_storm, wait_for_rest

pytestmark = [pytest.mark.federation, pytest.mark.xdist_group("federation")]
SEED = 20_250_603
MESSAGES = 2_000
WRITTEN = 1_400
"""Every third or so goes to several members at once: more than `MESSAGES` envelopes are delivered."""
SECONDS = 20.0


def test_every_message_has_one_effect_whatever_breaks(tmp_path: Path) -> None:
    print(f"seed {SEED}: again with `python -m tests.faults.storm --seed {SEED} --diary`")
    outcome = run_storm(tmp_path, seed=SEED, messages=WRITTEN, seconds=SECONDS)
    print("\n".join(outcome.lines()))
    assert outcome.findings.wrong == []
    assert outcome.findings.counts["messages of type notice"] >= MESSAGES
    for fault in ("node killed", "writer killed", "disk full", "bad courier", "clock wrong"):
        assert outcome.faults[fault] > 0, fault
    broken = [name for name in outcome.faults if name.startswith("pieces") and not name.endswith("open")]
    assert sum(outcome.faults[name] for name in broken) > 0, "no byte ever met a broken link"


# --- that the look from outside sees what it is for -----------------------------------------------------


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """Four nodes that said forty things to one another in calm weather, stopped."""
    field = found_field(tmp_path_factory.mktemp("quiet"), seed=1, messages=40, seconds=1, small_disk=False)
    try:
        for node_id in NODES:
            field.start(node_id)
            field.start(f"writer-{node_id}")
        while not all_said(field):
            assert any(field.running(f"writer-{node_id}") for node_id in NODES)
        wait_for_rest(field)
        field.stop()
        yield field
    finally:
        field.stop()
        field.clear()


A_NOTICE = "arrival = (SELECT min(arrival) FROM inbox WHERE type = 'notice')"
A_SENT_ONE = "rowid = (SELECT min(rowid) FROM outbox WHERE type = 'notice')"
LIES = {
    "lost": ("DELETE FROM inbox WHERE A_NOTICE", "0 inbox rows"),
    "not acted on": ("UPDATE inbox SET state = 'received' WHERE A_NOTICE", "received at the addressee"),
    "other words": (
        "UPDATE inbox SET message = CAST(replace(CAST(message AS TEXT), '-storm-', '-calm-') AS BLOB) WHERE A_NOTICE",
        "other words",
    ),
    "out of order": ("UPDATE inbox SET arrival = arrival + 1000 WHERE A_NOTICE", "order of arrival"),
    "unaccounted": ("UPDATE outbox SET state = 'queued' WHERE A_SENT_ONE", "queued"),
    "no receipt": ("UPDATE outbox SET receipt = '' WHERE A_SENT_ONE", "no receipt"),
    "another's receipt": (
        "UPDATE outbox SET receipt = (SELECT max(receipt) FROM outbox o WHERE o.id <> outbox.id) WHERE A_SENT_ONE",
        "the receipt says",
    ),
    "a chain cut": ("UPDATE chains SET sequence = sequence - 1 WHERE direction = 'in'", "ends of the chain"),
    "never said": ("UPDATE outbox SET id = 'message-x' WHERE A_SENT_ONE", "nobody said"),
    "an event changed": (
        "UPDATE events SET body = CAST(replace(CAST(body AS TEXT), 'node', 'nobody') AS BLOB)"
        " WHERE kind = 'message.received'",
        "comity log verify",
    ),
    "an event gone": ("DELETE FROM events WHERE kind = 'message.received'", "received 0 times"),
}


@pytest.mark.parametrize("lie", LIES)
def test_the_look_from_outside_finds(lie: str, quiet: Field, tmp_path: Path) -> None:
    query, says = LIES[lie]
    field = copied(quiet, tmp_path / "copy")
    with closing(sqlite3.connect(field.homes["hk-storm"] / "node.db")) as database, database:
        exact = query.replace("A_NOTICE", A_NOTICE).replace("A_SENT_ONE", A_SENT_ONE)
        assert database.execute(exact).rowcount > 0
    wrong = look(field, logs=says == "comity log verify").wrong
    assert any(says in one for one in wrong), wrong


def test_the_look_from_outside_finds_nothing_wrong_where_nothing_is(quiet: Field) -> None:
    assert look(quiet).wrong == []


def copied(field: Field, folder: Path) -> Field:
    shutil.copytree(field.folder, folder)
    homes = {node_id: folder / node_id for node_id in field.homes}
    return Field(
        folder=folder, seed=field.seed, homes=homes, small_disk=None, proxies=field.proxies, upto=field.upto,
        pace=field.pace,
    )  # fmt: skip
