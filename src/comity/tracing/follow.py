"""Follow stolen money through one book under one legal rule. Pure; the meaning is spec/trace.md, to the minor
unit.

Cost follows the money, not the book: `engine` looks it up in the book index, `walk` goes payment by payment where
sums do not fit 64 bits, `account` puts names to what they find. It refuses claims that do not fit the book, and never
credits an inflow that the book does not show.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from comity.errors import InputError
from comity.model import Claim, Crossing, Report, Trace, digits_of, parse_amount
from comity.model.money import CRYPTO_ASSETS
from comity.tracing.account import account
from comity.tracing.book import Book
from comity.tracing.engine import search
from comity.tracing.found import Task
from comity.tracing.rules import Part, Rule, merge
from comity.tracing.walk import walk

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
    task, unmatched = task_of(book, claims, inflows, until)
    at = book.positions
    found = walk(book, rule, task) if at is None else search(book, at, rule, task)
    return account(book, rule, task, found, unmatched)


def task_of(
    book: Book,
    claims: Mapping[str, int | None],
    inflows: Sequence[Crossing] = (),
    until: datetime | None = None,
) -> tuple[Task, tuple[Crossing, ...]]:
    """Return what is to be followed, in events of the book, and the inflows that the book does not show."""
    events = book.find([*claims, *(inflow.transfer_id for inflow in inflows)])
    told, unmatched = _match(book, inflows, events)
    return Task(claimed=_claimed(book, claims, events), told=told, end=book.events_until(until)), unmatched


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
