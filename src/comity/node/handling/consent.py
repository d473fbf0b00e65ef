"""Ask an originator for what its obligations do not allow, and answer those who ask us (spec/handling.md §3).

Each side keeps the question and the originator's signed word. A word counts only as an answer to a question that we
asked of exactly that member; a grant ends when it says, and at once when it is withdrawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.backends.sql import Received, Transaction
from comity.backends.sql.items import ConsentRow, Item
from comity.errors import Conflict, InputError, NotFound
from comity.exchange import consent as words
from comity.exchange.consent import Question, Use, Word
from comity.exchange.fields import Fields
from comity.law import Action
from comity.model import Person
from comity.node.bootstrap import Node
from comity.node.handling.obligations import PURPOSE, Barred
from comity.node.policy import require_with_case
from comity.node.post.send import Letter, send

LASTS = timedelta(days=30)
"""What is asked for where nobody says how long."""
MOST_DAYS = 365
_STATES = {
    words.Answer.GRANT: "granted", words.Answer.REFUSAL: "refused", words.Answer.WITHDRAWAL: "withdrawn",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants to do with an item, and why."""

    action: str
    recipient: str
    purpose: str = PURPOSE
    why: str = ""
    lasts: timedelta = LASTS


def ask_by_hand(node: Node, item_id: str, wanted: Wanted, *, person: Person) -> list[ConsentRow]:
    """A person asks every originator of a peer's item that has not answered yes; one row for each."""
    require_with_case(node, Action.ASK_CONSENT, person)
    with node.records.transaction() as tx:
        item = _theirs(tx, node, item_id)
        asked = [
            ask(node, tx, item, originator, wanted, actor=person.id)
            for originator in item.handling.originators
            if originator != node.id
        ]
    return [one for one in asked if one is not None]


def ask_for(node: Node, tx: Transaction, one: Barred, *, actor: str) -> list[ConsentRow]:
    """Ask whoever stands between us and a use; nothing where that was asked before, whatever the answer."""
    wanted = Wanted(action=one.action, recipient=one.recipient, purpose=one.purpose)
    rows = [ask(node, tx, one.item, originator, wanted, actor=actor) for originator in one.permitted.ask]
    return [row for row in rows if row is not None]


def ask(
    node: Node, tx: Transaction, item: Item, originator: str, wanted: Wanted, *, actor: str
) -> ConsentRow | None:
    """Send the question; None if it was asked before and is not over, or `originator` is no member any more."""
    now = node.clock()
    use = Use(item=item.digest, action=wanted.action, recipient=wanted.recipient, purpose=wanted.purpose)
    if not node.knows(originator, item.compact) or _standing(tx, use, originator, now):
        return None
    question = Question(
        id=node.new_id("consent"), use=use, originator=originator, asker=node.id, until=now + wanted.lasts,
        sources=item.handling.sources, why=wanted.why,
    )  # fmt: skip
    row = ConsentRow(
        id=question.id, direction="out", compact=item.compact, peer=originator, item_digest=item.digest,
        action=use.action, recipient=use.recipient, purpose=use.purpose, state="asked",
        expires_at=question.until, document={"question": words.write_question(question)}, at=now,
    )  # fmt: skip
    tx.consents.put(row)
    _tell(node, tx, row, "consent.request", words.write_question(question), actor=actor)
    _record(node, tx, "consent.asked", row, case_id=item.case_id, actor=actor)
    return row


def answer_by_hand(
    node: Node, consent_id: str, answer: words.Answer, *, person: Person, days: int = 0, why: str = ""
) -> ConsentRow:
    """A person grants or refuses what a peer asked, or withdraws what was granted."""
    require_with_case(node, Action.DECIDE_CONSENT, person)
    if not 0 <= days <= MOST_DAYS:
        raise InputError.because(expected=f"1 to {MOST_DAYS} days", got=str(days))
    with node.records.transaction() as tx:
        row = tx.consents.find(consent_id)
        wanted = "granted" if answer is words.Answer.WITHDRAWAL else "asked"
        if row is None or row.direction != "in":
            raise NotFound.because(
                expected="a question that a peer asked us", got=repr(consent_id),
                remedy="List them: comity consent list DIR",
            )  # fmt: skip
        if row.state != wanted:
            raise Conflict.because(expected=f"one that is {wanted}", got=f"{row.id}, {row.state}")
        return _answer(node, tx, row, answer, days=days, why=why, actor=person.id)


def _answer(
    node: Node, tx: Transaction, row: ConsentRow, answer: words.Answer, *, days: int, why: str, actor: str
) -> ConsentRow:
    now = node.clock()
    question = words.read_question(row.document["question"])
    until = min(question.until, now + timedelta(days=days)) if days else question.until
    expires = until if answer is words.Answer.GRANT else now
    if answer is words.Answer.GRANT and expires <= now:
        raise Conflict.because(expected="a question that has not run out", got=f"{row.id}, {question.until}")
    word = Word(
        answer=answer, question=row.id, use=question.use, originator=node.id, asker=row.peer, at=now,
        expires=expires, why=why,
    )  # fmt: skip
    signed = words.make_word(word, key=signing_key(node, row.compact))
    row = replace(row, state=_STATES[answer], expires_at=expires, document={**row.document, "word": signed})
    tx.consents.put(row)
    _tell(node, tx, row, f"consent.{answer.value}", {"word": signed}, actor=actor)
    _record(node, tx, f"consent.{row.state}", row, case_id=_case_of(tx, question), actor=actor)
    return row


# --- hearing -------------------------------------------------------------------------------------------------


def hear_question(node: Node, tx: Transaction, received: Received) -> None:
    """A peer asks for more. Only about what we gave: that very message, or what it was made from."""
    question = words.read_question(received.payload)
    if (question.asker, question.originator) != (received.sender, node.id):
        raise InputError.because(
            expected=f"a question of {received.sender} to {node.id}",
            got=f"one of {question.asker} to {question.originator}",
        )
    ours = _ours(tx, question, received)
    if ours is None:
        raise NotFound.because(expected="an item that we gave", got=question.use.item)
    if tx.consents.find(question.id) is not None:
        raise Conflict.because(expected="a question with an id of its own", got=question.id)
    row = ConsentRow(
        id=question.id, direction="in", compact=received.compact, peer=received.sender,
        item_digest=question.use.item, action=question.use.action, recipient=question.use.recipient,
        purpose=question.use.purpose, state="asked", expires_at=question.until,
        document={"question": dict(received.payload)}, at=node.clock(),
    )  # fmt: skip
    tx.consents.put(row)
    _record(node, tx, "consent.wanted", row, case_id=ours.case_id, actor=received.sender)


def hear_word(node: Node, tx: Transaction, received: Received) -> None:
    """The originator's answer: kept with its signature, and what waited for it goes on."""
    word = read_word(node, received)
    row = tx.consents.find(word.question)
    if row is None or (row.direction, row.peer, row.compact) != ("out", received.sender, received.compact):
        raise NotFound.because(expected=f"a question that we asked {received.sender}", got=word.question)
    words.refuse_other_use(word, words.read_question(row.document["question"]))
    before = {"asked": ("granted", "refused"), "granted": ("withdrawn",)}
    state = _STATES[word.answer]
    if state not in before.get(row.state, ()):
        raise Conflict.because(expected=f"an answer to what is {row.state}", got=word.answer.value)
    row = replace(
        row, state=state, expires_at=word.expires,
        document={**row.document, "word": received.payload["word"]},
    )  # fmt: skip
    tx.consents.put(row)
    item = tx.items.by_digest(row.item_digest)
    case_id = item.case_id if item else ""
    _record(node, tx, f"consent.{state}", row, case_id=case_id, actor=received.sender, why=word.why[:500])
    tx.items.resume(row.compact, row.item_digest)
    case = tx.cases.find(case_id)
    if case is not None and case.origin == node.id:
        tx.cases.want_pursuit(case_id)


def read_word(node: Node, received: Received) -> Word:
    """The signed answer in a message, by its sender, of the kind that the message's type says."""
    text = Fields(received.payload, "consent").text("word", longest=words.MAX_CONSENT * 2)
    word = words.verify_word(text, keys=keys_of(node, received), originator=received.sender)
    if received.type != f"consent.{word.answer.value}":
        raise InputError.because(expected=received.type, got=word.answer.value)
    return word


def keys_of(node: Node, received: Received) -> Mapping[str, bytes]:
    """The signing keys of a message's sender, the one that it is about to give up too."""
    compact = node.compact(received.compact)
    return {
        key_id: key
        for key_id, key in compact.signing_keys.items()
        if (owner := compact.by_signing_key(key_id)) is not None and owner.id == received.sender
    }


def signing_key(node: Node, compact: str) -> Ed25519PrivateKey:
    """The private half of the signing key on our card in that compact."""
    return node.keys.signing_for(node.compact(compact).member(node.id).signing_key)


# --- looking -------------------------------------------------------------------------------------------------


def waiting_for(tx: Transaction, case_id: str, now: datetime) -> list[ConsentRow]:
    """Questions of ours in a case that nobody has answered yet."""
    return [
        row
        for item in tx.items.of_case(case_id)
        if item.direction == "in" and item.state == "held"
        for row in tx.consents.of_item(item.digest)
        if row.direction == "out" and row.state == "asked" and row.expires_at > now
    ]


def refused(tx: Transaction, one: Barred) -> bool:
    """Whether whoever stands between us and a use has said no to it."""
    return any(
        row.state in ("refused", "withdrawn")
        and row.direction == "out"
        and (row.action, row.recipient, row.purpose) == (one.action, one.recipient, one.purpose)
        and row.peer in one.permitted.ask
        for row in tx.consents.of_item(one.item.digest)
    )


def _standing(tx: Transaction, use: Use, originator: str, now: datetime) -> bool:
    """Whether the very same was asked of them and is answered or still open."""
    return any(
        row.direction == "out" and row.peer == originator
        and (row.action, row.recipient, row.purpose) == (use.action, use.recipient, use.purpose)
        and row.expires_at > now and row.state in ("asked", "granted")
        for row in tx.consents.of_item(use.item)
    )  # fmt: skip


def _theirs(tx: Transaction, node: Node, item_id: str) -> Item:
    found = [one for one in tx.items.named(item_id) if one.direction == "in"]
    if not found:
        raise NotFound.because(
            expected="an item that a peer gave us",
            got=repr(item_id),
            remedy="List them: comity item list DIR",
        )
    if len(found) > 1:
        raise InputError.because(
            expected="one item: two members chose this id, or one in two compacts", got=item_id,
            remedy="Name it by its digest: comity item list DIR --json",
        )  # fmt: skip
    if found[0].state != "held":
        raise Conflict.because(expected="an item that is still held", got=f"{item_id}, {found[0].state}")
    return found[0]


def _ours(tx: Transaction, question: Question, received: Received) -> Item | None:
    """What of ours the question is about: said to the asker, or to somebody who told the asker of it."""
    for digest in (question.use.item, *question.sources):
        item = tx.items.by_digest(digest)
        if item is None or item.direction != "out" or item.compact != received.compact:
            continue
        if digest != question.use.item or received.sender in tx.items.recipients(item.id):
            return item
    return None


def _case_of(tx: Transaction, question: Question) -> str:
    for digest in (question.use.item, *question.sources):
        item = tx.items.by_digest(digest)
        if item is not None and item.direction == "out":
            return item.case_id
    return ""


def _tell(
    node: Node, tx: Transaction, row: ConsentRow, type_: str, payload: Mapping[str, Any], *, actor: str
) -> None:
    letter = Letter(
        compact=row.compact, peer=row.peer, type=type_, case_id="", purpose="consent", legal_basis="",
        payload=payload,
    )  # fmt: skip
    send(node, tx, letter, actor=actor)


def _record(
    node: Node, tx: Transaction, kind: str, row: ConsentRow, *, case_id: str, actor: str, why: str = ""
) -> None:
    node.record(
        tx, kind, case_id=case_id, actor=actor, consent=row.id, peer=row.peer, item=row.item_digest,
        action=row.action, recipient=row.recipient, purpose=row.purpose, why=why,
    )  # fmt: skip
