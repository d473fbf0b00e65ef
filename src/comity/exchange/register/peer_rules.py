"""A node's own word on a peer, above every register's: pin it to one key, or refuse it. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from comity.exchange.register.compact import Compact
from comity.exchange.register.member import Member


class Word(StrEnum):
    PIN = "pin"
    """Only while it signs with the key it had then."""
    REFUSE = "refuse"
    """Not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRule:
    """`signing_key_id` is the key that a pin holds the member to; of a refusal it is the key it had."""

    member: str
    word: Word
    signing_key_id: str


def with_rules(compact: Compact, rules: Mapping[str, PeerRule]) -> Compact:
    """The compact without those whom this node refuses, and without pinned ones whose key changed.

    They are no members then: nothing goes to them and nothing of theirs is taken in. Old signatures of
    theirs are still judged as before (`Compact.keys_of`). The digest is another, since what was found out
    about a version is remembered by it.
    """
    kept = tuple(member for member in compact.members if suspended(member, rules) is None)
    if len(kept) == len(compact.members):
        return compact
    view = " ".join([compact.digest, *(member.id for member in kept)])
    return replace(compact, members=kept, digest=hashlib.sha256(view.encode("ascii")).hexdigest())


def suspended(member: Member, rules: Mapping[str, PeerRule]) -> Word | None:
    """The word that keeps this member out, if one does."""
    rule = rules.get(member.id)
    if rule is None or (rule.word is Word.PIN and rule.signing_key_id == member.signing_key_id):
        return None
    return rule.word
