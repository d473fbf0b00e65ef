"""Form and join a compact: the trust register of peers. A node talks to nobody else.

A compact is a file of self-signed cards. Every node joins it itself, after its people compared the
fingerprint over another channel: nobody can add a peer to somebody else's node.
"""

from collections.abc import Sequence
from pathlib import Path

from comity.backends.files import write_durably
from comity.backends.sql import Transaction
from comity.errors import Conflict, NotFound, TrustError
from comity.exchange import Compact, form, read_compact, refuse_rollback
from comity.node.bootstrap import Node, utc_now
from comity.node.home import Home


def create(file: Path, sources: Sequence[Path], *, name: str, problem: str) -> Compact:
    """Write the compact formed from `sources`: cards, or node directories (their cards are taken)."""
    if file.exists():
        raise Conflict.because(
            expected="a file that does not exist", got=str(file),
            remedy="A later version of a compact is a new file that every member joins.",
        )  # fmt: skip
    document = form([_card(source) for source in sources], name=name, problem=problem, formed_at=utc_now())
    write_durably(file, document)
    return read_compact(document)


def join(node: Node, file: Path, *, actor: str) -> Compact:
    """Make this compact the node's register of peers; the card in it must be the node's own."""
    try:
        document = file.read_bytes()
    except OSError as error:
        raise NotFound.because(expected="a compact's file", got=str(file)) from error
    compact = read_compact(document)
    mine = next((member for member in compact.members if member.id == node.id), None)
    if mine is None:
        raise NotFound.because(
            expected=f"a compact with {node.id} in it", got=", ".join(one.id for one in compact.members)
        )
    if mine.signing_key != node.keys.signing.public_key().public_bytes_raw():
        raise TrustError(
            f"the compact holds a card of {node.id} that this node did not make", where=str(file)
        )
    if node.in_compact() and node.compact().digest != compact.digest:
        refuse_rollback(compact, joined=node.compact())
    with node.records.transaction() as tx:
        if _joined_last(tx) == compact.digest and node.in_compact():
            return compact
        for case in tx.cases.all():
            if case.origin == node.id:
                tx.cases.want_pursuit(case.id)
        node.record(
            tx, "compact.joined", actor=actor, compact=compact.name, problem=compact.problem,
            digest=compact.digest, members=[member.id for member in compact.members],
        )  # fmt: skip
        write_durably(node.home.compact, document)
    return compact


def _joined_last(tx: Transaction) -> str:
    """Digest of the compact that the ledger says was joined last: a crash may have kept the file from it."""
    return str(next((event.body["digest"] for event in [*tx.events.of_kinds(["compact.joined"])][::-1]), ""))


def _card(source: Path) -> str:
    file = Home(source).card if source.is_dir() else source
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound.because(
            expected="a card, or a node's directory", got=str(source),
            remedy="`comity node init` writes the card to DIR/card.jws.",
        ) from error  # fmt: skip
