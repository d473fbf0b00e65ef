"""Rotation of a node's keys: a later generation is a folder of its own, written whole.

`use.json` says which one is in use, under an HMAC.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.backends.files import write_durably
from comity.backends.keys.node_keys import CERTIFICATE, ROTATED, Generation, encode, make_keys, sealing_key
from comity.backends.keys.sealed_files import (
    INDEX,
    ChangedKeys,
    Secrets,
    checked,
    mac_of,
    open_index,
    opened_keys,
    read_file,
    read_index,
    write_folder,
)
from comity.errors import InputError
from comity.proofs.canonical import canonical_bytes, parse_strict

_USE = "use.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """`current` signs and is on the card; `shown` is the TLS certificate that peers see."""

    current: int
    shown: int


def prepare_generation(
    folder: Path, passphrase: bytes, *, node_id: str, host: str, now: datetime
) -> Generation:
    """Make the next generation of keys beside those in use, all or nothing. Nothing uses it yet.

    One that was prepared before and never came into use is taken again: a rotation may be repeated.
    """
    index, secret = open_index(folder, passphrase)
    later = later_generations(folder)
    every = [read_generation(folder, number, secret) for number in later]
    newest = max([1, *later])
    if newest > read_use(folder, secret, [1, *later]).current:
        return next(one for one in every if one.number == newest)
    made = make_keys(node_id, host, now, with_root=False)
    files = {name: content for name, content in encode(made, secret).items() if name in ROTATED}
    listed = {**index, "files": {name: mac_of(secret, name, content) for name, content in files.items()}}
    write_folder(folder / f"{newest + 1}", {**files, INDEX: canonical_bytes(listed)})
    return read_generation(folder, newest + 1, secret)


def use_generation(folder: Path, passphrase: bytes, number: int) -> None:
    """From now on these keys sign, and are on the card. What peers see in TLS stays until `show_generation`."""
    _, secret = open_index(folder, passphrase)
    shown = read_use(folder, secret, [1, *later_generations(folder)]).shown
    _write_use(folder, secret, Use(current=number, shown=shown))


def show_generation(folder: Path, passphrase: bytes) -> bool:
    """From now on peers see the certificate of the keys in use; False if they do already."""
    _, secret = open_index(folder, passphrase)
    use = read_use(folder, secret, [1, *later_generations(folder)])
    if use.shown == use.current:
        return False
    _write_use(folder, secret, Use(current=use.current, shown=use.current))
    return True


def later_generations(folder: Path) -> list[int]:
    """The numbers of all generations but the first, which is the folder itself."""
    return sorted(int(path.name) for path in folder.iterdir() if path.is_dir() and path.name.isdigit())


def read_generation(folder: Path, number: int, secret: Secrets) -> Generation:
    """A later generation, each of its files checked; `KeysMissing` or `ChangedKeys`."""
    home = folder / str(number)
    files = checked(home, read_index(home), secret, ROTATED)
    opened = opened_keys(secret, files)
    return Generation(
        number=number, signing=cast("Ed25519PrivateKey", opened["signing.pem"]), sealing=sealing_key(opened),
        tls=cast("ec.EllipticCurvePrivateKey", opened["tls.pem"]),
        tls_certificate=files[CERTIFICATE].decode("ascii"),
    )  # fmt: skip


def read_use(folder: Path, secret: Secrets, there: Sequence[int]) -> Use:
    """Which generation is in use, one of those that are `there`; the first, where nothing says otherwise."""
    file = folder / _USE
    if not file.exists():
        return Use(current=1, shown=1)
    try:
        found = parse_strict(read_file(file), max_bytes=1024)
        use = Use(current=int(found["current"]), shown=int(found["shown"]))
        right = hmac.compare_digest(_use_mac(secret, use), str(found["mac"]))
    except (InputError, KeyError, TypeError, ValueError) as error:
        raise ChangedKeys(f"expected which keys are in use: {error}", where=str(file)) from error
    if not right or not {use.current, use.shown} <= set(there):
        raise ChangedKeys("expected the file as it was written, got another", where=str(file))
    return use


def shown_files(folder: Path, secret: Secrets) -> tuple[Path, Sequence[str]]:
    """The folder of the certificate that peers see, and the files to check in it."""
    number = read_use(folder, secret, [1, *later_generations(folder)]).shown
    return (folder if number == 1 else folder / str(number)), ("tls.pem", CERTIFICATE)


def _write_use(folder: Path, secret: Secrets, use: Use) -> None:
    value = {"current": use.current, "shown": use.shown, "mac": _use_mac(secret, use)}
    write_durably(folder / _USE, canonical_bytes(value))


def _use_mac(secret: Secrets, use: Use) -> str:
    return mac_of(secret, _USE, f"{use.current} {use.shown}".encode())
