"""Draw docs/images/demo.svg from a real run: `comity demo --json FILE`, then `python -m scripts.demo_picture FILE`."""

import io
import json
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI

from comity.entrypoints.demo.screen import show

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "demo.svg"
_COLUMNS = 128
_FONTS = re.compile(r"\s*@font-face \{.*?\}\n", re.DOTALL)


def picture(summary: dict[str, object]) -> str:
    """The summary as a terminal shows it. It loads no fonts from elsewhere."""
    console = Console(
        record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print("[bold]$ make demo[/]", highlight=False)
    show(console, summary)
    return _FONTS.sub("", console.export_svg(title="comity demo", theme=DIMMED_MONOKAI))


if __name__ == "__main__":
    PICTURE.write_text(picture(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), encoding="utf-8")
