"""A joint investigation team: its agreement, who has signed it, until when it is in force. Pure.

The agreement has the content of UNTOC article 19 and of the model agreements under it: purpose, members with their
powers in their own territory, leader, rules of evidence, duration, evaluation, costs, data protection. It is in force
when every member has signed the identical text (its digest), and ends by itself unless all agree on a longer time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from comity.casework.joint import Entry, two_stories
from comity.errors import Conflict

AGREEMENT, SIGNATURE, PROLONGATION = "team.agreement", "team.signature", "team.prolongation"
SHARED, LEFT, EVALUATION = "team.share", "team.leave", "team.evaluation"
KINDS = (AGREEMENT, SIGNATURE, PROLONGATION, SHARED, LEFT, EVALUATION)
CLAUSES = ("purpose", "evidence", "evaluation", "costs", "data_protection")
"""What the agreement must say in words of its own; `evidence`: how it is gathered and kept, and its use in court."""
OPTIONAL_CLAUSES = ("languages", "confidentiality", "liability", "media", "amendment", "settlement")
LONGEST = timedelta(days=5 * 366)


class State(StrEnum):
    SIGNING = "being signed"
    NOT_BEGUN = "signed, not begun"
    IN_FORCE = "in force"
    ENDED = "ended"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The team as this node knows it now. `present`: members that have not left; `unsigned` of them must still sign."""

    agreement: Entry
    present: tuple[str, ...]
    unsigned: tuple[str, ...]
    until: datetime
    state: State
    why: str
    shared: tuple[Entry, ...]
    evaluations: tuple[Entry, ...]


def require_sound(*, starts: datetime, ends: datetime, members: Sequence[str], leader: str) -> None:
    """`Conflict` where the agreement contradicts itself."""
    if leader not in members:
        raise Conflict.because(expected="a leader who is a member", got=leader)
    if not starts < ends <= starts + LONGEST:
        raise Conflict.because(
            expected=f"an end after the beginning, at most {LONGEST.days} days later",
            got=f"{starts:%Y-%m-%d} to {ends:%Y-%m-%d}",
        )


def present(members: Sequence[str], entries: Sequence[Entry]) -> tuple[str, ...]:
    gone = {one.author for one in entries if one.kind == LEFT}
    return tuple(one for one in members if one not in gone)


def standing(entries: Sequence[Entry], *, founder: str, now: datetime) -> Standing:
    """Fold the entries that this node holds. Only what was shared while the agreement was in force counts as shared."""
    agreement = next(one for one in entries if one.kind == AGREEMENT and one.author == founder)
    if not agreement.body:
        return Standing(
            agreement=agreement, present=(), unsigned=(), until=now, state=State.ENDED,
            why="the agreement was taken back", shared=(), evaluations=(),
        )  # fmt: skip
    members = tuple(str(one["member"]) for one in agreement.body["parties"])
    here = present(members, entries)
    signed = {
        one.author
        for one in entries
        if one.kind == SIGNATURE and one.body.get("agreement") == agreement.digest
    }
    unsigned = tuple(one for one in members if one not in signed)
    until = _until(agreement, entries, here)
    state, why = _state(entries, agreement, here, unsigned, until, now)
    return Standing(
        agreement=agreement, present=here, unsigned=unsigned, until=until, state=state, why=why,
        shared=() if unsigned else tuple(one for one in entries if one.kind == SHARED),
        evaluations=tuple(one for one in entries if one.kind == EVALUATION),
    )  # fmt: skip


def _until(agreement: Entry, entries: Sequence[Entry], here: Sequence[str]) -> datetime:
    """The agreement's end, or the latest on which all who are present agreed while it still ran."""
    until = datetime.fromisoformat(agreement.body["ends"])
    said: dict[str, set[str]] = {}
    for one in sorted(entries, key=lambda entry: entry.at):
        if one.kind != PROLONGATION or one.body.get("agreement") != agreement.digest or one.at >= until:
            continue
        said.setdefault(str(one.body["until"]), set()).add(one.author)
        if set(here) <= said[str(one.body["until"])]:
            until = max(until, datetime.fromisoformat(one.body["until"]))
    return until


def _state(
    entries: Sequence[Entry], agreement: Entry, here: Sequence[str], unsigned: Sequence[str], until: datetime,
    now: datetime,
) -> tuple[State, str]:  # fmt: skip
    lies = two_stories(entries)
    if lies:
        return State.DISPUTED, f"{lies[0].witness} was shown another entry of {lies[0].author} than we were"
    if agreement.body["leader"] not in here or len(here) < 2:
        return State.ENDED, "the leader has left" if len(here) >= 2 else "fewer than two members are left"
    if now >= until:
        return State.ENDED, f"its time was over on {until:%Y-%m-%d}"
    if unsigned:
        return State.SIGNING, f"not signed by {', '.join(unsigned)}"
    if now < datetime.fromisoformat(agreement.body["starts"]):
        return State.NOT_BEGUN, f"begins on {agreement.body['starts'][:10]}"
    return State.IN_FORCE, f"until {until:%Y-%m-%d}"


def require_may_write(one: Standing, kind: str) -> None:
    """`Conflict` where nothing of that kind can be written now."""
    allowed = {
        SIGNATURE: (State.SIGNING,), PROLONGATION: (State.IN_FORCE,), SHARED: (State.IN_FORCE,),
        EVALUATION: (State.IN_FORCE, State.ENDED), LEFT: tuple(State),
    }  # fmt: skip
    if one.state not in allowed[kind]:
        raise Conflict.because(
            expected=f"a team that is {' or '.join(allowed[kind])}", got=f"{one.state}: {one.why}",
            remedy="See who has signed, and until when it runs: comity team show DIR TEAM",
        )  # fmt: skip
