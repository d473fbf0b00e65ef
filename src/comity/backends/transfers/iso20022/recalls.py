"""camt.056, a request to cancel or recall a payment, and camt.029, the answer: who asks what of whom, and why."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from comity.backends.transfers.iso20022.messages import RECALLS, message_of
from comity.backends.transfers.iso20022.names import agent, payment_id
from comity.backends.transfers.recalls import Recall
from comity.backends.transfers.xml_stream import Part, parts_of
from comity.errors import InputError


def recalls(path: Path) -> Iterator[Recall]:
    """Every payment that the camt.056 and camt.029 messages of a file are about."""
    head: dict[str, str] = {}
    found = False
    for part in parts_of(
        path, ("Assgnmt", "Case", "Conf", "TxInf", "TxInfAndSts", "FIToFIPmtCxlReq", "RsltnOfInvstgtn")
    ):
        message = message_of(part.namespace, str(path))
        if message not in RECALLS:
            raise InputError.because(expected="camt.056 or camt.029", got=message, where=str(path))
        if part.name == "Assgnmt":
            head = _assigned(part)
        elif part.name == "Case" and part.within in ("FIToFIPmtCxlReq", "RsltnOfInvstgtn"):
            head["case"] = part.text("Id")
        elif part.name == "Conf" and part.within == "Sts":
            head["status"] = (part.element.text or "").strip()
        elif part.name == "TxInf" and part.within == "Undrlyg":
            found = True
            yield _recall(part, "request", head)
        elif part.name == "TxInfAndSts" or (part.name == "RsltnOfInvstgtn" and head and not found):
            found = True
            yield _recall(part, "answer", head)
    if not found:
        raise InputError.because(
            expected="camt.056 or camt.029 about a payment", got="none that ended", where=str(path)
        )


def _assigned(part: Part) -> dict[str, str]:
    return {
        "id": part.text("Id"), "created": part.text("CreDtTm"),
        "by": agent(part.part("Assgnr/Agt")) or part.text("Assgnr/Pty/Nm"),
        "of": agent(part.part("Assgne/Agt")) or part.text("Assgne/Pty/Nm"),
    }  # fmt: skip


def _recall(part: Part, kind: Literal["request", "answer"], head: dict[str, str]) -> Recall:
    reasons = part.parts("CxlRsnInf" if kind == "request" else "CxlStsRsnInf")
    codes = [one.text("Rsn/Cd", "Rsn/Prtry") for one in reasons]
    lines = [(one.element.text or "").strip() for reason in reasons for one in reason.parts("AddtlInf")]
    amount = "OrgnlIntrBkSttlmAmt" if kind == "request" else "OrgnlTxRef/IntrBkSttlmAmt"
    return Recall(
        kind=kind, id=part.text("CxlId", "CxlStsId") or head.get("id", ""),
        case=part.text("Case/Id", "RslvdCase/Id") or head.get("case", ""),
        asked_by=head.get("by", ""), asked_of=head.get("of", ""), created=head.get("created", ""),
        original=payment_id(part, "Orgnl"), amount=part.text(amount), currency=part.attribute(amount, "Ccy"),
        status=part.text("TxCxlSts") or head.get("status", ""), reasons=tuple(filter(None, codes)),
        text=" ".join(filter(None, lines)),
    )  # fmt: skip
