"""A member that asks about money which was never stolen, to read somebody's book: what does it learn?

It holds its real keys and its messages verify (`tests.nodes.hostile`). What it learns is what it is answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given

from comity.casework import Request
from comity.exchange import Outgoing, Queue
from comity.model import Role
from comity.node.answer import answer_by_hand, refuse_by_hand
from comity.node.increment import answer_to_say
from comity.node.request import inflows_of
from comity.node.run import work
from comity.proofs.canonical import canonical_bytes
from tests.faults.test_hostile_payload import MANY, heard_without_fault
from tests.nodes.hostile import Hostile
from tests.nodes.laws import refuses
from tests.nodes.mutations import mutated
from tests.nodes.story import CA, HK, TH, row
from tests.nodes.town import Town

SHOP = row("P-01", 40.0, "hk-spy>th-2", 100)
"""A real payment of the prober's own country into an account whose balance it would like to know."""


@pytest.fixture
def prober(held: Town) -> Hostile:
    hostile = Hostile(held, HK)
    hostile.start_after(TH)
    return hostile


def crossing(**changes: Any) -> dict[str, Any]:
    """The one true inflow, P-01; `minor` and `tainted` change its only piece."""
    minor, tainted = changes.pop("minor", 100), changes.pop("tainted", True)
    return {
        "transfer_id": "P-01", "booked_at": "2026-03-01T12:40:00.000000Z", "from_country": "HK",
        "to_account": "th-2", "to_institution": "Bank of th", "to_country": "TH", "currency": "USD",
        "pieces": [{"amount_minor": minor, "tainted": tainted}], "sent_currency": "USD", "sent_minor": minor,
        **changes,
    }  # fmt: skip


def ask(
    town: Town,
    prober: Hostile,
    crossings: Sequence[Mapping[str, Any]],
    *,
    case: str = "probe",
    **changes: Any,
) -> Request | None:
    """Ask Thailand; the request as it was filed there, None if it was not."""
    real = next(one for one in town.requests(CA) if one.peer == TH)
    payload = {
        **real.payload, "request": f"request-{case}-{len(town.requests(TH))}", "basis": dict(real.basis),
        "case": case, "crossings": list(crossings), **changes,
    }  # fmt: skip
    before = {one.id for one in town.requests(TH)}
    prober.say(TH, "trace_and_hold.request", payload)
    while work(town[TH]):
        pass
    return next((one for one in town.requests(TH) if one.id not in before), None)


def told(request: Request | None) -> dict[str, Any]:
    """All that an answer says but for what the request itself said, and ids."""
    assert request is not None
    assert request.answer is not None, request.state
    return {name: request.answer[name] for name in ("holdings", "exits", "gaps", "chokes", "holds")}


NOTHING: dict[str, list[Any]] = {"holdings": [], "exits": [], "gaps": [], "chokes": [], "holds": []}

WRONG: dict[str, dict[str, Any]] = {
    "no such account": {"to_account": "th-nobody"},
    "an account that had no such transfer": {"to_account": "th-1"},
    "no such transfer": {"transfer_id": "P-99"},
    "a transfer between two of theirs": {"transfer_id": "T-05", "minor": 250_000},
    "another amount": {"minor": 99},
    "another currency": {"currency": "CAD"},
    "another country": {"from_country": "CA"},
}


def test_what_the_book_does_not_show_all_looks_alike(held: Town, prober: Hostile) -> None:
    """Unknown account, known account, known transfer with another amount: one answer, of what was asked itself."""
    held.give(SHOP)
    for name, change in WRONG.items():
        said = crossing(**change)
        request = ask(held, prober, [said], case=f"probe {name}")
        assert told(request) == NOTHING, name
        assert request is not None
        assert request.answer is not None
        assert request.answer["unmatched"] == [said], name
    lengths = [len(one.wire) for one in queued(held) if one.type == "trace_and_hold.answer"]
    assert len(lengths) == len(WRONG)
    assert len(set(lengths)) == 1


def queued(town: Town) -> list[Outgoing]:
    """What waits at Thailand for the prober, whenever it is to leave."""
    later = town.clock() + timedelta(days=1)
    with town.looking(TH) as tx:
        waiting = tx.outbox.due(later, Queue(town[TH].compact().name, HK), most=64, most_bytes=1 << 24)
        return tx.outbox.with_wires(waiting)


def test_a_balance_is_never_told(held: Town, prober: Hostile) -> None:
    """A real payment of one dollar into an account: where that dollar is, and not how much else is there."""
    held.give(SHOP)
    request = ask(held, prober, [crossing()])
    (holding,) = told(request)["holdings"]
    assert (holding["account"], holding["tainted_minor"]) == ("th-2", 100)
    assert holding["balance_minor"] == holding["tainted_minor"]


def test_the_rule_that_shows_whole_balances_is_for_an_officer(held: Town, prober: Hostile) -> None:
    held.give(SHOP)
    request = ask(held, prober, [crossing()], rule="poison")
    assert request is not None
    assert (request.state, request.answer) == ("acknowledged", None)
    assert "poison" in str(held.events(TH, "request.left-to-officer")[-1].body["reasons"]).lower()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tainted": False}, "stolen money in each transfer"),
        ({"minor": 0}, "stolen money in each transfer"),
        ({"from_country": ""}, "country that each transfer came from"),
        ({"from_country": "TH"}, "country that each transfer came from"),
        ({"to_country": "HK"}, "money that came into TH"),
    ],
    ids=str,
)
def test_questions_about_clean_money_and_of_no_country_are_no_requests(
    held: Town, prober: Hostile, change: dict[str, Any], says: str
) -> None:
    """An inflow without taint would be answered yes or no; one of no country would match any."""
    held.give(SHOP)
    assert ask(held, prober, [crossing(**change)]) is None
    assert says in held.events(TH, "alarm.message-refused")[-1].body["problem"]


def test_guesses_in_great_number_go_to_an_officer_and_are_not_answered(held: Town, prober: Hostile) -> None:
    """A true transfer among many guesses is not told either: which of them were right stays unsaid."""
    held.give(SHOP)
    guesses = [crossing(transfer_id=f"P-{number:02d}", minor=number) for number in range(2, 32)]
    request = ask(held, prober, [crossing(), *guesses])
    assert request is not None
    assert (request.state, request.answer) == ("acknowledged", None)
    (event,) = held.events(TH, "request.left-to-officer")
    assert "not in our book" in event.body["reasons"][0]
    assert held.holds(TH) == [one for one in held.holds(TH) if one.case_id != request.case_id]


def test_few_guesses_a_day_and_then_an_officer(held: Town, prober: Hostile) -> None:
    """Twenty guesses in a request, request after request: all of a case count together."""
    held.give(SHOP)
    answered = 0
    for number in range(60):
        request = ask(held, prober, [crossing(minor=101 + number)], case="drip")
        assert request is not None
        answered += request.answer is not None
    assert answered == 50
    assert "officer" in held.events(TH, "request.left-to-officer")[-1].body["reasons"][0]


def test_guesses_under_many_names_count_together(held: Town, prober: Hostile) -> None:
    """What a case is called is the prober's choice: twenty guesses a case, two requests a case, and after a hundred of
    them in a day no more is said, of this or any further case. A day later it may ask again."""
    held.give(SHOP)

    def twenty(case: str, number: int) -> Request | None:
        guesses = [crossing(transfer_id=f"P-{case}-{number}-{one}") for one in range(20)]
        return ask(held, prober, guesses, case=case)

    states = [twenty(f"case-{case}", number) for case in range(5) for number in range(2)]
    assert [one.state for one in states if one is not None] == ["answered"] * 5 + ["acknowledged"] * 5
    assert "not in our book" in held.events(TH, "request.left-to-officer")[-1].body["reasons"][0]
    true = ask(held, prober, [crossing()], case="true")
    assert told(true)["holdings"], "what is true is answered, with no guess beside it"
    mixed = ask(held, prober, [crossing(), crossing(transfer_id="P-99")], case="mixed")
    assert mixed is not None
    assert mixed.answer is None
    with held[TH].records.transaction() as tx:
        for one in tx.requests.all():
            tx.requests.put(replace(one, created_at=one.created_at - timedelta(hours=25)))
    later = twenty("later", 0)
    assert later is not None
    assert later.state == "answered"


def test_what_was_said_already_is_no_new_guess(held: Town, prober: Hostile) -> None:
    """A request that goes on from another has its inflows too: one that the book does not show counts once."""
    held.give(SHOP)
    first = ask(held, prober, [crossing(transfer_id="P-77")])
    assert first is not None
    digest = sha256(canonical_bytes([crossing(transfer_id="P-77")])).hexdigest()
    since = {"request": first.payload["request"], "digest": digest}
    second = ask(held, prober, [crossing()], since=since, withdrawn=[])
    assert second is not None
    assert second.answer is not None
    assert (len(second.answer["unmatched"]), first.unmatched, second.unmatched) == (1, 1, 0)


def test_what_an_officer_answers_is_no_guess_of_the_nodes_own(held: Town, prober: Hostile) -> None:
    guesses = [crossing(transfer_id=f"P-{number:02d}", minor=number) for number in range(2, 32)]
    request = ask(held, prober, guesses)
    assert request is not None
    done = answer_by_hand(held[TH], request.id, person=held.person(TH, Role.SUPERVISOR))
    assert (done.state, done.unmatched) == ("answered", 0)


@pytest.mark.parametrize(
    "by", ["accounts", "inflows", "third_countries", "cases_today", "peer_requests_today"]
)
def test_a_node_sets_its_own_limits(held: Town, prober: Hostile, by: str) -> None:
    """And may refuse by itself, on a declared ground."""
    held.law(TH, refuses("no-purpose", when=f"resource.{by} > 1"))
    three = [
        crossing(transfer_id=f"P-{number}", to_account=f"th-{number}", from_country="CA")
        for number in range(3)
    ]
    if by.endswith("_today"):
        assert told(ask(held, prober, [crossing(minor=7)], case="one")) == NOTHING
        three = three[:1]
    request = ask(held, prober, three, case="two")
    assert request is not None
    assert request.refusal is not None
    assert request.refusal["ground"] == "no-purpose"


def test_an_answer_that_would_tell_too_much_is_for_an_officer(
    held: Town, prober: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted after it was followed, before anything is said, held or recorded of it. By hand it can be answered."""
    held.give(SHOP, row("P-02", 41.0, "th-2>sg-1", 115_100))
    limit = (
        'forbid (principal, action == Action::"answer_automatically", resource) when { resource.exits > 0 };'
    )
    held.law(TH, f'@id("few") @reason("More ways out than are told without a person") {limit}')
    request = ask(held, prober, [crossing()])
    assert request is not None
    assert (request.state, request.answer) == ("acknowledged", None)
    assert [one for one in held.holds(TH) if one.case_id == request.case_id] == []
    done = answer_by_hand(held[TH], request.id, person=held.person(TH, Role.SUPERVISOR))
    assert done.answer is not None
    assert len(done.answer["exits"]) == 1


def test_an_officer_may_refuse_what_was_left(held: Town, prober: Hostile) -> None:
    request = ask(held, prober, [crossing()], rule="poison")
    assert request is not None
    done = refuse_by_hand(
        held[TH], request.id, person=held.person(TH, Role.SUPERVISOR), ground="no-purpose", text="Why poison?"
    )
    assert done.state == "refused"


@pytest.mark.parametrize(
    "since",
    [
        {"request": "request-x", "digest": "0" * 64}, {"request": 7, "digest": ""}, "request-x", None,
        {"request": "request-x"},
    ],
    ids=str,
)  # fmt: skip
def test_going_on_from_what_was_never_answered_tells_nothing(
    held: Town, prober: Hostile, since: object
) -> None:
    """Another member's request, and one that nobody made: the same refusal."""
    before = len(held.requests(TH))
    theirs = next(one for one in held.requests(TH) if one.peer == CA)
    for named in (since, {"request": theirs.payload["request"], "digest": "0" * 64}):
        assert ask(held, prober, [], since=named, withdrawn=["T-03"]) is None
    assert len(held.requests(TH)) == before


def test_requests_that_go_on_almost_right(held: Town, prober: Hostile) -> None:
    """Nothing fails, nothing is put away as our own fault, and what is filed is what was answered before and more."""
    held.give(SHOP)
    first = ask(held, prober, [crossing()])
    assert first is not None
    digest = sha256(canonical_bytes([crossing()])).hexdigest()
    real = next(one for one in held.requests(CA) if one.peer == TH)
    right = {
        **real.payload, "request": "request-2", "basis": dict(real.basis), "case": "probe",
        "since": {"request": first.payload["request"], "digest": digest}, "withdrawn": ["P-01"],
        "crossings": [crossing(transfer_id="P-02")],
    }  # fmt: skip
    filed = ask(held, prober, right["crossings"], **{key: right[key] for key in ("since", "withdrawn")})
    assert filed is not None
    assert [one["transfer_id"] for one in filed.payload["crossings"]] == ["P-02"]

    @MANY
    @given(said=mutated(right))
    def go_on(said: dict[str, Any]) -> None:
        assert prober.say(TH, "trace_and_hold.request", said).status == 202
        heard_without_fault(held, TH)
        work(held[TH])

    go_on()
    assert held.events(TH, "alarm.case-stuck") == []


def test_what_is_withdrawn_twice_is_no_request(held: Town, prober: Hostile) -> None:
    held.give(SHOP)
    first = ask(held, prober, [crossing()])
    assert first is not None
    since = {"request": first.payload["request"], "digest": sha256(canonical_bytes([crossing()])).hexdigest()}
    assert ask(held, prober, [], since=since, withdrawn=["P-01", "P-01"]) is None
    assert held.events(TH, "alarm.message-refused")


def test_answers_that_go_on_almost_right(held: Town) -> None:
    """Hong Kong's answer to a request that went on from another: it may say what is new, and nothing else."""
    hong_kong = Hostile(held, HK)
    held.give(row("T-10", 10.0, "ca-mule>hk-3", 10_000))
    held.settle()
    hong_kong.start_after(CA)
    request = [one for one in held.requests(CA) if one.peer == HK][-1]
    with held.looking(HK) as tx:
        theirs = next(one for one in tx.requests.all() if one.payload["request"] == request.id)
        right = {
            "request": request.id, "case": request.case_id,
            **answer_to_say(tx, theirs, theirs.answer or {}),
        }  # fmt: skip
    assert right["since"] == request.payload["since"]["request"]
    with held.looking(CA) as tx:
        base = tx.requests.get(right["since"])
        trace = next(one for one in tx.cases.traces(request.case_id) if one.source == HK)

    @MANY
    @given(said=mutated(right))
    def answer(said: dict[str, Any]) -> None:
        with held[CA].records.transaction() as tx:
            tx.requests.put(replace(request, state="sent", answer=None, refusal=None))
            tx.cases.put_trace(replace(trace, inflows=inflows_of(base)))
        done = hong_kong.say(CA, "trace_and_hold.answer", said, in_reply_to=request.message_id)
        assert done.status == 202
        heard_without_fault(held, CA)
        held.case_page(CA, request.case_id)

    answer()
    assert held.events(CA, "alarm.case-stuck") == []
