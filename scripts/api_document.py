"""Write spec/node-api.openapi.json from the routes themselves: `make reference`. A test fails when it is old."""

import json
from pathlib import Path
from typing import Any

from comity.entrypoints.api import create_api
from comity.entrypoints.api.document import document

PAGE = Path(__file__).parents[1] / "spec" / "node-api.openapi.json"


def page() -> str:
    """The document as every node serves it, sorted: the routes are declared without looking at the node."""
    no_node: Any = None
    return json.dumps(document(create_api(no_node)), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
