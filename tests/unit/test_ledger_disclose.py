"""Disclosures: what is shown is what was committed to, and nothing else can be made to look so."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import ComityError, InputError, TrustError
from comity.ledger import (
    Disclosure,
    DisclosureFile,
    EntryRefused,
    InclusionProof,
    ShownField,
    check_disclosure,
    check_disclosure_file,
    commit,
    disclose,
    parse_disclosure,
    parse_disclosure_file,
    prove_entry,
    publish,
    read_checkpoint,
)
from comity.ledger.entry import read_fields
from comity.proofs.canonical import canonical_bytes, parse_strict
from comity.proofs.note import verifier_of
from tests.unit.exchange_world import vectors
from tests.unit.ledger_stores import NOW, MemoryEvents, MemoryTiles, key_of
from tests.vectors import disclosure_cases

EVENT = canonical_bytes(
    {
        "actor": "nadia",
        "at": "2025-06-20T09:30:00.000120Z",
        "body": {"account": "hk-778", "amount_minor": 1_250_000, "order": {"court": "x", "lines": [1, 2]}},
        "case": "case-1",
        "id": "event-1",
        "kind": "hold.placed",
    }
)
SALT = bytes(range(32))
ENTRY = commit(EVENT, SALT)
NAMES = read_fields(EVENT).names
OTHER = EVENT.replace(b"hk-778", b"hk-779")
OTHER_SALT = bytes(range(1, 33))


@given(st.sets(st.sampled_from(NAMES)))
def test_any_choice_of_fields_opens_the_entry_and_shows_only_them(names: set[str]) -> None:
    made = disclose(EVENT, SALT, names)
    shown = check_disclosure(parse_disclosure(made.encode()), ENTRY)
    assert set(shown) == names
    assert len(made.hidden) == len(NAMES) - len(names)
    whole = check_disclosure(disclose(EVENT, SALT, NAMES), ENTRY)
    assert all(shown[name] == whole[name] for name in names)


def test_nothing_of_a_hidden_field_is_in_the_file() -> None:
    """Neither name nor value nor salt, nor the order of the names."""
    text = disclose(EVENT, SALT, ["kind"]).encode()
    for secret in (
        b"account",
        b"hk-778",
        b"1250000",
        b"nadia",
        SALT,
        SALT.hex().encode(),
        b"order",
        b"court",
    ):
        assert secret not in text
    hidden = disclose(EVENT, SALT, ["kind"]).hidden
    assert list(hidden) == sorted(hidden)
    own = read_fields(EVENT).salts(SALT)
    assert all(one.hex().encode() not in text for one in own[:-1])
    assert own[-1].hex().encode() in text


def test_a_field_that_is_not_there_cannot_be_shown() -> None:
    for name in ("body", "body.acc", "account", "body.order.court", "", "body."):
        with pytest.raises(InputError, match=r"body\.account"):
            disclose(EVENT, SALT, [name])


MADE = disclose(EVENT, SALT, ["kind", "body.account", "body.amount_minor"])
FOREIGN = disclose(OTHER, OTHER_SALT, ["kind", "body.account", "body.amount_minor"])


def forged(*shown: ShownField, hidden: tuple[bytes, ...] = MADE.hidden) -> Disclosure:
    return Disclosure(shown=tuple(sorted(shown, key=lambda one: one.name)), hidden=tuple(sorted(hidden)))


def field(name: str) -> ShownField:
    return next(one for one in MADE.shown if one.name == name)


ACCOUNT, AMOUNT, KIND = field("body.account"), field("body.amount_minor"), field("kind")
_ADDED = b"\x11" * 32

FORGERIES: dict[str, Disclosure] = {
    "another value": forged(replace(ACCOUNT, value="hk-1"), AMOUNT, KIND),
    "the same digits as text": forged(ACCOUNT, replace(AMOUNT, value="1250000"), KIND),
    "true for one": forged(ACCOUNT, replace(AMOUNT, value=True), KIND),
    "renamed field": forged(replace(ACCOUNT, name="body.payee"), AMOUNT, KIND),
    "swapped values": forged(
        replace(ACCOUNT, value=AMOUNT.value), replace(AMOUNT, value=ACCOUNT.value), KIND
    ),
    "swapped names": forged(replace(ACCOUNT, name=AMOUNT.name), replace(AMOUNT, name=ACCOUNT.name), KIND),
    "moved salt": forged(replace(ACCOUNT, salt=AMOUNT.salt), replace(AMOUNT, salt=ACCOUNT.salt), KIND),
    "a member of the body as a field of its own": forged(ACCOUNT, AMOUNT, replace(KIND, name="body.kind")),
    "a field of another event": forged(FOREIGN.shown[0], AMOUNT, KIND),
    "hidden fields of another event": forged(ACCOUNT, AMOUNT, KIND, hidden=FOREIGN.hidden),
    "all of another event": FOREIGN,
    "the same event under another salt": disclose(EVENT, OTHER_SALT, ["kind"]),
    "a hidden field made up": forged(ACCOUNT, AMOUNT, KIND, hidden=(*MADE.hidden, _ADDED)),
    "a hidden field in place of another": forged(ACCOUNT, AMOUNT, KIND, hidden=(*MADE.hidden[1:], _ADDED)),
    "a shown field hidden once more": forged(
        ACCOUNT, AMOUNT, KIND, hidden=(*MADE.hidden, disclose(EVENT, SALT, set(NAMES) - {"kind"}).hidden[0])
    ),
}


@pytest.mark.parametrize("how", sorted(FORGERIES))
def test_what_was_changed_does_not_open_the_entry(how: str) -> None:
    check_disclosure(MADE, ENTRY)
    with pytest.raises(EntryRefused):
        check_disclosure(FORGERIES[how], ENTRY)


def test_a_hidden_field_cannot_be_left_out_to_look_absent() -> None:
    """Neither one of many, nor one of the five that every event has."""
    for gone in range(len(MADE.hidden)):
        left = MADE.hidden[:gone] + MADE.hidden[gone + 1 :]
        with pytest.raises(EntryRefused):
            check_disclosure(forged(ACCOUNT, AMOUNT, KIND, hidden=left), ENTRY)
    with pytest.raises(InputError, match="shown or hidden"):
        forged(ACCOUNT, AMOUNT, KIND, hidden=MADE.hidden[:3])


def test_another_entry_is_not_opened() -> None:
    for entry in (
        commit(OTHER, SALT),
        commit(EVENT, OTHER_SALT),
        bytes(32),
        b"",
        ENTRY + b"\x00",
        ENTRY[:-1],
    ):
        with pytest.raises(EntryRefused):
            check_disclosure(MADE, entry)


def changed(**members: Any) -> bytes:
    return canonical_bytes({**parse_strict(MADE.encode()), **members})


SHOWN: list[dict[str, Any]] = parse_strict(MADE.encode())["shown"]
HIDDEN: list[str] = parse_strict(MADE.encode())["hidden"]

MALFORMED: dict[str, bytes] = {
    "not JSON": b"shown",
    "not an object": b"[]",
    "duplicate member": MADE.encode().replace(b'"hidden":', b'"hidden":[],"hidden":', 1),
    "a member more": changed(more=1),
    "another format": changed(format="comity-disclosure/2"),
    "one name twice": changed(shown=[SHOWN[0], SHOWN[0], *SHOWN[1:]]),
    "one name twice, two values": changed(shown=[SHOWN[0], {**SHOWN[0], "value": "x"}, *SHOWN[1:]]),
    "names in another order": changed(shown=SHOWN[::-1]),
    "digests in another order": changed(hidden=HIDDEN[::-1]),
    "one digest twice": changed(hidden=[HIDDEN[0], *HIDDEN]),
    "digest in capitals": changed(hidden=[HIDDEN[0].upper(), *HIDDEN[1:]]),
    "digest cut": changed(hidden=[HIDDEN[0][:-2], *HIDDEN[1:]]),
    "digest with spaces": changed(hidden=[f"{HIDDEN[0][:2]} {HIDDEN[0][2:]}", *HIDDEN[1:]]),
    "digest no text": changed(hidden=[1, *HIDDEN[1:]]),
    "hidden no list": changed(hidden={"a": HIDDEN[0]}),
    "salt cut": changed(shown=[{**SHOWN[0], "salt": SHOWN[0]["salt"][:-2]}, *SHOWN[1:]]),
    "salt missing": changed(shown=[{"name": "kind", "value": "x"}]),
    "name no text": changed(shown=[{**SHOWN[0], "name": 1}]),
    "a name no event has": changed(shown=[{**SHOWN[0], "name": "account"}]),
    "the body itself": changed(shown=[{**SHOWN[0], "name": "body", "value": {}}]),
    "a number as kind": changed(shown=[*SHOWN[:2], {**SHOWN[2], "value": 1}]),
    "a float": MADE.encode().replace(b"1250000", b"1250000.0"),
    "an exponent": MADE.encode().replace(b"1250000", b"125e4"),
    "nothing hidden of what must be there": changed(hidden=[]),
    "too many fields": changed(hidden=[f"{number:064x}" for number in range(5000)]),
    "too long": b" " * (17 * 1024 * 1024),
}


@pytest.mark.parametrize("how", sorted(MALFORMED))
def test_other_forms_are_input_errors(how: str) -> None:
    with pytest.raises(InputError):
        parse_disclosure(MALFORMED[how])


@given(st.binary(max_size=200))
def test_a_disclosure_of_anything_is_an_input_error_or_a_disclosure(raw: bytes) -> None:
    for read in (parse_disclosure, parse_disclosure_file):
        with pytest.raises(InputError):
            read(raw)


# --- with the proof that the entry is in a log ---------------------------------------------------------------


def shown_in_a_log() -> tuple[DisclosureFile, Any]:
    """The event is entry 300 of 700."""
    events, tiles, signer = MemoryEvents(700), MemoryTiles(), key_of("log.example")
    events.committed[300] = ENTRY
    publish(events, tiles, signer, now=NOW)
    key = verifier_of(signer)
    found = read_checkpoint(tiles, key)
    assert found is not None
    proof = prove_entry(tiles, 300, size=700, note=tiles.files["checkpoint"])
    return DisclosureFile(disclosure=MADE, proof=proof), key


def test_a_file_is_checked_with_the_logs_key_alone() -> None:
    file, key = shown_in_a_log()
    read = parse_disclosure_file(file.encode())
    assert read == file
    fields, checkpoint = check_disclosure_file(read, [key])
    assert fields == {"body.account": "hk-778", "body.amount_minor": 1_250_000, "kind": "hold.placed"}
    assert (checkpoint.origin, checkpoint.size) == ("log.example", 700)


@pytest.mark.parametrize("how", sorted(FORGERIES))
def test_a_forged_disclosure_is_in_no_log(how: str) -> None:
    file, key = shown_in_a_log()
    with pytest.raises(TrustError):
        check_disclosure_file(replace(file, disclosure=FORGERIES[how]), [key])


def test_the_proof_of_another_place_or_log_does_not_do() -> None:
    file, key = shown_in_a_log()
    proof: InclusionProof = file.proof
    for other in (replace(proof, index=301), replace(proof, hashes=proof.hashes[:-1])):
        with pytest.raises(TrustError):
            check_disclosure_file(replace(file, proof=other), [key])
    with pytest.raises(TrustError):
        check_disclosure_file(file, [verifier_of(key_of("other.example"))])


def test_a_file_in_another_form_is_an_input_error() -> None:
    file, _ = shown_in_a_log()
    found = parse_strict(file.encode())
    others: list[dict[str, Any]] = [
        {"format": "x"},
        {"proof": 1},
        {"proof": "x"},
        {"disclosure": {}},
        {"more": 1},
    ]
    for members in others:
        with pytest.raises(InputError):
            parse_disclosure_file(canonical_bytes({**found, **members}))


def test_one_name_is_not_shown_twice() -> None:
    """A log could commit to two values under one name; it can never open both, nor the whole, as one event."""
    with pytest.raises(InputError, match="each once"):
        Disclosure(shown=(ACCOUNT, replace(ACCOUNT, value="hk-1")), hidden=MADE.hidden)


@pytest.mark.parametrize(("expect", "wire"), vectors("disclosure"))
def test_vectors(expect: str, wire: bytes) -> None:
    try:
        check_disclosure(parse_disclosure(wire), disclosure_cases.ENTRY)
        found = "ok"
    except ComityError as error:
        found = error.code
    assert found == expect
