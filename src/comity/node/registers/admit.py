"""Form and join a compact: the trust register of peers. A node talks to nobody else.

A compact is a register that several states sign together. Every node joins it itself, after its people
compared the fingerprint over another channel: nobody can add a peer to somebody else's node.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from comity.backends.files import write_durably
from comity.backends.keys import NodeKeys
from comity.backends.register_files import STAMP, Joined, changing, load_joined, read_joined, save_joined
from comity.backends.register_updates import take_over
from comity.backends.sql import Transaction
from comity.errors import Conflict, NotFound, TrustError
from comity.exchange import Bundle, Compact, read_bundle, read_card, write_bundle
from comity.exchange.register.bundle import IncompleteRegister
from comity.exchange.register.layout import metadata_path
from comity.exchange.register.read import BrokenRegister, read_register
from comity.exchange.register.write import complete, missing, propose, sign
from comity.node.bootstrap import Node, open_keys, utc_now
from comity.node.home import Home
from comity.node.registers.update import refuse_spoofed, update


def create(
    file: Path,
    sources: Sequence[Path],
    *,
    name: str,
    problem: str,
    threshold: int | None = None,
    now: datetime | None = None,
) -> Compact | None:
    """Write the compact formed from `sources`: cards, or node directories, whose keys sign at once.

    None if states have still to sign (`wanted`): the proposal is in `file` then, for them to sign.
    """
    if file.exists():
        raise Conflict.because(
            expected="a file that does not exist", got=str(file),
            remedy="A later version of a compact is a proposal to change it: comity compact add or remove.",
        )  # fmt: skip
    moment = now or utc_now()
    bundle = propose(
        [card_of(source) for source in sources], name=name, problem=problem, formed_at=moment,
        threshold=threshold,
    )  # fmt: skip
    keys = [open_keys(Home(source)) for source in sources if source.is_dir()]
    bundle = _sign_with_all(bundle, keys, moment)
    write_durably(file, write_bundle(bundle))
    return None if bundle.proposed else read_register(bundle.files)


def join(node: Node, file: Path, *, actor: str) -> Compact:
    """Make this compact one of the node's registers of peers; the card in it must be the node's own.

    A compact that was joined before is updated from the file instead, by the same rules.
    """
    bundle = open_bundle(file)
    if bundle.proposed:
        raise IncompleteRegister(
            "expected a register that enough states have signed, wanted are " + ", ".join(wanted(bundle))
        )
    offered = read_register(bundle.files)
    folder = node.home.compacts / offered.name
    if (folder / STAMP).exists():
        compact = _joined_before(node, bundle, offered, file, actor)
    else:
        compact = _join(node, bundle, file, folder, actor)
    return compact


def _join(node: Node, bundle: Bundle, file: Path, folder: Path, actor: str) -> Compact:
    """The first time: people vouch for the anchor, and that the file is fresh."""
    anchor = bundle.files[metadata_path("root", 1)]
    with changing(folder):
        files = take_over(anchor, {}, bundle.files.get, now=max(node.clock(), utc_now()))
        compact = read_register(files)
        _refuse_not_ours(node, compact, file)
        refuse_spoofed(node, compact)
        with node.records.transaction() as tx:
            _record_joined(node, tx, compact, actor)
            save_joined(folder, Joined(files=files, fresh_at=compact.fresh_at))
    return compact


def _joined_before(node: Node, bundle: Bundle, offered: Compact, file: Path, actor: str) -> Compact:
    """Again: an update by the same rules, from the anchor that was compared then."""
    held = load_joined(node.home.compacts / offered.name)
    if held.anchor != bundle.files[metadata_path("root", 1)]:
        raise BrokenRegister(
            f"expected the compact {offered.name} that this node has joined, got another of that name "
            f"with fingerprint {offered.fingerprint}"
        )
    if held.compact().digest != offered.digest:
        update(node, offered.name, bundle.files.get, actor=actor, source=str(file))
    compact = read_joined(node.home.compacts / offered.name)
    with node.records.transaction() as tx:
        if not any(one.body["compact"] == compact.name for one in tx.events.of_kinds(["compact.joined"])):
            _record_joined(node, tx, compact, actor)  # a kill came between file and event
    return compact


def open_bundle(file: Path) -> Bundle:
    try:
        document = file.read_bytes()
    except OSError as error:
        raise NotFound.because(expected="a compact's file", got=str(file)) from error
    return read_bundle(document, where=str(file))


def wanted(bundle: Bundle) -> tuple[str, ...]:
    """The states that may still sign a proposal."""
    return tuple(sorted({state for one in missing(bundle) for state in one.states}))


def _refuse_not_ours(node: Node, compact: Compact, file: Path) -> None:
    mine = next((member for member in compact.members if member.id == node.id), None)
    if mine is None:
        raise NotFound.because(
            expected=f"a compact with {node.id} in it", got=", ".join(one.id for one in compact.members)
        )
    if mine.signing_key != node.keys.signing.public_key().public_bytes_raw():
        raise TrustError(
            f"the compact holds a card of {node.id} that this node did not make", where=str(file)
        )


def _sign_with_all(bundle: Bundle, keys: Sequence[NodeKeys], now: datetime) -> Bundle:
    signed: set[bytes] = set()
    for one in keys:
        if one.root is not None and one.root.public_key().public_bytes_raw() not in signed:
            bundle = sign(bundle, one.root)
            signed.add(one.root.public_key().public_bytes_raw())
    return bundle if missing(bundle) else complete(bundle, [one.online for one in keys], now=now)


def _record_joined(node: Node, tx: Transaction, compact: Compact, actor: str) -> None:
    for case in tx.cases.all():
        if case.origin == node.id and (case.compact == compact.name or not node.in_compact()):
            tx.cases.enter(case.id, compact.name)
            tx.cases.want_pursuit(case.id)
    node.record(
        tx, "compact.joined", actor=actor, compact=compact.name, problem=compact.problem,
        digest=compact.digest, members=[member.id for member in compact.members],
    )  # fmt: skip


def card_of(source: Path) -> str:
    """The text of a card, from its file or from a node's directory."""
    file = Home(source).card if source.is_dir() else source
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound.because(
            expected="a card, or a node's directory", got=str(source),
            remedy="`comity node init` writes the card to DIR/card.jws.",
        ) from error  # fmt: skip
    read_card(text)
    return text
