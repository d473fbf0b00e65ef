"""What the `comity victim` commands share: the officer, the vault's passphrase, records from a file, answers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.entrypoints.cli.arguments import read_bytes, signed_in
from comity.entrypoints.cli.terminal import out, print_json
from comity.entrypoints.plain_text import json_text
from comity.errors import Conflict, InputError

if TYPE_CHECKING:
    from comity.node.vault.acts import Vault

VAULT_PASSPHRASE = "COMITY_VAULT_PASSPHRASE"  # noqa: S105 - the name of the variable, not a secret
"""The vault's own passphrase; a test compares it with `node.vault.acts.PASSPHRASE`."""
_MOST_BYTES = 1024 * 1024

Person = Annotated[str, typer.Argument(metavar="VICTIM", help="A pseudonym of the person: victim-…")]
Recipient = Annotated[str, typer.Option(help="Who gets it, by id: th-dsi, shelter-mae-sot.")]
PurposeName = Annotated[
    str,
    typer.Option(
        "--purpose",
        help="screening-statement, assistance, shelter, medical-care, legal-aid, interview, testimony, compensation, "
        "residence, family-tracing, consular-help or return.",
    ),
]
RecordFile = Annotated[
    Path,
    typer.Option(
        "--record", metavar="FILE", help="A JSON object of the record's fields; - reads standard input."
    ),
]
Answered = Annotated[
    list[str] | None,
    typer.Option(
        "--answer", metavar="ID=ANSWER", help="yes, no or unknown to an indicator. May be repeated."
    ),
]
OutFile = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Write it to this new file, outside the node's directory, instead of printing.",
    ),
]


@contextmanager
def vault_for(folder: Path, name: str) -> Iterator[Vault]:
    """The vault, for somebody who may open it; the passphrase is asked for once that is known."""
    from comity.law import Action
    from comity.node.bootstrap import open_node
    from comity.node.vault.acts import opened, require_victim

    node = open_node(folder)
    person = signed_in(node, name)
    require_victim(node, Action.READ_VICTIM, person)
    with opened(node, vault_passphrase(), person=person) as vault:
        yield vault


def vault_passphrase(*, new: bool = False) -> bytes:
    """The vault's own passphrase: the environment's, or asked for."""
    given = os.environ.get(VAULT_PASSPHRASE)
    if given:
        return given.encode()
    said = typer.prompt(
        "Passphrase of the victims' vault", hide_input=True, err=True, confirmation_prompt=new
    )
    return str(said).encode()


def record_in(file: Path) -> Mapping[str, Any]:
    """A record from a file or standard input. What is wrong with it is said without quoting it."""
    from comity.proofs.canonical import parse_strict

    content = sys.stdin.buffer.read(_MOST_BYTES + 1) if str(file) == "-" else read_bytes(file)
    try:
        found = parse_strict(content, max_bytes=_MOST_BYTES)
    except InputError as error:
        raise InputError.because(
            expected="a record as one JSON object", got="something else", where=str(file)
        ) from error
    if not isinstance(found, dict):
        raise InputError.because(
            expected="a record as one JSON object", got="another JSON value", where=str(file)
        )
    return found


def text_in(file: Path) -> str:
    """A text from a file or standard input."""
    content = sys.stdin.buffer.read(_MOST_BYTES + 1) if str(file) == "-" else read_bytes(file)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError.because(expected="a text in UTF-8", got="other bytes", where=str(file)) from error


def purpose_named(text: str) -> Any:
    from comity.casework.victim import Purpose

    if text not in set(Purpose):
        raise InputError.because(expected=f"one of {', '.join(Purpose)}", got="another", where="--purpose")
    return Purpose(text)


def answers_in(given: Sequence[str] | None, *, where: str) -> dict[str, str]:
    """`ID=ANSWER` pairs, each id once."""
    pairs = [text.partition("=") for text in given or []]
    found = {name: answer for name, _, answer in pairs}
    if len(found) != len(pairs) or not all(sign for _, sign, _ in pairs):
        raise InputError.because(expected="ID=ANSWER, each id once", got="another form", where=where)
    return found


def hand_out(document: Any, *, folder: Path, file: Path | None) -> None:
    """Print it as JSON, or write it to a new file that only its owner can read, never inside the node's directory."""
    if file is None:
        print_json(document)
        return
    refuse_inside(folder, file)
    from comity.backends.files import create_durably

    try:
        create_durably(file, (json_text(document) + "\n").encode(), mode=0o600)
    except FileExistsError as error:
        raise Conflict.because(expected="a file that does not exist", got=str(file), where="--out") from error
    out.print(f"Written to {file}", highlight=False, markup=False)


def refuse_inside(folder: Path, file: Path | None) -> None:
    """What leaves the vault leaves the node: nothing of it is put where the node keeps its own."""
    if file is not None and file.resolve().is_relative_to(folder.resolve()):
        raise InputError.because(expected="a file outside the node's directory", got=str(file), where="--out")
