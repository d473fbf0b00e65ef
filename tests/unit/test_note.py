"""Signed notes: the vectors of Go's sumdb/note, and one way to fail each (C2SP signed-note)."""

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import InputError
from comity.proofs.cosignature import cosigner_of
from comity.proofs.note import (
    MAX_NOTE_BYTES,
    BadSignature,
    KeySigner,
    SignedNote,
    UnknownKey,
    VerifierKey,
    check_name,
    parse_note,
    sign_note,
    verifier_of,
    verify_note,
)
from tests.unit.ledger_stores import key_of

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETERS_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6"
    "RyyBwJnAM=\n"
)
ENOCHS_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1"
    "RvMc+QQ=\n"
)
NOTE = TEXT + "\n" + PETERS_LINE
SECRET = b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]


def test_gos_note_verifies_and_reads_back_byte_for_byte() -> None:
    key = VerifierKey.parse(PETER)
    note = parse_note((NOTE + ENOCHS_LINE).encode())
    assert verify_note(note, [key]) == (key,)
    assert note.text == TEXT
    assert note.encode() == (NOTE + ENOCHS_LINE).encode()
    assert str(key) == PETER


def test_we_sign_what_go_signs() -> None:
    signer = KeySigner("PeterNeumann", Ed25519PrivateKey.from_private_bytes(SECRET))
    assert str(verifier_of(signer)) == PETER
    assert SignedNote(text=TEXT, signatures=(sign_note(TEXT, signer),)).encode() == NOTE.encode()


def test_the_text_may_hold_empty_lines() -> None:
    example = (
        "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
        "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMc"
        "Xxj99ihAQwaqP3ZekRwNtIc=\n"
    )
    note = parse_note(example.encode())
    assert note.text.endswith("\n\ned è subito sera.\n")
    assert note.encode() == example.encode()


def test_other_keys_signatures_are_ignored_even_with_the_same_name_or_id() -> None:
    signer, key = key_of("log.example"), VerifierKey.parse(PETER)
    line = sign_note(TEXT, signer)
    same_name = type(line)(name=key.name, key_id=line.key_id, signature=line.signature)
    same_id = type(line)(name="other", key_id=key.key_id, signature=line.signature)
    signed = parse_note(NOTE.encode())
    mixed = SignedNote(text=TEXT, signatures=(same_name, same_id, *signed.signatures))
    assert verify_note(mixed, [key]) == (key,)
    with pytest.raises(UnknownKey, match="PeterNeumann"):
        verify_note(SignedNote(text=TEXT, signatures=(same_name, same_id)), [key])


def test_no_keys_accept_no_note() -> None:
    with pytest.raises(UnknownKey):
        verify_note(parse_note(NOTE.encode()), [])


def test_a_bad_signature_by_a_known_key_refuses_the_note() -> None:
    signer, key = key_of("log.example"), VerifierKey.parse(PETER)
    note = parse_note(NOTE.encode())
    bad = type(note.signatures[0])(name=key.name, key_id=key.key_id, signature=bytes(64))
    good = sign_note(TEXT, signer)
    for lines in ((bad,), (bad, good), (good, bad), (note.signatures[0], bad)):
        with pytest.raises(BadSignature, match="PeterNeumann"):
            verify_note(SignedNote(text=TEXT, signatures=lines), [key, verifier_of(signer)])
    with pytest.raises(BadSignature):
        verify_note(SignedNote(text=TEXT + "more\n", signatures=note.signatures), [key])


def test_a_cosignature_key_does_not_verify_plain_notes() -> None:
    signer = key_of("log.example")
    key = cosigner_of(signer)
    line = sign_note(TEXT, signer)
    posing = type(line)(name=line.name, key_id=key.key_id, signature=line.signature)
    with pytest.raises(BadSignature):
        verify_note(SignedNote(text=TEXT, signatures=(posing,)), [key])


B64 = PETERS_LINE.split(" ")[2].strip()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        TEXT.encode(),
        (TEXT + "\n").encode(),
        NOTE.encode()[:-1],
        (TEXT + PETERS_LINE).encode(),
        (NOTE + "\n").encode(),
        (NOTE + "more\n").encode(),
        NOTE.replace("— ", "- ").encode(),
        NOTE.replace("— ", "—").encode(),
        NOTE.replace("— P", "—  P").encode(),
        NOTE.replace("— Peter", "— Peter+").encode(),
        NOTE.replace("— Peter", "— Peter\u00a0").encode(),
        NOTE.replace("— Peter", "— Peter\u2003").encode(),
        NOTE.replace(" x08", "  x08").encode(),
        NOTE.replace("AM=\n", "AM=\r\n").encode(),
        NOTE.replace("If you", "If\tyou").encode(),
        NOTE.replace("If you", "If\x00you").encode(),
        NOTE.replace("AM=\n", "AM\n").encode(),
        NOTE.replace("AM=\n", "AN=\n").encode(),
        NOTE.replace("AM=\n", "AM=A\n").encode(),
        NOTE.replace("AM=\n", "AM= \n").encode(),
        NOTE.replace("/ZJ", "_ZJ").encode(),
        NOTE.replace(B64, "").encode(),
        NOTE.replace(B64, b64encode(b"abcd").decode()).encode(),
        NOTE.encode().replace(b"cryptography", b"crypto\xffgraphy"),
        NOTE.encode().replace(b"cryptography", b"crypto\xed\xa0\x80graphy"),
        (NOTE + ENOCHS_LINE * 100).encode(),
        ("x" * MAX_NOTE_BYTES + "\n" + NOTE).encode(),
    ],
)
def test_malformed_notes_are_refused(raw: bytes) -> None:
    with pytest.raises(InputError):
        parse_note(raw)


def test_sixteen_large_signatures_are_accepted() -> None:
    """signed-note: at least 16, and post-quantum ones are up to nearly 5 kB."""
    line = f"— example.com/{'n' * 100} {b64encode(bytes(4999)).decode()}\n"
    assert len(parse_note((TEXT + "\n" + line * 16).encode()).signatures) == 16


@given(st.binary(max_size=300))
def test_nothing_but_input_errors_comes_of_garbage(raw: bytes) -> None:
    for attempt in (raw, NOTE.encode()[:40] + raw, TEXT.encode() + b"\n" + raw, NOTE.encode() + raw):
        try:
            note = parse_note(attempt)
        except InputError:
            continue
        assert note.encode() == attempt


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER.replace("c74f20a3", "c74f20a"),
        PETER.replace("PeterNeumann", "Peter Neumann"),
        PETER.replace("PeterNeumann", ""),
        PETER + "\n",
        PETER[:-4],
        PETER.replace("+AR", "+A"),
        PETER.replace("+ARpc", "+AQpc"),
        "PeterNeumann+c74f20a3+" + b64encode(b"\x02" + bytes(32)).decode(),
        "PeterNeumann+c74f20a3+" + b64encode(b"\x01" + bytes(31)).decode(),
    ],
)
def test_malformed_verifier_keys_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        VerifierKey.parse(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2028b", "a\x7f b", "a\ud800"])
def test_names_that_no_key_may_have(name: str) -> None:
    with pytest.raises(InputError):
        check_name(name)


@pytest.mark.parametrize(
    "text", ["", "no newline", "a\tb\n", "a\rb\n", "\ud800\n", "cosignature/v1\ntime 5\nx\n"]
)
def test_texts_that_are_never_signed(text: str) -> None:
    """The last would be a cosignature by the same key (tlog-cosignature, “domain separation”)."""
    with pytest.raises(InputError):
        sign_note(text, key_of("log.example"))
