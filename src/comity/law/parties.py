"""The jurisdictions the data knows: names, and which of them are one sovereign. An unknown code is refused.

Hong Kong and Macao have codes of their own (ISO 3166-1) and treaties extended to them, but are one sovereign
with China: a treaty between states does not apply among the three.
"""

from collections.abc import Mapping
from functools import cache

from comity.errors import InputError
from comity.law.files import exact_keys, read_json


@cache
def _data() -> tuple[Mapping[str, str], Mapping[str, str]]:
    shape = {"gathered": str, "names": dict, "sovereign": dict}
    found = exact_keys(read_json("jurisdictions.json"), shape, where="jurisdictions.json")
    return found["names"], found["sovereign"]


def known_jurisdictions() -> Mapping[str, str]:
    """Code to name, in order of code."""
    return dict(sorted(_data()[0].items()))


def name_of(code: str) -> str:
    """Return the name; `InputError` that lists the known codes if there is none."""
    names = _data()[0]
    if code not in names:
        raise InputError.because(
            expected=f"a jurisdiction of the data ({', '.join(sorted(names))})",
            got=repr(code),
            remedy="Write the ISO 3166-1 code in capitals. What is not in the data cannot be answered from "
            "it.",
        )
    return names[code]


def sovereign_of(code: str) -> str:
    """The code of the state `code` belongs to: itself, except HK and MO."""
    name_of(code)
    return _data()[1].get(code, code)
