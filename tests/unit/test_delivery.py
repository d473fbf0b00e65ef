"""When to try again, what an answer means, and what an arriving message does given what is known."""

import random
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import ComityError
from comity.exchange import (
    NO_PREVIOUS,
    Backoff,
    Known,
    Next,
    Receipt,
    StaleRegister,
    Status,
    Verdict,
    after_attempt,
    decide,
    lifetime,
    next_attempt,
    wait_as_told,
)
from comity.exchange.delivery import MOST_DAMAGED
from comity.exchange.envelope import MAX_LIFETIME
from comity.exchange.refusals import (
    BadPayload,
    Expired,
    MalformedWire,
    OtherRecipientKey,
    OversizeEnvelope,
    Premature,
    UnknownSender,
    WrongRecipient,
)
from comity.proofs.sealing import CannotUnwrap, ChangedCiphertext
from comity.proofs.signatures import BadSignature
from tests.unit.exchange_world import digest
from tests.vectors.forger import NOW

LATER = NOW + timedelta(hours=1)


def test_waits_double_to_the_ceiling() -> None:
    bounds = [Backoff().bound(attempts).total_seconds() for attempts in range(1, 14)]
    assert bounds == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 300, 300]


@pytest.mark.parametrize("attempts", [0, -1, 10_000, 2**70])
def test_no_number_of_attempts_overflows(attempts: int) -> None:
    assert timedelta(0) < Backoff().bound(attempts) <= timedelta(minutes=5)


def test_jitter_is_full() -> None:
    """Uniform from nothing to the bound: a thousand peers do not come back together."""
    waits = [
        (next_attempt(6, NOW, random.Random(seed).random()) - NOW).total_seconds() for seed in range(2000)
    ]
    assert 0 <= min(waits) < 0.1
    assert 6.3 < max(waits) < 6.4
    assert 3.0 < sum(waits) / len(waits) < 3.4


def test_bounds_are_parameters() -> None:
    slow = Backoff(first=timedelta(minutes=1), ceiling=timedelta(hours=1))
    assert next_attempt(3, NOW, 0.5, backoff=slow) == NOW + timedelta(minutes=2)


def receipt(status: Status, code: str = "") -> Receipt:
    return Receipt(
        status=status, message_id="m", envelope_digest=digest("m"), sender="ca-centre", receiver="hk-unit", at=NOW,
        reason_code=code,
    )  # fmt: skip


ACCEPTED = receipt(Status.ACCEPTED)
REFUSED = receipt(Status.REFUSED, "envelope.expired")


@pytest.mark.parametrize(
    ("status", "given", "expected"),
    [
        (200, ACCEPTED, Next.ACCEPTED),
        (202, ACCEPTED, Next.ACCEPTED),
        (200, None, Next.RETRY),  # a proxy's page is no receipt
        (200, REFUSED, Next.RETRY),  # says two things
        (302, None, Next.RETRY),
        (302, ACCEPTED, Next.RETRY),
        (400, REFUSED, Next.REFUSED),
        (403, REFUSED, Next.REFUSED),
        (409, REFUSED, Next.REFUSED),
        (413, REFUSED, Next.REFUSED),
        (422, REFUSED, Next.REFUSED),
        (400, None, Next.RETRY),  # nobody signed that refusal
        (403, None, Next.RETRY),
        (403, ACCEPTED, Next.RETRY),
        (404, None, Next.RETRY),
        (424, None, Next.RETRY),
        (429, None, Next.RETRY),
        (500, ACCEPTED, Next.RETRY),
        (503, REFUSED, Next.RETRY),
        (507, None, Next.RETRY),
        (None, None, Next.RETRY),
    ],
)
def test_an_answer_means(status: int | None, given: Receipt | None, expected: Next) -> None:
    assert after_attempt(status, given, attempts=0, expires=LATER, now=NOW) is expected
    overdue = after_attempt(status, given, attempts=0, expires=NOW, now=NOW)
    assert overdue is (Next.UNDELIVERED if expected is Next.RETRY else expected)


def refused_with(refusal: type[ComityError], attempts: int = 0) -> Next:
    given = receipt(Status.REFUSED, refusal.code)
    return after_attempt(refusal.http_status, given, attempts=attempts, expires=LATER, now=NOW)


@pytest.mark.parametrize("refusal", [UnknownSender, OtherRecipientKey, Premature, StaleRegister])
def test_what_time_may_mend_is_tried_again(refusal: type[ComityError]) -> None:
    assert refused_with(refusal) is Next.RETRY


@pytest.mark.parametrize(
    "refusal",
    [BadPayload, Expired, MalformedWire, OversizeEnvelope, WrongRecipient, CannotUnwrap, BadSignature],
)
def test_what_nothing_mends_is_quarantined(refusal: type[ComityError]) -> None:
    assert refused_with(refusal) is Next.REFUSED


def test_what_may_have_been_damaged_on_the_way_is_tried_a_few_times() -> None:
    assert refused_with(ChangedCiphertext, attempts=MOST_DAMAGED - 1) is Next.RETRY
    assert refused_with(ChangedCiphertext, attempts=MOST_DAMAGED) is Next.REFUSED


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", 0), ("7", 7), ("999999999", 300), ("", None), ("-1", None), ("soon", None), ("1" * 400, None)],
)
def test_a_peer_may_ask_us_to_wait_but_not_for_long(header: str, seconds: int | None) -> None:
    expected = None if seconds is None else NOW + timedelta(seconds=seconds)
    assert wait_as_told(header, NOW) == expected


def test_whoever_asks_hears_sooner_than_others_that_nobody_answers() -> None:
    assert timedelta(hours=72) == lifetime("trace_and_hold.request") < lifetime("receipts") == MAX_LIFETIME


# arrival


@dataclass(frozen=True)
class Arrived:
    digest: str
    sequence: int
    previous: str


ONE, TWO, THREE = digest("one"), digest("two"), digest("three")
FRESH = Known(digest_of_same_id=None)
AFTER_TWO = Known(digest_of_same_id=None, last_sequence=2, last_digest=TWO)


@pytest.mark.parametrize(
    ("arrived", "known", "verdict", "accepted", "alarm"),
    [
        (Arrived(ONE, 1, NO_PREVIOUS), FRESH, Verdict.ACCEPT, True, False),
        (Arrived(THREE, 3, TWO), AFTER_TWO, Verdict.ACCEPT, True, False),
        (Arrived(TWO, 2, ONE), Known(digest_of_same_id=TWO, last_sequence=2, last_digest=TWO),
         Verdict.DUPLICATE, False, False),
        (Arrived(ONE, 1, NO_PREVIOUS), Known(digest_of_same_id=ONE, last_sequence=9, last_digest=TWO),
         Verdict.DUPLICATE, False, False),
        (Arrived(THREE, 3, TWO), Known(digest_of_same_id=TWO, last_sequence=2, last_digest=TWO),
         Verdict.CONFLICT, False, True),
        (Arrived(THREE, 2, ONE), AFTER_TWO, Verdict.REPLAYED_SEQUENCE, False, True),
        (Arrived(THREE, 1, NO_PREVIOUS), AFTER_TWO, Verdict.REPLAYED_SEQUENCE, False, True),
        (Arrived(THREE, 4, ONE), AFTER_TWO, Verdict.GAP, True, True),
        (Arrived(TWO, 2, ONE), FRESH, Verdict.GAP, True, True),
        (Arrived(THREE, 3, ONE), AFTER_TWO, Verdict.BROKEN_CHAIN, False, True),
        (Arrived(ONE, 1, ONE), FRESH, Verdict.BROKEN_CHAIN, False, True),
    ],
)  # fmt: skip
def test_an_arrival_is(arrived: Arrived, known: Known, verdict: Verdict, accepted: bool, alarm: bool) -> None:
    decision = decide(arrived, known)
    assert (decision.verdict, decision.accepted, decision.alarm) == (verdict, accepted, alarm)
    assert decision.code == f"arrival.{verdict.value}"
    assert decision.reason


@settings(max_examples=200, deadline=None)
@given(order=st.lists(st.integers(0, 7), max_size=30))
def test_whatever_order_copies_arrive_in_each_has_its_effect_at_most_once(order: list[int]) -> None:
    """A plain inbox around `decide`: no message twice, accepted sequences rise, all of them if in order."""
    chain = [Arrived(digest(str(n)), n + 1, digest(str(n - 1)) if n else NO_PREVIOUS) for n in range(8)]
    taken: dict[int, str] = {}
    last, end = 0, NO_PREVIOUS
    effects: list[int] = []
    for n in [*order, *range(8)]:
        arrived = chain[n]
        decision = decide(arrived, Known(digest_of_same_id=taken.get(n), last_sequence=last, last_digest=end))
        if decision.accepted:
            taken[n], last, end = arrived.digest, arrived.sequence, arrived.digest
            effects.append(n)
    assert len(effects) == len(set(effects))
    assert effects == sorted(effects)
    assert effects[-1] == 7
    if order == sorted(order) and list(dict.fromkeys(order)) == list(range(len(set(order)))):
        assert effects == list(range(8))
