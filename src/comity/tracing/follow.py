"""Follow stolen money through one book under one legal rule. Pure; the meaning is spec/trace.md, to the minor
unit.

Cost follows the money, not the book: a pot is looked at from the moment tainted money first arrives in it
until it holds none again; what it held before is one clean balance, replayed from its own earlier events.
Integers are Python's, so no sum overflows. It refuses claims that do not fit the book, and never credits an
inflow that the book does not show.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from heapq import heapify, heappop, heappush

from comity.errors import InputError
from comity.model import (
    Claim,
    Crossing,
    Flow,
    Gap,
    Holding,
    Piece,
    Report,
    Total,
    Trace,
    digits_of,
    parse_amount,
)
from comity.model.money import CRYPTO_ASSETS
from comity.tracing.book import Book
from comity.tracing.pots import Pots
from comity.tracing.rules import Part, Rule, law_of, merge, scale

_LONGEST_AMOUNT = 60


def follow(
    book: Book,
    *,
    rule: Rule,
    claims: Mapping[str, int | None],
    inflows: Sequence[Crossing] = (),
    until: datetime | None = None,
) -> Trace:
    """Follow the claimed transfers and the inflows told by other nodes; return where the money rests or left.

    `claims`: transfer id → stolen part in the sender's minor units, None for the whole. `inflows`: tainted
    money that came into accounts of ours from accounts that are not (spec/trace.md, "Across books"). `until`
    is inclusive and needs a zone. Raises `InputError` for a claim that the book does not bear out.
    """
    if until is not None and until.tzinfo is None:
        raise InputError.because(expected="a time with its offset", got=until.isoformat(), where="until")
    events = book.find([*claims, *(inflow.transfer_id for inflow in inflows)])
    told, unmatched = _match(book, inflows, events)
    walk = _Walk(book, rule, _claimed(book, claims, events), told)
    walk.run(book.events_until(until))
    return walk.trace(unmatched)


def claims_of(report: Report, book: Book, assets: Mapping[str, int] = CRYPTO_ASSETS) -> dict[str, int | None]:
    """Turn a report's decimals into minor units of each transfer's currency; `InputError` for what
    cannot be.
    """
    events = book.find([claim.transfer_id for claim in report.claims])
    claims: dict[str, int | None] = {}
    for claim in report.claims:
        event = _known(claim.transfer_id, events)
        claims[claim.transfer_id] = _part_claimed(claim, book.text("currency", event), assets)
    return claims


def _part_claimed(claim: Claim, currency: str, assets: Mapping[str, int]) -> int | None:
    if claim.amount is None:
        return None
    where = f"report, amount of {claim.transfer_id!r}"
    if len(claim.amount) > _LONGEST_AMOUNT:
        raise InputError.because(
            expected="an amount that fits 64 bits", got=f"{len(claim.amount)} characters", where=where
        )
    try:
        return parse_amount(claim.amount, digits_of(currency, assets))
    except InputError as error:
        raise InputError(error.problem, where=where) from error


def _known(transfer_id: str, events: Mapping[str, int]) -> int:
    if transfer_id not in events:
        raise InputError.because(
            expected="reported transfers that are in the book",
            got=repr(transfer_id),
            where="report",
            remedy="Check the transfer's id, or add the file that has it.",
        )
    return events[transfer_id]


def _claimed(book: Book, claims: Mapping[str, int | None], events: Mapping[str, int]) -> dict[int, int]:
    """Return the claimed part by event; zero amounts and transfers from a pot to itself change nothing."""
    claimed: dict[int, int] = {}
    for transfer_id, part in claims.items():
        event = _known(transfer_id, events)
        amount = int(book.amount[event])
        if part is not None and not 0 <= part <= amount:
            raise InputError.because(
                expected=f"a claim of at most the transfer's amount ({amount} minor units)",
                got=f"{part} minor units",
                where=f"report, transfer {transfer_id!r}",
            )
        if book.touches_ours(event):
            claimed[event] = amount if part is None else part
        else:
            raise InputError.because(
                expected="reported transfers from or to an account of ours",
                got=f"{transfer_id!r}, between two accounts elsewhere",
                where="report",
            )
    return {event: part for event, part in claimed.items() if book.moves(event)}


def _match(
    book: Book, inflows: Iterable[Crossing], events: Mapping[str, int]
) -> tuple[dict[int, list[Part]], tuple[Crossing, ...]]:
    """Sort inflows into those the book shows, by event, and those it does not (a second telling is one
    of these).
    """
    told: dict[int, list[Part]] = {}
    unmatched = []
    for inflow in inflows:
        event = events.get(inflow.transfer_id)
        if event is None or event in told or not _agrees(book, event, inflow):
            unmatched.append(inflow)
        else:
            told[event] = merge((piece.amount_minor, piece.tainted) for piece in inflow.pieces)
    return told, tuple(unmatched)


def _agrees(book: Book, event: int, inflow: Crossing) -> bool:
    """Same account, currency and amount, from an account that is not ours, in the country that tells it."""
    receiver = int(book.receiver[event])
    country = book.text("from_country", event)
    return (
        book.moves(event)
        and book.sender[event] < 0
        and book.pot_name(receiver) == (inflow.to_account, inflow.currency)
        and all(piece.amount_minor >= 0 for piece in inflow.pieces)
        and sum(piece.amount_minor for piece in inflow.pieces) == int(book.arriving[event])
        and inflow.from_country in ("", country)
    )


class _Walk:
    """One trace in progress: goes through the events of pots that hold tainted money, in the order of
    the book.
    """

    def __init__(
        self, book: Book, rule: Rule, claimed: Mapping[int, int], told: Mapping[int, list[Part]]
    ) -> None:
        self._book, self._rule, self._claimed, self._told = book, rule, claimed, told
        self._pots = Pots(book, law_of(rule).pot)
        self._flows: list[Flow] = []
        self._gaps: list[Gap] = []
        self._exits: list[Crossing] = []
        self._reported: dict[str, int] = {}
        self._again: dict[str, int] = {}

    def run(self, end: int) -> None:
        """Process the events before `end` that a claim, an inflow or a pot with tainted money makes
        matter.
        """
        ahead = [*self._claimed, *self._told]
        heapify(ahead)
        senders, receivers = self._book.sender.data, self._book.receiver.data
        last = -1
        while ahead and ahead[0] < end:
            event = heappop(ahead)
            if event == last:
                continue
            last = event
            sender, receiver = senders[event], receivers[event]
            arriving = self._debit(event, sender)
            coming = [self._pots.paid(sender)] if sender in self._pots.watched else []
            if receiver >= 0:
                coming.append(self._pots.credit(event, receiver, arriving))
            for payment in coming:
                if payment is not None:
                    heappush(ahead, payment)
        self._pots.settle(end)

    def _debit(self, event: int, sender: int) -> list[Part]:
        """Take the money from the sender, if it is one we watch, and return what arrives."""
        amount, arriving = int(self._book.amount[event]), int(self._book.arriving[event])
        parts = [(amount, False)]
        pot = self._pots.payer(event, sender)
        if pot is not None:
            if pot.tainted and amount > pot.balance:
                self._gap(event, sender, amount - pot.balance)
            parts = pot.leave(amount)
        if event in self._claimed:
            parts = self._claim(event, amount, parts)
        elif event in self._told:
            return self._told[event]
        tainted = sum(size for size, is_tainted in parts if is_tainted)
        if tainted and event not in self._told:
            self._flows.append(Flow(transfer_id=self._book.text("transfer_id", event), tainted_minor=tainted))
        if arriving != amount:
            parts = scale(parts, amount, arriving)
        if self._book.receiver[event] < 0:
            self._exit(event, parts, tainted)
        return parts

    def _claim(self, event: int, amount: int, parts: list[Part]) -> list[Part]:
        """Replace what left by the claimed part, tainted, first, and the rest, clean. Count what is dropped.

        Where another node told us of this same transfer, that node counts it.
        """
        part = self._claimed[event]
        if event not in self._told:
            currency = self._book.text("currency", event)
            dropped = sum(size for size, tainted in parts if tainted)
            self._reported[currency] = self._reported.get(currency, 0) + part
            self._again[currency] = self._again.get(currency, 0) + dropped
        return [(part, True), (amount - part, False)]

    def _gap(self, event: int, pot: int, missing: int) -> None:
        account, currency = self._book.pot_name(pot)
        self._gaps.append(
            Gap(
                transfer_id=self._book.text("transfer_id", event),
                account=account,
                currency=currency,
                unexplained_minor=missing,
            )
        )

    def _exit(self, event: int, parts: list[Part], sent: int) -> None:
        book, parts = self._book, merge(parts)
        if not any(tainted for _, tainted in parts):
            return
        home = next(iter(book.covers)) if book.covers and len(book.covers) == 1 else ""
        self._exits.append(
            Crossing(
                transfer_id=book.text("transfer_id", event),
                booked_at=book.booked_at(event),
                from_country=book.text("from_country", event) or home,
                to_account=book.text("to_account", event),
                to_institution=book.text("to_institution", event),
                to_country=book.text("to_country", event),
                currency=book.text("to_currency", event) or book.text("currency", event),
                pieces=tuple(Piece(amount_minor=size, tainted=tainted) for size, tainted in parts),
                sent_currency=book.text("currency", event),
                sent_minor=sent,
            )
        )

    def trace(self, unmatched: tuple[Crossing, ...]) -> Trace:
        """Return what was found, in the orders of the contract."""
        holdings = sorted(
            (self._holding(code) for code, pot in self._pots.watched.items() if pot.tainted),
            key=lambda held: (-held.tainted_minor, held.account, held.currency),
        )
        return Trace(
            rule=str(self._rule),
            totals=self._totals(holdings),
            holdings=tuple(holdings),
            flows=tuple(self._flows),
            gaps=tuple(self._gaps),
            exits=tuple(self._exits),
            unmatched=unmatched,
        )

    def _holding(self, code: int) -> Holding:
        pot = self._pots.watched[code]
        account, currency = self._book.pot_name(code)
        return Holding(
            account=account,
            institution=self._book.first_text(code, "from_institution", "to_institution"),
            country=self._book.first_text(code, "from_country", "to_country"),
            currency=currency,
            tainted_minor=pot.tainted,
            balance_minor=pot.balance,
        )

    def _totals(self, holdings: Iterable[Holding]) -> tuple[Total, ...]:
        held: dict[str, int] = {}
        for holding in holdings:
            held[holding.currency] = held.get(holding.currency, 0) + holding.tainted_minor
        counts = (self._reported, held, self._again)
        return tuple(
            Total(
                currency=currency,
                reported_minor=self._reported.get(currency, 0),
                held_minor=held.get(currency, 0),
                reported_again_minor=self._again.get(currency, 0),
            )
            for currency in sorted({name for count in counts for name, minor in count.items() if minor})
        )
