"""What a running node opens of its keys: all of them in memory, and TLS contexts that only pinned peers get through."""

import ssl
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from comity.backends.keys.generations import later_generations, read_generation, read_use, shown_files
from comity.backends.keys.node_keys import CERTIFICATE, FILES, ROOT, Generation, NodeKeys, decode
from comity.backends.keys.sealed_files import KeysMissing, checked, open_index, read_index
from comity.errors import InputError


def load_keys(folder: Path, passphrase: bytes) -> NodeKeys:
    """Open the keys in `folder`, or raise `KeysMissing`, `WrongPassphrase` or `ChangedKeys`."""
    index, secret = open_index(folder, passphrase)
    names = [*FILES, *([ROOT] if ROOT in index["files"] else [])]
    base = decode(secret, checked(folder, index, secret, names))
    first = Generation(
        number=1,
        signing=base.signing,
        sealing=base.sealing,
        tls=base.tls,
        tls_certificate=base.tls_certificate,
    )
    later = [read_generation(folder, number, secret) for number in later_generations(folder)]
    every = sorted([first, *later], key=lambda one: one.number, reverse=True)
    use = read_use(folder, secret, [one.number for one in every])
    current = next(one for one in every if one.number == use.current)
    return replace(
        base, signing=current.signing, sealing=current.sealing, tls=current.tls,
        tls_certificate=current.tls_certificate, generations=tuple(every),
    )  # fmt: skip


def stamp_of(folder: Path) -> int:
    """Changes whenever there are other keys, or others come into use."""
    try:
        return folder.stat().st_mtime_ns
    except FileNotFoundError as error:
        raise KeysMissing("expected a folder of keys, found none", where=str(folder)) from error


def server_context(folder: Path, passphrase: bytes, peer_certificates: Sequence[str]) -> ssl.SSLContext:
    """TLS 1.3 for the peer surface: only holders of one of `peer_certificates` (PEM) come in.

    Which of them it was must be asked with `Compact.by_certificate`; sessions are not resumed, so a peer that
    is taken off the list is out with its next connection to a context made without it.
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER, folder, passphrase, peer_certificates)
    context.num_tickets = 0
    return context


def client_context(folder: Path, passphrase: bytes, peer_certificate: str) -> ssl.SSLContext:
    """TLS 1.3 towards one peer: its pinned certificate is the only one accepted, and ours is shown."""
    return _context(ssl.PROTOCOL_TLS_CLIENT, folder, passphrase, [peer_certificate])


def show_in(context: ssl.SSLContext, folder: Path, passphrase: bytes) -> None:
    """Let connections that begin from now on see the certificate that is shown now (`show_generation`)."""
    index, secret = open_index(folder, passphrase)
    home, names = shown_files(folder, secret)
    shown = index if home == folder else read_index(home)
    checked(home, shown, secret, names)
    context.load_cert_chain(home / CERTIFICATE, home / "tls.pem", password=secret.password)


def _context(protocol: int, folder: Path, passphrase: bytes, peers: Sequence[str]) -> ssl.SSLContext:
    if not peers:
        raise InputError.because(expected="at least one pinned peer certificate", got="none")
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    show_in(context, folder, passphrase)
    context.load_verify_locations(cadata="".join(peers))
    return context
