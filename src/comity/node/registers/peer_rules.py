"""Pin a peer to the key it has, refuse it, or trust it again as its register says: this node's own word."""

from comity.errors import InputError, NotFound
from comity.exchange import Member
from comity.exchange.register.peer_rules import PeerRule, Word
from comity.node.bootstrap import Node


def pin(node: Node, member_id: str, *, actor: str) -> PeerRule:
    """Hold the peer to the signing key it has now: with another it is suspended until it is pinned again."""
    return _say(node, member_id, Word.PIN, actor)


def refuse(node: Node, member_id: str, *, actor: str) -> PeerRule:
    """Treat the peer as no member, in every compact."""
    return _say(node, member_id, Word.REFUSE, actor)


def trust(node: Node, member_id: str, *, actor: str) -> None:
    """Take back what was said of the peer: from now on its registers decide."""
    with node.records.transaction() as tx:
        if not tx.peer_rules.drop(member_id):
            raise NotFound.because(
                expected="a peer that this node pinned or refused", got=member_id,
                remedy="`comity peer list DIR` shows what this node says of whom.",
            )  # fmt: skip
        node.record(tx, "peer.trusted", actor=actor, peer=member_id)
    node.forget_peer_rules()


def _say(node: Node, member_id: str, word: Word, actor: str) -> PeerRule:
    if member_id == node.id:
        raise InputError.because(expected="another member", got=f"this node, {member_id}")
    rule = PeerRule(member=member_id, word=word, signing_key_id=registered(node, member_id).signing_key_id)
    with node.records.transaction() as tx:
        tx.peer_rules.put(rule, by=actor, at=node.clock())
        kind = {Word.PIN: "peer.pinned", Word.REFUSE: "peer.refused"}[word]
        node.record(tx, kind, actor=actor, peer=member_id, key=rule.signing_key_id)
    node.forget_peer_rules()
    return rule


def registered(node: Node, member_id: str) -> Member:
    """The member as the registers state it, whatever this node says of it."""
    for compact in node.registers().values():
        for member in compact.members:
            if member.id == member_id:
                return member
    raise NotFound.because(
        expected="a member of a compact of this node", got=member_id,
        remedy="`comity compact show DIR` lists the members.",
    )  # fmt: skip
