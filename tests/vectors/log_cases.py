"""Quorum policies, misconduct files and inclusion proofs: what must be accepted, and one per way to fail.

Made with RFC 6962, the C2SP texts and a plain Ed25519 library alone (spec/log.md); nothing of the product is used.
"""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.vectors.envelope_cases import Case

ORIGIN = "log.example/vectors"
PROVEN = 5
"""The place of the entry that the inclusion proofs are about."""
_POLICY = "ledger.policy"
_MALFORMED = "input"


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _private(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"vector {name}".encode()).digest())


def _key_id(name: str, kind: int) -> bytes:
    public = _private(name).public_key().public_bytes_raw()
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def vkey(name: str, kind: int) -> str:
    public = _private(name).public_key().public_bytes_raw()
    return f"{name}+{_key_id(name, kind).hex()}+{_b64(bytes([kind]) + public)}"


LOG_VKEY = vkey(ORIGIN, 1)


def entry(number: int, story: str = "") -> bytes:
    return hashlib.sha256(f"vector entry {story}{number}".encode()).digest()


def _entries(size: int, story: str = "") -> list[bytes]:
    return [entry(number, story) for number in range(size)]


def _root(entries: list[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\0" + entries[0]).digest()
    split = 1 << (len(entries) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + _root(entries[:split]) + _root(entries[split:])).digest()


def _path(index: int, entries: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1."""
    if len(entries) == 1:
        return []
    split = 1 << (len(entries) - 1).bit_length() - 1
    if index < split:
        return [*_path(index, entries[:split]), _root(entries[split:])]
    return [*_path(index - split, entries[split:]), _root(entries[:split])]


def _growth(old: int, entries: list[bytes], *, whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 §2.1.2."""
    if old == len(entries):
        return [] if whole else [_root(entries)]
    split = 1 << (len(entries) - 1).bit_length() - 1
    if old <= split:
        return [*_growth(old, entries[:split], whole=whole), _root(entries[split:])]
    return [*_growth(old - split, entries[split:], whole=False), _root(entries[:split])]


def note(entries: list[bytes], *, origin: str = ORIGIN, signer: str = ORIGIN) -> bytes:
    """A signed checkpoint (C2SP tlog-checkpoint, signed-note)."""
    text = f"{origin}\n{len(entries)}\n{_b64(_root(entries))}\n"
    signature = _private(signer).sign(text.encode())
    line = f"— {origin} {_b64(_key_id(origin, 1) + signature)}\n"
    return f"{text}\n{line}".encode()


# --- policies ---

_A, _B, _C = (f"witness {name} {vkey(f'{name}.example', 4)}\n" for name in "abc")
_LOG = f"log {LOG_VKEY}\n"


def policy_cases() -> list[Case]:
    def case(name: str, what: str, text: str, expect: str = _POLICY) -> Case:
        return Case(name=name, what=what, expect=expect, wire=text.encode())

    none, pair = "quorum none\n", _A + _B
    return [
        case("none", "no witnesses are required", none, "ok"),
        case(
            "one", "one witness, with its address", _LOG + _A[:-1] + " https://a.example/w\nquorum a\n", "ok"
        ),
        case(
            "nested",
            "groups of groups, comments, tabs",
            f"# x\n\n{_LOG}{pair}{_C}\tgroup\tg 1 a  b \ngroup h all g c\nquorum h\n",
            "ok",
        ),
        case("empty", "no quorum line", ""),
        case("no-newline", "cut off before the last newline", none[:-1]),
        case("two-quorums", "a second quorum line", none * 2),
        case("quorum-unknown", "a quorum that is defined nowhere", "quorum a\n"),
        case("quorum-before", "a quorum that is defined only later", f"quorum a\n{_A}"),
        case("carriage-return", "a line ended by CR LF", "quorum none\r\n"),
        case("keyword", "a line of an unknown kind", f"mirror x\n{none}"),
        case("keyword-case", "a keyword in capitals", "QUORUM none\n"),
        case("trailing-comment", "a comment behind a rule", "quorum none # yes\n"),
        case("no-break-space", "a no-break space as a separator", "quorum\u00a0none\n"),
        case("log-key-type", "a log with a witness's key", f"log {vkey('a.example', 4)}\n{none}"),
        case("witness-key-type", "a witness with a log's key", f"witness a {LOG_VKEY}\n{none}"),
        case("key-id", "a key id that does not follow", _A.replace("a.example", "z.example") + none),
        case("same-log", "a log twice", _LOG * 2 + none),
        case("same-key", "one key under two names", _A + _A.replace("witness a", "witness b") + none),
        case("same-name", "one name for two witnesses", _A + _B.replace("witness b", "witness a") + none),
        case("named-none", "a witness called none", _A.replace("witness a", "witness none") + none),
        case("group-empty", "a group of nobody", f"{_A}group g any\n{none}"),
        case("group-zero", "a threshold of 0", f"{pair}group g 0 a b\n{none}"),
        case("group-too-many", "a threshold above the members", f"{pair}group g 3 a b\n{none}"),
        case("group-leading-zero", "a threshold with a leading zero", f"{pair}group g 01 a b\n{none}"),
        case("group-itself", "a group in itself", f"{_A}group g any a g\n{none}"),
        case("group-later", "a member that is defined later", f"group g any a\n{_A}{none}"),
        case("group-none", "none as a member", f"{_A}group g any a none\n{none}"),
        case("member-twice", "a member twice in a group", f"{pair}group g 2 a a\n{none}"),
        case("member-of-two", "a member of two groups", f"{_A}group g any a\ngroup h any a\n{none}"),
    ]


# --- misconduct ---


def _file(first: bytes, second: bytes, *proof: bytes, key: str = LOG_VKEY) -> bytes:
    lines = ["comity/misconduct/v1", f"log {key}", f"first {len(first)}", f"second {len(second)}"]
    lines += [("prefix " if at == 0 else "") + _b64(value) for at, value in enumerate(proof)]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + first + second


def misconduct_cases() -> list[Case]:
    ours, theirs = _entries(7), _entries(7, "other ")
    small, forked = _entries(5), _entries(5, "other ")
    one, two = note(ours), note(theirs)
    growth = [_root(small), *_growth(5, ours)]
    unsigned = note(theirs, signer="stranger")
    cases = [
        ("same-size", "two trees of one size", "ok", _file(one, two)),
        (
            "fork",
            "a smaller tree that is no beginning of the larger",
            "ok",
            _file(note(forked), one, *growth),
        ),
        ("same-tree", "one tree twice", _MALFORMED, _file(one, one)),
        ("grew", "a log that grew as it should", _MALFORMED, _file(note(small), one, *growth)),
        ("no-proof", "two sizes and no proof", _MALFORMED, _file(note(forked), one)),
        (
            "wrong-proof",
            "a proof of another prefix",
            "trust.proof",
            _file(note(small), one, _root(forked), *growth[1:]),
        ),
        ("proof-too-much", "a proof for two trees of one size", _MALFORMED, _file(one, two, growth[0])),
        ("larger-first", "the larger tree first", _MALFORMED, _file(one, note(forked), *growth)),
        ("forged", "a second tree that somebody else signed", "trust.bad-signature", _file(one, unsigned)),
        (
            "other-log",
            "a second tree of another log",
            "trust.unknown-key",
            _file(one, note(theirs, origin="other.example", signer="other.example")),
        ),
        ("cut-off", "the last byte is missing", _MALFORMED, _file(one, two)[:-1]),
        ("grown", "a byte more", _MALFORMED, _file(one, two) + b"\n"),
        ("version", "another version", _MALFORMED, _file(one, two).replace(b"/v1\n", b"/v2\n", 1)),
        (
            "leading-zero",
            "a length with a leading zero",
            _MALFORMED,
            _file(one, two).replace(b"first ", b"first 0", 1),
        ),
        (
            "cosignature-key",
            "a witness's key for the log's",
            _MALFORMED,
            _file(one, two, key=vkey(ORIGIN, 4)),
        ),
        (
            "short-hash",
            "a prefix of 31 bytes",
            _MALFORMED,
            _file(note(forked), one, growth[0][:-1], *growth[1:]),
        ),
    ]
    return [Case(name=name, what=what, expect=expect, wire=wire) for name, what, expect, wire in cases]


# --- proofs ---


def _proof(hashes: list[bytes], signed: bytes, *, index: str = str(PROVEN), extra: str = "") -> bytes:
    head = "c2sp.org/tlog-proof@v1\n" + extra + f"index {index}\n"
    return head.encode() + "".join(f"{_b64(value)}\n" for value in hashes).encode() + b"\n" + signed


def proof_cases() -> list[Case]:
    whole = _entries(7)
    path, signed = _path(PROVEN, whole), note(whole)
    good = _proof(path, signed)
    cases = [
        ("good", "entry 5 of 7", "ok", good),
        (
            "extra",
            "with extra data, which nobody vouches for",
            "ok",
            _proof(path, signed, extra="extra AAECAw==\n"),
        ),
        (
            "extra-no-base64",
            "extra data that is no base64",
            _MALFORMED,
            _proof(path, signed, extra="extra !\n"),
        ),
        (
            "extra-behind",
            "extra data behind the index",
            _MALFORMED,
            good.replace(b"index 5\n", b"index 5\nextra AAAA\n"),
        ),
        ("header", "another version", _MALFORMED, good.replace(b"@v1", b"@v2")),
        ("index-leading-zero", "an index with a leading zero", _MALFORMED, _proof(path, signed, index="05")),
        ("index-negative", "a negative index", _MALFORMED, _proof(path, signed, index="-5")),
        ("index-other", "the proof of another place", "trust.proof", _proof(path, signed, index="4")),
        ("index-beyond", "an index as large as the tree", "trust.proof", _proof(path, signed, index="7")),
        ("hash-missing", "a hash less", "trust.proof", _proof(path[:-1], signed)),
        ("hash-more", "a hash more", "trust.proof", _proof([*path, path[0]], signed)),
        ("hash-order", "hashes turned round", "trust.proof", _proof(path[::-1], signed)),
        ("hash-31", "a hash of 31 bytes", _MALFORMED, _proof([path[0][:-1], *path[1:]], signed)),
        ("hashes-64", "64 hashes", _MALFORMED, _proof(path[:1] * 64, signed)),
        ("size-zero", "under a tree of no entries", "trust.proof", _proof([], note([]), index="0")),
        ("tree-other", "under another tree", "trust.proof", _proof(path, note(_entries(7, "other ")))),
        (
            "forged",
            "a checkpoint that somebody else signed",
            "trust.bad-signature",
            _proof(path, note(whole, signer="stranger")),
        ),
        ("cut-off", "no checkpoint", _MALFORMED, good.partition(b"\n\n")[0]),
    ]
    return [Case(name=name, what=what, expect=expect, wire=wire) for name, what, expect, wire in cases]
