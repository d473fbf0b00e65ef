"""Facts for a matter from the command line: a JSON file, and `--set name=value` on top of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from comity.errors import InputError

MatterId = Annotated[str, typer.Argument(metavar="MATTER", help="The matter's id, the same on both sides.")]
FactsFile = Annotated[
    Path | None, typer.Option("--facts", metavar="FILE", help="A JSON object: what is stated, by its name.")
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="State one thing; VALUE is JSON, or else text. Repeat it."
    ),
]
MaybeAs = Annotated[
    str,
    typer.Option("--as", metavar="NAME", help="Who you are on this node: needed for matters (request new)."),
]
MAX_BYTES = 64 * 1024


def read_facts(file: Path | None, stated: list[str] | None) -> dict[str, Any]:
    """`person.id=P-7` states `{"person": {"id": "P-7"}}`. `InputError` for what is not JSON, or no name."""
    from comity.entrypoints.cli.arguments import read_bytes
    from comity.proofs.canonical import parse_strict

    found: Any = parse_strict(read_bytes(file), max_bytes=MAX_BYTES, where=str(file)) if file else {}
    if not isinstance(found, dict):
        raise InputError.because(expected="a JSON object", got=type(found).__name__, where=str(file))
    for one in stated or []:
        name, equals, text = one.partition("=")
        if not equals or not name:
            raise InputError.because(expected="--set NAME=VALUE", got=repr(one))
        _put(found, name.split("."), _value(text), one)
    return found


def _value(text: str) -> Any:
    from comity.proofs.canonical import parse_strict

    try:
        return parse_strict(text.encode(), max_bytes=MAX_BYTES, where="--set")
    except InputError:
        return text


def _put(into: dict[str, Any], path: list[str], value: Any, said: str) -> None:
    for part in path[:-1]:
        into = into.setdefault(part, {})
        if not isinstance(into, dict):
            raise InputError.because(expected="one value for each name", got=repr(said))
    into[path[-1]] = value
