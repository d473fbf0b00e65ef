"""`comity consent grant`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir
from comity.entrypoints.cli.consent_answer import Why, answer_consent
from comity.entrypoints.cli.consent_list import ConsentId


def consent_grant(
    folder: NodeDir,
    consent: ConsentId,
    as_: As,
    days: Annotated[
        int, typer.Option(min=0, max=365, help="For so many days; 0: for as long as was asked.")
    ] = 0,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Consent to what a peer asked: to that use of that item, for that purpose, and until its end only.

    \b
    Examples:
      comity consent grant hk consent-0f3a… --days 7 --as lau
    """
    answer_consent(folder, consent, "grant", as_=as_, why=why, as_json=as_json, days=days)
