"""Articles and declarations: every row stands on something, and what the issue names is there."""

import csv
import io
from pathlib import Path

import pytest

from comity.errors import InputError
from comity.law.articles import (
    EFFECTS,
    articles,
    articles_for,
    declarations,
    declared,
    load_articles,
    load_declarations,
)
from comity.law.files import read_text
from comity.law.instrument_page import reference
from comity.law.instruments import PURPOSES, instruments
from comity.law.register import register

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "instruments.md"
_ARTICLES = "instrument,article,about,allows,limits,purposes,source,confidence,verified\n"
_DECLARATIONS = "instrument,party,article,effect,text,source,confidence,verified\n"


@pytest.mark.parametrize(
    ("instrument", "named"),
    [
        ("UNTOC", [str(number) for number in range(13, 20)]),
        ("UNCAC", ["31", "46", *(str(number) for number in range(51, 60))]),
        ("UNCC-HANOI", [str(number) for number in range(42, 49)]),
        ("BUDAPEST", ["29", "30", "35"]),
    ],
)
def test_every_article_that_is_used_is_there(instrument: str, named: list[str]) -> None:
    assert set(named) <= {row.article for row in articles() if row.instrument == instrument}


def test_what_is_not_in_force_says_so_in_every_row() -> None:
    dead = {one.id for one in instruments() if not one.in_force}
    assert dead == {"UNCC-HANOI", "AET-2025"}
    for row in articles():
        assert (row.limits == "not in force") == (row.instrument in dead)


def test_every_row_has_source_confidence_purposes_and_says_whether_it_was_verified() -> None:
    for name, rows in (("articles.csv", articles()), ("declarations.csv", declarations())):
        assert len(rows) == len(list(csv.reader(io.StringIO(read_text(name))))) - 1
        assert all(row.source and not row.verified for row in rows)
    assert all(set(row.purposes) <= set(PURPOSES) and row.purposes for row in articles())
    assert all(row.effect in EFFECTS and str(row.confidence) != "high" for row in declarations())


def test_who_declares_about_an_instrument_is_party_to_it() -> None:
    for row in declarations():
        assert {one.status for one in register().standing(row.instrument, row.party)} <= {"party", "extended"}


def test_articles_are_found_by_purpose_and_declarations_by_party() -> None:
    assert [row.article for row in articles_for("BUDAPEST", "preservation")] == ["29", "30", "35"]
    assert [row.article for row in articles_for("UNTOC", "joint_team")] == ["2(b)", "15", "19"]
    assert [row.party for row in declared("UNTOC", ("US", "CA"), "no_treaty_basis")] == ["US"]
    assert declared("UNTOC", ("CA",)) == ()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("PEACE,1,a,b,,mla,me,low,false\n", "'PEACE'"),
        ("UNTOC,1,a,b,,arrest,me,low,false\n", "'arrest'"),
        ("UNTOC,1,a,b,,,me,low,false\n", "a filled cell"),
        ("UNTOC,1,a,b,,mla,,low,false\n", "a filled cell"),
        ("UNTOC,1,a,b,,mla,me,low,perhaps\n", "'perhaps'"),
        ("UNTOC,1,a,b,,mla,me,low,false\n" * 2, "twice"),
    ],
)
def test_a_malformed_article_is_refused(row: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load_articles(_ARTICLES + row)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("UNTOC,XX,1,no_treaty_basis,t,me,low,false\n", "'XX'"),
        ("UNTOC,US,1,no,t,me,low,false\n", "'no'"),
        ("UNTOC,US,1,no_treaty_basis,t,me,low,false\n" * 2, "twice"),
    ],
)
def test_a_malformed_declaration_is_refused(row: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load_declarations(_DECLARATIONS + row)


def test_the_page_is_current() -> None:
    assert _PAGE.read_text(encoding="utf-8") == reference(), (
        "run: python -m comity.law.instrument_page > docs/reference/instruments.md"
    )
