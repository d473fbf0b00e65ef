"""`comity request letter`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.matter_facts import MatterId
from comity.entrypoints.cli.terminal import out, print_json

if TYPE_CHECKING:
    from comity.node.letters.make import Made


def request_letter(
    folder: NodeDir,
    matter: MatterId,
    as_: As,
    document: Annotated[
        str,
        typer.Option(help="Which document: request, refusal, ... Without it the last of ours that went out."),
    ] = "",
    language: Annotated[
        str,
        typer.Option(
            help="Of the words beside the English: th, km, zh-Hans, ... Without it what the receiver accepts."
        ),
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to write it: a file that does not exist yet."
        ),
    ] = None,
    own_fonts: Annotated[
        bool,
        typer.Option(
            "--own-fonts", help="Only the fonts that ship with Comity: the same bytes on every machine."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the letter of a request as PDF: bilingual where the receiving state asks, the message attached.

    The headings are in English and in the language of the receiving authority; what people wrote stays as they wrote
    it. A letter that was not approved is marked as a draft. The PDF is one for archives (PDF/A-3a).

    \b
    Examples:
      comity request letter ca matter-0f3a… --as nadia
      comity request letter hk matter-0f3a… --as lok --document refusal --language km
    """
    from comity.backends.files import create_durably
    from comity.errors import Conflict
    from comity.node.bootstrap import open_node
    from comity.node.letters.fonts import of_this_machine
    from comity.node.letters.make import make_letter
    from comity.node.letters.of_request import make_request_letter

    node = open_node(folder)
    person, fonts = signed_in(node, as_), tuple if own_fonts else of_this_machine
    if matter.startswith("request-"):
        made = make_request_letter(node, matter, person=person, language=language, machine=fonts)
    else:
        made = make_letter(node, matter, person=person, document=document, language=language, machine=fonts)
    file = output or Path(f"{matter}-{made.document.name}.pdf")
    try:
        create_durably(file, made.typeset.pdf, mode=0o600)
    except FileExistsError as error:
        raise Conflict.because(
            expected="a file that does not exist", got=str(file), where="--output"
        ) from error
    if as_json:
        print_json(_document(made, file))
        return
    for line in _lines(made, file):
        out.print(line, highlight=False, markup=False)


def _document(made: Made, file: Path) -> dict[str, object]:
    return {
        "file": str(file), "document": made.document.name, "language": made.language, "why": made.why,
        "draft": made.draft, "sha256": made.digest, "unshown": [f"U+{ord(one):04X}" for one in made.typeset.unshown],
        "left_out": made.typeset.cut, "borrowed_fonts": list(made.typeset.borrowed),
    }  # fmt: skip


def _lines(made: Made, file: Path) -> list[str]:
    draft = ", a draft that nobody approved" if made.draft else ""
    lines = [
        f"{file}: {made.document.title}{draft}",
        f"  headings in {made.language}: {made.why}",
        f"  sha256 {made.digest}",
    ]
    if made.typeset.unshown:
        codes = ", ".join(f"U+{ord(one):04X}" for one in made.typeset.unshown[:12])
        lines.append(
            f"  {len(made.typeset.unshown)} characters cannot be printed and stand as code points: {codes}"
        )
    if made.typeset.cut:
        lines.append(
            f"  {made.typeset.cut} characters of values too long to print were left out; the message has them"
        )
    if made.typeset.borrowed:
        lines.append(f"  set with fonts of this machine too: {', '.join(made.typeset.borrowed)}")
    return lines
