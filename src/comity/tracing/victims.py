"""Share what is found among several victims of one fund, in proportion to what each lost. Pure.

Barlow Clowes International v Vaughan [1992] 4 All ER 22 (CA): many had paid into one fund; to go through their payments
in order would have been arbitrary, so each took a share of what was left in proportion to his loss (pari passu, ex
post), whenever he had paid in. Here the money of all is followed as one; then each pot where it rests is shared among
those whose money can have reached it. Whether that is just for these victims is for a court: it is a calculation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from comity.errors import InputError
from comity.model import Trace
from comity.tracing.book import Book
from comity.tracing.follow import follow
from comity.tracing.rules import Rule

CITATION = "pari passu, ex post: Barlow Clowes International v Vaughan [1992] 4 All ER 22 (CA)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Of what rests in one pot, this much is one victim's, in minor units of the pot's currency."""

    report_id: str
    account: str
    currency: str
    share_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    report_id: str
    currency: str
    lost_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The trace of all as one, each victim's losses, and who takes what. `unshared`: pots (account, currency) whose
    victims lost money in different currencies, so that a rate would be needed to compare their losses.
    """

    trace: Trace
    losses: tuple[Loss, ...]
    shares: tuple[Share, ...]
    unshared: tuple[tuple[str, str], ...]


def share_out(
    book: Book,
    *,
    rule: Rule,
    reports: Sequence[tuple[str, Mapping[str, int | None]]],
    until: datetime | None = None,
) -> Shared:
    """Follow the claims of all reports (id, claims) under `rule`, and share each holding in proportion to losses.

    Rounding: everybody's share is rounded down, and the minor units that are left go to the largest remainders, then
    by report id, so that shares sum to the holding. Raises `InputError` for a transfer that two reports claim.
    """
    together = _together(reports)
    trace = follow(book, rule=rule, claims=together, until=until)
    lost: dict[str, dict[str, int]] = {}
    reached: dict[str, set[tuple[str, str]]] = {}
    for report_id, claims in reports:
        alone = follow(book, rule=Rule.POISON, claims=claims, until=until)
        lost[report_id] = {one.currency: one.reported_minor for one in alone.totals if one.reported_minor}
        reached[report_id] = {(one.account, one.currency) for one in alone.holdings}
    shares: list[Share] = []
    unshared = []
    for held in trace.holdings:
        pot = (held.account, held.currency)
        victims = [name for name, pots in reached.items() if pot in pots]
        kinds = {currency for name in victims for currency in lost[name]}
        if len(kinds) != 1:
            unshared.append(pot)
            continue
        parts = divide(held.tainted_minor, {name: sum(lost[name].values()) for name in victims})
        shares += [
            Share(report_id=name, account=held.account, currency=held.currency, share_minor=minor)
            for name, minor in parts.items()
        ]
    losses = [
        Loss(report_id=name, currency=currency, lost_minor=minor)
        for name, amounts in lost.items()
        for currency, minor in sorted(amounts.items())
    ]
    return Shared(trace=trace, losses=tuple(losses), shares=tuple(shares), unshared=tuple(unshared))


def divide(minor: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Divide `minor` in proportion to positive weights, to the last minor unit."""
    whole = sum(weights.values())
    parts = {name: minor * weight // whole for name, weight in weights.items()}
    left = minor - sum(parts.values())
    by_remainder = sorted(weights, key=lambda name: (-(minor * weights[name] % whole), name))
    for name in by_remainder[:left]:
        parts[name] += 1
    return parts


def _together(reports: Sequence[tuple[str, Mapping[str, int | None]]]) -> dict[str, int | None]:
    together: dict[str, int | None] = {}
    for report_id, claims in reports:
        twice = sorted(together.keys() & claims.keys())
        if twice:
            raise InputError.because(
                expected="each transfer claimed by one report",
                got=f"{twice[0]!r} claimed twice",
                where=f"report {report_id!r}",
                remedy="Find out whose loss it was; leave it in that report only.",
            )
        together |= claims
    return together
