"""Write cards, receipts and envelopes as the spec pages say, and as they say one must not.

Imports nothing of the product. Every key and every random byte is derived from a label, so that the same
label always gives the same bytes.
"""

import base64
import datetime
import hashlib
import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.vectors.hpke_reference import hpke_seal

SUITE = "MLKEM768-X25519/HKDF-SHA256/AES-256-GCM"
COMPACT = "mekong-scam-desk"
NOW = datetime.datetime(2025, 6, 3, 10, 15, 30, tzinfo=datetime.UTC)


def derived(label: str, length: int = 32) -> bytes:
    return hashlib.shake_256(label.encode()).digest(length)


def b64u(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def kid(public: bytes) -> str:
    return sha256(public)[:16]


def encoded(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def public_of(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def instant(at: datetime.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _usage(may_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=may_sign, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, crl_sign=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A node with all its private keys, derived from `seed` (the id, unless told otherwise)."""

    id: str
    name: str
    jurisdiction: str
    covers: tuple[str, ...]
    port: int
    oversight: bool = False
    seed: str = ""

    def _seed(self, what: str, length: int = 32) -> bytes:
        return derived(f"{self.seed or self.id} {what}", length)

    @property
    def signing(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._seed("signing"))

    @property
    def root(self) -> Ed25519PrivateKey:
        """Its state's key in the registers: the same for every node of the state."""
        return Ed25519PrivateKey.from_private_bytes(derived(f"{self.jurisdiction} root"))

    @property
    def online(self) -> Ed25519PrivateKey:
        """Stays when the node's other keys are replaced."""
        return Ed25519PrivateKey.from_private_bytes(derived(f"{self.id} online"))

    @property
    def mlkem(self) -> MLKEM768PrivateKey:
        return MLKEM768PrivateKey.from_seed_bytes(self._seed("mlkem", 64))

    @property
    def x25519(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self._seed("x25519"))

    @property
    def signing_public(self) -> bytes:
        return self.signing.public_key().public_bytes_raw()

    @property
    def sealing_public(self) -> bytes:
        return self.mlkem.public_key().public_bytes_raw() + self.x25519.public_key().public_bytes_raw()

    def verifier_key(self, what: str, kind: int) -> str:
        private = Ed25519PrivateKey.from_private_bytes(self._seed(what))
        typed = bytes([kind]) + private.public_key().public_bytes_raw()
        name = f"{self.id}.example/{what}"
        hashed = hashlib.sha256(name.encode() + b"\n" + typed).hexdigest()[:8]
        return f"{name}+{hashed}+{base64.b64encode(typed).decode()}"

    def certificate(
        self,
        *,
        host: str = "127.0.0.1",
        ca: bool = True,
        may_sign: bool = False,
        curve: ec.EllipticCurve | None = None,
    ) -> str:
        secret = int.from_bytes(self._seed("tls"), "big") >> 1
        key = ec.derive_private_key(secret, curve or ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.id)])
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(int.from_bytes(self._seed("serial", 16), "big") >> 1)
            .not_valid_before(NOW - datetime.timedelta(days=1))
            .not_valid_after(NOW + datetime.timedelta(days=3652))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(_usage(may_sign), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False
            )
            .sign(key, hashes.SHA256(), ecdsa_deterministic=True)
        )
        return built.public_bytes(Encoding.PEM).decode()

    def card_fields(self) -> dict[str, Any]:
        return {
            "v": 2, "id": self.id, "name": self.name, "jurisdiction": self.jurisdiction,
            "oversight": self.oversight, "covers": list(self.covers),
            "signing_key": b64u(self.signing_public), "sealing_key": b64u(self.sealing_public),
            "tls_certificate": self.certificate(), "endpoint": f"https://127.0.0.1:{self.port}",
            "public_url": f"http://127.0.0.1:{self.port + 1}",
            "log_key": self.verifier_key("log", 1), "witness_key": self.verifier_key("witness", 4),
            "root_key": b64u(public_of(self.root)), "online_key": b64u(public_of(self.online)),
            "private_network": True, "pull": False,
        }  # fmt: skip

    def card(self, **changes: Any) -> str:
        return jws(encoded({**self.card_fields(), **changes}), self.signing, "comity-card+jws")


CANADA = Identity(
    id="ca-fraud-centre", name="Fraud Centre of Canada", jurisdiction="CA", covers=("CA",), port=9001
)
HONG_KONG = Identity(
    id="hk-anti-deception", name="反詐騙協調中心", jurisdiction="HK", covers=("HK", "MO"), port=9011
)
THAILAND = Identity(id="th-amlo", name="สำนักงาน ปปง.", jurisdiction="TH", covers=("TH",), port=9021)
WATCH = Identity(
    id="watch", name="Independent Oversight", jurisdiction="CH", covers=(), port=9031, oversight=True
)  # fmt: skip
STRANGER = Identity(id="stranger", name="Stranger", jurisdiction="XX", covers=(), port=9041)
MEMBERS = (CANADA, HONG_KONG, THAILAND, WATCH)


def jws(payload: bytes, key: Ed25519PrivateKey, typ: str, *, header: bytes | None = None) -> str:
    public = key.public_key().public_bytes_raw()
    head = encoded({"alg": "Ed25519", "kid": kid(public), "typ": typ}) if header is None else header
    signed = f"{b64u(head)}.{b64u(payload)}"
    return f"{signed}.{b64u(key.sign(signed.encode()))}"


def nothing(_: dict[str, Any]) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An envelope about to be written. Every field can be made wrong on purpose."""

    sender: Identity = CANADA
    recipients: tuple[Identity, ...] = (HONG_KONG,)
    payload: bytes = b'{"transfers":["T-1","T-2"]}'
    label: str = "envelope"
    id: str = "message-0001"
    type: str = "trace_and_hold.request"
    sequence: int = 1
    previous: str = "0" * 64
    issued: datetime.datetime = NOW - datetime.timedelta(minutes=1)
    expires: datetime.datetime = NOW + datetime.timedelta(hours=72)
    change: Callable[[dict[str, Any]], None] = nothing
    """Applied to the manifest before it is signed."""
    respell: Callable[[bytes], bytes] = bytes
    """Applied to the manifest's bytes before they are signed."""
    header: bytes | None = None
    typ: str = "comity-envelope+jws"
    signer: Identity | None = None
    bound_to: Mapping[str, str] = field(default_factory=dict)
    """Values of the associated data that differ from the manifest's."""
    wrapped_for: Mapping[str, str] = field(default_factory=dict)
    """Values of the HPKE info that differ."""
    content_key: bytes | None = None
    committed: bytes | None = None
    """Payload the commitment is made to, if another."""

    def but(self, **changes: Any) -> "Draft":
        return replace(self, **changes)

    def write(self) -> "Written":
        ciphertext, commitment = self._seal()
        manifest = {
            "v": 1, "compact": COMPACT, "id": self.id, "type": self.type,
            "from": {"id": self.sender.id, "key": kid(self.sender.signing_public)},
            "to": [self._link(one) for one in self.recipients],
            "case": "case-77", "purpose": "tracing stolen money", "legal_basis": "UNTOC art. 18",
            "handling": {
                "originators": [self.sender.id], "audience": [one.id for one in self.recipients],
                "purposes": ["tracing stolen money"], "actions": {"read": "allow", "disclose_onward": "ask"},
                "retention_days": 90, "gradings": [], "codes": [], "caveats": ["Intelligence only"],
                "sources": [],
            },
            "requester": {"id": self.sender.id, "actor": "policy", "mandate": ""},
            "in_reply_to": "", "issued": instant(self.issued), "expires": instant(self.expires),
            "pt_commit": commitment, "ct_digest": sha256(ciphertext),
        }  # fmt: skip
        self.change(manifest)
        key = (self.signer or self.sender).signing
        line = jws(self.respell(encoded(manifest)), key, self.typ, header=self.header)
        return Written(jws=line, ciphertext=ciphertext)

    def _key(self) -> bytes:
        return self.content_key or derived(f"{self.label} content key")

    def _seal(self) -> tuple[bytes, str]:
        nonce, salt = derived(f"{self.label} nonce", 12), derived(f"{self.label} salt")
        commitment = sha256(salt + (self.payload if self.committed is None else self.committed))
        bound = {
            "compact": COMPACT, "id": self.id, "type": self.type,
            "from": f"{self.sender.id} {kid(self.sender.signing_public)}",
            "to": "\n".join(f"{one.id} {kid(one.sealing_public)}" for one in self.recipients),
            **self.bound_to,
        }  # fmt: skip
        lines = ["comity-seal/1", commitment, "comity-envelope/1", *bound.values()]
        associated = "".join(f"{line}\n" for line in lines).encode()
        return nonce + AESGCM(self._key()).encrypt(nonce, salt + self.payload, associated), commitment

    def _link(self, recipient: Identity) -> dict[str, Any]:
        return {
            "id": recipient.id, "key": kid(recipient.sealing_public), "sequence": self.sequence,
            "previous": self.previous, "wrap": b64u(self.wrap(recipient)),
        }  # fmt: skip

    def wrap(self, recipient: Identity) -> bytes:
        named = {"id": self.id, "key": kid(recipient.sealing_public), **self.wrapped_for}
        info = f"comity-wrap/1\n{SUITE}\n{named['id']}\n{named['key']}\n".encode()
        randomness = derived(f"{self.label} wrap {recipient.id}", 64)
        return hpke_seal(recipient.sealing_public, info, self._key(), randomness)


@dataclass(frozen=True, kw_only=True)
class Written:
    jws: str
    ciphertext: bytes

    @property
    def wire(self) -> bytes:
        return self.jws.encode() + b"\n" + self.ciphertext

    @property
    def digest(self) -> str:
        return sha256(self.jws.encode())


def receipt_fields(**changes: Any) -> dict[str, Any]:
    """Hong Kong's receipt for a message from Canada."""
    return {
        "v": 1, "status": "accepted", "id": "message-0001", "envelope": sha256(b"envelope"),
        "sender": CANADA.id, "receiver": HONG_KONG.id, "at": instant(NOW), "reason_code": "",
        "reason_text": "", **changes,
    }  # fmt: skip


def receipt(signer: Identity = HONG_KONG, *, typ: str = "comity-receipt+jws", **changes: Any) -> str:
    return jws(encoded(receipt_fields(**changes)), signer.signing, typ)
