"""An XSD that somebody names, as a checker of files. It may include others of its own folder, and nothing else.

Every schemaLocation is followed and looked at before libxml2 loads anything: no network, nothing outside the folder.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from comity.errors import InputError

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_NAMES_OTHERS = ("include", "import", "redefine", "override")
MOST_FILES = 100
MOST_BYTES = 16 * 1024 * 1024


def read_schema(path: Path) -> Any:
    """An `etree.XMLSchema`; `InputError` where it is none, or reaches outside its folder."""
    folder = path.resolve().parent
    seen: set[Path] = set()
    waiting = [path.resolve()]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            if len(seen) > MOST_FILES:
                raise InputError.because(
                    expected=f"at most {MOST_FILES} files of schema", got="more", where=str(path)
                )
            waiting += _named_in(file, folder)
    try:
        return etree.XMLSchema(etree.parse(str(path.resolve()), _parser()))
    except etree.XMLSchemaParseError as error:
        raise InputError.because(expected="an XML Schema", got=str(error)[:300], where=str(path)) from error


def _parser() -> Any:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def _named_in(file: Path, folder: Path) -> list[Path]:
    """The schemas that one includes, all of them in the folder."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InputError.because(
                expected=f"a schema of at most {MOST_BYTES >> 20} MiB", got="a larger file", where=str(file)
            )
        tree = etree.parse(str(file), _parser())
    except etree.XMLSyntaxError as error:
        raise InputError.because(
            expected="an XML Schema", got=str(error.msg)[:300], where=str(file)
        ) from error
    except OSError as error:
        raise InputError.because(
            expected="a file that can be read", got=str(error)[:200], where=str(file)
        ) from error
    root = tree.getroot()
    if tree.docinfo.internalDTD is not None or root.tag != f"{_XSD}schema":
        raise InputError.because(
            expected="an XML Schema without a document type", got=str(root.tag)[:100], where=str(file)
        )
    named = [one.get("schemaLocation") for name in _NAMES_OTHERS for one in root.iter(f"{_XSD}{name}")]
    return [_inside(location, file, folder) for location in named if location is not None]


def _inside(location: str, file: Path, folder: Path) -> Path:
    parts = urlsplit(location)
    found = (file.parent / location).resolve()
    if parts.scheme or parts.netloc or "%" in location or not found.is_relative_to(folder):
        raise InputError.because(
            expected="a schema that includes only files of its own folder", got=repr(location[:100]), where=str(file),
            remedy="Put the included schemas beside it and name them by their file names.",
        )  # fmt: skip
    return found
