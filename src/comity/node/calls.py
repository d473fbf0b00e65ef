"""Let a call that is repeated under the key its caller chose have its effect once.

The key is written in the transaction of the effect: whatever ends the node, either both are there or neither. A
repeated call does nothing; it is answered with what there is now. Two calls at the same moment are one call.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from comity.backends.sql import Transaction
from comity.errors import InputError
from comity.node.bootstrap import Node

REMEMBERED = timedelta(days=7)
LONGEST_KEY, SHORTEST_KEY = 128, 8


class KeyUsed(InputError):
    """The key was used for another call."""

    code = "call.key-used"
    remedy = "Choose a new key for every call, and use it again only to repeat that very call."
    http_status = 422


class _Repeated(Exception):
    """Somebody else's transaction was first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """`text` as the caller chose it; `digest` of what is called with it, which no other call may have."""

    person: str
    text: str
    digest: str


def key_of(person: str, text: str, *called: bytes) -> Key:
    """`called`: method, address and body."""
    if not (SHORTEST_KEY <= len(text) <= LONGEST_KEY and text.isascii() and text.isprintable()):
        raise InputError.because(
            expected=f"{SHORTEST_KEY} to {LONGEST_KEY} visible ASCII characters", got=repr(text)[:60],
            where="Idempotency-Key", remedy="A random UUID will do.",
        )  # fmt: skip
    whole = hashlib.sha256()
    for part in (person.encode(), text.encode(), *called):
        whole.update(len(part).to_bytes(8, "big") + part)
    return Key(person=person, text=text, digest=whole.hexdigest())


def id_for(node: Node, kind: str, key: Key) -> str:
    """The id of what this call makes at this node: the same whenever it is repeated."""
    whole = hashlib.sha256(f"{node.id}\0{key.person}\0{key.text}".encode())
    return f"{kind}-{whole.hexdigest()[:16]}"


def once(node: Node, key: Key | None, effect: Callable[[], object]) -> bool:
    """Do `effect` unless the call was made before; True if it was. Without a key it is simply done.

    Raises `KeyUsed` if the key was used for another call, and whatever `effect` raises: then it may be tried again.
    """
    if key is None:
        effect()
        return False
    with node.records.reading() as tx:
        before = _made_before(tx, key)
    return before or _first_time(node, key, effect)


def _first_time(node: Node, key: Key, effect: Callable[[], object]) -> bool:
    marked = False

    def mark(tx: Transaction) -> None:
        nonlocal marked
        if marked:
            return
        if _made_before(tx, key):
            raise _Repeated
        tx.calls.forget(node.clock() - REMEMBERED)
        tx.calls.add(key.person, key.text, key.digest, node.clock())
        marked = True

    try:
        with node.records.with_each(mark):
            effect()
    except _Repeated:
        return True
    except Exception:
        if marked:  # what was written is why it is refused
            with node.records.transaction() as tx:
                tx.calls.drop(key.person, key.text)
        raise
    return False


def _made_before(tx: Transaction, key: Key) -> bool:
    known = tx.calls.find(key.person, key.text)
    if known is not None and known != key.digest:
        raise KeyUsed.because(expected="a key of its own for each call", got="one that was used for another")
    return known is not None
