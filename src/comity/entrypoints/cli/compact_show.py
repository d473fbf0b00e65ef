"""`comity compact show`, and how a compact is shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir
from comity.entrypoints.cli.terminal import out, print_json, shown, table_of

if TYPE_CHECKING:
    from comity.exchange import Compact
    from comity.exchange.register.compact import Card
    from comity.exchange.register.peer_rules import PeerRule
    from comity.node.bootstrap import Node

CompactName = Annotated[
    str | None,
    typer.Option("--compact", metavar="NAME", help="Which compact, where the node is in several."),
]
_ALLOWED = {
    "full": "everything may go and come",
    "replies": "only replies, receipts and freezes may go and come",
    "closed": "nothing may go or come; update it: comity compact update DIR",
}
"""By `exchange.Tier`."""


def compact_show(
    folder: NodeDir,
    name: CompactName = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the register into a file, to be carried.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a compact this node has joined: members, keys in use, how fresh its register is, the fingerprint.

    \b
    Examples:
      comity compact show hk
      comity compact show hk --json
      comity compact show hk --save fresh.json
    """
    from comity.backends.files import write_durably
    from comity.backends.register_files import load_joined
    from comity.exchange import Bundle, write_bundle
    from comity.node.bootstrap import open_node

    node = open_node(folder)
    compact = registered(node, name)
    if save is not None:
        files = load_joined(node.home.compacts / compact.name).files
        write_durably(save, write_bundle(Bundle(files=files)))
    with node.records.reading() as tx:
        rules = tx.peer_rules.all()
    if as_json:
        print_json({**compact_json(compact, rules), **_freshness_json(compact, node.clock())})
        return
    show(compact, rules)
    _show_freshness(compact, node.clock())


def registered(node: Node, name: str | None) -> Compact:
    """The compact of that name, or the only one, as its register states it."""
    return node.registers()[node.compact(name).name]


def show(compact: Compact, rules: Mapping[str, PeerRule] | None = None) -> None:
    from comity.exchange.register.peer_rules import suspended

    out.print(f"[bold]{compact.name}[/]  {shown(compact.problem)[0]}")
    states = (
        f"{compact.threshold} of {len(compact.states)} states ({', '.join(compact.states)}) sign together"
    )
    out.print(f"formed {compact.formed_at:%Y-%m-%d %H:%M} UTC, {states}", highlight=False)
    table = table_of(
        "member", "authority", "state", "book of", "peers reach it at", "card", whole=("member",)
    )
    for member in compact.members:
        covers = ", ".join(member.covers) or "witness only"
        word = suspended(member, rules or {})
        table.add_row(
            member.id, *shown(member.authority.name), member.authority.jurisdiction, covers, member.endpoint,
            _cards(compact, member.id) if word is None else f"kept out by this node ({word})",
        )  # fmt: skip
    out.print(table)
    for card in compact.cards:
        if card.revoked_at is not None:
            out.print(
                f"  {card.member.id}: card {card.number} revoked {card.revoked_at:%Y-%m-%d %H:%M}, "
                f"{shown(card.reason)[0]}"
            )
    out.print("fingerprint, to be compared over another channel:")
    groups = compact.fingerprint.split()
    out.print(f"  {' '.join(groups[:8])}\n  {' '.join(groups[8:])}", highlight=False)


def _cards(compact: Compact, member_id: str) -> str:
    cards = [card for card in compact.cards if card.member.id == member_id]
    current = next(card for card in cards if card.current)
    retiring = [
        f"; {card.number} until {card.retired_at:%Y-%m-%d %H:%M}"
        for card in cards
        if card.retired_at is not None and card.held_at(compact.as_of)
    ]
    return f"{current.number} since {current.valid_from:%Y-%m-%d}" + "".join(retiring)


def _show_freshness(compact: Compact, now: datetime) -> None:
    tier = compact.tier(now)
    age = max(int((now - compact.fresh_at).total_seconds() // 3600), 0)
    out.print(f"register: {tier}, confirmed by another node {age} h ago; {_ALLOWED[tier]}", highlight=False)
    versions = ", ".join(f"{role} {version}" for role, version in compact.versions.items())
    out.print(f"  versions {versions}", highlight=False)
    out.print(f"  signed parts hold until {compact.expires:%Y-%m-%d}", highlight=False)


def _freshness_json(compact: Compact, now: datetime) -> dict[str, Any]:
    return {
        "tier": str(compact.tier(now)), "fresh_at": compact.fresh_at.isoformat(),
        "expires": compact.expires.isoformat(), "versions": dict(compact.versions),
    }  # fmt: skip


def compact_json(compact: Compact, rules: Mapping[str, PeerRule] | None = None) -> dict[str, Any]:
    from comity.exchange.register.peer_rules import suspended

    return {
        "name": compact.name, "problem": compact.problem, "formed_at": compact.formed_at.isoformat(),
        "fingerprint": compact.fingerprint, "threshold": compact.threshold, "states": list(compact.states),
        "members": [
            {
                "id": member.id, "name": member.authority.name,
                "jurisdiction": member.authority.jurisdiction, "oversight": member.authority.oversight,
                "covers": list(member.covers), "endpoint": member.endpoint,
                "public_url": member.public_url, "log_key": member.log_key,
                "witness_key": member.witness_key, "private_network": member.private_network,
                "kept_out": suspended(member, rules or {}),
            }
            for member in compact.members
        ],
        "cards": [_card_json(card) for card in compact.cards],
    }  # fmt: skip


def _card_json(card: Card) -> dict[str, Any]:
    return {
        "member": card.member.id, "number": card.number, "signing_key": card.member.signing_key_id,
        "valid_from": card.valid_from.isoformat(),
        "retired_at": None if card.retired_at is None else card.retired_at.isoformat(),
        "revoked_at": None if card.revoked_at is None else card.revoked_at.isoformat(), "reason": card.reason,
    }  # fmt: skip
