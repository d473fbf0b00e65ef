"""Take over a register outside a running node: from a file somebody brought, or from the members' mirrors."""

import ssl
from pathlib import Path

from comity.backends.keys import client_context, stamp_of
from comity.backends.register_courier import RegisterCourier
from comity.errors import ComityError, Conflict, NetworkError
from comity.exchange import Member
from comity.node.bootstrap import Node, passphrase
from comity.node.registers.admit import open_bundle
from comity.node.registers.keep import Keeping, Mirror, ask
from comity.node.registers.update import Updated, update


def update_from_file(node: Node, name: str, file: Path, *, actor: str) -> Updated:
    """Take over the register in `file`, by the same rules as from anywhere."""
    bundle = open_bundle(file)
    if bundle.proposed:
        raise Conflict.because(
            expected="a register that enough states have signed", got="a proposal", where=str(file),
            remedy=f"Sign it first: comity compact sign DIR {file}",
        )  # fmt: skip
    return update(node, name, bundle.files.get, actor=actor, source=str(file))


def update_from_mirrors(node: Node, name: str) -> list[str]:
    """Ask every other member that can be reached, and say what went wrong; `NetworkError` if none could be."""
    courier = register_courier(node)
    try:
        reached, problems = _ask_everybody(node, name, courier.register_file)
    finally:
        courier.close()
    if not reached:
        raise NetworkError(
            f"no member of {name} could be reached: {'; '.join(problems)[:500]}",
            remedy="Bring a file that a member saved: comity compact update DIR FILE.",
        )
    return problems


def _ask_everybody(node: Node, name: str, mirror: Mirror) -> tuple[bool, list[str]]:
    """Whether anybody answered, and what went wrong with the others."""
    problems, reached = [], False
    for member in node.compact(name).members:
        if member.id == node.id:
            continue
        try:
            ask(node, name, member, mirror)
            reached = True
        except NetworkError as error:
            problems.append(str(error))
        except ComityError as error:
            reached = True
            problems.append(f"{member.id}: {error}")
    return reached, problems


def register_courier(node: Node) -> RegisterCourier:
    """Whose `register_file` asks the members' peer surfaces as mirrors of their registers."""
    return RegisterCourier(lambda member: pinned_context(node, member), version=lambda one: pins(node, one))


def pinned_context(node: Node, member: Member) -> ssl.SSLContext:
    """TLS towards that member: what it may show now is trusted, and what we show now is shown."""
    return client_context(node.home.keys, passphrase(node.home), pinned(node, member))


def pins(node: Node, member: Member) -> str:
    """Changes whenever `pinned_context` would be another one: a rotation here or there."""
    return f"{stamp_of(node.home.keys)} {pinned(node, member)}"


def pinned(node: Node, member: Member) -> str:
    """Every certificate (PEM) that this member may show now: while it changes its keys, that of before too."""
    found = [one for compact in node.compacts().values() for one in compact.certificates(member.id)]
    return "".join(dict.fromkeys([member.tls_certificate, *found]))


class Upkeep:
    """What a running node does for its registers, step by step (`keep.Keeping`), over one courier."""

    def __init__(self, node: Node) -> None:
        self._node, self._courier, self._keeping = node, register_courier(node), Keeping()

    def step(self) -> bool:
        """One look at every register; True if one changed."""
        return self._keeping.step(self._node, self._courier.register_file)

    def close(self) -> None:
        self._courier.close()
