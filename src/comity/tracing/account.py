"""Turn what an engine found into a trace with names: flows, gaps, exits, holdings, totals. Pure.

The orders are those of the trace contract. What a claim makes of a payment (its part in place of what left, the rest
counted as reported again) is applied here, once for all engines.
"""

from collections.abc import Mapping

from comity.model import Crossing, Flow, Gap, Holding, Piece, Total, Trace
from comity.tracing.book import Book
from comity.tracing.found import Found, Task
from comity.tracing.rules import Part, Rule, merge, scale


def account(book: Book, rule: Rule, task: Task, found: Found, unmatched: tuple[Crossing, ...]) -> Trace:
    """Give an account of what was found."""
    claims = {event: part for event, part in task.claimed.items() if event < task.end}
    counted = {event: part for event, part in claims.items() if event not in task.told}
    flows = _flows(book, counted, found)
    holdings = _holdings(book, found)
    again = {} if rule is Rule.POISON else _by_currency(
        book, {event: part for event, part, _ in found.paid if event in counted}
    )  # fmt: skip
    return Trace(
        rule=str(rule),
        totals=_totals(_by_currency(book, counted), holdings, again),
        holdings=holdings,
        flows=flows,
        gaps=_gaps(book, found),
        exits=_exits(book, claims, task, found),
        unmatched=unmatched,
    )


def _flows(book: Book, counted: Mapping[int, int], found: Found) -> tuple[Flow, ...]:
    carried = {event: part for event, part, _ in found.paid} | dict(counted)
    events = sorted(event for event, part in carried.items() if part)
    return tuple(
        Flow(transfer_id=name, tainted_minor=carried[event])
        for name, event in zip(book.texts("transfer_id", events), events, strict=True)
    )


def _gaps(book: Book, found: Found) -> tuple[Gap, ...]:
    """The pot held tainted money and paid more than it had: then all it had left, so that some of it was tainted."""
    gaps = []
    for event, _, held in found.paid:
        missing = int(book.amount[event]) - held
        if missing > 0 and held:
            account, currency = book.pot_name(int(book.sender[event]))
            gaps.append(
                Gap(
                    transfer_id=book.text("transfer_id", event),
                    account=account,
                    currency=currency,
                    unexplained_minor=missing,
                )
            )
    return tuple(gaps)


def _exits(book: Book, claims: Mapping[int, int], task: Task, found: Found) -> tuple[Crossing, ...]:
    leaving: dict[int, list[Part]] = dict(found.parts)
    for event, claim in claims.items():
        if book.receiver[event] < 0 and event not in task.told:
            leaving[event] = [(claim, True), (int(book.amount[event]) - claim, False)]
    exits = []
    for event in sorted(leaving):
        sent = sum(size for size, tainted in leaving[event] if tainted)
        parts = merge(scale(leaving[event], int(book.amount[event]), book.arrives(event)))
        if any(tainted for _, tainted in parts):
            exits.append(_exit(book, event, parts, sent))
    return tuple(exits)


def _exit(book: Book, event: int, parts: list[Part], sent: int) -> Crossing:
    home = next(iter(book.covers)) if book.covers and len(book.covers) == 1 else ""
    return Crossing(
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


def _holdings(book: Book, found: Found) -> tuple[Holding, ...]:
    holdings = [_holding(book, pot, tainted, balance) for pot, tainted, balance in found.rests]
    return tuple(sorted(holdings, key=lambda held: (-held.tainted_minor, held.account, held.currency)))


def _holding(book: Book, pot: int, tainted: int, balance: int) -> Holding:
    account, currency = book.pot_name(pot)
    return Holding(
        account=account,
        institution=book.first_text(pot, "from_institution", "to_institution"),
        country=book.first_text(pot, "from_country", "to_country"),
        currency=currency,
        tainted_minor=tainted,
        balance_minor=balance,
    )


def _by_currency(book: Book, amounts: Mapping[int, int]) -> dict[str, int]:
    """Sum amounts by the sender's currency of their events."""
    sums: dict[str, int] = {}
    for event, minor in amounts.items():
        currency = book.text("currency", event)
        sums[currency] = sums.get(currency, 0) + minor
    return sums


def _totals(
    reported: Mapping[str, int], holdings: tuple[Holding, ...], again: Mapping[str, int]
) -> tuple[Total, ...]:
    held: dict[str, int] = {}
    for holding in holdings:
        held[holding.currency] = held.get(holding.currency, 0) + holding.tainted_minor
    return tuple(
        Total(
            currency=currency,
            reported_minor=reported.get(currency, 0),
            held_minor=held.get(currency, 0),
            reported_again_minor=again.get(currency, 0),
        )
        for currency in sorted(
            {name for sums in (reported, held, again) for name, minor in sums.items() if minor}
        )
    )
