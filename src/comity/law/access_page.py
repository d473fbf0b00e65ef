"""Who may do what, as a page: a new node's policies, asked about every role and action on representative things.

`python -m comity.law.access_page > docs/reference/access.md` writes the reference; a test says when it is out of date.
What stands there was decided by the policies that run, not written beside them.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from comity.law.files import read_text
from comity.law.policies import Action, Policies, default_policies
from comity.model import Person, Role

_HEAD = """# Access

Generated from `src/comity/law/data/policies/`; do not edit. What a new node allows; its own law may allow less or more,
but never what the floor forbids (`floor-…`). Nothing is allowed unless a policy permits it, and a policy that forbids
overrides every one that permits. Who may decide which event of a procedure says, besides, the
[procedure itself](procedures.md): both must allow it.
"""
_KEY = """● allowed. ◐ allowed in some cases only: the tables below say which. · permitted by no policy.
✕ forbidden by the floor, whatever the node permits.
"""
_ME, _OTHER = "P-1", "P-9"
_USABLE = {"instrument": "UNTOC", "kind": "multilateral", "usable": True, "confidence": "medium"}
_UNUSABLE = {**_USABLE, "usable": False}
_REQUEST: Mapping[str, Any] = {
    "type": "trace_and_hold", "channel": "fiu", "offence": "fraud", "urgent": True, "from_member": True,
    "from_jurisdiction": "CA", "amount_minor": 100_000, "currency": "CAD", "legal_basis": _USABLE,
    "drafted_by": "another", "drafters": [_OTHER], "rule": "fifo", "inflows": 1, "accounts": 1,
    "third_countries": 0, "unmatched": 0, "exits": 0, "requests_today": 1, "cases_today": 1,
    "peer_requests_today": 1, "unmatched_today": 0,
}  # fmt: skip
_HOLD: Mapping[str, Any] = {
    "urgent": True, "own_case": False, "from_member": True, "placed_by": "policy", "offence": "fraud",
    "amount_minor": 100_000, "currency": "CAD", "legal_basis": _USABLE,
}  # fmt: skip
_MATTER: Mapping[str, Any] = {
    "procedure": "mla", "side": "requesting", "own": True, "event": "", "approves": False, "drafters": [_OTHER],
    "channel": "judicial", "from_jurisdiction": "TH",
}  # fmt: skip
_THINGS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "Case": {
        "a real case": {"exercise": False, "disclosed_to_defence": False},
        "one disclosed to the defence": {"exercise": False, "disclosed_to_defence": True},
        "an exercise": {"exercise": True, "disclosed_to_defence": False},
    },
    "Request": {
        "urgent fraud, on a usable basis, drafted by another": _REQUEST,
        "drafted by themselves": {**_REQUEST, "drafters": [_ME]},
        "whose author is not recorded": {**_REQUEST, "drafted_by": "", "drafters": []},
        "that is not urgent": {**_REQUEST, "urgent": False},
        "on a basis that is not usable": {**_REQUEST, "legal_basis": _UNUSABLE},
    },
    "Hold": {
        "for another state, on a usable basis": _HOLD,
        "in an own case": {**_HOLD, "own_case": True},
        "that is not urgent": {**_HOLD, "urgent": False},
        "for another state, on a basis that is not usable": {**_HOLD, "legal_basis": _UNUSABLE},
    },
    "Matter": {
        "mutual legal assistance (as of others)": _MATTER,
        "a hand-over or a referral of a victim": {**_MATTER, "procedure": "handover"},
        "the same, a challenge by counsel": {**_MATTER, "procedure": "handover", "event": "challenge"},
        "an extradition": {**_MATTER, "procedure": "extradition"},
        "a complaint brought by another": {**_MATTER, "procedure": "complaint"},
        "a complaint brought by themselves": {**_MATTER, "procedure": "complaint", "drafters": [_ME]},
        "a notice": {**_MATTER, "procedure": "notice"},
        "a notice, its deletion": {**_MATTER, "procedure": "notice", "event": "delete"},
        "what another has to decide than they": {**_MATTER, "approves": True, "drafters": [_ME]},
    },
    "JointWork": {"joint work": {"kind": "team", "leads": True}},
    "Office": {"the node: its people, peers, books and log": {}},
    "Vault": {"the victims' vault": {}},
}
_NAMES = {
    "Case": "Cases", "Request": "Requests to trace and hold", "Hold": "Holds",
    "Matter": "Matters: procedures between two nodes", "JointWork": "Joint work", "Office": "The node itself",
    "Vault": "The victims' vault",
}  # fmt: skip
_NODE = "the node"
_WHO: Mapping[str, Person | None] = {
    **{role.value: Person(id="me", role=role, human=_ME) for role in Role}, _NODE: None,
}  # fmt: skip
_POLICY = re.compile(
    r'@id\("(?P<id>[^"]+)"\)\s*@reason\("(?P<reason>[^"]+)"\)\s*(?:@refuse\([^)]*\)\s*)?(?P<effect>\w+)'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What the policies say of one action on one thing: by whom it may be done, and by whom never."""

    may: Mapping[str, tuple[str, ...]]
    never: Mapping[str, tuple[str, ...]]


def reference() -> str:
    """The page."""
    founded, loose = Policies(default_policies()), Policies({"own.cedar": _PERMIT_ALL})
    rows = {
        (action, thing): _row(founded, loose, action, attributes)
        for action in Action
        for thing, attributes in _THINGS[action.resource_type].items()
    }
    tables = [_table(kind, rows) for kind in _THINGS]
    return "\n".join([_HEAD, "## Role by action\n", _KEY, _matrix(rows), *tables, _policies()])


_PERMIT_ALL = '@id("all") @reason("everything") permit (principal, action, resource);'


def _row(founded: Policies, loose: Policies, action: Action, attributes: Mapping[str, Any]) -> _Row:
    may: dict[str, tuple[str, ...]] = {}
    never: dict[str, tuple[str, ...]] = {}
    for who, person in _WHO.items():
        decision, floor = (each.decide(action, attributes, person=person) for each in (founded, loose))
        if decision.allowed:
            may[who] = decision.policies
        elif not floor.allowed and floor.policies:
            never[who] = floor.policies
    return _Row(may=may, never=never)


def _matrix(rows: Mapping[tuple[Action, str], _Row]) -> str:
    lines = [f"| | {' | '.join(_WHO)} |", "|---" * (len(_WHO) + 1) + "|"]
    for action in Action:
        found = [row for (one, _), row in rows.items() if one is action]
        lines.append(f"| `{action}` | {' | '.join(_sign(found, who) for who in _WHO)} |")
    return "\n".join(lines) + "\n"


def _sign(found: Iterable[_Row], who: str) -> str:
    rows = list(found)
    if all(who in row.may for row in rows):
        return "●"
    if any(who in row.may for row in rows):
        return "◐"
    return "✕" if all(who in row.never for row in rows) else "·"


def _table(kind: str, rows: Mapping[tuple[Action, str], _Row]) -> str:
    """The tables of one kind of thing; things of which the same is said share a line."""
    lines = [
        f"## {_NAMES[kind]}\n",
        "| action | on | may | permitted by | may never | forbidden by |", "|---" * 6 + "|",
    ]  # fmt: skip
    for action in (one for one in Action if one.resource_type == kind):
        grouped: dict[tuple[str, ...], list[str]] = {}
        for thing in _THINGS[kind]:
            grouped.setdefault(_cells(rows[action, thing]), []).append(thing)
        for number, (cells, things) in enumerate(grouped.items()):
            first = f"`{action}`" if number == 0 else ""
            lines.append(f"| {first} | {_said(things, _THINGS[kind])} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _said(things: list[str], every: Mapping[str, Any]) -> str:
    return "any" if len(things) == len(every) > 1 else "; ".join(things)


def _cells(row: _Row) -> tuple[str, ...]:
    return (_names(row.may), _ids(row.may), _names(row.never), _ids(row.never))


def _names(found: Mapping[str, tuple[str, ...]]) -> str:
    everybody = set(_WHO) - {_NODE}
    return "anybody" if set(found) >= everybody else ", ".join(found) or "nobody"


def _ids(found: Mapping[str, tuple[str, ...]]) -> str:
    ids = sorted({id_ for some in found.values() for id_ in some})
    return ", ".join(f"`{id_}`" for id_ in ids)


def _policies() -> str:
    lines = ["## The policies\n", "| policy | file | | reason |", "|---|---|---|---|"]
    lines += [
        f"| `{id_}` | `{file}` | {effect}s | {reason} |" for file, id_, effect, reason in _every_policy()
    ]
    return "\n".join(lines)


def _every_policy() -> Iterator[tuple[str, str, str, str]]:
    texts = {"floor.cedar": read_text("policies", "floor.cedar"), **default_policies()}
    for file, text in texts.items():
        for found in _POLICY.finditer(text):
            yield file, found["id"], found["effect"], found["reason"]


if __name__ == "__main__":
    sys.stdout.write(reference() + "\n")
