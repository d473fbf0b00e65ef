"""A space that members of a compact share: what each of them wrote there, numbered and chained per author. Pure.

There is no common server: every author sends each entry to every other member. So that a member cannot show different
things to different members unnoticed, an entry names its author's entry before it by digest, the space's first entry,
and the heads of all other authors' chains as its author knew them; `two_stories` compares them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from comity.errors import Conflict, InputError
from comity.proofs.canonical import canonical_bytes

FIRST = "0" * 64
"""What an author's first entry names as the one before it; and the founding entry as the space's first."""
MOST_MEMBERS = 24
MOST_ENTRIES = 5_000
"""Of one author in one space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`seen`: author → (number, digest) of the last entry that the author of this one knew of each other author.

    `founding` is the digest of the space's first entry. `body` depends on `kind`. `by` is a person of the author's.
    """

    space: str
    author: str
    number: int
    kind: str
    previous: str
    founding: str
    seen: Mapping[str, tuple[int, str]]
    at: datetime
    by: str
    body: Mapping[str, Any]
    digest: str = ""
    """Of `document`; kept where the rest was erased."""

    def __post_init__(self) -> None:
        if not self.digest:
            digest = hashlib.sha256(canonical_bytes(self.document)).hexdigest()
            object.__setattr__(self, "digest", digest)

    @property
    def document(self) -> dict[str, Any]:
        """As it is signed, sent, kept and hashed."""
        return {
            "format": "comity-joint-entry/1", "space": self.space, "author": self.author, "number": self.number,
            "kind": self.kind, "previous": self.previous, "founding": self.founding,
            "seen": {author: {"number": number, "digest": digest} for author, (number, digest) in self.seen.items()},
            "at": self.at.isoformat(timespec="microseconds"), "by": self.by, "body": dict(self.body),
        }  # fmt: skip

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Entry":
        """From a document of our own keeping; one of a peer's is read by `comity.exchange.joint`."""
        return cls(
            space=document["space"], author=document["author"], number=document["number"],
            kind=document["kind"], previous=document["previous"], founding=document["founding"],
            seen={who: (one["number"], one["digest"]) for who, one in document["seen"].items()},
            at=datetime.fromisoformat(document["at"]), by=document["by"], body=document["body"],
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An entry, the message that brought it (ours: that took it out), and when it came to be known here.

    `gone`: the message was erased; of the entry only its place in the chain is left.
    """

    entry: Entry
    message_id: str
    at: datetime
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """`kind`: operation or team. `members` are those who were ever in; who still is, its kind says."""

    id: str
    kind: str
    compact: str
    founder: str
    members: tuple[str, ...]
    founding: str
    opened_at: datetime


def heads(entries: Sequence[Entry]) -> dict[str, tuple[int, str]]:
    """The last entry of each author: its number and digest."""
    last: dict[str, Entry] = {}
    for one in entries:
        if one.author not in last or one.number > last[one.author].number:
            last[one.author] = one
    return {author: (one.number, one.digest) for author, one in last.items()}


def next_entry(
    space: Space | None, entries: Sequence[Entry], *, space_id: str, author: str, kind: str, at: datetime, by: str,
    body: Mapping[str, Any],
) -> Entry:  # fmt: skip
    """What `author` writes next; the founding entry where there is no space yet."""
    known = heads(entries)
    number, previous = known.pop(author, (0, FIRST))
    return Entry(
        space=space_id, author=author, number=number + 1, kind=kind, previous=previous,
        founding=space.founding if space else FIRST, seen=known, at=at, by=by, body=body,
    )  # fmt: skip


def require_next(space: Space, entries: Sequence[Entry], entry: Entry) -> None:
    """Raise `Conflict` unless `entry` is the one that follows its author's last, in this very space."""
    number, previous = heads(entries).get(entry.author, (0, FIRST))
    if entry.author not in space.members:
        raise InputError.because(expected=f"an entry of a member of {space.id}", got=entry.author)
    if entry.founding != space.founding:
        raise OtherStory(
            f"expected an entry of the space that began with {space.founding[:12]}…, got one that began with "
            f"{entry.founding[:12]}…",
            where=space.id,
        )
    if (entry.number, entry.previous) != (number + 1, previous) or number >= MOST_ENTRIES:
        raise OtherStory(
            f"expected entry {number + 1} of {entry.author} after {previous[:12]}…, got {entry.number} after "
            f"{entry.previous[:12]}…",
            where=space.id,
        )


class OtherStory(Conflict):
    """An author tells us what does not go with what it told us, or another member, before."""

    code = "joint.other-story"
    remedy = (
        "Compare the heads with the other members: comity team show DIR TEAM --json; then ask the author."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """`witness` was shown another entry of that number of `author` than we were."""

    author: str
    number: int
    ours: str
    theirs: str
    witness: str


def two_stories(entries: Sequence[Entry]) -> tuple[Contradiction, ...]:
    """Wherever an author saw another entry of a member than stands here: one of both was shown a different one."""
    known = {(one.author, one.number): one.digest for one in entries}
    return tuple(
        Contradiction(
            author=author, number=number, ours=known[author, number], theirs=digest, witness=one.author
        )
        for one in entries
        for author, (number, digest) in one.seen.items()
        if (author, number) in known and known[author, number] != digest
    )


def missing(entries: Sequence[Entry]) -> dict[str, int]:
    """Author → number of the newest entry that another member has seen of it and we have not."""
    here = {author: number for author, (number, _) in heads(entries).items()}
    found: dict[str, int] = {}
    for one in entries:
        for author, (number, _) in one.seen.items():
            if number > here.get(author, 0):
                found[author] = max(number, found.get(author, 0))
    return found
