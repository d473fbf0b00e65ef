"""`comity notice send`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.terminal import out, print_json, progress


def notice_send(
    folder: NodeDir,
    to: Annotated[list[str], typer.Option("--to", metavar="MEMBER", help="Whom to tell; may be repeated.")],
    subject: Annotated[str, typer.Option(help="One line that says what it is about.")],
    as_: As,
    text: Annotated[str, typer.Option(help="What to say; - reads it from standard input.")] = "",
    case: Annotated[str, typer.Option(metavar="CASE", help="A case of this node that it is about.")] = "",
    attach: Annotated[
        list[Path] | None,
        typer.Option(
            "--attach", metavar="FILE", help="A file to send with it; may be repeated, of any size."
        ),
    ] = None,
    compact: Annotated[
        str | None, typer.Option(metavar="NAME", help="In which compact, if the node has joined several.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell members of the compact something about a case, or about none, and send them files.

    The notice goes sealed and signed to all of them in one message. Files are sealed here first, and fetched by
    the recipients from the running node; only they are told the key.

    \b
    Examples:
      comity notice send ca --to hk-police --case case-5f0c… --subject "Statement of the victim" \\
          --text "Taken on 18 June." --attach statement.pdf --as nadia
    """
    from comity.node.bootstrap import open_node
    from comity.node.notice import tell

    node = open_node(folder)
    person = signed_in(node, as_)
    said = typer.get_text_stream("stdin").read().removesuffix("\n") if text == "-" else text
    files = attach or []
    with progress("sealing") as bar:
        tasks = {
            file.name: bar.add_task(file.name, total=file.stat().st_size if file.is_file() else None)
            for file in files
        }
        message = tell(
            node, person=person, compact=compact, peers=to, case_id=case, subject=subject, text=said, files=files,
            on_progress=lambda name, done: bar.update(tasks[name], completed=done),
        )  # fmt: skip
    if as_json:
        print_json({"notice": message, "to": to, "attachments": len(files)})
        return
    out.print(f"{message} to {', '.join(to)} is queued", highlight=False)
    if files:
        out.print(f"  {len(files)} attached; they are fetched while this node runs", highlight=False)
