"""`comity log check-proof`: check a portable proof (C2SP tlog-proof), offline."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, read_bytes
from comity.entrypoints.cli.log_place import LogKey, PolicyFile, log_key_of, policy_in
from comity.entrypoints.cli.terminal import out, print_json
from comity.errors import InputError, TrustError

if TYPE_CHECKING:
    from comity.ledger import InclusionProof, Policy
    from comity.ledger.prove import Proven
    from comity.proofs.note import VerifierKey

_ENTRY = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


class QuorumNotMet(TrustError):
    """The proof holds, but too few witnesses cosigned its checkpoint."""

    code = "ledger.quorum-not-met"
    remedy = "Ask for a proof under a checkpoint that the quorum has cosigned."


def log_check_proof(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The proof (x.tlog-proof).")],
    entry: Annotated[
        str | None, typer.Option("--entry", metavar="HEX", help="The log entry, 32 bytes in hexadecimal.")
    ] = None,
    event: Annotated[
        Path | None,
        typer.Option("--event", metavar="FILE", help="A disclosure of the event, whole or in part (JSON)."),
    ] = None,
    key: LogKey = None,
    policy: PolicyFile = None,
    as_json: AsJson = False,
) -> None:
    """Check that an entry, or the fields shown of an event, stand in a log.

    Needs no network: the proof carries the signed checkpoint. With --policy
    the checkpoint must be by a log it lists and cosigned by its quorum.

    \b
    Examples:
    comity log check-proof hold.tlog-proof --entry 18fc0062... --key example.org/log+1a2b3c4d+AQ...
    comity log check-proof hold.tlog-proof --event hold.json --policy witnesses.policy
    """
    from comity.ledger import parse_proof
    from comity.ledger.prove import check_proof

    if (entry is None) == (event is None):
        raise InputError.because(expected="either --entry or --event", got="both" if entry else "neither")
    proof, asked = parse_proof(read_bytes(file)), policy_in(policy)
    leaf, fields = _leaf(entry, event)
    found = check_proof(proof, leaf, _keys(key, asked), policy=asked)
    if as_json:
        print_json(
            {
                "ok": found.finding is None or found.finding.met,
                "origin": found.checkpoint.origin, "index": proof.index, "size": found.checkpoint.size,
                "root": found.checkpoint.root.hex(), "entry": leaf.hex(), "fields": fields,
                "quorum": {"met": found.finding.met, "reasons": list(found.finding.reasons)} if found.finding else None,
            }
        )  # fmt: skip
    else:
        _show(found, proof, fields)
    if found.finding is not None and not found.finding.met:
        raise QuorumNotMet(f"the quorum of witnesses is not met: {'; '.join(found.finding.reasons)}")


def _leaf(entry: str | None, event: Path | None) -> tuple[bytes, dict[str, object] | None]:
    """The entry, and the fields of the event that are shown, if any."""
    from comity.ledger.disclose import check_disclosure, entry_shown, parse_disclosure

    if event is not None:
        disclosure = parse_disclosure(read_bytes(event))
        leaf = entry_shown(disclosure)
        return leaf, check_disclosure(disclosure, leaf)
    if entry is None or _ENTRY.fullmatch(entry) is None:
        raise InputError.because(
            expected="64 hexadecimal digits", got=repr((entry or "")[:80]), where="--entry"
        )
    return bytes.fromhex(entry), None


def _keys(key: str | None, policy: Policy | None) -> list[VerifierKey]:
    listed = [known.key for known in policy.logs] if policy else []
    if key is not None:
        named = log_key_of(key)
        if listed and named not in listed:
            raise InputError.because(expected="a key that the policy lists", got=named.name, where="--key")
        return [named]
    if not listed:
        raise InputError.because(expected="--key, or a --policy that names the log", got="neither")
    return listed


def _show(found: Proven, proof: InclusionProof, fields: dict[str, object] | None) -> None:
    checkpoint = found.checkpoint
    out.print("the proof holds", style="bold green")
    out.print(f"  log   {checkpoint.origin}", highlight=False, markup=False)
    out.print(f"  place {proof.index} of {checkpoint.size}", highlight=False, markup=False)
    for name, value in (fields or {}).items():
        out.print(f"  {name}: {value}", highlight=False, markup=False)
    for reason in found.finding.reasons if found.finding else ():
        out.print(f"  {reason}", highlight=False, markup=False)
