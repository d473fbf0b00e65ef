"""A compact: the authorities that agreed to work together on one problem, and their keys. Pure.

`Compact` is a read-only view of a verified register (`read`); nothing else makes one outside tests.
`members` are the present cards. A card that is being replaced still verifies until it retires.

Whose key a signature is by is answered here alone (spec/register.md §5). What arrives now: `signing_keys`, of the
members there are now. What was logged: `keys_of` and `member_by_key_at`, at the moment at which this node logged it,
which is never a time that the signer wrote.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from comity.errors import NotFound, TrustError
from comity.exchange.register.certificate import read_certificate
from comity.exchange.register.freshness import Tier, refuse_stale, tier_at
from comity.exchange.register.member import Member
from comity.proofs.note import VerifierKey

_SKEW = timedelta(minutes=5)


class CompactClash(TrustError):
    """Two members share what must be theirs alone."""

    code = "compact.clash"
    remedy = "Ask both for new cards, or leave one out; a compact in which two could be confused is refused."


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card that a state put into the register, and from when to when it holds. Times are UTC.

    `retired_at`: replaced, and good for what is on its way until then. `revoked_at`: not to be trusted from
    then on, whatever `retired_at` says; `reason` says why.
    """

    member: Member
    number: int
    valid_from: datetime
    retired_at: datetime | None = None
    revoked_at: datetime | None = None
    reason: str = ""
    text: str = field(repr=False)

    @property
    def current(self) -> bool:
        return self.retired_at is None and self.revoked_at is None

    def held_at(self, at: datetime) -> bool:
        """Whether its keys could speak for the member at `at`."""
        ends = [one for one in (self.retired_at, self.revoked_at) if one is not None]
        return self.valid_from - _SKEW <= at and all(at < end for end in ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compact:
    """`fingerprint` is of the trust anchor, root version 1, and never changes. `digest` names this version.

    `cards` are all that are known, those of the past too; `as_of` is the moment for which `signing_keys`,
    `by_signing_key` and `by_certificate` speak of cards that are being replaced.
    """

    name: str
    problem: str
    members: tuple[Member, ...]
    formed_at: datetime
    fingerprint: str
    digest: str
    threshold: int
    """So many states must sign what concerns all of them."""
    states: tuple[str, ...]
    versions: Mapping[str, int]
    """Role → version of its metadata."""
    expires: datetime
    """When the first of root, targets and the states' roles runs out."""
    fresh_at: datetime
    """When another node last signed that this version is the newest."""
    as_of: datetime
    cards: tuple[Card, ...] = ()

    @property
    def signing_keys(self) -> Mapping[str, bytes]:
        """Key id → raw Ed25519 key of every present member, for what arrives at `as_of`."""
        present = {member.id for member in self.members}
        return {one.signing_key_id: one.signing_key for one in self._held_at(self.as_of) if one.id in present}

    @property
    def retiring(self) -> tuple[Member, ...]:
        """Members as the cards said that are being replaced at `as_of`."""
        present = {member.id for member in self.members}
        return tuple(
            card.member
            for card in self.cards
            if card.retired_at is not None and card.held_at(self.as_of) and card.member.id in present
        )

    def at(self, now: datetime) -> "Compact":
        """The same version at another moment: cards whose time has come have retired."""
        return replace(self, as_of=now)

    def tier(self, now: datetime) -> Tier:
        """What may be done with a register of this age."""
        return tier_at(now, fresh_at=self.fresh_at)

    def refuse_stale(self, now: datetime, message_type: str, *, in_reply_to: str = "") -> None:
        """Raise `StaleRegister` if no such message may go or come while the register is this old."""
        refuse_stale(
            self.name, self.tier(now), message_type, in_reply_to=in_reply_to, now=now, fresh_at=self.fresh_at
        )

    def member(self, member_id: str) -> Member:
        for member in self.members:
            if member.id == member_id:
                return member
        raise NotFound.because(expected=f"a member of compact {self.name}", got=member_id)

    def covering(self, country: str) -> Member | None:
        """The one member whose book holds that country's accounts, if any."""
        return next((member for member in self.members if country in member.covers), None)

    def by_signing_key(self, key_id: str) -> Member | None:
        """Whose key this is among `signing_keys`: the card it stands on, present or being replaced."""
        found = self.member_by_key_at(key_id, self.as_of)
        return found if found is not None and any(one.id == found.id for one in self.members) else None

    def by_certificate(self, der: bytes) -> Member | None:
        """Whose pinned certificate this is: what a TLS peer presented, compared byte for byte."""
        every = (*self.members, *self.retiring)
        return next(
            (one for one in every if read_certificate(one.tls_certificate, where=one.id).der == der), None
        )

    def certificates(self, member_id: str) -> tuple[str, ...]:
        """Every certificate (PEM) that this member may show at `as_of`."""
        found = [one.tls_certificate for one in (*self.members, *self.retiring) if one.id == member_id]
        return tuple(dict.fromkeys(found))

    def keys_of(self, member_id: str, at: datetime) -> dict[str, bytes]:
        """Key id → raw Ed25519 key: what spoke for that member at `at`, when this node logged what it signed.

        A key that retired or was revoked later does not unmake what was logged before; one revoked at T speaks for
        nobody from T on, however old the date in what it signed. Members that have left, and those that this node
        refuses, are judged by the cards they had. Empty for who never was a member.
        """
        return {one.signing_key_id: one.signing_key for one in self._held_at(at) if one.id == member_id}

    def member_by_key_at(self, key_id: str, at: datetime) -> Member | None:
        """Who signed something that was logged at `at` with this key, as `keys_of`; None if it did not hold then."""
        return next((one for one in self._held_at(at) if one.signing_key_id == key_id), None)

    def _held_at(self, at: datetime) -> Iterator[Member]:
        """Members as the cards said that held at `at`. Nothing of a compact is older than the compact: a clock that
        says so is behind, and the cards that it was founded with held.
        """
        formed = max(at, self.formed_at)
        return (card.member for card in self.cards if card.held_at(formed if card.number == 1 else at))


def fingerprint_of(digest: str) -> str:
    """64 hex digits in groups of four, to be read aloud and compared."""
    return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))


def refuse_clashes(members: Sequence[Member]) -> None:
    """Raise `CompactClash` for members that could be confused."""
    unique: dict[str, Callable[[Member], object]] = {
        "id": lambda member: member.id,
        "signing key id": lambda member: member.signing_key_id,
        "sealing key id": lambda member: member.sealing_key_id,
        "TLS certificate": lambda member: member.tls_certificate,
        "endpoint": lambda member: member.endpoint.rstrip("/").lower(),
        "log name": lambda member: member.log_key.split("+", 1)[0],
        "witness name": lambda member: member.witness_key.split("+", 1)[0],
    }
    for what, of in unique.items():
        _refuse_same(what, [(of(member), member.id) for member in members])
    _refuse_same("Ed25519 key", [(key, member.id) for member in members for key in _own_keys(member)])
    _refuse_same("country", [(country, member.id) for member in members for country in member.covers])
    _refuse_clashing_states(members)


def _refuse_clashing_states(members: Sequence[Member]) -> None:
    """One state, one key: the same on all its cards, and nobody's for anything else."""
    of_state: dict[str, bytes] = {}
    for member in members:
        if of_state.setdefault(member.state, member.root_key) != member.root_key:
            raise CompactClash(
                f"expected one register key of {member.state}, got another on the card of {member.id}",
                remedy="Found a state's further nodes with its key: comity node init … --root-key FILE.",
            )
    _refuse_same("register key", [(key, state) for state, key in of_state.items()])
    own = {key for member in members for key in _own_keys(member)}
    for state, key in of_state.items():
        if key in own:
            raise CompactClash(f"expected the register key of {state} to serve nothing else, got it twice")


def _own_keys(member: Member) -> tuple[bytes, ...]:
    """One member's signing key must not be another's log key either."""
    log, witness = VerifierKey.parse(member.log_key), VerifierKey.parse(member.witness_key)
    return member.signing_key, log.public, witness.public, member.online_key


def _refuse_same(what: str, stated: Sequence[tuple[object, str]]) -> None:
    holder: dict[object, str] = {}
    for value, member_id in stated:
        if value in holder:
            raise CompactClash(
                f"expected each {what} once, got {value!r:.80} of {holder[value]} and {member_id}"
            )
        holder[value] = member_id
