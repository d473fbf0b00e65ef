"""Identifiers are brought to one form, or refused."""

import pytest

from comity.casework.joint_identifiers import KINDS, bare, identifier
from comity.errors import InputError


@pytest.mark.parametrize(
    ("written", "kind", "value"),
    [
        ("iban:gb82 west 1234 5698 7654 32", "iban", "GB82WEST12345698765432"),
        ("IBAN:GB82-WEST-1234-5698-7654-32", "iban", "GB82WEST12345698765432"),
        ("account:bkkbthbk / 123-4-56789-0", "account", "BKKBTHBK/1234567890"),
        ("phone:+66 (2) 123-4567", "phone", "+6621234567"),
        ("phone:006621234567", "phone", "+6621234567"),
        ("phone:＋６６２１２３４５６７", "phone", "+6621234567"),
        ("email: Office@EXAMPLE.org.", "email", "office@example.org"),
        ("email:a@bücher.example", "email", "a@xn--bcher-kva.example"),
        (
            "wallet:0xAbCdEf0123456789abcdef0123456789ABCDEF01", "wallet",
            "0xabcdef0123456789abcdef0123456789abcdef01",
        ),
        (
            "wallet:BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ", "wallet",
            "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        ),
        ("wallet:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "wallet", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        ("plate:th:1กก 1234", "plate", "TH:1กก1234"),
        ("passport:th: aa 123-4567", "passport", "TH:AA1234567"),
    ],
)  # fmt: skip
def test_every_way_of_writing_it_gives_one_form(written: str, kind: str, value: str) -> None:
    found = identifier(written)
    assert (found.kind, found.value) == (kind, value)
    assert identifier(f"{kind}:{value}") == found


@pytest.mark.parametrize(
    "written",
    [
        "", "phone", "name:Somchai", "phone:", "phone:02 123 4567", "phone:+0123456789", "phone:+66abc",
        "phone:+1234567890123456", "iban:GB83WEST12345698765432", "iban:GB82", "account:1234567890",
        "account:/1234567890", "account:BKKB/12", "email:office", "email:a@b", "email:a b@example.org",
        "email:@example.org", "wallet:0x123", "wallet:hello", "wallet:0" * 9, "plate:1234", "plate:THA:1234",
        "passport:th:", "passport:th:1", f"email:{'a' * 120}@example.org",
    ],
)  # fmt: skip
def test_what_is_not_surely_of_its_kind_is_refused(written: str) -> None:
    with pytest.raises(InputError, match="expected"):
        identifier(written)


def test_every_kind_is_tried_above() -> None:
    assert set(KINDS) == {"iban", "account", "phone", "email", "wallet", "plate", "passport"}


def test_a_text_names_an_identifier_however_it_writes_it() -> None:
    assert bare("+6621234567") in bare("Call (+66) 2-123.4567 at night")
    assert bare("AA1234567") in bare("passport aa 123 4567")
    assert bare("+6621234567") not in bare("+66 2 123 4568")
