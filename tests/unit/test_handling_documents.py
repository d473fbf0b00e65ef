"""What crosses about obligations: read strictly, bound to what it is about, and to who signed it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import ComityError
from comity.exchange.consent import (
    Answer,
    ConsentMismatch,
    Question,
    Use,
    Word,
    make_word,
    read_question,
    refuse_other_use,
    verify_word,
    write_question,
)
from comity.exchange.fields import Malformed, read_object
from comity.exchange.handling import read_handling
from comity.exchange.relaxation import Relaxation, make_relaxation, verify_relaxation
from comity.exchange.retraction import (
    Compliance,
    How,
    Retraction,
    RetractionMismatch,
    make_compliance,
    make_retraction,
    name_of,
    refuse_other_retraction,
    verify_compliance,
    verify_retraction,
)
from comity.model import Permission
from tests.unit.exchange_world import vectors
from tests.vectors.forger import CANADA, HONG_KONG, NOW, THAILAND, kid
from tests.vectors.handling_cases import GROUPS, ITEM

KEYS = {kid(HONG_KONG.signing_public): HONG_KONG.signing_public}
READERS: Mapping[str, Callable[[bytes], Any]] = {
    "handling": lambda wire: read_handling(read_object(wire, where="handling", max_bytes=65_536)),
    "consent": lambda wire: verify_word(wire.decode("latin-1"), keys=KEYS, originator=HONG_KONG.id),
    "retraction": lambda wire: verify_retraction(wire.decode("latin-1"), keys=KEYS, originator=HONG_KONG.id),
    "compliance": lambda wire: verify_compliance(wire.decode("latin-1"), keys=KEYS, by=HONG_KONG.id),
    "relaxation": lambda wire: verify_relaxation(wire.decode("latin-1"), keys=KEYS, originator=HONG_KONG.id),
}
USE = Use(item=ITEM, action="disclose_onward", recipient=THAILAND.id, purpose="trace-and-hold")
QUESTION = Question(
    id="consent-1", use=USE, originator=HONG_KONG.id, asker=CANADA.id, until=NOW + timedelta(days=30),
    sources=(ITEM,), why="",
)  # fmt: skip
WORD = Word(
    answer=Answer.GRANT, question="consent-1", use=USE, originator=HONG_KONG.id, asker=CANADA.id, at=NOW,
    expires=NOW + timedelta(days=7), why="",
)  # fmt: skip


@pytest.mark.parametrize("group", GROUPS)
def test_vectors(group: str) -> None:
    for expect, wire in [one.values for one in vectors(group)]:
        if expect == "ok":
            READERS[group](wire)
            continue
        with pytest.raises(ComityError) as refused:
            READERS[group](wire)
        assert refused.value.code == expect


def test_what_vectors_that_must_be_read_say() -> None:
    read = {one.id: one.values[1] for one in vectors("handling")}
    for name in ("ok-unknown-permission", "ok-unknown-action", "ok-unknown-field"):
        handling = READERS["handling"](read[name])
        assert handling.may("read") is Permission.ASK, name
    assert READERS["handling"](read["ok-nobody"]).audience == ()


@pytest.mark.parametrize("group", GROUPS)
@given(data=st.data())
def test_whatever_a_member_signs_is_read_or_refused(group: str, data: st.DataObject) -> None:
    wire = data.draw(st.binary(max_size=300) | st.sampled_from([one.values[1] for one in vectors(group)]))
    cut = data.draw(st.integers(0, len(wire)))
    with suppress(ComityError):
        READERS[group](wire[:cut] + data.draw(st.binary(max_size=4)) + wire[cut:])


def test_they_come_out_as_they_went_in() -> None:
    assert read_question(write_question(QUESTION)) == QUESTION
    assert verify_word(make_word(WORD, key=HONG_KONG.signing), keys=KEYS, originator=HONG_KONG.id) == WORD
    taken = Retraction(
        item=ITEM, message_id="message-1", originator=HONG_KONG.id, audience=(), at=NOW,
        comply_by=NOW + timedelta(hours=1), why="ប្រយ័ត្ន",
    )  # fmt: skip
    jws = make_retraction(taken, key=HONG_KONG.signing)
    assert verify_retraction(jws, keys=KEYS, originator=HONG_KONG.id) == taken
    done = Compliance(
        retraction=name_of(jws), item=ITEM, by=HONG_KONG.id, originator=HONG_KONG.id, at=NOW, how=How.ERASED,
        onward=(THAILAND.id,),
    )  # fmt: skip
    assert verify_compliance(make_compliance(done, key=HONG_KONG.signing), keys=KEYS, by=HONG_KONG.id) == done
    refuse_other_retraction(done, jws, item=ITEM, originator=HONG_KONG.id)
    for other in (
        replace(done, retraction="0" * 64),
        replace(done, item="0" * 64),
        replace(done, originator=CANADA.id),
    ):
        with pytest.raises(RetractionMismatch):
            refuse_other_retraction(other, jws, item=ITEM, originator=HONG_KONG.id)


@pytest.mark.parametrize(
    "change",
    [
        {"question": "consent-2"}, {"asker": THAILAND.id}, {"originator": CANADA.id, "asker": HONG_KONG.id},
        {"use": replace(USE, item="0" * 64)}, {"use": replace(USE, action="judicial_use")},
        {"use": replace(USE, recipient=CANADA.id)}, {"use": replace(USE, purpose="another")},
        {"expires": QUESTION.until + timedelta(microseconds=1)},
    ],
)  # fmt: skip
def test_an_answer_to_something_else_is_none(change: dict[str, Any]) -> None:
    refuse_other_use(WORD, QUESTION)
    with pytest.raises(ConsentMismatch):
        refuse_other_use(replace(WORD, **change), QUESTION)


def test_a_relaxation_comes_out_as_it_went_in() -> None:
    read = {one.id: one.values[1] for one in vectors("handling")}
    wider = Relaxation(
        item=ITEM, message_id="message-1", originator=HONG_KONG.id, handling=READERS["handling"](read["ok-plain"]),
        at=NOW, why="Released.",
    )  # fmt: skip
    jws = make_relaxation(wider, key=HONG_KONG.signing)
    assert verify_relaxation(jws, keys=KEYS, originator=HONG_KONG.id) == wider


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"item": "x"},
        {"until": "soon"},
        {"sources": ["x"]},
        {"recipient": "*"},
        {"purpose": ""},
        {"asker": 7},
    ],
)
def test_a_question_is_read_strictly(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read_question({**write_question(QUESTION), **change})


def test_nothing_is_signed_that_nobody_would_read() -> None:
    with pytest.raises(Malformed):
        make_word(replace(WORD, expires=NOW), key=HONG_KONG.signing)
