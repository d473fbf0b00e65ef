"""Envelopes a second, beside the primitives that none can do without: `python -m benchmarks.envelope [--json]`.

The peer is the least that any signed and sealed message costs: AES-256-GCM over the payload and Ed25519 over a
manifest of the same size, at both ends, on one core, in the same run. The hybrid key exchange (X25519 +
ML-KEM-768, once a recipient) is a row of its own, since it is what outliving quantum computers costs.
"""

import argparse
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity.backends.keys import NodeKeys, create_keys
from comity.exchange import (
    Addressee,
    Compact,
    Member,
    Message,
    Requester,
    form,
    make_card,
    pack,
    read_compact,
    unpack,
)
from comity.model import Authority, Handling
from comity.proofs import sealing
from comity.proofs.cosignature import cosigner_of
from comity.proofs.note import KeySigner, verifier_of

NOW = datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    compact: Compact
    sender: NodeKeys
    reader: NodeKeys


def build(folder: Path) -> World:
    """Two nodes with fresh keys, in one compact."""
    keys = [
        create_keys(folder / name, node_id=name, host="localhost", passphrase=b"benchmark", now=NOW)
        for name in ("sender", "reader")
    ]
    cards = [
        make_card(_member(name, own), key=own.signing)
        for name, own in zip(("sender", "reader"), keys, strict=True)
    ]
    document = form(
        cards, name="benchmark", problem="how fast", formed_at=NOW,
        root_keys=[own.root for own in keys if own.root], online_keys=[own.online for own in keys],
    )  # fmt: skip
    return World(compact=read_compact(document), sender=keys[0], reader=keys[1])


def _member(name: str, keys: NodeKeys) -> Member:
    log, witness = (
        KeySigner(f"{name}.example/log", keys.log),
        KeySigner(f"{name}.example/witness", keys.witness),
    )
    port = 9000 + len(name) if name == "sender" else 9100
    return Member(
        authority=Authority(id=name, name=name, jurisdiction="CA" if name == "sender" else "HK"), covers=(),
        signing_key=keys.signing.public_key().public_bytes_raw(), sealing_key=keys.sealing.public,
        tls_certificate=keys.tls_certificate, endpoint=f"https://127.0.0.1:{port}",
        public_url=f"http://127.0.0.1:{port}", log_key=str(verifier_of(log)), witness_key=str(cosigner_of(witness)),
        root_key=keys.root.public_key().public_bytes_raw() if keys.root else b"",
        online_key=keys.online.public_key().public_bytes_raw(), private_network=True, pull=False,
    )  # fmt: skip


def message(payload_bytes: int) -> Message:
    handling = Handling(originators=("sender",), audience=("reader",), purposes=("benchmark",))
    return Message(
        id="message-0001", type="benchmark", case_id="case-1", purpose="benchmark", legal_basis="",
        handling=handling, issued=NOW, expires=NOW + timedelta(hours=1), in_reply_to="",
        requester=Requester(id="sender", actor="policy"), payload={"text": "x" * payload_bytes},
    )  # fmt: skip


def rate(work: Callable[[], object], seconds: float) -> float:
    """Calls a second, after one to warm up."""
    work()
    calls, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        work()
        calls += 1
    return calls / spent


def measure(world: World, payload_bytes: int, seconds: float) -> dict[str, float]:
    """Rates a second of one size of payload; `ratio` is both ends of an envelope to both ends of the bare peer."""
    said = message(payload_bytes)
    packing = partial(
        pack, said, compact=world.compact.name, sender=world.compact.member("sender"),
        signing_key=world.sender.signing, random=secrets.token_bytes,
        addressees=[Addressee(member=world.compact.member("reader"), sequence=1)],
    )  # fmt: skip
    packed = packing()
    unpacking = partial(
        unpack,
        packed.wire,
        compacts={world.compact.name: world.compact},
        own_id="reader",
        sealing_keys=[world.reader.sealing],
        now=NOW,
    )
    envelope = 1 / (1 / rate(packing, seconds) + 1 / rate(unpacking, seconds))
    bare = rate(partial(_bare, world, packed.jws.encode(), bytes(payload_bytes)), seconds)
    hybrid = rate(partial(_bare_with_exchange, world, packed.jws.encode(), bytes(payload_bytes)), seconds)
    return {
        "payload_bytes": payload_bytes, "wire_bytes": len(packed.wire), "pack_and_unpack": envelope,
        "bare_aes_gcm_and_ed25519": bare, "bare_with_hybrid_exchange": hybrid,
        "ratio": envelope / bare, "ratio_with_exchange": envelope / hybrid,
    }  # fmt: skip


def _bare(world: World, manifest: bytes, payload: bytes) -> None:
    """Both ends: seal, sign, verify, open."""
    key, nonce = AESGCM(secrets.token_bytes(32)), secrets.token_bytes(12)
    sealed = key.encrypt(nonce, payload, b"")
    signature = world.sender.signing.sign(manifest)
    world.sender.signing.public_key().verify(signature, manifest)
    key.decrypt(nonce, sealed, b"")


def _bare_with_exchange(world: World, manifest: bytes, payload: bytes) -> None:
    _bare(world, manifest, b"")
    sealed = sealing.seal(
        payload,
        message_id="m",
        binding=b"",
        recipients=[world.reader.sealing.public],
        random=secrets.token_bytes,
    )
    (wrap,) = sealed.wraps.values()
    sealing.unseal(
        sealed.ciphertext, message_id="m", binding=b"", commitment=sealed.commitment, digest=sealed.digest,
        wrap=wrap, key=world.reader.sealing,
    )  # fmt: skip


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    arguments.add_argument("--seconds", type=float, default=2.0, help="for each rate")
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    with TemporaryDirectory() as folder:
        world = build(Path(folder))
        rows = [measure(world, size, chosen.seconds) for size in (200, 10_000, 1_000_000)]
    if chosen.json:
        print(json.dumps(rows, indent=1))
        return
    print("payload      wire  envelopes/s  bare/s  ratio  with exchange/s  ratio")
    for row in rows:
        print(
            f"{row['payload_bytes']:7,} {row['wire_bytes']:9,} {row['pack_and_unpack']:12,.0f} "
            f"{row['bare_aes_gcm_and_ed25519']:7,.0f} {row['ratio']:6.2f} {row['bare_with_hybrid_exchange']:16,.0f} "
            f"{row['ratio_with_exchange']:6.2f}"
        )


if __name__ == "__main__":
    main()
