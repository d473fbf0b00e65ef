"""Read YAML so that it means one thing to every reader: a lawyer, this program and any other YAML parser. Pure.

Allowed: mappings with text keys, lists, text, whole numbers, `true` and `false`. Refused: a key twice, anchors and
aliases, tags, several documents, null, and every unquoted word that some parser reads as something else (`yes`, `off`,
a date, `1.5`, `0x1f`, `1_000`, `12:30`): it is put into quotes, or it is wrong.
"""

import re
from typing import Any, NoReturn

import yaml

from comity.errors import InputError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)
_NOT_FOR_PYYAML = re.compile(r"[yYnN]|0o[0-7]+|[-+]?[0-9][0-9.]*[eE][-+]?[0-9]+", re.ASCII)
"""Plain words that PyYAML takes for text and other parsers do not."""
_TEXT, _BOOL, _INT = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "bool", "int"))


def parse_yaml(text: str, *, where: str) -> Any:
    """Return what one YAML document says, or raise `InputError` with line and column."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise InputError.because(
            expected=f"at most {MAX_BYTES} bytes of YAML", got=str(len(text)), where=where
        )
    try:
        value = yaml.load(text, Loader=_Strict)  # noqa: S506  (a SafeLoader that refuses more)
    except yaml.MarkedYAMLError as error:
        place = f"{where} {_at(error.problem_mark)}".strip()
        raise InputError.because(expected="strict YAML", got=str(error.problem), where=place) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # bytes or escapes that are no character
        raise InputError.because(expected="strict YAML", got=str(error)[:200], where=where) from error
    return value


class _Strict(yaml.SafeLoader):
    """PyYAML's safe loader, refusing what is not declared above."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            _refuse("an anchor or alias: write it out", event.start_mark)
        if getattr(event, "tag", None) is not None:
            _refuse(f"the tag {event.tag}: values have no tags here", event.start_mark)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            _refuse(f"more than {MAX_DEPTH} levels of nesting", event.start_mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        node = super().compose_scalar_node(anchor)
        if not _means_one_thing(node):
            _refuse(
                f"{node.value!r}, which parsers disagree about: quote it, or leave it out", node.start_mark
            )
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != _TEXT:
                _refuse("a key that is no text", key.start_mark)
            if key.value in seen:
                _refuse(f"the key {key.value!r} twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _means_one_thing(node: yaml.ScalarNode) -> bool:
    if any(0xD800 <= ord(sign) <= 0xDFFF for sign in node.value):
        return False
    if node.tag == _TEXT:
        return node.style is not None or _NOT_FOR_PYYAML.fullmatch(node.value) is None
    if node.tag == _BOOL:
        return node.value in ("true", "false")
    return node.tag == _INT and _WHOLE.fullmatch(node.value) is not None


def _refuse(got: str, mark: yaml.Mark | None) -> NoReturn:
    raise yaml.MarkedYAMLError(problem=got, problem_mark=mark)


def _at(mark: Any) -> str:
    return f"line {mark.line + 1} column {mark.column + 1}" if mark is not None else ""
