"""Read XML entry by entry, in memory that one entry bounds, from whoever made it.

No document type, so no entities (XXE, "billion laughs"); no network; libxml2's own limits on depth (256), text
(10 MB) and names stay. An entry, or what stands between two, may have 8 MiB. XML 1.0, in UTF-8 or one of the
encodings that write ASCII as ASCII does. What is not XML's own limit is kept by `xml_guard`.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from comity.backends.transfers.xml_guard import Guarded, refuse_doctype
from comity.errors import InputError


class Part:
    """An element, read by paths of names in its own namespace: `part.text("PmtId/UETR")`."""

    __slots__ = ("element", "namespace")

    def __init__(self, element: Any, namespace: str | None = None) -> None:
        self.element = element
        self.namespace = _split(element)[0] if namespace is None else namespace

    @property
    def name(self) -> str:
        return _split(self.element)[1]

    @property
    def within(self) -> str:
        """The name of the element it is in; empty for the root."""
        above = self.element.getparent()
        return "" if above is None else _split(above)[1]

    def text(self, *paths: str) -> str:
        """The text at the first of these paths that has some, without white space around it; or nothing."""
        for path in paths:
            found = _first(self.element, path, self.namespace)
            if found is not None and found.text and (text := found.text.strip()):
                return str(text)
        return ""

    def attribute(self, path: str, name: str) -> str:
        found = _first(self.element, path, self.namespace)
        return "" if found is None else str(found.get(name, "")).strip()

    def part(self, *paths: str) -> "Part | None":
        """The element at the first of these paths that there is."""
        for path in paths:
            found = _first(self.element, path, self.namespace)
            if found is not None:
                return Part(found, self.namespace)
        return None

    def parts(self, path: str) -> list["Part"]:
        """Every element at a path, in order."""
        found = [self.element]
        for tag in _tags(path, self.namespace):
            found = [child for one in found for child in one.iterchildren(tag)]
        return [Part(one, self.namespace) for one in found]


def _split(element: Any) -> tuple[str, str]:
    """Namespace and name. Not by `etree.QName`, which refuses what a parser lets through: a } in a namespace."""
    namespace, _, name = str(element.tag).rpartition("}")
    return namespace.removeprefix("{"), name


@cache
def _tags(path: str, namespace: str) -> tuple[str, ...]:
    return tuple(f"{{{namespace}}}{name}" if namespace else name for name in path.split("/"))


def _first(element: Any, path: str, namespace: str) -> Any:
    """The first child of each name on the way. Not by `find`, which is written in Python and much slower."""
    for tag in _tags(path, namespace):
        element = next(element.iterchildren(tag), None)
        if element is None:
            return None
    return element


def parts_of(path: Path, names: Sequence[str], *, schema: Any = None) -> Iterator[Part]:
    """Yield every element of those names, of any namespace, when it has ended; it is gone at the next one.

    `schema`: an `etree.XMLSchema` that the file must keep.
    """
    try:
        with path.open("rb") as raw:
            guarded = Guarded(raw, path)
            reading = etree.iterparse(
                guarded, events=("end",), tag=[f"{{*}}{name}" for name in names], resolve_entities=False,
                no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True,
                schema=schema,
            )  # fmt: skip
            for _, element in reading:
                if element.getroottree().docinfo.internalDTD is not None:
                    refuse_doctype(path)
                part = Part(element)
                if "}" in part.namespace:
                    raise InputError.because(
                        expected="a namespace without braces", got=repr(part.namespace[:100]), where=str(path)
                    )
                yield part
                guarded.unfinished = 0
                _let_go(element)
    except etree.XMLSyntaxError as error:
        expected = "well-formed XML" if schema is None else "XML that keeps its schema"
        raise InputError.because(expected=expected, got=str(error.msg)[:300], where=str(path)) from error
    except OSError as error:
        raise InputError.because(
            expected="a file that can be read", got=error.strerror or str(error), where=str(path)
        ) from error


def _let_go(element: Any) -> None:
    """Free an element and everything before it, at every level."""
    element.clear()
    for one in (element, *element.iterancestors()):
        above = one.getparent()
        if above is not None:
            del above[: above.index(one)]
