"""Items and consents on each database: kept as given, found again, and never more than they say."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from comity.backends.sql import Records
from comity.backends.sql.consents import ConsentRow
from comity.backends.sql.items import Item
from comity.exchange import Opened
from comity.exchange.handling import fits
from comity.model import Consent, Handling, Permission
from tests.contract import stores as given
from tests.contract.stores import COMPACT, LATER, NOW, PEER
from tests.contract.test_stores import opener, records  # noqa: F401 - fixtures
from tests.unit import exchange_world
from tests.vectors.forger import CANADA, HONG_KONG

HANDLING = Handling(
    originators=(PEER, "ca-centre"), audience=("ca-centre",), purposes=("trace-and-hold",),
    actions={"read": Permission.ALLOW, "quantum": Permission.DENY}, retention_days=3, codes=("TLP:AMBER",),
    caveats=("ប្រយ័ត្ន",), sources=("ab" * 32,),
)  # fmt: skip


def item(number: int = 1, **changes: Any) -> Item:
    one = Item(
        id=f"message-{number}", originator=PEER, compact=COMPACT, direction="in", digest=f"{number:064x}",
        case_id="case-1", handling=HANDLING, at=NOW + timedelta(seconds=number), retain_until=LATER,
    )  # fmt: skip
    return replace(one, **changes)


def consent(number: int = 1, **changes: Any) -> ConsentRow:
    one = ConsentRow(
        id=f"consent-{number}", direction="out", compact=COMPACT, peer=PEER, item_digest=item().digest,
        action="disclose_onward", recipient="th-office", purpose="trace-and-hold", state="granted",
        expires_at=LATER, document={"word": "x.y.z"}, at=NOW,
    )  # fmt: skip
    return replace(one, **changes)


def test_an_item_comes_back_as_it_was_put(records: Records) -> None:  # noqa: F811 - the fixture
    with records.transaction() as tx:
        tx.items.put(item())
    with records.reading() as tx:
        assert tx.items.find(COMPACT, PEER, "message-1") == item()
        assert tx.items.by_digest(item().digest) == item()
        assert tx.items.find(COMPACT, "somebody-else", "message-1") is None
        assert tx.items.by_digest("0" * 64) is None


def test_what_becomes_of_an_item_replaces_what_was(records: Records) -> None:  # noqa: F811
    gone = item(state="retracted", handling=replace(HANDLING, audience=(), purposes=()), retain_until=NOW)
    with records.transaction() as tx:
        tx.items.put(item())
        tx.items.put(gone)
    with records.reading() as tx:
        assert tx.items.all() == [gone]


def test_one_id_of_two_senders_is_two_items(records: Records) -> None:  # noqa: F811
    other = item(originator="th-office", digest="f" * 64)
    with records.transaction() as tx:
        tx.items.put(item())
        tx.items.put(other)
    with records.reading() as tx:
        assert {one.originator for one in tx.items.all()} == {PEER, "th-office"}


def test_items_of_a_case_are_in_order_and_of_no_case_are_none(records: Records) -> None:  # noqa: F811
    with records.transaction() as tx:
        for one in (item(2), item(1), item(3, case_id="case-2"), item(4, case_id="")):
            tx.items.put(one)
    with records.reading() as tx:
        assert [one.id for one in tx.items.of_case("case-1")] == ["message-1", "message-2"]
        assert tx.items.of_case("") == []


def test_only_what_is_held_and_theirs_runs_out(records: Records) -> None:  # noqa: F811
    over = {"retain_until": NOW}
    with records.transaction() as tx:
        tx.items.put(item(1, **over))
        tx.items.put(item(2, **over, state="retracted"))
        tx.items.put(item(3, **over, direction="out", originator="ca-centre"))
        tx.items.put(item(4))
    with records.reading() as tx:
        assert [one.id for one in tx.items.run_out(NOW)] == ["message-1"]
        assert list(tx.items.run_out(NOW - timedelta(microseconds=1))) == []


def test_the_text_of_a_message_goes_and_its_row_stays(records: Records) -> None:  # noqa: F811
    opened = exchange_world.opened_by(
        HONG_KONG, exchange_world.packed(exchange_world.message(id="message-1")).wire
    )
    theirs = item(originator=CANADA.id, compact=opened.compact, digest=opened.digest)
    with records.transaction() as tx:
        tx.inbox.take(opened, receipt="r", now=NOW)
        assert tx.items.type_of(theirs) == opened.message.type
        tx.inbox.settle(tx.inbox.to_handle()[0], state="handled")
        tx.items.erase_content(theirs)
    with records.reading() as tx:
        known = tx.inbox.known(opened.compact, CANADA.id, "message-1")
        assert known.digest_of_same_id == opened.digest
        assert tx.items.type_of(theirs) == opened.message.type


def test_a_message_that_waits_for_a_consent_is_looked_at_again(records: Records) -> None:  # noqa: F811
    opened = exchange_world.opened_by(HONG_KONG, exchange_world.packed().wire)
    with records.transaction() as tx:
        tx.inbox.take(opened, receipt="r", now=NOW)
        assert tx.inbox.settle(tx.inbox.to_handle()[0], state="waiting")
        assert list(tx.inbox.to_handle()) == []
        tx.items.resume("another-compact", opened.digest)
        assert list(tx.inbox.to_handle()) == []
        tx.items.resume(opened.compact, opened.digest)
        assert list(tx.inbox.to_handle()) == [], "nothing is known of it"
        tx.items.put(waiting_item(opened))
        tx.items.resume(opened.compact, opened.digest)
        assert len(tx.inbox.to_handle()) == 1


def waiting_item(opened: Opened, **changes: Any) -> Item:
    return item(
        id=opened.message.id, originator=CANADA.id, compact=opened.compact, digest=opened.digest, **changes
    )


@pytest.mark.parametrize("end", ["erased", "taken back"])
def test_a_message_that_ended_while_it_waited_is_never_heard(records: Records, end: str) -> None:  # noqa: F811
    opened = exchange_world.opened_by(HONG_KONG, exchange_world.packed().wire)
    with records.transaction() as tx:
        tx.inbox.take(opened, receipt="r", now=NOW)
        tx.inbox.settle(tx.inbox.to_handle()[0], state="waiting")
        tx.items.put(waiting_item(opened))
        if end == "erased":
            tx.items.erase_content(waiting_item(opened))
        else:
            tx.items.put(waiting_item(opened, state="retracted"))
        tx.items.resume(opened.compact, opened.digest)
    with records.reading() as tx:
        assert list(tx.inbox.to_handle()) == []


def test_what_waits_is_over_when_nobody_is_asked_any_more(records: Records) -> None:  # noqa: F811
    opened = exchange_world.opened_by(HONG_KONG, exchange_world.packed().wire)
    with records.transaction() as tx:
        tx.inbox.take(opened, receipt="r", now=NOW)
        tx.inbox.settle(tx.inbox.to_handle()[0], state="waiting")
        tx.items.put(waiting_item(opened))
        tx.consents.put(consent(state="asked", item_digest=opened.digest))
    with records.transaction() as tx:
        assert list(tx.items.unanswered(NOW)) == []
        (over,) = tx.items.unanswered(LATER)
        assert over.digest == opened.digest
        assert tx.items.refuse_waiting(over)
        assert not tx.items.refuse_waiting(over)
        assert list(tx.items.unanswered(LATER)) == []


def test_one_id_in_two_compacts_is_two_items(records: Records) -> None:  # noqa: F811
    other = item(compact="another-compact", digest="e" * 64, state="retracted")
    with records.transaction() as tx:
        tx.items.put(item())
        tx.items.put(other)
    with records.reading() as tx:
        assert tx.items.find(COMPACT, PEER, "message-1") == item()
        assert tx.items.find("another-compact", PEER, "message-1") == other
        assert len(tx.items.named("message-1")) == 2


def test_more_than_a_message_may_say_is_read_again(records: Records) -> None:  # noqa: F811
    """64 originators and the sender, who is not among them: 65."""
    many = replace(
        HANDLING,
        originators=tuple(f"unit-{number}" for number in range(65)),
        codes=tuple(f"code {number}" for number in range(65)),
    )
    with records.transaction() as tx:
        tx.items.put(item(handling=many))
    with records.reading() as tx:
        assert tx.items.all() == [item(handling=many)]
        assert not fits(many)
        assert fits(HANDLING)


def test_recipients_are_whom_it_was_sent_to(records: Records) -> None:  # noqa: F811
    with records.transaction() as tx:
        tx.outbox.put(given.outgoing(1), due=NOW)
        assert list(tx.items.recipients("message-1")) == [PEER]
        assert list(tx.items.recipients("message-2")) == []


def test_a_consent_counts_while_it_is_granted_to_us(records: Records) -> None:  # noqa: F811
    with records.transaction() as tx:
        tx.consents.put(consent())
        tx.consents.put(consent(2, direction="in"))
        tx.consents.put(consent(3, state="asked"))
        tx.consents.put(consent(4, item_digest="f" * 64))
    with records.reading() as tx:
        assert tx.consents.find("consent-1") == consent()
        assert tx.consents.given(item().digest) == [
            Consent(
                item=item().digest, by=PEER, action="disclose_onward", recipient="th-office",
                purpose="trace-and-hold", expires=LATER,
            )
        ]  # fmt: skip
    with records.transaction() as tx:
        tx.consents.put(consent(state="withdrawn", expires_at=NOW))
    with records.reading() as tx:
        assert tx.consents.given(item().digest) == []
        assert len(tx.consents.all()) == 4
        assert tx.consents.find("consent-9") is None


@pytest.mark.parametrize("text", ["' OR 1=1 --", "case-1'; DROP TABLE items; --"])
def test_nothing_of_theirs_is_read_as_sql(records: Records, text: str) -> None:  # noqa: F811
    with records.transaction() as tx:
        tx.items.put(item())
        tx.items.put(item(2, id=text, case_id=text))
        tx.consents.put(consent(purpose=text))
    with records.reading() as tx:
        assert [one.id for one in tx.items.of_case(text)] == [text]
        assert len(tx.items.all()) == 2
