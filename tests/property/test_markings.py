"""Markings map in and out and never upwards (spec/handling.md §5)."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.exchange.markings import SCHEMES, Circle, mark, meaning_of, tighten
from comity.model import ACTIONS, Handling, Permission
from tests.property.test_handling import HANDLINGS, LEVEL, MEMBERS, USES, level

CIRCLE = Circle(receiver="hk-unit", community=MEMBERS)
KNOWN = (
    "TLP:RED", "TLP:AMBER+STRICT", "TLP:AMBER", "TLP:GREEN", "TLP:CLEAR", "PAP:RED", "PAP:AMBER", "PAP:GREEN",
    "PAP:CLEAR", "PAP:WHITE", "EUROPOL:H0", "EUROPOL:H1", "EUROPOL:H2", "EUROPOL:H3", "3x5x2:1-A-P",
    "3x5x2:3-E-C", "4x4:X-4",
)  # fmt: skip
UNKNOWN = (
    "TLP:WHITE", "TLP:EX:CHR", "TLP:AMBER STRICT", "PAP:BLUE", "EUROPOL:H4", "H1", "3x5x2:4-A-P", "3x5x2:1-F-P",
    "3x5x2:1-A-P-A1", "5x5x5:B-2-1", "4x4:D-1", "", "read",
)  # fmt: skip
OPEN = Handling(
    originators=("ca-centre",), audience=MEMBERS, purposes=("trace-and-hold",),
    actions=dict.fromkeys(ACTIONS, Permission.ALLOW),
)  # fmt: skip


def _opened(one: Handling) -> Handling:
    """Mostly allowed, so that some code fits."""
    return replace(one, audience=MEMBERS, actions={**OPEN.actions, **one.actions})


@settings(max_examples=400)
@given(
    stated=HANDLINGS,
    codes=st.lists(st.sampled_from(KNOWN + UNKNOWN) | st.text(max_size=9), max_size=4),
    use=USES,
)
def test_no_code_makes_anything_wider(stated: Handling, codes: list[str], use: dict[str, str]) -> None:
    assert level(tighten(stated, codes, CIRCLE), use) <= level(stated, use)


def known(code: str) -> bool:
    """By the table of spec/handling.md §5, and not by the program."""
    graded = re.fullmatch(r"3X5X2:[1-3]-[A-E]-[PC]|4X4:[ABCX]-[1-4]", code.upper())
    return graded is not None or code.upper() in {one.upper() for one in KNOWN}


@settings(max_examples=400)
@given(stated=HANDLINGS, code=st.sampled_from(UNKNOWN) | st.text(max_size=9), use=USES)
def test_an_unknown_code_means_ask(stated: Handling, code: str, use: dict[str, str]) -> None:
    if not known(code):
        assert level(tighten(stated, [code], CIRCLE), use) == min(level(stated, use), LEVEL[Permission.ASK])


@pytest.mark.parametrize("code", UNKNOWN)
def test_what_is_not_quite_a_code_is_none(code: str) -> None:
    assert not known(code)
    assert set(tighten(OPEN, [code], CIRCLE).actions.values()) == {Permission.ASK}


@settings(max_examples=600)
@given(
    handling=HANDLINGS | HANDLINGS.map(_opened),
    scheme=st.sampled_from(SCHEMES), use=USES,
)  # fmt: skip
def test_a_code_given_promises_no_more_than_is_allowed(
    handling: Handling, scheme: str, use: dict[str, str]
) -> None:
    given_out = mark(handling, scheme, CIRCLE)
    if given_out is None:
        return
    promised = level(meaning_of(given_out.code, handling, CIRCLE), use)
    assert promised < LEVEL[Permission.ALLOW] or level(handling, use) == LEVEL[Permission.ALLOW]
    assert known(given_out.code)


@pytest.mark.parametrize(
    ("code", "asked", "denied", "audience"),
    [
        (
            "TLP:RED",
            {"search", "link", "derive", "judicial_use", "automated_match"},
            {"disclose_onward"},
            {"hk-unit"},
        ),
        ("TLP:AMBER+STRICT", {"disclose_onward", "judicial_use"}, set(), {"hk-unit"}),
        ("TLP:AMBER", {"disclose_onward", "judicial_use"}, set(), {"hk-unit"}),
        ("TLP:GREEN", {"judicial_use"}, set(), set(MEMBERS)),
        ("TLP:CLEAR", set(), set(), set(MEMBERS)),
        ("PAP:RED", {"automated_match"}, {"contact_subject"}, set(MEMBERS)),
        ("PAP:AMBER", set(), {"contact_subject"}, set(MEMBERS)),
        ("EUROPOL:H0", set(), set(), set(MEMBERS)),
        ("EUROPOL:H1", {"judicial_use"}, set(), set(MEMBERS)),
        ("EUROPOL:H2", {"disclose_onward", "judicial_use"}, set(), {"hk-unit"}),
        ("EUROPOL:H3", set(ACTIONS) - {"read"}, set(), {"hk-unit"}),
        ("3x5x2:2-B-P", set(), set(), set(MEMBERS)),
        ("3x5x2:2-B-C", set(ACTIONS) - {"read"}, set(), {"hk-unit"}),
    ],
)
def test_what_each_code_demands(code: str, asked: set[str], denied: set[str], audience: set[str]) -> None:
    found = tighten(OPEN, [code], CIRCLE)
    assert {one for one in ACTIONS if found.may(one) is Permission.ASK} == asked
    assert {one for one in ACTIONS if found.may(one) is Permission.DENY} == denied
    assert set(found.audience) == audience
    assert found.codes == (code,)
    assert found.gradings == ((code,) if code[0] in "34" else ())


def test_the_usual_obligations_of_a_trace_as_codes() -> None:
    usual = replace(
        OPEN,
        actions={**OPEN.actions, "judicial_use": Permission.ASK, "contact_subject": Permission.DENY,
                 "automated_match": Permission.DENY},
        gradings=("3x5x2:1-B-P",),
    )  # fmt: skip
    codes = {scheme: getattr(mark(usual, scheme, CIRCLE), "code", None) for scheme in SCHEMES}
    assert codes == {"TLP": "TLP:GREEN", "PAP": "PAP:RED", "EUROPOL": "EUROPOL:H3", "3X5X2": "3x5x2:1-B-C"}
    marked = mark(usual, "TLP", CIRCLE)
    assert marked is not None
    assert f"Community: {', '.join(sorted(MEMBERS))}." in marked.besides
    assert "Only for: trace-and-hold." in marked.besides
    assert "Contact subject: deny." in marked.besides
    assert mark(replace(usual, audience=("th-office",)), "TLP", CIRCLE) is None
