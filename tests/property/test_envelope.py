"""Any message to any recipients comes out as it went in; whatever else arrives is refused, never a crash."""

import string
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import ComityError
from comity.exchange import Addressee, Member, Message, Requester, pack
from comity.exchange.envelope import digest_of_wire
from comity.model import Handling, Permission
from comity.proofs.canonical import canonical_bytes
from tests.unit.exchange_world import compact, opened_by, packed, seeded
from tests.vectors.forger import CANADA, HONG_KONG, MEMBERS, NOW, STRANGER, Draft, encoded, jws

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=5)
SAFE = st.text(string.ascii_letters + "ប្រទេស 香港 ", min_size=1, max_size=40)
LABELS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}", fullmatch=True)
HANDLINGS = st.builds(
    Handling,
    originators=st.just((CANADA.id,)),
    audience=st.lists(st.sampled_from([one.id for one in MEMBERS]), unique=True).map(tuple),
    purposes=st.lists(SAFE, max_size=3, unique=True).map(tuple),
    actions=st.dictionaries(LABELS, st.sampled_from(Permission), max_size=4),
    retention_days=st.integers(0, 36_525),
    caveats=st.lists(SAFE, max_size=2).map(tuple),
)
MESSAGES = st.builds(
    Message,
    id=LABELS,
    type=LABELS,
    case_id=st.just("") | LABELS,
    purpose=SAFE,
    legal_basis=st.just("") | SAFE,
    handling=HANDLINGS,
    issued=st.timedeltas(timedelta(days=-1), timedelta(minutes=5)).map(lambda ago: NOW + ago),
    expires=st.timedeltas(timedelta(microseconds=1), timedelta(days=28)).map(
        lambda ahead: NOW + timedelta(minutes=6) + ahead
    ),
    in_reply_to=st.just("") | LABELS,
    payload=OBJECTS,
    requester=st.builds(Requester, id=st.just(CANADA.id), actor=SAFE.filter(lambda text: len(text) <= 80)),
)
OTHERS = [one for one in MEMBERS if one is not CANADA]


def _addressees(members: list[Any]) -> st.SearchStrategy[list[Addressee]]:
    def chained(member: Member, sequence: int) -> Addressee:
        return Addressee(member=member, sequence=sequence, previous=("0" if sequence == 1 else "f") * 64)

    each = [
        st.builds(chained, st.just(compact().member(one.id)), st.integers(1, 2**53 - 1)) for one in members
    ]
    return st.tuples(*each).map(list)


@settings(max_examples=80, deadline=None)
@given(
    said=MESSAGES,
    to=st.lists(st.sampled_from(OTHERS), min_size=1, max_size=len(OTHERS), unique=True).flatmap(_addressees),
    extra=OBJECTS,
    seed=st.integers(0, 2**32),
)
def test_every_recipient_reads_what_was_said(
    said: Message, to: list[Addressee], extra: dict[str, Any], seed: int
) -> None:
    made = pack(
        said, compact=compact().name, sender=compact().member(CANADA.id), signing_key=CANADA.signing,
        addressees=to, random=seeded(seed), extra=extra,
    )  # fmt: skip
    for one in to:
        reader = next(identity for identity in OTHERS if identity.id == one.member.id)
        opened = opened_by(reader, made.wire)
        assert opened.message == said
        assert (opened.sequence, opened.previous) == (one.sequence, one.previous)
        assert opened.digest == made.digest == digest_of_wire(made.wire)
        assert canonical_bytes({k: v for k, v in extra.items() if k in opened.unknown}) == canonical_bytes(
            opened.unknown
        )


@settings(max_examples=150, deadline=None)
@given(wire=st.binary(max_size=300) | st.binary(max_size=100).map(lambda tail: packed().wire[:200] + tail))
def test_bytes_are_refused_not_crashed_on(wire: bytes) -> None:
    _refused(wire)


@settings(max_examples=150, deadline=None)
@given(manifest=JSON | st.binary(max_size=60))
def test_a_member_that_signs_anything_is_refused_not_crashed_on(manifest: Any) -> None:
    raw = manifest if isinstance(manifest, bytes) else encoded(manifest)
    _refused(jws(raw, CANADA.signing, "comity-envelope+jws").encode() + b"\nciphertext")


@settings(max_examples=250, deadline=None)
@given(
    path=st.sampled_from(
        [(name,) for name in ("v", "compact", "id", "type", "from", "to", "case", "purpose", "legal_basis",
         "handling", "in_reply_to", "issued", "expires", "pt_commit", "ct_digest")]
        + [("to", 0, name) for name in ("id", "key", "sequence", "previous", "wrap")]
        + [("from", name) for name in ("id", "key")]
        + [("handling", name) for name in ("originators", "audience", "purposes", "actions", "retention_days")]
    ),
    value=JSON,
)  # fmt: skip
def test_any_value_in_any_field_is_read_or_refused(path: tuple[str | int, ...], value: Any) -> None:
    def change(manifest: dict[str, Any]) -> None:
        at: Any = manifest
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value

    wire = Draft(change=change).write().wire
    assert _outcome(wire).partition(".")[0] in {"ok", "exchange", "envelope", "sealing"}


@settings(max_examples=100, deadline=None)
@given(payload=st.binary(max_size=80))
def test_any_sealed_bytes_are_read_or_refused(payload: bytes) -> None:
    assert _outcome(Draft(payload=payload).write().wire) in {"ok", "envelope.payload"}


@settings(max_examples=30, deadline=None)
@given(signer=st.sampled_from([*OTHERS, STRANGER]))
def test_nobody_else_speaks_for_canada(signer: Any) -> None:
    _refused(Draft(signer=signer).write().wire)


def _outcome(wire: bytes) -> str:
    """`ok`, or the code of the refusal; any other exception fails the test."""
    try:
        opened_by(HONG_KONG, wire)
    except ComityError as error:
        return error.code
    return "ok"


def _refused(wire: bytes) -> None:
    assert _outcome(wire) != "ok"
