"""The request to recall a payment, held against the message's own model in pyiso20022, and read back."""

import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from lxml import etree

from comity.backends.recall_message import NAMESPACE, RecalledPayment, RecallMessage, recall_bytes
from comity.backends.transfers.formats import read_recalls
from comity.errors import InputError
from tests.unit import format_samples as samples
from tests.unit.format_samples import UETR

MESSAGE = RecallMessage(
    id="recall-77ab0c9d8e7f6a5b", case="case-5f0c2a9e1b7d3c48", asked_by="Hong Kong Police Force",
    asked_of="PSSTFRPPXXX", at=datetime(2025, 6, 3, 8, tzinfo=UTC),
    payments=(
        RecalledPayment(
            id=UETR, amount="1000.00", currency="EUR", settled_on=date(2025, 6, 2), why=("Held: EUR 900.00",)
        ),
        RecalledPayment(id="TX-2", amount="5", currency="JPY", settled_on=date(2025, 6, 2), why=()),
    ),
)  # fmt: skip


@pytest.fixture
def models() -> Iterator[Any]:
    """The classes of the library."""

    def model_of(namespace: str) -> Any:
        name = namespace.rpartition(":")[2].replace(".", "_")
        return importlib.import_module(f"pyiso20022.{name[:4]}.{name}.{name}").Document

    yield model_of
    for name in [one for one in sys.modules if one.startswith("pyiso20022")]:
        del sys.modules[name]


def faults(element: Any, model: Any) -> Iterator[str]:
    """Everything in which an element differs from its class: names, order, how often, and values."""
    hints = get_type_hints(model, vars(sys.modules[model.__module__]))
    children = [one for one in element if isinstance(one.tag, str)]
    at = 0
    for field in fields(model):
        said = field.metadata
        if said.get("type") != "Element":
            continue
        kind = next(one for one in (*get_args(hints[field.name]), hints[field.name]) if one is not type(None))
        count = 0
        while at < len(children) and etree.QName(children[at]).localname == said["name"]:
            yield from (
                faults(children[at], kind) if is_dataclass(kind) else wrong_value(children[at], kind, said)
            )
            at, count = at + 1, count + 1
        least = said.get("min_occurs", 1 if said.get("required") else 0)
        if count < least:
            yield f"{element.tag}: {said['name']} is missing"
        if count > 1 and "list" not in str(hints[field.name]):
            yield f"{element.tag}: {said['name']} {count} times"
    if at < len(children):
        yield f"{element.tag}: {children[at].tag} is not expected here"


def wrong_value(element: Any, kind: Any, said: Any) -> Iterator[str]:
    text = element.text or ""
    if isinstance(kind, type) and issubclass(kind, Enum) and text not in {one.value for one in kind}:
        yield f"{element.tag}: {text!r} is none of {kind.__name__}"
    if "pattern" in said and not re.fullmatch(said["pattern"], text):
        yield f"{element.tag}: {text!r} is not {said['pattern']}"
    if not said.get("min_length", 0) <= len(text) <= said.get("max_length", len(text)):
        yield f"{element.tag}: {len(text)} characters"


def checked(content: bytes, models: Any) -> list[str]:
    root = etree.fromstring(content)
    return list(faults(root, models(str(etree.QName(root).namespace))))


def test_the_message_keeps_its_model(models: Any) -> None:
    assert checked(recall_bytes(MESSAGE), models) == []
    assert etree.fromstring(recall_bytes(MESSAGE)).tag == f"{{{NAMESPACE}}}Document"


@pytest.mark.parametrize(
    "sample",
    [
        samples.pacs008("02"), samples.pacs008("08"), samples.pacs008("12"), samples.pacs004("09"),
        samples.bobs_statement(), samples.camt056("08"), samples.camt029("09"),
    ],
    ids=range(7),
)  # fmt: skip
def test_our_samples_keep_their_models(models: Any, sample: bytes) -> None:
    assert checked(sample, models) == []


def test_the_check_can_fail(models: Any) -> None:
    content = recall_bytes(MESSAGE)
    for old, new in (
        (b"FRAD", b"FRAUDX"),
        (b"<CreDtTm>", b"<CreDt>"),
        (b"<Case>", b"<Cases>"),
        (b"NbOfTxs", b"NbOfTx"),
    ):
        changed = content.replace(old, new).replace(old.replace(b"<", b"</"), new.replace(b"<", b"</"))
        assert checked(changed, models) != [], old


def test_it_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "recall.xml").write_bytes(recall_bytes(MESSAGE))
    first, second = read_recalls(tmp_path / "recall.xml")
    assert (first.original, first.amount, first.currency, first.reasons) == (
        UETR,
        "1000.00",
        "EUR",
        ("FRAD",),
    )
    assert (first.asked_by, first.asked_of, first.case) == (MESSAGE.asked_by, MESSAGE.asked_of, MESSAGE.case)
    assert (second.original, second.text) == ("TX-2", "")


PAYMENT = MESSAGE.payments[0]


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (replace(MESSAGE, payments=()), "at least one payment"),
        (replace(MESSAGE, case="c" * 36), "the case's id of 1 to 35 characters"),
        (replace(MESSAGE, asked_of=""), "a name of 1 to 140 characters"),
        (replace(MESSAGE, asked_by="\x01"), "text for Nm that XML can hold"),
        (replace(MESSAGE, payments=(replace(PAYMENT, currency="USDT"),)), "banks recall no other"),
        (
            replace(MESSAGE, payments=(replace(PAYMENT, id="x" * 36),)),
            "the payment's id of 1 to 35 characters",
        ),
        (
            replace(MESSAGE, payments=(replace(PAYMENT, why=("x" * 106,)),)),
            "additional information of 1 to 105",
        ),
    ],
)
def test_what_has_no_place_in_it(message: RecallMessage, says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        recall_bytes(message)
