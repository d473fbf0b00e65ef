"""Where a log is and who signs it: what the `comity log` commands take as arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import read_bytes
from comity.errors import InputError, NotFound

if TYPE_CHECKING:
    from comity.ledger import LogReader, Policy
    from comity.proofs.note import VerifierKey

LogKey = Annotated[
    str | None, typer.Option("--key", metavar="VKEY", help="The log's verifier key, from its operator.")
]
LogPlace = Annotated[
    str, typer.Argument(metavar="DIR|URL", help="A node's directory, a log directory, or http(s)://…/log.")
]
PolicyFile = Annotated[
    Path | None,
    typer.Option("--policy", metavar="FILE", help="C2SP tlog-policy: logs, witnesses and their quorum."),
]
Witnesses = Annotated[
    list[str] | None,
    typer.Option("--witness", metavar="VKEY", help="A witness's cosignature key; repeat for several."),
]
Quorum = Annotated[
    int | None,
    typer.Option("--quorum", min=0, help="How many of the witnesses must have cosigned (default: all)."),
]


@contextmanager
def log_reader(log: str) -> Iterator[LogReader]:
    """The log at a URL, in a node's directory, or in a log directory."""
    from comity.backends.log_reader import FileLogReader, HttpLogReader

    if is_url(log):
        with HttpLogReader(log) as reader:
            yield reader
    else:
        yield FileLogReader(log_folder(Path(log)))


def is_url(log: str) -> bool:
    return log.startswith(("http://", "https://"))


def log_folder(directory: Path) -> Path:
    """The log in a node's directory, or the directory itself if it is a log."""
    if (directory / "log").is_dir():
        return directory / "log"
    if any((directory / name).exists() for name in ("checkpoint", "key", "tile")):
        return directory
    raise NotFound.because(
        expected="a node's directory or a log directory (checkpoint, key, tile/)",
        got=f"{directory}, which {'has neither' if directory.is_dir() else 'is no directory'}",
        remedy="Name the directory that `comity node init` made, or a copy of its log/.",
    )


def key_in(reader: LogReader) -> VerifierKey:
    """The verifier key that lies beside the log."""
    raw = reader.read("key")
    if raw is None:
        raise NotFound.because(
            expected="a file `key` beside the checkpoint", got="none", remedy="Name the log's key with --key."
        )
    return log_key_of(raw.decode("utf-8", errors="replace").removesuffix("\n"))


def key_for(reader: LogReader, named: str | None, policy: Policy | None) -> tuple[VerifierKey, bool]:
    """Which key the log must be signed by, and whether somebody other than the log itself said so.

    `named` first; else the policy's, by the origin that the checkpoint claims; else the one beside the log.
    """
    from comity.ledger import CHECKPOINT

    listed = {known.key.name: known.key for known in policy.logs} if policy else {}
    if named is not None:
        key = log_key_of(named)
        if listed and key not in listed.values():
            raise InputError.because(expected="a key that the policy lists", got=key.name, where="--key")
        return key, True
    if not listed:
        return key_in(reader), False
    origin = (reader.read(CHECKPOINT) or b"").partition(b"\n")[0].decode("utf-8", errors="replace")
    if origin in listed:
        return listed[origin], True
    raise InputError.because(
        expected=f"a log that the policy lists: {', '.join(listed)}", got=repr(origin[:80]), where="--policy"
    )


def log_key_of(text: str) -> VerifierKey:
    from comity.proofs.note import ED25519, VerifierKey

    key = VerifierKey.parse(text)
    if key.kind != ED25519:
        raise InputError.because(
            expected="a log's key (signature type 0x01)", got=f"one of type 0x{key.kind:02x}", where="--key"
        )
    return key


def witness_key_of(text: str) -> VerifierKey:
    from comity.proofs.note import COSIGNATURE, VerifierKey

    key = VerifierKey.parse(text)
    if key.kind != COSIGNATURE:
        raise InputError.because(
            expected="a cosignature key (type 0x04)", got=f"one of type 0x{key.kind:02x}", where="--witness"
        )
    return key


def witnesses_of(
    texts: list[str] | None, quorum: int | None, *, otherwise: Callable[[], list[VerifierKey]] = list
) -> tuple[list[VerifierKey], int]:
    """The different witnesses named, or those that `otherwise` knows, and how many of them must have cosigned."""
    named = list(dict.fromkeys(witness_key_of(text) for text in texts or []))
    needed = len(named) if quorum is None else quorum
    found = named or otherwise()
    if needed > len(found):
        raise InputError.because(expected=f"at least {needed} different --witness keys", got=str(len(found)))
    return found, needed


def policy_in(file: Path | None) -> Policy | None:
    """The quorum policy that was named, if any."""
    from comity.ledger import parse_policy

    return None if file is None else parse_policy(read_bytes(file))
