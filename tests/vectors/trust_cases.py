"""Receipts, cards and registers: those that must be read, and one per way to fail."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from tests.vectors.envelope_cases import Case
from tests.vectors.forger import (
    CANADA,
    HONG_KONG,
    MEMBERS,
    STRANGER,
    THAILAND,
    WATCH,
    Identity,
    b64u,
    encoded,
    instant,
    jws,
    public_of,
    receipt,
    receipt_fields,
    sha256,
)
from tests.vectors.register_forger import (
    DESCRIPTION,
    FORMED,
    SIGNED,
    Forged,
    canada_rotates,
    compact_document,
    day,
    key_id,
    key_of,
    second_card,
)

MALFORMED = "exchange.malformed"
Row = tuple[str, str, str, str | bytes]


def receipt_cases() -> list[Case]:
    """Read as a receipt that Hong Kong gives for a message of Canada's; `wire` is the JWS."""
    refused = {
        "status": "refused",
        "reason_code": "envelope.expired",
        "reason_text": "expected a later expiry",
    }
    rows: list[Row] = [
        ("ok-accepted", "the plain case", "ok", receipt()),
        ("ok-delivered", "status delivered", "ok", receipt(status="delivered")),
        ("ok-handled", "status handled", "ok", receipt(status="handled")),
        ("ok-refused", "refused with a reason", "ok", receipt(HONG_KONG, **refused)),
        ("ok-refused-nameless", "too broken to tell the id", "ok", receipt(HONG_KONG, **refused, id="")),
        ("status-unknown", "a status nobody defined", MALFORMED, receipt(status="lost")),
        ("accepted-nameless", "accepted without an id", MALFORMED, receipt(id="")),
        ("refused-without-reason", "refused, but not why", MALFORMED, receipt(status="refused")),
        ("accepted-with-reason", "accepted, with a reason to refuse", MALFORMED, receipt(reason_code="x")),
        ("digest-upper-case", "digest in capitals", MALFORMED, receipt(envelope="A" * 64)),
        ("version-two", "a version nobody speaks", MALFORMED, receipt(v=2)),
        ("not-json", "not JSON", MALFORMED, jws(b"accepted", HONG_KONG.signing, "comity-receipt+jws")),
        ("duplicate-key", "status twice", MALFORMED, _twice()),
        ("type-confusion", "an envelope's type", "signature.header", receipt(typ="comity-envelope+jws")),
        ("other-signer", "Thailand receipts for Hong Kong", "signature.unknown-key", receipt(THAILAND)),
        ("receiver-is-other", "Hong Kong receipts what Thailand received", "receipt.mismatch",
         receipt(receiver=THAILAND.id)),
        ("undelivered-by-receiver", "only the sender may say undelivered", "receipt.mismatch",
         receipt(status="undelivered", reason_code="expired")),
    ]  # fmt: skip
    return _cases(rows)


def _twice() -> str:
    fields = encoded(receipt_fields())[:-1] + b',"status":"refused"}'
    return jws(fields, HONG_KONG.signing, "comity-receipt+jws")


def card_cases() -> list[Case]:
    """Read as a card; `wire` is the JWS."""
    card = CANADA.card
    rows: list[Row] = [
        ("ok-book", "a node with a book", "ok", card()),
        ("ok-oversight", "an oversight body", "ok", WATCH.card()),
        ("ok-unknown-field", "a field of a newer version", "ok", card(motto="festina lente")),
        ("endpoint-http", "no TLS", MALFORMED, card(endpoint="http://127.0.0.1:9001")),
        ("endpoint-userinfo", "a user in the URL", MALFORMED, card(endpoint="https://a:b@127.0.0.1:9001")),
        ("endpoint-fragment", "a fragment", MALFORMED, card(endpoint="https://127.0.0.1:9001/#x")),
        ("endpoint-query", "a query", MALFORMED, card(endpoint="https://127.0.0.1:9001/?x=1")),
        ("endpoint-backslash", "read differently by different parsers", MALFORMED,
         card(endpoint="https://127.0.0.1:9001\\@evil.example")),
        ("endpoint-dots", "a path that climbs", MALFORMED, card(endpoint="https://127.0.0.1:9001/a/../b")),
        ("endpoint-port", "a port beyond 65535", MALFORMED, card(endpoint="https://127.0.0.1:99999")),
        ("endpoint-space", "a space", MALFORMED, card(endpoint="https://127.0.0.1 :9001")),
        ("endpoint-no-host", "no host", MALFORMED, card(endpoint="https:///path")),
        ("endpoint-other-host", "a host that its certificate does not cover", MALFORMED,
         card(endpoint="https://127.0.0.2:9001")),
        ("public-url-javascript", "another scheme", MALFORMED, card(public_url="javascript:alert(1)")),
        ("id-capital", "an id in capitals", MALFORMED, card(id="CA-centre")),
        ("id-short", "an id of two letters", MALFORMED, card(id="ca")),
        ("name-override", "a name that reads otherwise than it is", MALFORMED, card(name="abc\u202efed")),
        ("jurisdiction-three", "alpha-3", MALFORMED, card(jurisdiction="CAN")),
        ("covers-twice", "a country twice", MALFORMED, card(covers=["CA", "CA"])),
        ("oversight-with-book", "an oversight body that covers a country", MALFORMED,
         WATCH.card(covers=["CH"])),
        ("certificate-garbage", "not a certificate", MALFORMED,
         card(tls_certificate="-----BEGIN CERTIFICATE-----")),
        ("certificate-two", "two certificates", MALFORMED,
         card(tls_certificate=CANADA.certificate() + HONG_KONG.certificate())),
        ("certificate-of-other", "another member's certificate", MALFORMED,
         card(tls_certificate=HONG_KONG.certificate())),
        ("certificate-not-ca", "CA:FALSE cannot be its own root", MALFORMED,
         card(tls_certificate=CANADA.certificate(ca=False))),
        ("certificate-may-sign", "a certificate that could let others in", MALFORMED,
         card(tls_certificate=CANADA.certificate(may_sign=True))),
        ("certificate-p384", "another curve", MALFORMED,
         card(tls_certificate=CANADA.certificate(curve=ec.SECP384R1()))),
        ("signing-key-short", "31 bytes", MALFORMED, card(signing_key=b64u(bytes(31)))),
        ("signing-key-small-order", "a key under which one signature fits many messages",
         "signature.weak-key",
         _small_order()),
        ("sealing-key-short", "one byte less", MALFORMED, card(sealing_key=b64u(CANADA.sealing_public[:-1]))),
        ("sealing-key-not-reduced", "ML-KEM coefficients beyond q", "sealing.key",
         card(sealing_key=b64u(b"\xff" * 1184 + CANADA.sealing_public[1184:]))),
        ("sealing-key-low-order", "an X25519 point of small order", "sealing.key",
         card(sealing_key=b64u(CANADA.sealing_public[:1184] + bytes(32)))),
        ("log-key-hash", "key hash of another name", MALFORMED,
         card(log_key=CANADA.verifier_key("log", 1).replace("ca-fraud-centre", "ca-fraud-center"))),
        ("log-key-type", "a witness key as log key", MALFORMED, card(log_key=CANADA.verifier_key("log", 4))),
        ("witness-key-type", "a log key as witness key", MALFORMED,
         card(witness_key=CANADA.verifier_key("witness", 1))),
        ("version-one", "a card of the first version", MALFORMED, card(v=1)),
        ("root-key-missing", "no register key", MALFORMED, _without("root_key")),
        ("online-key-short", "31 bytes", MALFORMED, card(online_key=b64u(bytes(31)))),
        ("root-key-weak", "a point of small order", "signature.weak-key", card(root_key=b64u(bytes(32)))),
        ("online-key-is-root-key", "one key for two purposes", MALFORMED,
         card(online_key=b64u(public_of(CANADA.root)))),
        ("private-address", "a loopback address that is not declared", "exchange.private-address",
         card(private_network=False)),
        ("private-network-not-flag", "text for true", MALFORMED, card(private_network="true")),
        ("log-key-is-signing-key", "one key for two purposes", MALFORMED,
         card(log_key=CANADA.verifier_key("signing", 1))),
        ("signed-by-other", "Canada's card signed by a stranger", "card.key-mismatch",
         jws(encoded(CANADA.card_fields()), STRANGER.signing, "comity-card+jws")),
        ("tampered", "signature of another card", "signature.bad",
         card().rsplit(".", 1)[0] + "." + card(name="Somebody Else").rsplit(".", 1)[1]),
        ("type-confusion", "a receipt's type", "signature.header",
         jws(encoded(CANADA.card_fields()), CANADA.signing, "comity-receipt+jws")),
    ]  # fmt: skip
    return _cases(rows)


def register_cases() -> list[Case]:
    """Read as a register; `wire` is the bundle."""
    broken = "register.broken"
    twin = replace(THAILAND, id="th-twin", seed="twin", covers=(), port=9051)
    foreign = replace(THAILAND, id="hk-impostor", seed="impostor", covers=(), port=9061)
    rows: list[Row] = [
        ("ok-four-states", "the plain case", "ok", compact_document()),
        ("ok-unknown-field", "a field of a newer version", "ok", Forged().bundle(motto="x")),
        ("ok-two-of-two", "two states, both sign", "ok", Forged(members=(CANADA, HONG_KONG), threshold=2).bundle()),
        ("ok-rotation", "a card that is being replaced", "ok", canada_rotates(timedelta(days=7)).bundle()),
        ("ok-two-nodes-of-a-state", "one key, two members", "ok", Forged(members=(*MEMBERS, twin)).bundle()),
        ("old-file", "a compact file of version 1", "compact.old-file", encoded({"v": 1, "members": []})),
        ("proposal", "states have still to sign", "register.incomplete",
         Forged().bundle(proposed={"metadata/2.ca.json": "{}"})),
        ("duplicate-key", "files twice", MALFORMED, compact_document()[:-1] + b',"files":{}}'),
        ("path-climbs", "a path outside the register", MALFORMED,
         _with(Forged(), lambda files: files.update({"metadata/../x": b"x"}))),
        ("anchor-missing", "no root version 1", broken, _with(Forged(), _drop("metadata/1.root.json"))),
        ("timestamp-missing", "no timestamp", broken, _with(Forged(), _drop("metadata/timestamp.json"))),
        ("card-missing", "a card that is listed is not there", broken, _with(Forged(), _drop_card)),
        ("card-altered", "a card other than was signed for", broken, _with(Forged(), _alter_card)),
        ("root-one-signature", "one state alone", broken, Forged(signers={"root": [CANADA.root]}).bundle()),
        ("targets-two-signatures", "two states where three must", broken,
         Forged(signers={"targets": [CANADA.root, HONG_KONG.root]}).bundle()),
        ("threshold-one", "one state could change everything", "register.threshold",
         Forged(threshold=1).bundle()),
        ("targets-threshold-one", "one state could change who belongs", "register.threshold",
         Forged(change={"root": lambda root: root["roles"]["targets"].update(threshold=1)}).bundle()),
        ("key-twice", "one key under two names meets a threshold alone", broken,
         Forged(change={"root": _key_twice}).bundle()),
        ("stranger-in-root", "a key of no state may sign root", "register.threshold",
         Forged(change={"root": _stranger}).bundle()),
        ("no-consistent-snapshot", "files could be mixed", broken,
         Forged(change={"root": lambda root: root.update(consistent_snapshot=False)}).bundle()),
        ("role-by-other-state", "Thailand signs Hong Kong's role", broken,
         Forged(signers={"hk": [THAILAND.root]}).bundle()),
        ("foreign-path", "Thailand's role lists a card under Hong Kong's path", "register.foreign-card",
         _foreign(foreign, "hk/hk-impostor/1.card.jws", foreign.card())),
        ("foreign-card", "Thailand's role lists a card of Hong Kong under its own path", "register.foreign-card",
         _foreign(foreign, "th/hk-impostor/1.card.jws", replace(foreign, jurisdiction="HK").card())),
        ("other-id", "a card under another member's path", "register.foreign-card",
         _foreign(foreign, "th/th-other/1.card.jws", foreign.card())),
        ("wide-paths", "a role that may speak for others", broken,
         Forged(change={"targets": lambda targets: targets["delegations"]["roles"][0].update(paths=["*/*/*"])})
         .bundle()),
        ("not-terminating", "a role after which others may still speak", broken,
         Forged(change={"targets": lambda one: one["delegations"]["roles"][0].update(terminating=False)}).bundle()),
        ("delegates-further", "a state's role delegates", broken,
         Forged(change={"ca": lambda role: role.update(delegations={"keys": {}, "roles": []})}).bundle()),
        ("card-in-top-level", "a card where no state's role stands above it", broken,
         _card_in_top_level()),
        ("snapshot-by-stranger", "signed by nobody's node", broken,
         Forged(signers={"snapshot": [STRANGER.online]}).bundle()),
        ("timestamp-by-stranger", "signed by nobody's node", broken,
         Forged(signers={"timestamp": [STRANGER.online]}).bundle()),
        ("timestamp-by-the-gone", "signed by the node of a member that was revoked", broken,
         _revoked(THAILAND, signers={"timestamp": [THAILAND.online]}).bundle()),
        ("timestamp-two-days", "says for two days that it is the newest", broken,
         Forged(change={"timestamp": lambda one: one.update(expires=day(SIGNED + timedelta(days=2)))}).bundle()),
        ("snapshot-ahead", "a version after which no honest one could come", broken,
         Forged(change={"snapshot": lambda one: one.update(version=999_999_999_999)}).bundle()),
        ("timestamp-no-time", "a version that is no time", broken,
         Forged(change={"timestamp": lambda one: one.update(version=10**15)}).bundle()),
        ("snapshot-mixed", "a role of another version than the snapshot names", broken,
         Forged(change={"snapshot": lambda one: one["meta"]["hk.json"].update(version=2)}).bundle()),
        ("snapshot-without-digest", "any file would do", broken,
         Forged(change={"snapshot": lambda one: one["meta"]["hk.json"].pop("hashes")}).bundle()),
        ("role-expired", "a role that had run out when the timestamp was signed", broken,
         Forged(change={"th": lambda role: role.update(expires=day(SIGNED - timedelta(days=1)))}).bundle()),
        ("role-of-other-compact", "a role that Thailand signed for another compact", "register.other-compact",
         Forged(change={"th": lambda role: role.update(comity_compact=f"other {instant(FORMED)}")}).bundle()),
        ("description-of-other", "name and root do not fit", "register.other-compact",
         _described(name="other-desk")),
        ("name-form", "a name with spaces", MALFORMED, _described(name="Mekong Desk")),
        ("formed-form", "a date alone", MALFORMED, _described(formed_at="2025-06-03")),
        ("validity-missing", "from when a card holds is not said", MALFORMED, _validity(None)),
        ("validity-form", "a time without zone", MALFORMED, _validity({"valid_from": "2025-06-03T10:00:00"})),
        ("card-broken", "a card that does not verify", "signature.bad",
         compact_document({THAILAND.id: THAILAND.card()[:-20] + "A" * 20})),
        ("state-with-two-keys", "a state's second node states another register key", "register.foreign-card",
         _with_card(twin, root_key=b64u(public_of(STRANGER.root)))),
        ("same-id", "one member twice", "compact.clash", _same_id()),
        ("same-country", "two books for one country", "compact.clash",
         compact_document({THAILAND.id: THAILAND.card(covers=["CA", "TH"])})),
        ("same-endpoint", "two members at one address", "compact.clash",
         _with_card(twin, endpoint="https://127.0.0.1:9001")),
        ("same-sealing-key", "two members with one sealing key", "compact.clash",
         _with_card(twin, sealing_key=b64u(CANADA.sealing_public))),
        ("same-signing-key", "two members with one signing key", "compact.clash", _same_signing_key(twin)),
        ("log-key-of-other", "one member's log key is another's signing key", "compact.clash",
         _with_card(twin, log_key=_named_key(twin, CANADA))),
        ("same-log-name", "two logs under one name", "compact.clash",
         _with_card(twin, log_key=_as_named(CANADA, twin))),
    ]  # fmt: skip
    return _cases(rows)


def _with(forged: Forged, after: Callable[[dict[str, bytes]], None]) -> bytes:
    forged.after = after
    return forged.bundle()


def _drop(path: str) -> Callable[[dict[str, bytes]], None]:
    def drop(files: dict[str, bytes]) -> None:
        del files[path]

    return drop


def _drop_card(files: dict[str, bytes]) -> None:
    del files[next(path for path in files if path.endswith(".card.jws"))]


def _alter_card(files: dict[str, bytes]) -> None:
    path = next(path for path in files if path.endswith(".card.jws"))
    files[path] = CANADA.card(name="Somebody Else").encode()


def _key_twice(root: dict[str, Any]) -> None:
    """Canada's key a second time, under a name of its own."""
    root["keys"]["00" * 32] = key_of(CANADA.root)
    for role in ("root", "targets"):
        root["roles"][role]["keyids"] = [*root["roles"][role]["keyids"], "00" * 32]


def _stranger(root: dict[str, Any]) -> None:
    root["keys"][key_id(STRANGER.root)] = key_of(STRANGER.root)
    for role in ("root", "targets"):
        root["roles"][role]["keyids"] = [*root["roles"][role]["keyids"], key_id(STRANGER.root)]


def _foreign(one: Identity, path: str, card: str) -> bytes:
    forged = Forged()
    forged.cards["th"].append((path, card, forged.cards["th"][0][2]))
    return forged.bundle()


def _with_card(twin: Identity, **changes: Any) -> bytes:
    """Thailand's second node, with something on its card that is another's."""
    forged = Forged(members=(*MEMBERS, twin))
    path, _, validity = forged.cards["th"][1]
    forged.cards["th"][1] = (path, twin.card(**changes), validity)
    return forged.bundle()


def _same_id() -> bytes:
    """Two present cards of one member."""
    forged = Forged()
    path, _, validity = forged.cards["ca"][0]
    forged.cards["ca"].append((path.replace("/1.", "/2."), second_card(), validity))
    return forged.bundle()


def _revoked(one: Identity, **changes: Any) -> Forged:
    forged = Forged(**changes)
    path, card, validity = forged.cards[forged.role(one)][0]
    revoked = {**validity, "revoked_at": instant(SIGNED - timedelta(minutes=6)), "reason": "key stolen"}
    forged.cards[forged.role(one)][0] = (path, card, revoked)
    return forged


def _described(**changes: Any) -> bytes:
    forged = Forged()
    forged.targets["compact.json"] = encoded({**DESCRIPTION, **changes})
    return forged.bundle()


def _validity(changes: dict[str, Any] | None) -> bytes:
    forged = Forged()
    path, card, validity = forged.cards["ca"][0]
    forged.cards["ca"][0] = (path, card, {} if changes is None else {**validity, **changes})
    return forged.bundle()


def _card_in_top_level() -> bytes:
    forged = Forged()
    card = CANADA.card().encode()
    listed = {"length": len(card), "hashes": {"sha256": sha256(card)}}
    forged.change["targets"] = lambda targets: targets["targets"].update({"x.card.jws": listed})
    return forged.bundle()


def _without(name: str) -> str:
    fields = {key: value for key, value in CANADA.card_fields().items() if key != name}
    return jws(encoded(fields), CANADA.signing, "comity-card+jws")


def _small_order() -> str:
    """Signed by S = 0, R = A = the neutral point, which OpenSSL accepts for every message."""
    neutral = b"\x01" + bytes(31)
    fields = {**CANADA.card_fields(), "signing_key": b64u(neutral)}
    signed = jws(encoded(fields), CANADA.signing, "comity-card+jws").rsplit(".", 1)[0]
    return f"{signed}.{b64u(neutral + bytes(32))}"


def _same_signing_key(twin: Identity) -> bytes:
    forged = Forged(members=(*MEMBERS, twin))
    fields = {**twin.card_fields(), "signing_key": b64u(CANADA.signing_public)}
    path, _, validity = forged.cards["th"][1]
    forged.cards["th"][1] = (path, jws(encoded(fields), CANADA.signing, "comity-card+jws"), validity)
    return forged.bundle()


def _named_key(name: Identity, key: Identity) -> str:
    return replace(name, seed=key.seed or key.id).verifier_key("signing", 1)


def _as_named(name: Identity, key: Identity) -> str:
    return replace(name, seed=key.seed).verifier_key("log", 1)


def _cases(rows: Sequence[Row]) -> list[Case]:
    assert len({name for name, *_ in rows}) == len(rows)
    return [
        Case(name=name, what=what, expect=expect, wire=wire.encode() if isinstance(wire, str) else wire)
        for name, what, expect, wire in rows
    ]
