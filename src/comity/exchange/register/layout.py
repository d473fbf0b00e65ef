"""Names, limits and keys of a register: a TUF repository with one role a state (spec/register.md §4). Pure.

Every metadata file says in a signed field which compact it belongs to, since states sign for several compacts
with one key, and a role of one must never serve in another.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import Metadata, Signed

from comity.exchange.fields import write_instant
from comity.proofs.canonical import canonical_bytes

BINDING = "comity_compact"
"""Signed field of every metadata file: `<name> <formed_at>`."""
DESCRIPTION = "compact.json"
MAX_MEMBERS = 256
MAX_METADATA = 512_000
"""Bytes of one metadata file, as TUF's client allows for a root."""
VALID = timedelta(days=730)
"""Root, targets and the states' roles; after that nobody takes anything new from this register."""
TIMESTAMP_VALID = timedelta(hours=24)
MAX_AHEAD = timedelta(minutes=5)
"""A timestamp may be this far in the future of the reader's clock, as an envelope may."""
CARD_PATH = re.compile(r"([a-z]{2})/([a-z0-9][a-z0-9-]{2,39})/([1-9][0-9]{0,5})\.card\.jws", re.ASCII)
_FILE = re.compile(
    r"metadata/(timestamp|[1-9][0-9]{0,11}\.([a-z]{2}|root|targets|snapshot))\.json"
    r"|targets/([a-z]{2}/[a-z0-9-]{3,40}/)?[0-9a-f]{64}\.[a-z0-9.-]{1,60}",
    re.ASCII,
)


def is_file(path: str) -> bool:
    """Whether a register may have a file of this path (TUF's own, below the register's address)."""
    return _FILE.fullmatch(path) is not None


def metadata_path(role: str, version: int | None = None) -> str:
    return f"metadata/{role}.json" if version is None else f"metadata/{version}.{role}.json"


def target_path(path: str, digest: str) -> str:
    """Where the content of a target stands: its digest before its name (TUF consistent snapshots)."""
    folder, slash, name = path.rpartition("/")
    return f"targets/{folder}{slash}{digest}.{name}"


def card_path(state: str, member_id: str, number: int) -> str:
    return f"{state.lower()}/{member_id}/{number}.card.jws"


def role_of(state: str) -> str:
    return state.lower()


def binding_of(name: str, formed_at: datetime) -> str:
    return f"{name} {write_instant(formed_at)}"


def register_key(public: bytes) -> SSlibKey:
    """A raw Ed25519 key as TUF names it: by the SHA-256 of its canonical JSON."""
    key: SSlibKey = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(public))
    return key


def register_key_id(public: bytes) -> str:
    return str(register_key(public).keyid)


def raw_public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def add_signature(metadata: Metadata[Any], key: Ed25519PrivateKey) -> None:
    """Sign; signatures stand in order of their keys, so that the same signers always give the same bytes."""
    metadata.sign(CryptoSigner(key, register_key(raw_public(key))), append=True)
    metadata.signatures = dict(sorted(metadata.signatures.items()))


def written(metadata: Metadata[Any]) -> bytes:
    return canonical_bytes(metadata.to_dict())


def bound(signed: Signed, binding: str) -> Metadata[Any]:
    """Metadata of this compact, not signed by anybody yet."""
    signed.unrecognized_fields[BINDING] = binding
    return Metadata(signed)


def whole_seconds(at: datetime) -> datetime:
    """As TUF writes an expiry."""
    return at.astimezone(UTC).replace(microsecond=0)


def seconds_of(at: datetime) -> int:
    """Version of a timestamp or a snapshot signed at `at`: whole seconds since 1970."""
    return int(whole_seconds(at).timestamp())
