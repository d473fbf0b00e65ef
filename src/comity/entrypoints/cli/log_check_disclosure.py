"""`comity log check-disclosure`: check what somebody shows of an event, offline, from the file alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.entrypoints.cli.arguments import AsJson, read_bytes
from comity.entrypoints.cli.log_place import Quorum, Witnesses, log_key_of, witnesses_of
from comity.entrypoints.cli.terminal import out, print_json
from comity.errors import TrustError

if TYPE_CHECKING:
    from comity.proofs.cosignature import Cosignature


class TooFewCosignatures(TrustError):
    """The fields are in the log, but fewer witnesses than asked for cosigned its checkpoint."""

    code = "ledger.too-few-cosignatures"
    remedy = "Ask for a disclosure under a checkpoint that the witnesses have cosigned."


def log_check_disclosure(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `comity log disclose` wrote.")],
    key: Annotated[
        str, typer.Option("--key", metavar="VKEY", help="The log's verifier key, from its operator.")
    ],
    witness: Witnesses = None,
    quorum: Quorum = None,
    as_json: AsJson = False,
) -> None:
    """Check that the fields shown of an event stand in a log.

    Needs no network and no database. Prints the fields shown and how many are
    hidden. A field that is not shown may be among the hidden ones: that it is
    not there at all is shown only if none is hidden.

    \b
    Examples:
    comity log check-disclosure amount.json --key example.org/log+1a2b3c4d+AQ...
    comity log check-disclosure amount.json --key example.org/log+1a2b3c4d+AQ... --witness watch+5e6f7a8b+BA...
    """
    from comity.ledger import check_disclosure_file, cosignatures_on, parse_disclosure_file
    from comity.proofs.note import parse_note

    witnesses, needed = witnesses_of(witness, quorum)
    log, shown = log_key_of(key), parse_disclosure_file(read_bytes(file))
    fields, checkpoint = check_disclosure_file(shown, [log])
    others = [one for one in witnesses if one.public != log.public]
    cosigned = cosignatures_on(parse_note(shown.proof.note), others)
    if as_json:
        print_json(
            {
                "ok": len(cosigned) >= needed, "origin": checkpoint.origin, "index": shown.proof.index,
                "size": checkpoint.size, "root": checkpoint.root.hex(), "fields": fields,
                "hidden": len(shown.disclosure.hidden), "cosigned": [_cosigned(one) for one in cosigned],
            }
        )  # fmt: skip
    else:
        _show(fields, len(shown.disclosure.hidden), f"{shown.proof.index} of {checkpoint.size}", cosigned)
    if len(cosigned) < needed:
        raise TooFewCosignatures(f"expected {needed} of the witnesses to have cosigned, got {len(cosigned)}")


def _show(fields: dict[str, Any], hidden: int, place: str, cosigned: tuple[Cosignature, ...]) -> None:
    out.print("these fields are in the log", style="bold green")
    for name, value in fields.items():
        out.print(f"  {name}: {value}", highlight=False, markup=False)
    out.print(f"  and {hidden} hidden fields", highlight=False, markup=False)
    out.print(f"  entry {place}", highlight=False, markup=False)
    for one in cosigned:
        out.print(f"  cosigned by {one.key.name}, {one.at:%Y-%m-%dT%H:%M:%SZ}", highlight=False, markup=False)


def _cosigned(one: Cosignature) -> dict[str, str]:
    return {"name": one.key.name, "key": str(one.key), "time": f"{one.at:%Y-%m-%dT%H:%M:%SZ}"}
