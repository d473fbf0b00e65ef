"""Checkpoints: form, round trip, and one way to fail each (C2SP tlog-checkpoint)."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import InputError
from comity.proofs.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from comity.proofs.note import BadSignature, SignedNote, UnknownKey, sign_note, verifier_of
from tests.unit.ledger_stores import key_of

EXAMPLE = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
ROOT = b64encode(bytes(32)).decode()


def test_the_specifications_example() -> None:
    checkpoint = parse_checkpoint(EXAMPLE)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.root.hex() == "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"
    assert checkpoint.text == EXAMPLE


@given(
    st.text("abc./-ü ", min_size=1), st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32),
    st.lists(st.text("abc =é", min_size=1), max_size=3),
)  # fmt: skip
def test_every_checkpoint_reads_back(origin: str, size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(origin=origin, size=size, root=root, extensions=tuple(extensions))
    assert parse_checkpoint(checkpoint.text) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        EXAMPLE[:-1],
        EXAMPLE + "\n",
        "log\n5\n",
        f"\n5\n{ROOT}\n",
        f"log\n05\n{ROOT}\n",
        f"log\n00\n{ROOT}\n",
        f"log\n+5\n{ROOT}\n",
        f"log\n-5\n{ROOT}\n",
        f"log\n 5\n{ROOT}\n",
        f"log\n5.0\n{ROOT}\n",
        f"log\n٥\n{ROOT}\n",
        f"log\n\n{ROOT}\n",
        f"log\n{2**63}\n{ROOT}\n",
        f"log\n{10**30}\n{ROOT}\n",
        "log\n5\n\n",
        f"log\n5\n{ROOT[:-1]}\n",
        f"log\n5\n{ROOT[:-2]}B=\n",
        "log\n5\n" + b64encode(bytes(31)).decode() + "\n",
        "log\n5\n" + b64encode(bytes(33)).decode() + "\n",
        f"log\n5\n{ROOT}\n\nextension\n",
        f"log\n5\n{ROOT}\r\n",
    ],
)
def test_malformed_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_checkpoint(text)


@pytest.mark.parametrize("origin", ["", "a\nb", "a\x00b"])
def test_origins_that_no_checkpoint_has(origin: str) -> None:
    with pytest.raises(InputError):
        Checkpoint(origin=origin, size=1, root=bytes(32))


def signed(text: str, name: str) -> bytes:
    return SignedNote(text=text, signatures=(sign_note(text, key_of(name)),)).encode()


def test_a_checkpoint_is_opened_with_its_logs_key_only() -> None:
    text = Checkpoint(origin="log.example", size=1, root=bytes(32)).text
    key = verifier_of(key_of("log.example"))
    assert open_checkpoint(signed(text, "log.example"), [key])[0].text == text
    with pytest.raises(UnknownKey):
        open_checkpoint(signed(text, "other.example"), [key])
    with pytest.raises(BadSignature):
        open_checkpoint(signed(text, "log.example").replace(b"\n1\n", b"\n2\n"), [key])


def test_a_key_does_not_speak_for_another_log() -> None:
    text = Checkpoint(origin="other.example", size=1, root=bytes(32)).text
    key = verifier_of(key_of("log.example"))
    with pytest.raises(InputError, match=r"other\.example"):
        open_checkpoint(signed(text, "log.example"), [key])
    assert open_checkpoint(signed(text, "log.example"), [key], origin="other.example")
