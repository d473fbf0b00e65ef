"""Answering a consent that a peer asked for: what granting, refusing and withdrawing share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from comity.entrypoints.cli.arguments import signed_in
from comity.entrypoints.cli.terminal import as_plain, out, print_json

Why = Annotated[str, typer.Option(help="In your own words; the peer reads it.")]
_SAID = {"grant": "granted", "refusal": "refused", "withdrawal": "withdrawn"}


def answer_consent(
    folder: Path, consent: str, answer: Literal["grant", "refusal", "withdrawal"],
    *, as_: str, why: str, as_json: bool, days: int = 0,
) -> None:  # fmt: skip
    """Sign in, answer, and say so; `days` is for how long it is granted, 0: for as long as was asked."""
    from comity.exchange.consent import Answer
    from comity.node.bootstrap import open_node
    from comity.node.handling.answering import answer_by_hand

    node = open_node(folder)
    person = signed_in(node, as_)
    row = answer_by_hand(node, consent, Answer(answer), person=person, days=days, why=why)
    if as_json:
        print_json(as_plain(row))
    else:
        out.print(f"{row.id} is {_SAID[answer]}; {row.peer} is told", highlight=False)
