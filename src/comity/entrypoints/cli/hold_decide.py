"""`comity hold tell-holder|order|release|return`: what people decide about a hold; one step of its procedure each."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.terminal import as_plain, out, print_json

HoldId = Annotated[str, typer.Argument(metavar="HOLD", help="The hold's id.")]


def tell_holder(folder: NodeDir, hold: HoldId, as_: As, as_json: AsJson = False) -> None:
    """Record that the holder was told of the hold and of the way to challenge it.

    \b
    Examples:
      comity hold tell-holder hk hold-77ab… --as mei
    """
    _decide(folder, hold, "tell_holder", {"holder_told": True}, as_, as_json)


def order(
    folder: NodeDir,
    hold: HoldId,
    as_: As,
    court: Annotated[str, typer.Option(help="The court or authority that made the order.")],
    reference: Annotated[str, typer.Option(help="The order's reference.")],
    as_json: AsJson = False,
) -> None:
    """Record the order that confirms a hold before it lapses.

    \b
    Examples:
      comity hold order hk hold-77ab… --as lau --court "Court of First Instance" --reference HCMP-1201/2025
    """
    _decide(folder, hold, "order", {"order": {"court": court, "reference": reference}}, as_, as_json)


def release(
    folder: NodeDir,
    hold: HoldId,
    as_: As,
    reason: Annotated[str, typer.Option(help="Why it is lifted.")],
    as_json: AsJson = False,
) -> None:
    """Lift a hold.

    \b
    Examples:
      comity hold release hk hold-77ab… --as lau --reason "The holder showed a clean source."
    """
    _decide(folder, hold, "release", {"release": {"reason": reason}}, as_, as_json)


def return_to_victim(
    folder: NodeDir,
    hold: HoldId,
    as_: As,
    to: Annotated[str, typer.Option(help="The victim who receives the money.")],
    third_parties_heard: Annotated[bool, typer.Option(help="Bona fide third parties were heard.")] = False,
    as_json: AsJson = False,
) -> None:
    """Record that ordered money went back to the victim; the holder must have been told before.

    \b
    Examples:
      comity hold return hk hold-77ab… --as lau --to "The law firm" --third-parties-heard
    """
    _decide(
        folder, hold, "return", {"return_to": to, "third_parties_heard": third_parties_heard}, as_, as_json
    )


def _decide(folder: Path, hold: str, event: str, facts: Mapping[str, Any], name: str, as_json: bool) -> None:
    from comity.node.bootstrap import open_node
    from comity.node.hold import decide_hold

    node = open_node(folder)
    done = decide_hold(node, hold, event, facts, person=signed_in(node, name))
    if as_json:
        print_json(as_plain(done))
    else:
        out.print(f"{done.id}: {event.replace('_', ' ')} is recorded; it is {done.state}", highlight=False)
