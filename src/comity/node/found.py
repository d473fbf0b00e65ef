"""Found a node: its directory, keys, policies, database, log, card and first administrator."""

import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.backends.keys import create_keys
from comity.backends.root_key_file import create_root_key, read_root_key
from comity.errors import Conflict, InputError, StorageError
from comity.exchange import Member, make_card
from comity.exchange.register.address import PrivateAddress, refuse_private
from comity.law import default_policies, optional_policy
from comity.law.parties import name_of
from comity.model import Role
from comity.node.bootstrap import (
    PASSPHRASE,
    ROOT_PASSPHRASE,
    Node,
    open_node,
    root_passphrase,
    root_passphrase_given,
    utc_now,
)
from comity.node.found_database import new_database, password_apart
from comity.node.home import Home, Settings, check_settings, write_settings
from comity.node.log.prove import log_signer, publish_log, witness_signer
from comity.node.people import add_person
from comity.proofs.cosignature import cosigner_of
from comity.proofs.note import verifier_of
from comity.tracing import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """`password` opens the first administrator's account; it is shown once and stored nowhere in clear."""

    node: Node
    administrator: str
    password: str


def found(
    path: Path,
    settings: Settings,
    *,
    passphrase_given: str | None = None,
    policies: Sequence[str] = (),
    root_key: Path | None = None,
    private_network: bool = False,
) -> Founded:
    """Create a node: made beside `path` and moved there at the end, so that it is all there or nothing.

    `policies` are optional ones of the law room, added to the default set. `root_key` is the file of the
    state's register key: made if it is not there, and else shared with the state's other nodes; without it the
    key is among the node's. `private_network`: a host name may lead to a private address.
    """
    path = path.resolve()
    check_settings(settings)
    name_of(settings.authority.jurisdiction)
    Rule.named(settings.rule)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise Conflict.because(
            expected="a new or empty directory", got=str(path), remedy="Choose another directory."
        )
    if settings.authority.oversight and settings.covers:
        raise InputError.because(
            expected="an oversight body without a book of its own", got=f"--covers {settings.covers}"
        )
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.draft")
    try:
        draft.mkdir(parents=True, mode=0o700)
        settings = password_apart(Home(draft), settings)
        with new_database(Home(draft), settings):
            password = _fill(Home(draft), settings, passphrase_given, policies, root_key, private_network)
            if path.exists():
                path.rmdir()
            draft.rename(path)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise StorageError(f"the disk refused: {error.strerror}", where=str(path)) from error
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Founded(node=open_node(path), administrator="administrator", password=password)


def _fill(
    home: Home,
    settings: Settings,
    passphrase_given: str | None,
    optional: Sequence[str],
    root_key: Path | None,
    private_network: bool,
) -> str:
    write_settings(home, settings)
    secret = passphrase_given or secrets.token_urlsafe(32)
    create_keys(
        home.keys,
        node_id=settings.authority.id,
        host=settings.host,
        passphrase=secret.encode(),
        now=utc_now(),
        with_root=root_key is None,
    )
    if passphrase_given is None:
        file = home.passphrase
        file.touch(mode=0o600)
        file.write_text(secret)
    home.policy.mkdir()
    for name, text in {**default_policies(), **{one: optional_policy(one) for one in optional}}.items():
        (home.policy / name).write_text(text, encoding="utf-8")
    home.log.mkdir()
    home.book.mkdir()
    node = open_node(home.path)
    root = node.keys.root if root_key is None else _root_key(root_key, home, passphrase_given)
    card = make_card(_member(node, _public(root), private_network), key=node.keys.signing)
    home.card.write_text(card + "\n")
    (home.log / "key").write_text(f"{verifier_of(log_signer(node))}\n")
    with node.records.transaction() as tx:
        node.record(
            tx, "node.founded", actor="administrator", authority=node.id, card=card,
            jurisdiction=settings.authority.jurisdiction, oversight=settings.authority.oversight,
        )  # fmt: skip
    password = add_person(node, "administrator", Role.ADMINISTRATOR, actor="administrator")
    publish_log(node)
    node.records.close()
    return password


def _on_private_network(host: str) -> bool:
    """A node that listens on a private or loopback address says so on its card, so that peers may connect."""
    try:
        refuse_private(host, where="")
    except PrivateAddress:
        return True
    return False


def _root_key(file: Path, home: Home, passphrase_given: str | None) -> Ed25519PrivateKey:
    """The state's key in a file of its own; under a passphrase that people know, since it outlives the node."""
    if passphrase_given is None and not root_passphrase_given():
        raise InputError.because(
            expected=f"a passphrase for the state's key in {ROOT_PASSPHRASE} or {PASSPHRASE}", got="none"
        )
    secret = root_passphrase(home)
    return read_root_key(file, secret) if file.exists() else create_root_key(file, secret)


def _public(key: Ed25519PrivateKey | None) -> bytes:
    if key is None:
        raise InputError.because(expected="this state's register key", got="none among the node's keys")
    return key.public_key().public_bytes_raw()


def _member(node: Node, root_key: bytes, private_network: bool) -> Member:
    settings, keys = node.settings, node.keys
    return Member(
        authority=settings.authority, covers=settings.covers,
        signing_key=keys.signing.public_key().public_bytes_raw(), sealing_key=keys.sealing.public,
        tls_certificate=keys.tls_certificate, endpoint=settings.endpoint, public_url=settings.public_url,
        log_key=str(verifier_of(log_signer(node))), witness_key=str(cosigner_of(witness_signer(node))),
        root_key=root_key, online_key=_public(keys.online),
        private_network=private_network or _on_private_network(settings.host),
        pull=not settings.inbound,
    )  # fmt: skip
