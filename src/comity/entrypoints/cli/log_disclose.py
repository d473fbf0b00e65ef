"""`comity log disclose`: some fields of an event with the proof that they are in the log, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import PURPOSE, AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import out, print_json
from comity.errors import Conflict, NotFound

if TYPE_CHECKING:
    from comity.backends.sql.events import Opening
    from comity.ledger import InclusionProof
    from comity.node.bootstrap import Node


class EventErased(Conflict):
    """The event was erased: nobody can show anything of it any more."""

    code = "ledger.event-erased"
    remedy = "Its entry is still in the log; who erased it and why: comity case show DIR CASE"


class NotWitnessed(Conflict):
    """The policy of witnesses asks for cosignatures that the event does not have yet."""

    code = "node.not-witnessed"
    remedy = "Wait for the witnesses; how far they are: comity log policy DIR"


def log_disclose(
    folder: NodeDir,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The id of an event of this node.")],
    to: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the disclosure.")],
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field", metavar="NAME", help="A field to show; repeat for several (kind, body.account, …)."
        ),
    ] = None,
    recipient: Annotated[
        str, typer.Option("--for", metavar="NAME", help="Who gets the file: a member, or another name.")
    ] = "outside",
    purpose: Annotated[str, typer.Option(help="What they get it for.")] = PURPOSE,
    as_json: AsJson = False,
) -> None:
    """Show some fields of an event, and prove that they are in the log.

    Whoever gets the file checks it offline, with the log's key alone. They see
    the fields named here, and how many others there are; not what these are
    called or say. Without --field nothing is shown but that the event is there.

    Fields that may hold what peers told us go only to whom their obligations
    allow it: name who gets the file with --for, or ask: comity consent ask.

    \b
    Examples:
    comity log disclose ./node-ca event-5f0c3a9d8e7b6c5d --field kind --field at --out hold.json
    comity log disclose ./node-ca event-5f0c3a9d8e7b6c5d --field body.amount_minor --out amount.json
    comity log check-disclosure amount.json --key example.org/log+1a2b3c4d+AQ...
    """
    from comity.backends.files import write_durably
    from comity.ledger import DisclosureFile, check_disclosure_file, disclose
    from comity.node.bootstrap import open_node
    from comity.node.handling.exits import require_disclosure
    from comity.node.log.publish import log_signer
    from comity.proofs.note import verifier_of

    node = open_node(folder)
    opening = _opening(node, event)
    require_disclosure(
        node, opening.event, field or [], recipient=recipient, purpose=purpose, actor=console_actor()
    )
    made = DisclosureFile(
        disclosure=disclose(opening.body, opening.salt, field or []), proof=_proof(node, opening)
    )
    fields, checkpoint = check_disclosure_file(made, [verifier_of(log_signer(node))])
    with node.records.transaction() as tx:
        node.record(
            tx, "event.disclosed", case_id=opening.event.case_id, actor=console_actor(), event=event,
            fields=sorted(fields), recipient=recipient, purpose=purpose,
        )  # fmt: skip
    write_durably(to, made.encode())
    hidden = len(made.disclosure.hidden)
    if as_json:
        print_json({"file": str(to), "shown": sorted(fields), "hidden": hidden, "size": checkpoint.size})
    else:
        shown = ", ".join(fields) or "no field"
        out.print(f"{to}: {shown} shown, {hidden} hidden", highlight=False, markup=False)


def _refuse_unwitnessed(node: Node, opening: Opening) -> None:
    from comity.node.log.quorum import witnessed_size

    if opening.log_index is None or opening.log_index >= witnessed_size(node):
        raise NotWitnessed(f"expected an event under a quorum of cosignatures, got {opening.event.id}")


def _opening(node: Node, event: str) -> Opening:
    with node.records.reading() as tx:
        opening, erased = tx.events.opening(event), tx.events.is_erased(event)
    if erased:
        raise EventErased(f"expected an event that can be opened, got {event}, which was erased")
    if opening is None:
        raise NotFound.because(expected="an event of this node", got=repr(event))
    return opening


def _proof(node: Node, opening: Opening) -> InclusionProof:
    """Under the newest checkpoint that a quorum cosigned, if that covers it; else under the published one, if the
    policy of witnesses asks for nothing. `NotWitnessed`, or what `quorum.policy` raises: nothing is disclosed then.
    """
    from comity.backends.log_reader import FileLogReader
    from comity.ledger import CHECKPOINT, prove_entry
    from comity.node.log.publish import log_signer
    from comity.node.log.quorum import WITNESSED, policy
    from comity.proofs.checkpoint import open_checkpoint
    from comity.proofs.note import verifier_of

    asked = policy(node)
    if asked is not None and not asked.asks_nothing:
        _refuse_unwitnessed(node, opening)
    reader, key = FileLogReader(node.home.log), verifier_of(log_signer(node))
    kept = node.home.path / WITNESSED
    for note in (kept.read_bytes() if kept.is_file() else b"", reader.read(CHECKPOINT) or b""):
        if not note:
            continue
        checkpoint, _ = open_checkpoint(note, [key])
        if opening.log_index is not None and opening.log_index < checkpoint.size:
            return prove_entry(reader, opening.log_index, size=checkpoint.size, note=note)
    raise Conflict(
        f"expected an event under a published checkpoint, got {opening.event.id}, which waits for one",
        remedy="Start the node; a second later the event is published.",
    )
