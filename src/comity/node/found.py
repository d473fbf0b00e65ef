"""Found a node: its directory, keys, policies, database, log, card and first administrator."""

import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from comity.backends.key_files import create_keys
from comity.errors import Conflict, InputError, StorageError
from comity.exchange import Member, make_card
from comity.law import default_policies, optional_policy
from comity.law.parties import name_of
from comity.model import Role
from comity.node.bootstrap import Node, open_node, utc_now
from comity.node.home import Home, Settings, check_settings, write_settings
from comity.node.people import add_person
from comity.node.prove import log_signer, publish_log, witness_signer
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
) -> Founded:
    """Create a node: made beside `path` and moved there at the end, so that it is all there or nothing.

    `policies` are optional ones of the law room, added to the default set.
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
        password = _fill(Home(draft), settings, passphrase_given, policies)
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


def _fill(home: Home, settings: Settings, passphrase_given: str | None, optional: Sequence[str]) -> str:
    write_settings(home, settings)
    secret = passphrase_given or secrets.token_urlsafe(32)
    create_keys(
        home.keys,
        node_id=settings.authority.id,
        host=settings.host,
        passphrase=secret.encode(),
        now=utc_now(),
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
    card = make_card(_member(node), key=node.keys.signing)
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


def _member(node: Node) -> Member:
    settings, keys = node.settings, node.keys
    return Member(
        authority=settings.authority, covers=settings.covers,
        signing_key=keys.signing.public_key().public_bytes_raw(), sealing_key=keys.sealing.public,
        tls_certificate=keys.tls_certificate, endpoint=settings.endpoint, public_url=settings.public_url,
        log_key=str(verifier_of(log_signer(node))), witness_key=str(cosigner_of(witness_signer(node))),
    )  # fmt: skip
