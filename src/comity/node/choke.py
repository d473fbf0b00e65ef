"""Marked accounts of our book, at which every trace ends: what reached them directly, and marking them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comity.backends.sql.account_marks import AccountMark
from comity.errors import InputError, NotFound
from comity.law import Action
from comity.model import ChokeKind, Crossing, Person, Piece
from comity.node.book import Standing
from comity.node.bootstrap import Node
from comity.node.policy import require_in_office

MAX_REASON = 500
Claims = Mapping[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """What is to be followed in a book that ends at marked accounts, and what never gets that far.

    `arrived`: money from elsewhere that went straight into a marked account. `unmatched`: what was said to have, and
    our book does not show.
    """

    claims: Claims
    inflows: tuple[Crossing, ...]
    arrived: tuple[Crossing, ...] = ()
    unmatched: tuple[Crossing, ...] = ()


def into_marked(
    standing: Standing, covers: Collection[str], *, claims: Claims, inflows: Sequence[Crossing]
) -> Marked:
    """Take out of claims and inflows what went from elsewhere into an account at which the book ends."""
    if not standing.marks:
        return Marked(claims=claims, inflows=tuple(inflows))
    told = [one for one in inflows if one.to_account in standing.marks]
    rows = {row["transfer_id"]: row for row in standing.rows([*claims, *(one.transfer_id for one in told)])}
    direct = {
        name: row
        for name, row in rows.items()
        if name in claims
        and row["to_account"] in standing.marks
        and not _is_ours(row["from_country"], covers)
    }
    good, bad = list[Crossing](), list[Crossing]()
    seen = set[str]()
    for one in told:
        shown = one.transfer_id not in seen and _shows(rows.get(one.transfer_id), one, covers)
        (good if shown else bad).append(one)
        seen.add(one.transfer_id)
    good += [_claimed(row, claims[name]) for name, row in direct.items() if name not in seen]
    return Marked(
        claims={name: part for name, part in claims.items() if name not in direct},
        inflows=tuple(one for one in inflows if one.to_account not in standing.marks),
        arrived=tuple(good), unmatched=tuple(bad),
    )  # fmt: skip


def mark(node: Node, account: str, kind: str, *, reason: str, person: Person) -> AccountMark:
    """Let every trace of this node end at `account` from now on. Our own cases are followed again."""
    require_in_office(node, Action.MARK_ACCOUNT, person)
    found = AccountMark(
        account=account, kind=_kind(kind), reason=_reason(reason), by=person.id, at=node.clock()
    )
    _refuse_unknown(node, account)
    with node.records.transaction() as tx:
        tx.account_marks.put(found)
        node.record(
            tx, "account.marked", actor=person.id, account=account, kind=found.kind.value, reason=found.reason
        )
        _follow_again(node, tx)
    return found


def unmark(node: Node, account: str, *, reason: str, person: Person) -> None:
    """Take the mark away: what arrived there is followed on."""
    require_in_office(node, Action.MARK_ACCOUNT, person)
    with node.records.transaction() as tx:
        if not tx.account_marks.drop(account):
            raise NotFound.because(
                expected="an account that is marked", got=repr(account)[:100],
                remedy=f"See which are: comity account list {node.home.path}",
            )  # fmt: skip
        node.record(tx, "account.unmarked", actor=person.id, account=account, reason=_reason(reason))
        _follow_again(node, tx)


def _follow_again(node: Node, tx: Any) -> None:
    for case in tx.cases.all():
        if case.origin == node.id:
            tx.cases.want_pursuit(case.id)


def _kind(named: str) -> ChokeKind:
    if named not in set(ChokeKind):
        raise InputError.because(
            expected=f"one of {', '.join(ChokeKind)}", got=repr(named)[:60], where="--kind"
        )
    return ChokeKind(named)


def _reason(text: str) -> str:
    if not 0 < len(text.strip()) <= MAX_REASON:
        raise InputError.because(
            expected=f"a reason of 1 to {MAX_REASON} characters",
            got=f"{len(text)} characters",
            where="--reason",
        )
    return text.strip()


def _refuse_unknown(node: Node, account: str) -> None:
    """Only accounts of ours: whether another node's account is one in which money mixes is for that node to say."""
    if not node.book.standing().has_account(account, node.settings.covers):
        raise NotFound.because(
            expected="an account of this node's book", got=repr(account)[:100],
            remedy="Name it as the transfers do; accounts of other nodes are marked by them.",
        )  # fmt: skip


def _is_ours(country: str | None, covers: Collection[str]) -> bool:
    return not country or country in covers


def _shows(row: Mapping[str, Any] | None, crossing: Crossing, covers: Collection[str]) -> bool:
    """As for any inflow (spec/trace.md, "Across books"): same account, currency and amount, from elsewhere."""
    if row is None or _is_ours(row["from_country"], covers):
        return False
    arriving, currency = _arriving(row)
    return (
        row["amount_minor"] > 0
        and (row["to_account"], currency) == (crossing.to_account, crossing.currency)
        and sum(piece.amount_minor for piece in crossing.pieces) == arriving
        and crossing.from_country in ("", row["from_country"])
    )


def _arriving(row: Mapping[str, Any]) -> tuple[int, str]:
    if row["to_amount_minor"] is None:
        return row["amount_minor"], row["currency"]
    return row["to_amount_minor"], row["to_currency"]


def _claimed(row: Mapping[str, Any], part: int | None) -> Crossing:
    """A reported transfer that came straight in: the claimed part, as it arrives."""
    arriving, currency = _arriving(row)
    whole = row["amount_minor"]
    stolen = (whole if part is None else part) * arriving // whole if whole else 0
    return Crossing(
        transfer_id=row["transfer_id"], booked_at=row["booked_at"], from_country=row["from_country"] or "",
        to_account=row["to_account"], to_institution=row["to_institution"] or "",
        to_country=row["to_country"] or "", currency=currency,
        pieces=(Piece(amount_minor=stolen, tainted=True), Piece(amount_minor=arriving - stolen, tainted=False)),
    )  # fmt: skip
