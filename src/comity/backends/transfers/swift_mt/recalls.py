"""MT192 and MT292, a request for cancellation; MT196 and MT296, the answer; MT199 and MT299, words about a payment.

Under SWIFT gpi field 121 has the UETR of the payment that the message is about; otherwise field 21 has its reference.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from comity.backends.transfers.recalls import Recall
from comity.backends.transfers.swift_mt.fields import Message, raw_messages, read_message
from comity.errors import InputError

_KINDS: dict[str, Literal["request", "answer", "message"]] = {
    "192": "request", "292": "request", "196": "answer", "296": "answer", "199": "message", "299": "message",
}  # fmt: skip
_CODE = re.compile(r"/([A-Z0-9]{4})(?=/|\s|$)", re.ASCII)


def recalls(path: Path) -> Iterator[Recall]:
    """Every message of those kinds; others are passed over. `InputError` if there is none, or one is broken."""
    found = False
    for number, raw in enumerate(raw_messages(path), start=1):
        try:
            message = read_message(raw)
            if message.kind in _KINDS:
                found = True
                yield _recall(message)
        except InputError as error:
            raise InputError(error.problem, where=f"{path}, message {number}") from error
    if not found:
        raise InputError.because(expected="MT192, MT196 or MT199 messages", got="none", where=str(path))


def _recall(message: Message) -> Recall:
    kind = _KINDS[message.kind]
    narrative = message.text("79") or message.text("77A")
    answer = message.text("76")
    codes = _CODE.findall(f"{answer}\n{narrative}")
    return Recall(
        kind=kind, id=message.needed("20"), case="", asked_by=message.sender, asked_of=message.receiver, created="",
        original=message.uetr or message.needed("21"), amount="", currency="",
        status=codes[0] if kind == "answer" and codes else "",
        reasons=tuple(codes[1:] if kind == "answer" else codes),
        text=" ".join(f"{answer} {narrative}".split()),
    )  # fmt: skip
