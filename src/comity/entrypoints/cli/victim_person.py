"""`comity victim admit|list|show|correct|pseudonym|erase`: people in the victims' vault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown, table_of
from comity.entrypoints.cli.victim_arguments import Person, Recipient, RecordFile, record_in, vault_for
from comity.errors import InputError

if TYPE_CHECKING:
    from comity.casework.victim import Victim

CaseRef = Annotated[
    str, typer.Option(metavar="CASE", help="A case of the node, or your own reference of a matter.")
]


def admit(folder: NodeDir, case: CaseRef, record: RecordFile, as_: As, as_json: AsJson = False) -> None:
    """Take a person into the vault; prints what this node calls them in that case.

    The record's fields, each a text: name, other_names, born, sex, nationality,
    languages, contact, documents, whereabouts, family, health, needs, account,
    wishes, notes. Give it on standard input: a file stays on the disk, and a
    command line in the shell's history.

    \b
    Examples:
      comity victim admit th --case case-5f0c… --record - --as anong
    """
    from comity.node.vault.people import admit as admit_person

    found = record_in(record)
    with vault_for(folder, as_) as vault:
        alias = admit_person(vault, found, case_id=case)
    if as_json:
        print_json({"victim": alias.pseudonym, "case": alias.case_id})
        return
    out.print(f"[bold]{alias.pseudonym}[/] in {shown(alias.case_id)[0]}", highlight=False)


def list_(
    folder: NodeDir,
    as_: As,
    names: Annotated[bool, typer.Option(help="With names, to find somebody.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the people in the vault by pseudonym, with what their screenings found.

    \b
    Examples:
      comity victim list th --as anong
      comity victim list th --names --as anong
    """
    from comity.node.vault.people import listed

    with vault_for(folder, as_) as vault:
        rows = [_row(one, names=names) for one in listed(vault)]
    if as_json:
        print_json(rows)
        return
    headings = (
        "victim",
        "case",
        "finding",
        "protection need",
        "reflection ends",
        *(("name",) if names else ()),
    )
    table = table_of(*headings, whole=("victim",))
    for row in rows:
        table.add_row(*shown(*(str(value) for value in row.values())))
    out.print(table if rows else "Nobody is in the vault.")


def show(folder: NodeDir, victim: Person, as_: As, as_json: AsJson = False) -> None:
    """Show all that the vault has of a person; the reading is recorded.

    \b
    Examples:
      comity victim show th victim-5f0c… --as anong
    """
    from comity.node.vault.people import show as show_person

    with vault_for(folder, as_) as vault:
        found = show_person(vault, victim)
    if as_json:
        print_json(as_plain(found))
        return
    _show(found)


def correct(folder: NodeDir, victim: Person, record: RecordFile, as_: As, as_json: AsJson = False) -> None:
    """Replace fields of a person's record; nothing of what stood in them is kept.

    \b
    Examples:
      comity victim correct th victim-5f0c… --record - --as anong
    """
    from comity.node.vault.people import correct as correct_person

    found = record_in(record)
    with vault_for(folder, as_) as vault:
        after = correct_person(vault, victim, found)
    if as_json:
        print_json({"victim": after.pseudonym, "fields": sorted(found)})
        return
    out.print(f"{after.pseudonym}: {len(found)} fields replaced", highlight=False)


def pseudonym(
    folder: NodeDir,
    victim: Person,
    recipient: Recipient,
    as_: As,
    case: Annotated[str, typer.Option(metavar="CASE", help="Another case than the person's first.")] = "",
    as_json: AsJson = False,
) -> None:
    """Give the pseudonym by which one recipient may know a person in a case.

    It is the one thing that needs no consent. Each recipient's is another one, so
    that two of them cannot find out that they know the same person.

    \b
    Examples:
      comity victim pseudonym th victim-5f0c… --recipient kh-nct --as anong
    """
    from comity.node.vault.people import give_pseudonym

    with vault_for(folder, as_) as vault:
        alias = give_pseudonym(vault, victim, case_id=case, recipient=recipient)
    if as_json:
        print_json({"person": alias.pseudonym, "recipient": alias.recipient, "case": alias.case_id})
        return
    out.print(f"{alias.pseudonym} for {alias.recipient}", highlight=False)


def erase(
    folder: NodeDir,
    victim: Person,
    as_: As,
    ground: Annotated[str, typer.Option(help="person-asked, retention-ended or entered-by-mistake.")],
    as_json: AsJson = False,
) -> None:
    """Erase a person for ever: their data key is destroyed, and the vault's file written anew.

    What was disclosed before is with its recipients, and they are listed: ask them
    to erase it too. Backups of the vault are not reached. During the reflection
    period only the person can ask for it.

    \b
    Examples:
      comity victim erase th victim-5f0c… --ground person-asked --as anong
    """
    from comity.node.vault.people import Ground
    from comity.node.vault.people import erase as erase_person

    if ground not in set(Ground):
        raise InputError.because(expected=f"one of {', '.join(Ground)}", got="another", where="--ground")
    with vault_for(folder, as_) as vault:
        done = erase_person(vault, victim, ground=Ground(ground))
    if as_json:
        print_json({"erased": done.victim, "told": list(done.told)})
        return
    out.print(f"{done.victim} is erased", highlight=False)
    if done.told:
        out.print(f"  ask them to erase it too: {', '.join(done.told)}", highlight=False)


def _row(victim: Victim, *, names: bool) -> dict[str, str]:
    ends = victim.reflection.ends_at.isoformat() if victim.reflection else ""
    row = {
        "victim": victim.pseudonym, "case": victim.case_id, "finding": victim.assessment().finding.value,
        "protection_need": victim.protection_need(), "reflection_ends": ends,
    }  # fmt: skip
    return {**row, "name": victim.record.get("name", "")} if names else row


def _show(victim: Victim) -> None:
    table = table_of("", "")
    for field, text in victim.record.items():
        table.add_row(*shown(field.replace("_", " "), text))
    out.print(table)
    for alias in victim.aliases:
        out.print(f"  {alias.pseudonym} for {alias.recipient} in {shown(alias.case_id)[0]}", highlight=False)
    assessment = victim.assessment()
    out.print(
        f"  screened {len(victim.screenings)} times: {assessment.finding}, {assessment.reason}",
        highlight=False,
    )
    for one in victim.consents:
        state = "withdrawn" if one.withdrawn_at else f"until {one.expires_at:%Y-%m-%d}"
        out.print(
            f"  {one.id}: {one.purpose} to {one.recipient} ({', '.join(one.fields)}), {state}",
            highlight=False,
        )
    for done in victim.disclosures:
        out.print(f"  {done.at:%Y-%m-%d} to {done.recipient} for {done.purpose}", highlight=False)
