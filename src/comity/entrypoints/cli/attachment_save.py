"""`comity attachment save`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.terminal import out, print_json, progress
from comity.entrypoints.plain_text import byte_count

AttachmentId = Annotated[
    str, typer.Argument(metavar="ID", help="The attachment's id, or as much of its beginning as names it.")
]
From = Annotated[
    str, typer.Option("--from", metavar="MEMBER", help="Who sent it, where several sent the same.")
]


def attachment_save(
    folder: NodeDir,
    attachment: AttachmentId,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to write it: a file that does not exist yet.")
    ],
    as_: As,
    from_: From = "",
    as_json: AsJson = False,
) -> None:
    """Write an attachment that has arrived whole to a file: all of it verified again, or no file.

    It leaves the node with this: the obligations that came with it are asked first, and who took it is recorded.

    \b
    Examples:
      comity attachment save hk 3f5a09c1d2… statement.pdf --as wing
    """
    from comity.node.attachments.export import save_attachment
    from comity.node.bootstrap import open_node

    node = open_node(folder)
    person = signed_in(node, as_)
    with progress("opening") as bar:
        task = bar.add_task("", total=None)
        saved = save_attachment(
            node, attachment, file, person=person, peer=from_,
            on_progress=lambda done, size: bar.update(task, completed=done, total=size),
        )  # fmt: skip
    if as_json:
        print_json(
            {
                "id": saved.id,
                "file": str(file),
                "size": saved.size,
                "media_type": saved.media_type,
                "sha256": saved.digest,
            }
        )
        return
    out.print(f"{file}: {byte_count(saved.size)}, {saved.media_type}", highlight=False, markup=False)
    out.print(f"  sha256 {saved.digest}", highlight=False)
