"""Names of jurisdictions for people to read, by ISO 3166-1 alpha-2 code. One not listed shows as its code.

Names and their source are in `countries.tsv`: replace the file where an authority uses other names.
"""

from functools import cache
from pathlib import Path

NOWHERE = {"ZZ": "In no state's book"}
"""ZZ is one of ISO 3166's codes for users to assign: a wallet that no institution keeps."""


@cache
def _names() -> dict[str, str]:
    text = (Path(__file__).parent / "countries.tsv").read_text(encoding="utf-8")
    lines = (line.partition("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {code: name for code, _, name in lines}


def country_name(code: str) -> str:
    return _names().get(code) or NOWHERE.get(code, code)
