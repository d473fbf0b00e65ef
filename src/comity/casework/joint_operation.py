"""A joint operation: who acts where and when under whose authority, and whether it goes. Pure.

Every member must say go to the very plan that stands, before the leader's deadline. One no-go, a member's silence at
the deadline, or two stories of one member are no go. A changed plan needs everybody's go anew. So that all know the
same, the leader (who wrote the plan) states the outcome and names every member's go; a member goes only if it holds
all of them itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from comity.casework.joint import Entry, two_stories
from comity.errors import Conflict

PLAN, GO, NO_GO = "operation.plan", "operation.go", "operation.no-go"
OUTCOME, RESULT = "operation.outcome", "operation.result"
MOST_ACTIONS = 64
FURTHEST = timedelta(days=366)
NEEDS_SAFETY = frozenset({"raid", "rescue", "arrest"})
"""What is never done without a plan for the safety of the victims who may be there."""


class Deed(StrEnum):
    RAID = "raid"
    RESCUE = "rescue"
    ARREST = "arrest"
    SEARCH = "search"
    SEIZURE = "seizure"
    FREEZE = "freeze"
    TAKEDOWN = "takedown"
    SURVEILLANCE = "surveillance"
    SUPPORT = "support"


SAFETY = ("responsible", "screening", "shelter", "medical", "interpreters", "not_punished")
"""What a victim-safety plan says: who answers for it; how everybody found is screened as a possible victim, whatever
the passport; where they go; medical and psychological help; languages; how nobody is punished for what they were made
to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """`zone` is of the place (IANA); times are UTC. `authority`: the order or power under which it is done."""

    member: str
    deed: Deed
    place: str
    starts: datetime
    ends: datetime
    zone: str
    authority: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`safety` has every field of `SAFETY`, or is empty where no action needs it."""

    title: str
    purpose: str
    members: tuple[str, ...]
    actions: tuple[Action, ...]
    decide_by: datetime
    safety: Mapping[str, str]

    @property
    def starts(self) -> datetime:
        return min(one.starts for one in self.actions)


def require_sound(plan: Plan, *, written_at: datetime) -> None:
    """`Conflict` where the plan contradicts itself, or victims could be there and nobody thought of their safety."""
    if any(one.deed in NEEDS_SAFETY for one in plan.actions) and set(plan.safety) != set(SAFETY):
        raise NoVictimSafety("expected a victim-safety plan before any raid, rescue or arrest, got none")
    strangers = sorted({one.member for one in plan.actions} - set(plan.members))
    backwards = [one for one in plan.actions if one.ends <= one.starts]
    if not plan.actions or strangers or backwards:
        raise Conflict.because(
            expected="one action or more, each of a member and ending after it starts",
            got=", ".join(strangers) or f"{len(backwards)} that end before they start",
        )
    last = max(one.ends for one in plan.actions)
    if not written_at < plan.decide_by < plan.starts or last > written_at + FURTHEST:
        raise Conflict.because(
            expected=f"a decision after now and before the first action, all within {FURTHEST.days} days",
            got=f"decision {plan.decide_by:%Y-%m-%d %H:%M} UTC, first action {plan.starts:%Y-%m-%d %H:%M} UTC",
        )


class NoVictimSafety(Conflict):
    """People may be held at the place, and the plan says nothing about their safety."""

    code = "operation.no-victim-safety"
    remedy = (
        "Add `victim_safety` with responsible, screening, shelter, medical, interpreters and not_punished."
    )


class State(StrEnum):
    """`AWAITING` until everybody has spoken; `GO` only where this node holds everybody's go and the leader's word."""

    AWAITING = "awaiting"
    GO = "go"
    NO_GO = "no go"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The operation as this node knows it now. `words`: member → its go or no-go to the plan that stands."""

    plan: Entry
    version: int
    words: Mapping[str, Entry]
    outcome: Entry | None
    results: tuple[Entry, ...]
    silent: tuple[str, ...]
    state: State
    why: str


def standing(entries: Sequence[Entry], *, leader: str, now: datetime) -> Standing:
    """Fold the entries that this node holds."""
    plans = [one for one in entries if one.kind == PLAN and one.author == leader]
    plan = max(plans, key=lambda one: one.number)
    if not plan.body:
        return Standing(
            plan=plan, version=len(plans), words={}, outcome=None, results=(), silent=(), state=State.NO_GO,
            why="the leader took the plan back",
        )  # fmt: skip
    about = [one for one in entries if one.body.get("plan") == plan.digest]
    words = _words(about, begins=_begins(plan))
    said = [one for one in about if one.kind == OUTCOME and one.author == leader]
    outcome = max(said, key=_number, default=None)
    silent = tuple(one for one in plan.body["members"] if one not in words)
    state, why = _state(entries, plan, words, outcome, silent, now)
    return Standing(
        plan=plan, version=len(plans), words=words, outcome=outcome, silent=silent, state=state, why=why,
        results=tuple(one for one in entries if one.kind == RESULT),
    )  # fmt: skip


def _words(about: Sequence[Entry], *, begins: datetime) -> dict[str, Entry]:
    """Member → what it said to the plan. A no-go stands: only a new plan gets another word. One that is said once the
    first action has begun stops nothing any more, and does not make undone what was done.
    """
    found: dict[str, Entry] = {}
    for one in sorted(about, key=_number):
        if one.kind == NO_GO and one.at >= begins:
            continue
        if one.kind in (GO, NO_GO) and (one.author not in found or found[one.author].kind == GO):
            found[one.author] = one
    return found


def _state(
    entries: Sequence[Entry], plan: Entry, words: Mapping[str, Entry], outcome: Entry | None,
    silent: Sequence[str], now: datetime,
) -> tuple[State, str]:  # fmt: skip
    lies = two_stories(entries)
    if lies:
        return State.DISPUTED, f"{lies[0].witness} was shown another entry of {lies[0].author} than we were"
    against = [who for who, one in words.items() if one.kind == NO_GO]
    if against:
        return State.NO_GO, f"no go from {', '.join(against)}: {words[against[0]].body.get('why', '')}"
    if outcome is not None and outcome.body["outcome"] != GO:
        return State.NO_GO, str(outcome.body["why"])
    if outcome is None:
        late = now >= _time(plan.body["decide_by"])
        if late:
            return State.NO_GO, f"silence at the deadline: {', '.join(silent) or 'no word of the leader'}"
        return State.AWAITING, f"{', '.join(silent) or 'the leader'} still to speak"
    named = outcome.body["words"]
    lacking = [who for who in plan.body["members"] if who not in words or named.get(who) != words[who].digest]
    if lacking:
        return State.AWAITING, f"the go of {', '.join(lacking)} that the leader names has not come here"
    return State.GO, "every member said go to this plan"


def outcome_due(now_standing: Standing, *, now: datetime) -> dict[str, Any] | None:
    """What the leader states now: go when all have said so in time, no go at the first no-go or at the deadline."""
    one = now_standing
    if not one.plan.body:
        return None
    if one.outcome is not None and one.outcome.body["outcome"] != GO:
        return None
    if one.state in (State.NO_GO, State.DISPUTED):
        return {"plan": one.plan.digest, "outcome": NO_GO, "words": _digests(one), "why": one.why[:300]}
    if one.outcome is not None or one.silent or now >= _time(one.plan.body["decide_by"]):
        return None
    return {"plan": one.plan.digest, "outcome": GO, "words": _digests(one), "why": one.why}


def require_word(one: Standing, *, kind: str, now: datetime) -> None:
    """`Conflict` where a member cannot say this any more: go before the deadline, no-go before the first action."""
    if not one.plan.body:
        raise Conflict.because(expected="a plan that stands", got=one.why)
    ends = _time(one.plan.body["decide_by"]) if kind == GO else _begins(one.plan)
    if now >= ends or (kind == GO and one.state is not State.AWAITING):
        raise Conflict.because(
            expected=f"a plan to which one can still say {kind.partition('.')[2]}",
            got=f"{one.state}: {one.why}", remedy="The leader writes a new plan: comity operation new DIR --changes …",
        )  # fmt: skip


def require_result(one: Standing, *, now: datetime) -> None:
    starts = min((_time(action["starts"]) for action in one.plan.body.get("actions", ())), default=now)
    if one.state is not State.GO or now < starts:
        raise Conflict.because(expected="an operation that went and has begun", got=f"{one.state}: {one.why}")


def _digests(one: Standing) -> dict[str, str]:
    return {who: word.digest for who, word in one.words.items() if word.kind == GO}


def _begins(plan: Entry) -> datetime:
    return min(_time(action["starts"]) for action in plan.body["actions"])


def _number(one: Entry) -> int:
    return one.number


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
