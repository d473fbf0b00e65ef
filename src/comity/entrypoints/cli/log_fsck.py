"""`comity log fsck`: compare a node's log with its database; make wrong files anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir
from comity.entrypoints.cli.terminal import out, print_json
from comity.errors import TrustError

if TYPE_CHECKING:
    from comity.node.log.fsck import Trouble


class LogAndDatabaseDiffer(TrustError):
    """Files of the log are wrong, or the database is."""

    code = "ledger.fsck"
    remedy = "Make wrong tiles anew from the database: comity log fsck DIR --mend"


_BY_PEOPLE = (
    "Copy the node's directory as it is and keep the copy. Then find out which was changed, with a backup, a mirror "
    "of the log or its witnesses; no command may choose."
)


def log_fsck(
    folder: NodeDir,
    mend_: Annotated[bool, typer.Option("--mend", help="Make wrong tiles anew from the database.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare every file of a node's log with its database, and the database with itself.

    Names everything that is wrong; the exit status is 3 then. With --mend wrong
    tiles are made anew, if the database still gives the signed root. The node
    may go on running.

    \b
    Examples:
    comity log fsck ./node-ca
    comity log fsck ./node-ca --mend
    """
    from comity.node.bootstrap import open_node
    from comity.node.log.fsck import check, mend

    node = open_node(folder)
    found = check(node)
    mended: tuple[str, ...] = ()
    if mend_ and found and all(one.mendable for one in found):
        mend(node)
        before, found = found, check(node)
        mended = tuple(one.where for one in before if one not in found)
    if as_json:
        print_json(
            {
                "ok": not found,
                "mended": list(mended),
                "wrong": [
                    {"where": one.where, "problem": one.problem, "mendable": one.mendable} for one in found
                ],
            }
        )
    else:
        _show(found, mended)
    if found:
        by_hand = not all(one.mendable for one in found)
        raise LogAndDatabaseDiffer(
            f"{len(found)} things are wrong, the first: {found[0].problem}", where=found[0].where,
            remedy=_BY_PEOPLE if by_hand else "",
        )  # fmt: skip


def _show(found: list[Trouble], mended: tuple[str, ...]) -> None:
    for path in mended:
        out.print(f"mended  {path}", highlight=False, markup=False)
    for one in found:
        out.print(f"wrong   {one.where}: {one.problem}", highlight=False, markup=False)
    if not found:
        out.print("log and database agree", style="bold green")
