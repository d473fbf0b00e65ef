"""`comity victim indicators|screen|state`: is this person a victim, and who is told so."""

from __future__ import annotations

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown, table_of
from comity.entrypoints.cli.victim_arguments import (
    Answered,
    OutFile,
    Person,
    Recipient,
    answers_in,
    hand_out,
    refuse_inside,
    vault_for,
)

_YesNo = "yes, no or unknown"


def indicators(as_json: AsJson = False) -> None:
    """List the indicators of trafficking for forced criminality, and the rule over them. No node is needed.

    \b
    Examples:
      comity victim indicators
      comity victim indicators --json
    """
    from comity.law.trafficking import indicators as every
    from comity.law.trafficking import protection_questions, rule

    if as_json:
        print_json({
            "rule": as_plain(rule()), "indicators": [as_plain(one) for one in every().values()],
            "protection": dict(protection_questions()),
        })  # fmt: skip
        return
    table = table_of("indicator", "", "question", "confidence", whole=("indicator",))
    for one in every().values():
        table.add_row(*shown(one.id, one.strength, one.question, one.confidence))
    for name, question in protection_questions().items():
        table.add_row(*shown(name, "need", question, ""))
    out.print(table)
    out.print(f"{rule().text} ({rule().confidence} confidence). What nobody asked is unknown, never absent.")


def screen(
    folder: NodeDir,
    victim: Person,
    as_: As,
    by: Annotated[str, typer.Option(help="Who asked: the office or organisation.")],
    answer: Answered = None,
    need: Annotated[
        list[str] | None,
        typer.Option("--need", metavar="ID=ANSWER", help="As --answer, to a question about protection."),
    ] = None,
    independent_of_origin: Annotated[
        str, typer.Option(help=f"Of the state of origin: {_YesNo}.")
    ] = "unknown",
    independent_of_receiver: Annotated[
        str, typer.Option(help=f"Of whoever would receive the person: {_YesNo}.")
    ] = "unknown",
    in_person: Annotated[str, typer.Option(help=_YesNo)] = "unknown",
    interpreter: Annotated[
        str, typer.Option(help=f"In a language the person understands: {_YesNo}.")
    ] = "unknown",
    as_json: AsJson = False,
) -> None:
    """Record a screening of a person, and say what all of them found together.

    One strong or three weak indicators: presumed a victim. A presumption stands
    whatever is answered later, and nationality is asked nowhere. What is not
    answered is unknown. The questions: comity victim indicators.

    \b
    Examples:
      comity victim screen th victim-5f0c… --by "IOM" --answer documents_taken=yes --as anong
    """
    from comity.node.vault.screening import Held
    from comity.node.vault.screening import screen as screen_person

    answers, needs = answers_in(answer, where="--answer"), answers_in(need, where="--need")
    held = Held(
        independent_of_origin=independent_of_origin, independent_of_receiver=independent_of_receiver,
        in_person=in_person, interpreter=interpreter,
    )  # fmt: skip
    with vault_for(folder, as_) as vault:
        done = screen_person(vault, victim, by=by, held=held, answers=answers, protection=needs)
    if as_json:
        print_json(as_plain(done))
        return
    found = done.assessment
    out.print(f"[bold]{found.finding}[/]: {found.reason}", highlight=False)
    out.print(
        f"  strong: {', '.join(found.strong) or '–'}; weak: {', '.join(found.weak) or '–'}", highlight=False
    )
    out.print(f"  open: {', '.join(found.open) or '–'}", highlight=False)
    out.print(
        f"  need for protection: {done.protection_need}; independent: {done.independent}", highlight=False
    )


def state(
    folder: NodeDir,
    victim: Person,
    recipient: Recipient,
    as_: As,
    known_as: Annotated[
        str,
        typer.Option(metavar="ID", help="What the matter calls the person, where the other side named them."),
    ] = "",
    out_file: OutFile = None,
    as_json: AsJson = False,
) -> None:
    """State a screening's result as the facts that a hand-over needs, under the recipient's pseudonym.

    Needs the person's consent to that (purpose screening-statement), and that you
    screened this very person independently of both sides. A hand-over takes its
    screenings from such statements only; a later screening that finds something
    else withdraws them. Always JSON.

    \b
    Examples:
      comity victim state th victim-5f0c… --recipient cn-mps --out facts.json --as anong
    """
    from comity.node.vault.screening import state as state_screening

    refuse_inside(folder, out_file)
    with vault_for(folder, as_) as vault:
        facts = state_screening(vault, victim, recipient=recipient, known_as=known_as)
    hand_out(facts, folder=folder, file=out_file)
