"""`comity consent refuse`."""

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir
from comity.entrypoints.cli.consent_answer import Why, answer_consent
from comity.entrypoints.cli.consent_list import ConsentId


def consent_refuse(
    folder: NodeDir,
    consent: ConsentId,
    as_: As,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Refuse what a peer asked to do with what we gave it.

    \b
    Examples:
      comity consent refuse hk consent-0f3a… --why "The source would be known." --as lau
    """
    answer_consent(folder, consent, "refusal", as_=as_, why=why, as_json=as_json)
