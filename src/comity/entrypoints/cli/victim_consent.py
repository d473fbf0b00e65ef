"""`comity victim consent|withdraw|disclose`: what may leave the vault, and what does."""

from __future__ import annotations

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir
from comity.entrypoints.cli.terminal import as_plain, out, print_json
from comity.entrypoints.cli.victim_arguments import (
    OutFile,
    Person,
    PurposeName,
    Recipient,
    hand_out,
    purpose_named,
    refuse_inside,
    vault_for,
)


def consent(
    folder: NodeDir,
    victim: Person,
    purpose: PurposeName,
    recipient: Recipient,
    as_: As,
    how: Annotated[
        str, typer.Option(help="How the person consented: in writing, before whom, in which language.")
    ],
    days: Annotated[int, typer.Option(help="It ends after so many days, 366 at most.")] = 30,
    field: Annotated[list[str] | None, typer.Option(help="A field of the record. May be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Record a person's consent: to this recipient, for this purpose, for these fields, until it ends.

    \b
    Examples:
      comity victim consent th victim-5f0c… --purpose shelter --recipient refuge --days 30 --how signed --as anong
    """
    from comity.node.vault.consents import consent as record_consent

    wanted = purpose_named(purpose)
    with vault_for(folder, as_) as vault:
        done = record_consent(
            vault, victim, purpose=wanted, recipient=recipient, fields=tuple(field or ()), days=days, how=how
        )
    if as_json:
        print_json(as_plain(done))
        return
    out.print(
        f"{done.id}: {done.purpose} to {done.recipient} until {done.expires_at:%Y-%m-%d}", highlight=False
    )


def withdraw(
    folder: NodeDir,
    victim: Person,
    consent_id: Annotated[
        str, typer.Argument(metavar="CONSENT", help="The consent's id: comity victim show.")
    ],
    as_: As,
    as_json: AsJson = False,
) -> None:
    """Record that a person took a consent back: nothing leaves under it from now on.

    \b
    Examples:
      comity victim withdraw th victim-5f0c… consent-77ab… --as anong
    """
    from comity.node.vault.consents import withdraw as withdraw_consent

    with vault_for(folder, as_) as vault:
        done = withdraw_consent(vault, victim, consent_id)
    if as_json:
        print_json(as_plain(done))
        return
    out.print(
        f"{done.id} is withdrawn; ask {done.recipient} to use no longer what they have", highlight=False
    )


def disclose(
    folder: NodeDir,
    victim: Person,
    purpose: PurposeName,
    recipient: Recipient,
    as_: As,
    out_file: OutFile = None,
    as_json: AsJson = False,
) -> None:
    """Hand out what a person consents to: those fields, under the recipient's own pseudonym. Always JSON.

    Refused unless a consent for this purpose and this recipient lives now. The
    disclosure is recorded before anything is handed out.

    \b
    Examples:
      comity victim disclose th victim-5f0c… --purpose shelter --recipient shelter-1 --as anong
    """
    from comity.node.vault.consents import disclose as disclose_person

    wanted = purpose_named(purpose)
    refuse_inside(folder, out_file)
    with vault_for(folder, as_) as vault:
        done = disclose_person(vault, victim, purpose=wanted, recipient=recipient)
    hand_out(as_plain(done), folder=folder, file=out_file)
