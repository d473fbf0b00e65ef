"""One file of Cedar policies: validated against the schema, and what each policy says of itself."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import cedarpy

from comity.errors import InputError

FLOOR = "floor.cedar"
FLOOR_PREFIX = "floor-"
EVERY = "*"
"""In `Note.permits`: the policy names no action, and so permits all of them."""
_BY_ITSELF = "answer_automatically"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a policy says about itself. `permits` are the actions that it may permit; none for a forbid."""

    reason: str
    ground: str | None
    permits: frozenset[str]


def read_policies(text: str, schema: str, grounds: Collection[str], where: str) -> dict[str, Note]:
    """Validate one file and return what each of its policies says of itself, by id.

    `InputError` names the file and the policy that is wrong.
    """
    result = cedarpy.validate_policies(text, schema)
    if not result.validation_passed:
        said = "; ".join(_named(error, result.id_annotations_by_policy_id) for error in result.errors)
        raise InputError.because(expected="Cedar policies that fit the schema", got=said, where=where)
    parsed = json.loads(cedarpy.policies_to_json_str(text))
    if parsed["templates"]:
        raise InputError.because(expected="policies, no templates", got="a template", where=where)
    notes: dict[str, Note] = {}
    for policy in parsed["staticPolicies"].values():
        id_, note = _note(policy, grounds, where)
        if id_ in notes:
            raise InputError.because(expected="each policy id once", got=f"{id_!r} twice", where=where)
        notes[id_] = note
    return notes


def _named(error: Any, ids: Mapping[str, str]) -> str:
    name = ids.get(error.policy_id, error.policy_id)
    return f"{name}: {error.error}" if name else str(error.error)


def _note(policy: Mapping[str, Any], grounds: Collection[str], where: str) -> tuple[str, Note]:
    notes = policy.get("annotations", {})
    id_, reason, ground = notes.get("id"), notes.get("reason"), notes.get("refuse")
    if not id_ or not reason or set(notes) - {"id", "reason", "refuse"}:
        raise InputError.because(
            expected="every policy to carry @id and @reason, perhaps @refuse", got=str(notes), where=where
        )
    if where != FLOOR and id_.startswith(FLOOR_PREFIX):
        raise InputError.because(expected=f"an id that does not begin {FLOOR_PREFIX}", got=id_, where=where)
    if "refuse" in notes:
        answers = policy["action"].get("entity", {}).get("id") == _BY_ITSELF
        if policy["effect"] != "forbid" or not answers:
            raise InputError.because(
                expected="@refuse on a forbid of answer_automatically", got=f"it on {id_}", where=where
            )
        if ground not in grounds:
            raise InputError.because(
                expected=f"a declared ground ({', '.join(sorted(grounds))})",
                got=repr(ground),
                where=f"{where} {id_}",
            )
    return id_, Note(reason=reason, ground=ground, permits=_permits(policy))


def _permits(policy: Mapping[str, Any]) -> frozenset[str]:
    if policy["effect"] != "permit":
        return frozenset()
    scope = policy["action"]
    if scope["op"] == "All":
        return frozenset({EVERY})
    named = scope["entities"] if "entities" in scope else [scope["entity"]]
    return frozenset(one["id"] for one in named)
