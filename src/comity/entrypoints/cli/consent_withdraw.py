"""`comity consent withdraw`."""

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir
from comity.entrypoints.cli.consent_answer import Why, answer_consent
from comity.entrypoints.cli.consent_list import ConsentId


def consent_withdraw(
    folder: NodeDir,
    consent: ConsentId,
    as_: As,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Withdraw a consent that we gave: from when the peer hears of it, it is none.

    \b
    Examples:
      comity consent withdraw hk consent-0f3a… --as lau
    """
    answer_consent(folder, consent, "withdrawal", as_=as_, why=why, as_json=as_json)
