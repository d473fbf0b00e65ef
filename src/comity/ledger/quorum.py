"""Quorum policies of witnesses (C2SP tlog-policy): read one, and say whether cosignatures meet it. Pure.

The file is read as octets and to the letter: names are opaque, only space and tab separate, every line ends
in a newline, a name is used by at most one group, and a line that is not understood refuses the whole file. So
a file that was cut off or mistyped never asks for less than was written.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from comity.errors import InputError
from comity.proofs.cosignature import Cosignature
from comity.proofs.note import COSIGNATURE, ED25519, VerifierKey

NO_QUORUM = "none"
MAX_POLICY_BYTES = 256 * 1024
MOST_LINES = 4_096

_REFUSED_OCTETS = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


class PolicyRefused(InputError):
    """A quorum policy is not in the one form that C2SP tlog-policy gives it."""

    code = "ledger.policy"
    remedy = (
        "Correct the line that is named (spec/log.md, Quorum); until then the policy is not met by anything."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLog:
    """A log whose checkpoints the policy accepts. `url` is empty if none is given."""

    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A witness by its name inside the policy; `url` is its submission prefix, or empty."""

    name: str
    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Counts as having witnessed if at least `threshold` of `members` have."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """As read. `groups` name only witnesses and groups that stand before them; `quorum` may be `none`."""

    logs: tuple[KnownLog, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """The cosignature keys of all its witnesses."""
        return tuple(witness.key for witness in self.witnesses)

    @property
    def asks_nothing(self) -> bool:
        """`quorum none`."""
        return self.quorum == NO_QUORUM


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Whether the quorum is met, and why: one reason a witness and group, in the order of the policy."""

    met: bool
    reasons: tuple[str, ...]
    missing: tuple[str, ...]
    """The witnesses, by their names in the policy, that did not cosign."""


def satisfied(
    policy: Policy, cosignatures: Collection[Cosignature], *, log: VerifierKey | None = None
) -> bool:
    """Do these cosignatures, which all held, meet the quorum? `log`: as in `judge`."""
    return judge(policy, cosignatures, log=log).met


def judge(
    policy: Policy, cosignatures: Collection[Cosignature], *, log: VerifierKey | None = None
) -> Finding:
    """Say whether `cosignatures` meet the quorum, and why.

    `cosignatures` must have been verified. A cosignature by the key of `log` itself is nobody's witness,
    whatever name it is under.
    """
    keys = {each.key for each in cosignatures if log is None or each.key.public != log.public}
    have = {witness.name: witness.key in keys for witness in policy.witnesses}
    reasons = [f"{name} {'cosigned' if did else 'did not cosign'}" for name, did in have.items()]
    missing = tuple(name for name, did in have.items() if not did)
    for group in policy.groups:
        found = sum(have[member] for member in group.members)
        have[group.name] = found >= group.threshold
        reasons.append(
            f"{group.name}: {found} of {len(group.members)}, "
            f"{'enough' if have[group.name] else f'{group.threshold} needed'}"
        )
    met = policy.asks_nothing or have[policy.quorum]
    reasons.append(
        "no quorum is asked for" if policy.asks_nothing else f"quorum {policy.quorum}: {_word(met)}"
    )
    return Finding(met=met, reasons=tuple(reasons), missing=missing)


def parse_policy(raw: bytes) -> Policy:
    """Read a policy file; `PolicyRefused` names the first line that is wrong, counted from 1."""
    if len(raw) > MAX_POLICY_BYTES:
        raise PolicyRefused.because(expected=f"at most {MAX_POLICY_BYTES} bytes", got=str(len(raw)))
    lines = raw.split(b"\n")
    if len(lines) > MOST_LINES:
        raise PolicyRefused.because(expected=f"at most {MOST_LINES} lines", got=str(len(lines)))
    reader = _Reader()
    for number, line in enumerate(lines[:-1], 1):
        try:
            reader.take(line)
        except InputError as error:
            raise PolicyRefused(error.problem, where=f"line {number}") from error
    if lines[-1]:
        raise PolicyRefused.because(
            expected="a newline at the end of the last line", got="a file that ends without one",
            where=f"line {len(lines)}", remedy="If the file was cut off, copy it again; if not, end it with a newline.",
        )  # fmt: skip
    return reader.policy()


def is_policy_url(url: str) -> bool:
    """Is this an address that a witness or log can be reached at, without credentials, query or fragment?"""
    return re.fullmatch(r"https?://[^\s/?#@\\]+(?:/[^\s?#\\]*)?", url) is not None


class _Reader:
    """Takes the lines of a policy in order."""

    def __init__(self) -> None:
        self._logs: list[KnownLog] = []
        self._witnesses: list[Witness] = []
        self._groups: list[Group] = []
        self._names: set[str] = set()
        self._grouped: dict[str, str] = {}
        self._quorum: str | None = None

    def take(self, line: bytes) -> None:
        if _REFUSED_OCTETS.search(line):
            raise InputError.because(
                expected="no control characters but tab and newline", got=repr(line[:60])
            )
        words = [word.decode("utf-8", "surrogateescape") for word in re.split(rb"[ \t]+", line.strip(b" \t"))]
        keyword, rest = words[0], words[1:]
        if not keyword or keyword.startswith("#"):
            return
        if keyword == "log":
            self._log(rest)
        elif keyword == "witness":
            self._witness(rest)
        elif keyword == "group":
            self._group(rest)
        elif keyword == "quorum":
            self._set_quorum(rest)
        else:
            raise InputError.because(expected="log, witness, group or quorum", got=repr(keyword[:40]))

    def policy(self) -> Policy:
        if self._quorum is None:
            raise PolicyRefused.because(expected="exactly one line “quorum <name>”", got="none")
        return Policy(
            logs=tuple(self._logs), witnesses=tuple(self._witnesses), groups=tuple(self._groups),
            quorum=self._quorum,
        )  # fmt: skip

    def _log(self, rest: Sequence[str]) -> None:
        _refuse_count("log <vkey> [<url>]", rest, 1, 2)
        key = _key(rest[0], ED25519, "a log's key (signature type 0x01)")
        if any(known.key.public == key.public for known in self._logs):
            raise InputError.because(expected="each log once", got=f"the key of {key.name} again")
        self._logs.append(KnownLog(key=key, url=rest[1] if rest[1:] else ""))

    def _witness(self, rest: Sequence[str]) -> None:
        _refuse_count("witness <name> <vkey> [<url>]", rest, 2, 3)
        key = _key(rest[1], COSIGNATURE, "a witness's key (signature type 0x04)")
        if any(known.key.public == key.public for known in self._witnesses):
            raise InputError.because(expected="each witness once", got=f"the key of {key.name} again")
        self._define(rest[0])
        self._witnesses.append(Witness(name=rest[0], key=key, url=rest[2] if rest[2:] else ""))

    def _group(self, rest: Sequence[str]) -> None:
        _refuse_count("group <name> any|all|<k> <member>…", rest, 3, None)
        name, rule, members = rest[0], rest[1], rest[2:]
        for member in members:
            self._refuse_unknown(member)
            if member in self._grouped:
                raise InputError.because(
                    expected="each name in at most one group",
                    got=f"{member!r} again, after {self._grouped[member]}",
                )
            self._grouped[member] = name
        self._define(name)
        self._groups.append(
            Group(name=name, threshold=_threshold(rule, len(members)), members=tuple(members))
        )

    def _set_quorum(self, rest: Sequence[str]) -> None:
        _refuse_count("quorum <name>", rest, 1, 1)
        if self._quorum is not None:
            raise InputError.because(expected="exactly one quorum line", got="another one")
        if rest[0] != NO_QUORUM:
            self._refuse_unknown(rest[0])
        self._quorum = rest[0]

    def _define(self, name: str) -> None:
        if name == NO_QUORUM or name in self._names:
            raise InputError.because(
                expected="a name that is not taken", got=f"{name!r}, which is {_taken(name)}"
            )
        self._names.add(name)

    def _refuse_unknown(self, name: str) -> None:
        if name not in self._names:
            raise InputError.because(
                expected="a witness or group defined on a line before", got=repr(name[:80])
            )


def _threshold(rule: str, members: int) -> int:
    if rule in ("any", "all"):
        return 1 if rule == "any" else members
    if _NUMBER.fullmatch(rule) is None or int(rule) > members:
        raise InputError.because(expected=f"any, all or a number from 1 to {members}", got=repr(rule[:40]))
    return int(rule)


def _key(text: str, kind: int, what: str) -> VerifierKey:
    try:
        key = VerifierKey.parse(text)
    except UnicodeEncodeError as error:
        raise InputError.because(expected="a verifier key in UTF-8", got=repr(text[:80])) from error
    if key.kind != kind:
        raise InputError.because(expected=what, got=f"one of type 0x{key.kind:02x}")
    return key


def _refuse_count(form: str, rest: Sequence[str], least: int, most: int | None) -> None:
    if len(rest) < least or (most is not None and len(rest) > most):
        raise InputError.because(expected=f"a line “{form}”", got=f"{len(rest)} words after the first")


def _taken(name: str) -> str:
    return "predefined" if name == NO_QUORUM else "defined before"


def _word(met: bool) -> str:
    return "met" if met else "not met"
