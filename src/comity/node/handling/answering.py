"""Answer those who ask us for more, and hear what originators answer us (spec/handling.md §3).

Each side keeps the question and the originator's signed word. A word counts only as an answer to a question that we
asked of exactly that member; a grant ends when it says, and at once when it is withdrawn.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from comity.backends.sql import Received, Transaction
from comity.backends.sql.consents import ConsentRow
from comity.backends.sql.items import Item
from comity.errors import Conflict, InputError, NotFound
from comity.exchange import consent as words
from comity.exchange.consent import Question, Word
from comity.exchange.fields import Fields
from comity.law import Action
from comity.model import Person
from comity.node.bootstrap import Node
from comity.node.handling.consent import MOST_OPEN, keys_of, record, signing_key, tell
from comity.node.policy import require_with_case

MOST_DAYS = 365
_STATES = {
    words.Answer.GRANT: "granted", words.Answer.REFUSAL: "refused", words.Answer.WITHDRAWAL: "withdrawn",
}  # fmt: skip


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
    tell(node, tx, row, f"consent.{answer.value}", {"word": signed}, actor=actor)
    record(node, tx, f"consent.{row.state}", row, case_id=_case_of(tx, question), actor=actor)
    return row


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
    _refuse_repeated(tx, question, node.clock())
    row = ConsentRow(
        id=question.id, direction="in", compact=received.compact, peer=received.sender,
        item_digest=question.use.item, action=question.use.action, recipient=question.use.recipient,
        purpose=question.use.purpose, state="asked", expires_at=question.until,
        document={"question": dict(received.payload)}, at=node.clock(),
    )  # fmt: skip
    tx.consents.put(row)
    record(node, tx, "consent.wanted", row, case_id=ours.case_id, actor=received.sender)


def _refuse_repeated(tx: Transaction, question: Question, now: datetime) -> None:
    """`Conflict` where the asker has the very same, or too much, open with us, or uses an id again."""
    use, asker = question.use, question.asker
    if tx.consents.find(question.id) is not None:
        raise Conflict.because(expected="a question with an id of its own", got=question.id)
    same = [
        row.id for row in tx.consents.of_item(use.item)
        if (row.direction, row.peer, row.state) == ("in", asker, "asked") and row.expires_at > now
        and (row.action, row.recipient, row.purpose) == (use.action, use.recipient, use.purpose)
    ]  # fmt: skip
    if same:
        raise Conflict.because(
            expected="one open question for one use", got=f"{question.id} beside {same[0]}"
        )
    if tx.consents.open_of(asker, now) >= MOST_OPEN:
        raise Conflict.because(expected=f"at most {MOST_OPEN} open questions of {asker}", got="one more")


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
    record(node, tx, f"consent.{state}", row, case_id=case_id, actor=received.sender, why=word.why[:500])
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
