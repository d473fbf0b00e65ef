"""Compare what a trace found with the truth of an exercise, and say why the score is what it is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from comity.errors import InputError
from comity.exercise.truth import Truth
from comity.model import format_minor

_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`found` of `expected`, counted in transfers, accounts or minor units."""

    found: int
    expected: int

    @property
    def recall(self) -> float:
        """Between 0 and 1; 1 where nothing was to be found."""
        return self.found / self.expected if self.expected else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How well a trace did.

    An account counts as found if any stolen money was found in it; value counts only up to what really
    rests in each pot, and `overstated` is what was claimed beyond that. `false_accounts` hold no stolen
    money at all. `exact`: every pot to the minor unit and every transfer, nothing more.
    """

    transfers: Found
    accounts: Found
    value: Mapping[str, Found]
    overstated: Mapping[str, int]
    false_accounts: tuple[str, ...]
    missed_accounts: tuple[str, ...]
    false_transfers: tuple[str, ...]
    exact: bool
    reasons: tuple[str, ...]


def score(truth: Truth, traced: Mapping[tuple[str, str], int], flows: Collection[str]) -> Score:
    """Score a trace. `traced`: (account, currency) to stolen minor units; `flows`: ids that carried some.

    The truth is that of first-in-first-out: another rule may be right in law and still not be exact here.
    `InputError` for a negative amount.
    """
    for pot, amount in traced.items():
        if amount < 0:
            raise InputError.because(
                expected="amounts that are not negative", got=str(amount), where=str(pot)
            )
    real = {(rest.account, rest.currency): rest.amount_minor for rest in truth.resting}
    claimed = {pot: amount for pot, amount in traced.items() if amount}
    carrying, followed = set(truth.scheme_transfers), set(flows)
    real_accounts = {account for account, _ in real}
    claimed_accounts = {account for account, _ in claimed}
    verdict = Score(
        transfers=Found(found=len(carrying & followed), expected=len(carrying)),
        accounts=Found(found=len(real_accounts & claimed_accounts), expected=len(real_accounts)),
        value=_value(real, claimed),
        overstated=_overstated(real, claimed),
        false_accounts=tuple(sorted(claimed_accounts - real_accounts)),
        missed_accounts=tuple(sorted(real_accounts - claimed_accounts)),
        false_transfers=tuple(sorted(followed - carrying)),
        exact=real == claimed and carrying == followed,
        reasons=(),
    )
    return _with_reasons(verdict, real, claimed, truth)


def _value(real: Mapping[tuple[str, str], int], claimed: Mapping[tuple[str, str], int]) -> dict[str, Found]:
    return {
        currency: Found(
            found=sum(min(amount, claimed.get(pot, 0)) for pot, amount in real.items() if pot[1] == currency),
            expected=sum(amount for pot, amount in real.items() if pot[1] == currency),
        )
        for currency in sorted({currency for _, currency in real})
    }


def _overstated(
    real: Mapping[tuple[str, str], int], claimed: Mapping[tuple[str, str], int]
) -> dict[str, int]:
    beyond: dict[str, int] = {}
    for (account, currency), amount in sorted(claimed.items()):
        more = amount - real.get((account, currency), 0)
        if more > 0:
            beyond[currency] = beyond.get(currency, 0) + more
    return beyond


def _with_reasons(
    verdict: Score,
    real: Mapping[tuple[str, str], int],
    claimed: Mapping[tuple[str, str], int],
    truth: Truth,
) -> Score:
    followed, accounts = verdict.transfers, verdict.accounts
    reasons = [
        f"followed {followed.found} of {followed.expected} transfers that carried stolen money",
        f"found {accounts.found} of {accounts.expected} accounts in which stolen money rests",
    ]
    for currency, value in verdict.value.items():
        reasons.append(
            f"found {format_minor(value.found, currency)} of {format_minor(value.expected, currency)}"
        )
    wrong = sorted(pot for pot in real.keys() | claimed.keys() if real.get(pot, 0) != claimed.get(pot, 0))
    for pot in wrong[:_NAMED]:
        role = truth.roles.get(pot[0], "an account outside the scheme")
        got, expected = format_minor(claimed.get(pot, 0), pot[1]), format_minor(real.get(pot, 0), pot[1])
        reasons.append(f"{pot[0]} ({role}): expected {expected}, got {got}")
    if len(wrong) > _NAMED:
        reasons.append(f"and {len(wrong) - _NAMED} more accounts with a wrong amount")
    if verdict.false_transfers:
        reasons.append(f"followed {len(verdict.false_transfers)} transfers that carried nothing stolen")
    return replace(verdict, reasons=tuple(reasons))
