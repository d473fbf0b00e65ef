"""Asking an originator for more than its obligations allow, and its answer (spec/handling.md §3). Pure.

A question goes in a message, which the asker has signed. An answer (grant, refusal, withdrawal) is besides a JWS of
its own, so that it can be shown to a third node. It is bound to one item, action, recipient and purpose, and a grant
to an end; it consents to nothing else, and to nothing beyond.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.errors import TrustError
from comity.exchange.fields import DIGEST, ID, LABEL, Fields, read_object, write_instant
from comity.exchange.handling import MAX_SOURCES
from comity.proofs import signatures
from comity.proofs.canonical import canonical_bytes

CONSENT_TYPE = "comity-consent+jws"
MAX_CONSENT = 8 * 1024
_VERSION = 1


class ConsentMismatch(TrustError):
    """A consent that its giver may not give, or that is for something else than what was asked."""

    code = "consent.mismatch"


class Answer(StrEnum):
    GRANT = "grant"
    REFUSAL = "refusal"
    WITHDRAWAL = "withdrawal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What is to be done: `action` on the item of digest `item` by, or (disclose_onward) to, `recipient`."""

    item: str
    action: str
    recipient: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`asker` asks `originator`. `until` is how long the asker wants it for; `why` is for a person.

    `sources` are digests of what the item was made from: what its originator recognises, where the item itself is
    somebody else's.
    """

    id: str
    use: Use
    originator: str
    asker: str
    until: datetime
    sources: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """The originator's answer to question `question`. `expires` counts in a grant only."""

    answer: Answer
    question: str
    use: Use
    originator: str
    asker: str
    at: datetime
    expires: datetime
    why: str


def write_question(question: Question) -> dict[str, Any]:
    return {
        "v": _VERSION, "question": question.id, **_write_use(question.use), "originator": question.originator,
        "asker": question.asker, "until": write_instant(question.until), "sources": list(question.sources),
        "why": question.why,
    }  # fmt: skip


def read_question(payload: Mapping[str, Any]) -> Question:
    """Read what a message of type `consent.request` carries, or raise `Malformed`."""
    fields = Fields(payload, "consent request")
    fields.integer("v", least=_VERSION, most=_VERSION)
    return Question(
        id=fields.text("question", form=LABEL), use=_read_use(fields), originator=fields.text("originator", form=ID),
        asker=fields.text("asker", form=ID), until=fields.instant("until"),
        sources=fields.texts("sources", most=MAX_SOURCES, form=DIGEST), why=fields.text_or_empty("why", longest=1000),
    )  # fmt: skip


def make_word(word: Word, *, key: Ed25519PrivateKey) -> str:
    """Sign `word`; `Malformed` if `verify_word` would not read it."""
    signed = canonical_bytes(
        {
            "v": _VERSION, "answer": word.answer.value, "question": word.question, **_write_use(word.use),
            "originator": word.originator, "asker": word.asker, "at": write_instant(word.at),
            "expires": write_instant(word.expires), "why": word.why,
        }
    )  # fmt: skip
    _read_word(signed)
    return signatures.sign(signed, typ=CONSENT_TYPE, key=key)


def verify_word(jws: str, *, keys: Mapping[str, bytes], originator: str) -> Word:
    """An answer signed by one of `originator`'s keys (key id → key), which must be the one that may give it.

    Whether it answers a question that was asked is `refuse_other_use`'s.
    """
    verified = signatures.verify(jws, typ=CONSENT_TYPE, keys=keys)
    word = _read_word(verified.payload)
    if word.originator != originator:
        raise ConsentMismatch(f"expected a word of {originator}, who signed, got one of {word.originator}")
    return word


def refuse_other_use(word: Word, question: Question) -> None:
    """`ConsentMismatch` unless `word` answers exactly `question`, and for no longer than was asked."""
    asked = (question.id, question.use, question.originator, question.asker)
    got = (word.question, word.use, word.originator, word.asker)
    if asked != got:
        raise ConsentMismatch(f"expected an answer to {asked}, got {got}")
    if word.answer is Answer.GRANT and word.expires > question.until:
        raise ConsentMismatch(f"expected a grant until {question.until} at most, got {word.expires}")


def _write_use(use: Use) -> dict[str, Any]:
    return {"item": use.item, "action": use.action, "recipient": use.recipient, "purpose": use.purpose}


def _read_use(fields: Fields) -> Use:
    return Use(
        item=fields.text("item", form=DIGEST), action=fields.text("action", form=LABEL),
        recipient=fields.text("recipient", form=ID), purpose=fields.text("purpose"),
    )  # fmt: skip


def _read_word(signed: bytes) -> Word:
    fields = read_object(signed, where="consent", max_bytes=MAX_CONSENT)
    fields.integer("v", least=_VERSION, most=_VERSION)
    answer = fields.text("answer")
    if answer not in set(Answer):
        raise fields.wrong("answer", f"one of {', '.join(Answer)}", answer)
    word = Word(
        answer=Answer(answer), question=fields.text("question", form=LABEL), use=_read_use(fields),
        originator=fields.text("originator", form=ID), asker=fields.text("asker", form=ID),
        at=fields.instant("at"), expires=fields.instant("expires"),
        why=fields.text_or_empty("why", longest=1000),
    )  # fmt: skip
    if word.originator == word.asker:
        raise fields.wrong("asker", "another member than the originator", word.asker)
    if (word.expires > word.at) != (word.answer is Answer.GRANT):
        raise fields.wrong("expires", "after `at` in a grant, and in nothing else", word.expires)
    return word
