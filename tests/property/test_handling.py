"""The algebra of obligations (design §4): deriving, consenting and marking never permit what a source does not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from comity.exchange.fields import LABEL, Fields
from comity.exchange.handling import read_handling, write_handling
from comity.model import ACTIONS, Consent, Handling, Permission, meet, permits
from comity.model.handling import NotTheOriginator, relax, retract, shrink

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MEMBERS = ("ca-centre", "hk-unit", "th-office", "la-unit")
PURPOSES = ("trace-and-hold", "asset-recovery", "victim-support")
CODES = (*ACTIONS, "quantum_match", "read ")
ITEM = "ab" * 32
LEVEL = {Permission.ALLOW: 2, Permission.ASK: 1, Permission.DENY: 0}


def some(values: tuple[str, ...], least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), min_size=least, unique=True).map(tuple)


HANDLINGS = st.builds(
    Handling,
    originators=some(MEMBERS, 1), audience=some(MEMBERS), purposes=some(PURPOSES),
    actions=st.dictionaries(st.sampled_from(ACTIONS), st.sampled_from(Permission)),
    retention_days=st.integers(0, 400),
    gradings=some(("3x5x2:1-B", "4x4:A-1")), codes=some(("TLP:GREEN", "EUROPOL:H2")),
    caveats=some(("Source at risk", "ប្រយ័ត្ន")), sources=some((ITEM, "cd" * 32)),
)  # fmt: skip
CONSENTS = st.lists(
    st.builds(
        Consent, item=st.sampled_from([ITEM, "ef" * 32]), by=st.sampled_from(MEMBERS), action=st.sampled_from(CODES),
        recipient=st.sampled_from(MEMBERS), purpose=st.sampled_from(PURPOSES),
        expires=st.sampled_from([NOW - timedelta(seconds=1), NOW, NOW + timedelta(days=1)]),
    ),
    max_size=12,
)  # fmt: skip
USES = st.fixed_dictionaries(
    {
        "action": st.sampled_from(CODES), "recipient": st.sampled_from((*MEMBERS, "stranger")),
        "purpose": st.sampled_from((*PURPOSES, "curiosity")),
    }
)  # fmt: skip


def level(handling: Handling, use: dict[str, str], consents: list[Consent] | None = None) -> int:
    return LEVEL[permits(handling, **use, item=ITEM, consents=consents or [], now=NOW).permission]


@given(a=HANDLINGS, b=HANDLINGS, c=HANDLINGS)
def test_meet_is_a_meet(a: Handling, b: Handling, c: Handling) -> None:
    assert meet(a, b) == meet(b, a)
    assert meet(a, meet(b, c)) == meet(meet(a, b), c)
    assert meet(a, a) == a


@settings(max_examples=400)
@given(a=HANDLINGS, b=HANDLINGS, use=USES, consents=CONSENTS)
def test_deriving_never_permits_what_a_source_does_not(
    a: Handling, b: Handling, use: dict[str, str], consents: list[Consent]
) -> None:
    derived = meet(a, b)
    assert level(derived, use, consents) <= min(level(a, use, consents), level(b, use, consents))
    assert derived.retention_days <= min(a.retention_days, b.retention_days)
    assert set(derived.originators) == {*a.originators, *b.originators}


@given(a=HANDLINGS, use=USES, consents=CONSENTS)
def test_an_unknown_action_is_never_allowed_without_a_consent(
    a: Handling, use: dict[str, str], consents: list[Consent]
) -> None:
    unknown = {**use, "action": "quantum_match"}
    assert level(a, unknown) < LEVEL[Permission.ALLOW]
    if level(a, unknown, consents) == LEVEL[Permission.ALLOW]:
        given_by = {one.by for one in consents if one.action == "quantum_match" and one.expires > NOW}
        assert set(a.originators) <= given_by


@given(a=HANDLINGS, action=st.sampled_from(ACTIONS), use=USES, code=st.from_regex(LABEL, fullmatch=True))
def test_an_unknown_permission_is_never_allowed(
    a: Handling, action: str, use: dict[str, str], code: str
) -> None:
    assume(code not in set(Permission))
    written: Any = write_handling(a)
    written["actions"][action] = code
    read = read_handling(Fields(written, "handling"))
    assert read.may(action) is Permission.ASK
    assert level(read, {**use, "action": action}) < LEVEL[Permission.ALLOW]


@given(a=HANDLINGS, use=USES)
def test_nobody_and_nothing_are_not_everybody_and_everything(a: Handling, use: dict[str, str]) -> None:
    for empty in (replace(a, audience=()), replace(a, purposes=())):
        assert level(empty, use) == LEVEL[Permission.DENY]
        everybody = [Consent(item=ITEM, by=one, **use, expires=NOW + timedelta(days=1)) for one in MEMBERS]
        assert level(empty, use, everybody) == LEVEL[Permission.DENY]


@given(a=HANDLINGS, use=USES, consents=CONSENTS)
def test_only_every_originators_consent_lifts_an_ask(
    a: Handling, use: dict[str, str], consents: list[Consent]
) -> None:
    without, with_them = level(a, use), level(a, use, consents)
    if with_them > without:
        assert without == LEVEL[Permission.ASK]
        fitting = {
            one.by for one in consents
            if (one.item, one.action, one.recipient, one.purpose) == (ITEM, *use.values()) and one.expires > NOW
        }  # fmt: skip
        assert set(a.originators) <= fitting
    strangers = [one for one in consents if one.by not in a.originators]
    assert level(a, use, strangers) == without


STEPS: list[Callable[[Handling, Handling, str], Handling]] = [
    lambda at, other, _: meet(at, other),
    lambda at, other, who: shrink(at, by=who, audience=other.audience),
    lambda at, _, who: retract(at, by=who),
    lambda at, other, who: relax(at, by=who, to=replace(other, originators=(who,))),
    lambda at, other, who: relax(at, by=who, to=replace(other, originators=at.originators)),
]


@settings(max_examples=400)
@given(
    a=HANDLINGS, use=USES, who=st.sampled_from(MEMBERS),
    steps=st.lists(st.tuples(st.integers(0, len(STEPS) - 1), HANDLINGS), max_size=6),
)  # fmt: skip
def test_nobody_but_the_originator_ever_makes_more_possible(
    a: Handling, use: dict[str, str], who: str, steps: list[tuple[int, Handling]]
) -> None:
    """`who` derives, restricts and relaxes as it likes, and consents to whatever it wants itself."""
    at = a
    own = [Consent(item=ITEM, by=who, **use, expires=NOW + timedelta(days=1))]
    for step, other in steps:
        try:
            at = STEPS[step](at, replace(other, originators=(who,)), who)
        except NotTheOriginator:
            continue
    if who not in a.originators or len(a.originators) > 1:
        assert level(at, use, own) <= level(a, use, own)
        assert set(a.originators) <= set(at.originators)


@given(a=HANDLINGS, b=HANDLINGS, use=USES, consents=CONSENTS)
def test_what_was_taken_back_permits_nothing_for_ever(
    a: Handling, b: Handling, use: dict[str, str], consents: list[Consent]
) -> None:
    gone = retract(a, by=a.originators[0])
    for one in (gone, meet(gone, b), meet(b, gone)):
        assert level(one, use, consents) == LEVEL[Permission.DENY]
    assert retract(gone, by=a.originators[0]) == gone
    with pytest.raises(NotTheOriginator):
        relax(gone, by=a.originators[0], to=a)


@given(a=HANDLINGS, audience=some(MEMBERS), use=USES)
def test_shrinking_only_takes_away(a: Handling, audience: tuple[str, ...], use: dict[str, str]) -> None:
    less = shrink(a, by=a.originators[0], audience=audience)
    assert set(less.audience) == set(a.audience) & set(audience)
    assert level(less, use) <= level(a, use)


@given(a=HANDLINGS)
def test_obligations_survive_writing_and_reading(a: Handling) -> None:
    assert read_handling(Fields(write_handling(a), "handling")) == a


@given(a=HANDLINGS, use=USES)
def test_what_a_newer_version_adds_is_asked_about(a: Handling, use: dict[str, str]) -> None:
    read = read_handling(Fields({**write_handling(a), "only_on_tuesdays": True}, "handling"))
    assert level(read, use) == min(level(a, use), LEVEL[Permission.ASK])


def test_the_originator_itself_may_relax() -> None:
    a = Handling(originators=("ca-centre",), audience=("hk-unit",), purposes=("trace-and-hold",))
    wide = replace(a, audience=("hk-unit", "la-unit"), actions={"read": Permission.ALLOW})
    assert relax(a, by="ca-centre", to=wide) == wide
    for by, to in (("hk-unit", wide), ("ca-centre", replace(wide, originators=("ca-centre", "hk-unit")))):
        with pytest.raises(NotTheOriginator):
            relax(a, by=by, to=to)
