"""Notices with files between nodes of a town: told over its wires, fetched over real TLS."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from comity.backends.attachment_courier import AttachmentCourier
from comity.backends.keys import client_context
from comity.backends.sql.attachments import CarriedAttachment
from comity.model import Role
from comity.node.attachments.fetch import Fetching
from comity.node.bootstrap import Node, passphrase
from comity.node.notice import tell
from tests.nodes.serving import peer_surface
from tests.nodes.story import CA, HK
from tests.nodes.town import Town

MOST_STEPS = 200


def tell_of(
    town: Town, *files: Path, sender: str = CA, peers: Sequence[str] = (HK,), case_id: str = "", text: str = "Text."
) -> str:  # fmt: skip
    """A notice on its way; returns its id. `town.settle()` brings it."""
    return tell(
        town[sender], person=town.person(sender, Role.ANALYST), compact=None, peers=peers, case_id=case_id,
        subject="A statement", text=text, files=files,
    )  # fmt: skip


def written(town: Town, name: str, content: bytes) -> Path:
    file = town.folder / name
    file.write_bytes(content)
    return file


def courier_for(node: Node) -> AttachmentCourier:
    secret = passphrase(node.home)
    return AttachmentCourier(lambda member: client_context(node.home.keys, secret, member.tls_certificate))


@contextmanager
def fetching(
    town: Town, receiver: str = HK, sender: str = CA
) -> Iterator[tuple[Fetching, AttachmentCourier]]:
    """What a running receiver has for that sender."""
    fetch, courier = Fetching(town[receiver], sender), courier_for(town[receiver])
    try:
        yield fetch, courier
    finally:
        courier.close()


def fetch_all(town: Town, receiver: str = HK, sender: str = CA) -> int:
    """Step until nothing is due, with the sender serving; returns how many steps."""
    with peer_surface(town[sender]), fetching(town, receiver, sender) as (fetch, courier):
        for count in range(MOST_STEPS):
            if not fetch.step(courier):
                return count
    raise AssertionError(f"still fetching after {MOST_STEPS} steps")


def attachments(town: Town, node_id: str) -> list[CarriedAttachment]:
    with town.looking(node_id) as tx:
        return list(tx.attachments.all())


def states(town: Town, node_id: str) -> list[str]:
    return [one.state.value for one in attachments(town, node_id)]
