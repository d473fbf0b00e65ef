"""What the victim reports: the two transfers, and the story behind them in the victim's words."""

from collections.abc import Sequence
from typing import Any

from comity.exercise.accounts import AccountRegister
from comity.exercise.cast import Cast
from comity.exercise.rhythm import REPORTED_AT
from comity.exercise.scheme import STRAIGHT_TO_HONG_KONG, THROUGH_CANADA

FRAUD = "0701"
"""Fraud in the International Classification of Crime for Statistical Purposes (UNODC, version 1.0)."""

_STORY = (
    "A client's e-mail gave us new bank details for the completion of a purchase. Just after five this "
    "afternoon we wired CAD 1,650,000.00 from our trust account {trust} to {abroad} in Hong Kong and "
    "CAD 650,000.00 to {at_home} in Canada. At half past five the client telephoned: they had written no "
    "such e-mail. Please stop the money."
)


def report_of(seed: int, transfers: Sequence[str], cast: Cast, register: AccountRegister) -> dict[str, Any]:
    """Return the report in the form of the trace contract, with what a fraud desk adds."""
    amounts = (STRAIGHT_TO_HONG_KONG, THROUGH_CANADA)
    return {
        "report_id": f"CA-2025-0618-{seed:05d}",
        "transfers": list(transfers),
        "amounts": {
            transfer: f"{amount // 100}.{amount % 100:02d}"
            for transfer, amount in zip(transfers, amounts, strict=True)
        },
        "victim_country": "CA",
        "offence": FRAUD,
        "reported_at": REPORTED_AT.isoformat().replace("+00:00", "Z"),
        "summary": "Business e-mail compromise of a law firm in Vancouver, CAD 2,300,000.00 in two wires",
        "victim_statement": _STORY.format(
            trust=register.number(cast["trust"][0]),
            abroad=register.number(cast["hk_first"][0]),
            at_home=register.number(cast["ca_shell"][0]),
        ),
    }
