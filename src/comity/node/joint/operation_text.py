"""The plan of a joint operation as a document: as people write it in a file, and as it stands in an entry.

In a file times may be local: `2026-03-10T05:30` counts in the `zone` of the action, `decide_by` in the plan's.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from comity.backends.transfers.zones import Zone, instant
from comity.casework.joint import Entry, Space
from comity.casework.joint_operation import (
    GO,
    MOST_ACTIONS,
    NO_GO,
    OUTCOME,
    PLAN,
    RESULT,
    SAFETY,
    Action,
    Deed,
    Plan,
    require_sound,
)
from comity.errors import InputError
from comity.exchange.fields import DIGEST, ID, Fields
from comity.node.joint.entries import line, members_of, only, prose, read_instant, write_instant

COUNTS = ("arrested", "screened", "victims_identified", "victims_referred", "premises", "devices")
"""What a member's result counts, each 0 or more."""
_MOST = 1_000_000
_DEEDS = {one.value: one for one in Deed}


def plan_of(document: object) -> Plan:
    """A plan as a person wrote it, with local times."""
    if not isinstance(document, dict):
        raise InputError.because(
            expected="a plan with title, purpose, members, decide_by, actions", got="something else"
        )
    fields = Fields(document, "plan")
    zone = fields.text("zone", longest=60)
    actions = [
        {**one.values, **{name: _utc(one, name, one.text("zone", longest=60)) for name in ("starts", "ends")}}
        for one in fields.objects("actions", least=1, most=MOST_ACTIONS)
    ]
    body = {key: value for key, value in document.items() if key not in ("zone", "victim_safety")}
    body |= {"decide_by": _utc(fields, "decide_by", zone), "actions": actions}
    body |= {"victim_safety": document.get("victim_safety") or {}}
    return read_plan(body)


def _utc(fields: Fields, name: str, zone: str) -> str:
    value = fields.values.get(name)
    text = value.isoformat() if isinstance(value, datetime) else fields.text(name, longest=40)
    local = instant(text.replace(" ", "T", 1), Zone.named(zone))
    return write_instant(datetime.fromisoformat(local))


def read_plan(body: Mapping[str, Any]) -> Plan:
    fields = Fields(body, PLAN)
    only(fields, {"title", "purpose", "members", "actions", "decide_by", "victim_safety"})
    safety = fields.nested("victim_safety")
    only(safety, set(SAFETY))
    return Plan(
        title=line(fields, "title"), purpose=prose(fields, "purpose"), members=members_of(fields),
        actions=tuple(_action(one) for one in fields.objects("actions", least=1, most=MOST_ACTIONS)),
        decide_by=read_instant(fields, "decide_by"), safety={name: prose(safety, name) for name in safety.values},
    )  # fmt: skip


def _action(fields: Fields) -> Action:
    only(fields, {"member", "deed", "place", "starts", "ends", "zone", "authority", "note"})
    deed = _DEEDS.get(line(fields, "deed"))
    if deed is None:
        raise fields.wrong("deed", f"one of {', '.join(_DEEDS)}", fields.values["deed"])
    zone = fields.text("zone", longest=60)
    Zone.named(zone)
    return Action(
        member=fields.text("member", form=ID), deed=deed, place=line(fields, "place"),
        starts=read_instant(fields, "starts"), ends=read_instant(fields, "ends"), zone=zone,
        authority=line(fields, "authority"),
        note=fields.text_or_empty("note") if "note" in fields.values else "",
    )  # fmt: skip


def write_plan(plan: Plan) -> dict[str, Any]:
    return {
        "title": plan.title, "purpose": plan.purpose, "members": list(plan.members),
        "decide_by": write_instant(plan.decide_by), "victim_safety": dict(plan.safety),
        "actions": [
            {
                "member": one.member, "deed": one.deed.value, "place": one.place, "zone": one.zone,
                "starts": write_instant(one.starts), "ends": write_instant(one.ends), "authority": one.authority,
                "note": one.note,
            }
            for one in plan.actions
        ],
    }  # fmt: skip


def check(entry: Entry, space: Space | None) -> None:
    """An entry of an operation: of its form, and by the one who may write it. Plan and outcome are the leader's."""
    leader = space.founder if space else entry.author
    if entry.kind in (PLAN, OUTCOME) and entry.author != leader:
        raise InputError.because(expected=f"plan and outcome of {leader}, who leads", got=entry.author)
    if entry.kind == PLAN:
        plan = read_plan(entry.body)
        require_sound(plan, written_at=entry.at)
        if space is not None and plan.members != space.members:
            raise InputError.because(
                expected="the members of the operation as it began", got=", ".join(plan.members)
            )
        return
    fields = Fields(entry.body, entry.kind)
    fields.text("plan", form=DIGEST)
    if entry.kind == GO:
        only(fields, {"plan", "authority"})
        line(fields, "authority")
    elif entry.kind == NO_GO:
        only(fields, {"plan", "why"})
        line(fields, "why")
    elif entry.kind == OUTCOME:
        _check_outcome(fields)
    elif entry.kind == RESULT:
        only(fields, {"plan", "counts", "text"})
        counts = fields.nested("counts")
        only(counts, set(COUNTS))
        for name in counts.values:
            counts.integer(name, least=0, most=_MOST)
        prose(fields, "text")
    else:
        raise InputError.because(
            expected=f"one of {PLAN}, {GO}, {NO_GO}, {OUTCOME}, {RESULT}", got=entry.kind
        )


def _check_outcome(fields: Fields) -> None:
    only(fields, {"plan", "outcome", "words", "why"})
    if fields.text("outcome") not in (GO, NO_GO):
        raise fields.wrong("outcome", f"{GO} or {NO_GO}", fields.values["outcome"])
    words = fields.nested("words")
    for who in words.values:
        words.text(who, form=DIGEST)
    line(fields, "why")
