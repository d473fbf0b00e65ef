"""Nodes judge what a peer signed by the keys that held when they logged it, however late they come to look at it.

The rule by itself is `test_old_signatures`'; here it holds from the arrival of a message to its effect.
"""

from datetime import timedelta
from typing import Any

import pytest

from comity.exchange import verify_receipt
from comity.exchange.consent import Answer, Word, make_word, read_question
from comity.exchange.notice import NOTICE, Notice, write_notice
from comity.exchange.retraction import Retraction, make_retraction
from comity.model import Role
from comity.node.bootstrap import utc_now
from comity.node.handling.answering import answer_by_hand
from comity.node.hear import hear
from comity.node.post.send import Letter, send
from comity.node.post.tell import tell
from comity.node.registers.keep import ask, register_file, sign_timestamp
from comity.node.registers.peer_rules import refuse, trust
from comity.node.registers.publish import propose_change, revoking, root_key, rotate
from tests.nodes.hostile import Hostile
from tests.nodes.story import CA, HK
from tests.nodes.town import COMPACT, Town
from tests.nodes.wires import Carried, Fate

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def desk(town: Town) -> Town:
    """The town today, by the machine's clock, by which its register was formed; Hong Kong tells only who asks."""
    town.clock.advance(seconds=(utc_now() - town.clock()).total_seconds() + 60)
    file = town.folder / HK / "node.toml"
    file.write_text(file.read_text() + 'audience = "asked"\n')
    town.reopen(HK)
    return town


def hear_of_registers(town: Town) -> None:
    """Both say that what they hold is the newest, and ask each other."""
    for one, other in ((HK, CA), (CA, HK), (HK, CA)):
        town.clock.advance(seconds=2)
        sign_timestamp(town[other], COMPACT)
        member = town[one].registers()[COMPACT].member(other)
        ask(town[one], COMPACT, member, lambda at, path: register_file(town[at.id], *_named(path)))


def _named(path: str) -> tuple[str, str]:
    name, _, file = path.removeprefix("/peer/register/").partition("/")
    return name, file


def rotates(town: Town, *, overlap: timedelta = DAY) -> tuple[str, str]:
    """Hong Kong gets new keys, Canada hears of it, and the old ones retire; return the ids of both signing keys."""
    node = town[HK]
    old = node.compact().member(HK).signing_key_id
    rotate(node, overlap=overlap, key=root_key(node, None), actor="test")
    hear_of_registers(town)
    town.clock.advance(seconds=(overlap + HOUR).total_seconds())
    hear_of_registers(town)
    assert old not in town[CA].compact().signing_keys
    return old, town[CA].compact().member(HK).signing_key_id


def revokes(town: Town) -> None:
    """Hong Kong's state revokes its keys. Canada has not heard of it yet."""
    node = town[HK]
    propose_change(
        node, COMPACT, revoking(HK, "key stolen"), key=root_key(node, None), file=None, actor="test"
    )


def hears_of_it(town: Town) -> None:
    town.clock.advance(seconds=2)
    member = town[CA].registers()[COMPACT].member(HK)
    ask(town[CA], COMPACT, member, lambda at, path: register_file(town[at.id], *_named(path)))
    assert not town[CA].knows(HK, COMPACT)


def question(town: Town) -> Any:
    """Canada asks Hong Kong for its consent; the row at Hong Kong."""
    town.report()
    town.settle()
    with town.looking(HK) as tx:
        (row,) = [one for one in tx.consents.all() if (one.direction, one.state) == ("in", "asked")]
    return row


def granted(town: Town, row: Any) -> str:
    """Hong Kong's word as it signs it now, and as the thief of its key signs it whenever he likes."""
    asked = read_question(row.document["question"])
    word = Word(
        answer=Answer.GRANT, question=asked.id, use=asked.use, originator=HK, asker=CA, at=town.clock(),
        expires=asked.until, why="",
    )  # fmt: skip
    return make_word(
        word, key=town[HK].keys.signing_for(town[HK].registers()[COMPACT].member(HK).signing_key)
    )


def codes(town: Town, kind: str) -> list[str]:
    return [one.body["code"] for one in town.events(CA, kind)]


# --- consents ----------------------------------------------------------------------------------------------


def test_a_consent_that_came_before_its_key_retired_counts_when_it_is_heard_after(desk: Town) -> None:
    row = question(desk)
    answer_by_hand(desk[HK], row.id, Answer.GRANT, person=desk.person(HK, Role.SUPERVISOR))
    while desk.deliver(HK, CA):
        pass
    assert desk.events(CA, "consent.granted") == [], "it is logged, and not looked at yet"
    rotates(desk)
    hear(desk[CA])
    assert [one.body["consent"] for one in desk.events(CA, "consent.granted")] == [row.id]
    assert codes(desk, "alarm.message-refused") == []


def test_a_consent_signed_with_a_retired_key_is_none_whatever_date_it_bears(desk: Town) -> None:
    """In a message that is Hong Kong's own, under the key it has now: the word in it is what was made too late."""
    row = question(desk)
    back_dated = granted(desk, row)
    rotates(desk)
    hk = Hostile(desk, HK)
    hk.start_after(CA)
    for _ in range(2):
        hk.say(CA, "consent.grant", {"word": back_dated})
    hear(desk[CA])
    assert desk.events(CA, "consent.granted") == []
    assert codes(desk, "alarm.message-refused") == ["signature.unknown-key"] * 2
    assert hk.say(CA, "consent.grant", {"word": granted(desk, row)}).status == 202
    hear(desk[CA])
    assert len(desk.events(CA, "consent.granted")) == 1, "under the key that holds it counts"


def test_a_consent_counts_that_came_before_its_key_was_revoked(desk: Town) -> None:
    row = question(desk)
    hk = Hostile(desk, HK)
    hk.start_after(CA)
    assert hk.say(CA, "consent.grant", {"word": granted(desk, row)}).status == 202
    desk.clock.advance(minutes=30)
    revokes(desk)
    hears_of_it(desk)
    hear(desk[CA])
    assert [one.body["consent"] for one in desk.events(CA, "consent.granted")] == [row.id]


def test_a_stolen_and_revoked_key_says_nothing_more_however_old_it_makes_itself(desk: Town) -> None:
    """The thief has every key of Hong Kong's node, and dates all he says back to when they were good. What reaches us
    before we heard of the revocation is logged, and counts for nothing; after that it is not even taken.
    """
    row = question(desk)
    thief = Hostile(desk, HK)
    thief.start_after(CA)
    early = thief.packed(CA, "consent.grant", {"word": granted(desk, row)}, expires=desk.clock() + DAY)
    after = thief.packed(CA, "consent.grant", {"word": granted(desk, row)}, expires=desk.clock() + DAY)
    revokes(desk)
    desk.clock.advance(minutes=30)
    assert thief.bring(CA, early.wire).status == 202
    hears_of_it(desk)
    hear(desk[CA])
    assert codes(desk, "alarm.message-refused") == ["signature.unknown-key"]
    assert thief.bring(CA, after.wire).status == 401
    assert codes(desk, "alarm.message-rejected") == ["envelope.unknown-sender"]
    assert desk.events(CA, "consent.granted") == []
    with desk.looking(CA) as tx:
        assert [one.state for one in tx.consents.all() if one.id == row.id] == ["asked"]


# --- retractions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("revoked", ["before it came", "after it came"])
def test_a_retraction_is_judged_by_the_keys_of_when_it_came(desk: Town, revoked: str) -> None:
    question(desk)
    with desk.looking(CA) as tx:
        item = next(one for one in tx.items.all() if one.originator == HK and one.direction == "in")
    thief, now = Hostile(desk, HK), desk.clock()
    thief.start_after(CA)
    text = make_retraction(
        Retraction(
            item=item.digest, message_id=item.id, originator=HK, audience=(), at=now, comply_by=now + HOUR, why=""
        ),
        key=desk[HK].keys.signing,
    )  # fmt: skip
    packed = thief.packed(CA, "item.retraction", {"retraction": text})
    if revoked == "before it came":
        revokes(desk)
    desk.clock.advance(minutes=10)
    assert thief.bring(CA, packed.wire).status == 202
    desk.clock.advance(minutes=10)
    if revoked == "after it came":
        revokes(desk)
    hears_of_it(desk)
    hear(desk[CA])
    assert len(desk.events(CA, "item.retracted")) == (1 if revoked == "after it came" else 0)


# --- receipts ----------------------------------------------------------------------------------------------


def notify(town: Town) -> str:
    letter = Letter(
        compact=COMPACT, peer=HK, type=NOTICE, case_id="", purpose="trace-and-hold", legal_basis="",
        payload=write_notice(Notice(origin="", case="", subject="s", text="x")),
    )  # fmt: skip
    with town[CA].records.transaction() as tx:
        return send(town[CA], tx, letter, actor="test")


def receipts(town: Town) -> list[str]:
    with town.looking(CA) as tx:
        rows = tx.outbox._connection.exec_driver_sql("SELECT receipt FROM outbox WHERE receipt <> ''")
        return [row.receipt for row in rows]


def given_at_hong_kong(town: Town, message_id: str) -> str:
    with town.looking(HK) as tx:
        return tx.inbox.receipt_for(COMPACT, CA, message_id)


def test_who_asks_again_after_a_rotation_gets_a_receipt_that_holds(desk: Town) -> None:
    """The first answer was lost, and Canada was off for longer than the old key held."""
    message_id = notify(desk)
    desk.wires.fate = lambda _: Fate.ANSWER_LOST
    desk.deliver(CA, HK)
    first = given_at_hong_kong(desk, message_id)
    (again,) = (
        desk.wires.bring(Carried(sender=CA, receiver=HK, wire=desk.wires.carried[-1].wire)) for _ in (1,)
    )
    assert (again.status, again.receipt) == (200, first), "byte for byte, while its key holds"
    _, new = rotates(desk)
    desk.wires.fate = lambda _: Fate.ARRIVES
    desk.deliver(CA, HK)
    (receipt,) = receipts(desk)
    assert receipt != first
    keys = desk[CA].compact().keys_of(HK, desk.clock())
    assert list(keys) == [new]
    assert verify_receipt(receipt, giver=HK, keys=keys).message_id == message_id
    assert len(desk.events(HK, "message.received")) == 1, "nothing is done twice"


def test_a_receipt_under_a_retired_key_is_no_receipt(desk: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that gives the old bytes all the same: Canada logs them only now, and believes them no more."""
    message_id = notify(desk)
    desk.wires.fate = lambda _: Fate.ANSWER_LOST
    desk.deliver(CA, HK)
    rotates(desk)
    monkeypatch.setattr("comity.node.post.receive.given_again", lambda node, compact, jws: jws)
    desk.wires.fate = lambda _: Fate.ARRIVES
    desk.deliver(CA, HK)
    assert receipts(desk) == []
    with desk.looking(CA) as tx:
        assert tx.outbox.waits(HK, message_id)


def test_what_became_of_a_message_can_be_told_after_a_rotation(desk: Town) -> None:
    """Hong Kong did not speak with Canada for a while: what waited to be told is signed with the key it has by then."""
    message_id = notify(desk)
    desk.deliver(CA, HK)
    refuse(desk[HK], CA, actor="test")
    hear(desk[HK])
    tell(desk[HK])
    rotates(desk)
    trust(desk[HK], CA, actor="test")
    desk.settle()
    assert codes(desk, "alarm.receipt-wrong") == []
    assert message_id in {one.body["message"] for one in desk.events(CA, "message.handled")}
