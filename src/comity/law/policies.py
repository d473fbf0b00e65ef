"""Who may do what: Cedar policies in text that a lawyer can read. Default deny; a forbid overrides every
permit.

A node's own policies (its own law, copied from `default_policies` when it is made) are added to the floor,
which ships here and which they cannot lift: an administrator sees no case, nobody approves their own request,
oversight and training never act, and nothing goes out on an unusable basis. Everything is validated against
the schema before the first decision. Whatever Cedar cannot evaluate is denied: Cedar itself would skip the
policy that failed, which may be the forbid.

Every policy carries `@id` and a sentence `@reason`. A forbid of `answer_automatically` may carry
`@refuse("ground")`: the node then refuses such a request by itself on that ground, which must be one that the
procedure declares.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cedarpy

from comity.errors import InputError
from comity.law.files import folder, read_text
from comity.law.procedure_files import procedure
from comity.model import Person

Attributes = Mapping[str, Any]
"""The attributes of the thing acted on, as `data/policies/schema.cedarschema` declares them."""

_FLOOR = "floor.cedar"
_FLOOR_PREFIX = "floor-"


class Action(StrEnum):
    READ_CASE = "read_case"
    REPORT_CASE = "report_case"
    SEND_NOTICE = "send_notice"
    EXPORT_ATTACHMENT = "export_attachment"
    DRAFT_REQUEST = "draft_request"
    APPROVE_REQUEST = "approve_request"
    SEND_REQUEST = "send_request"
    SEND_REQUEST_WITHOUT_SECOND_PERSON = "send_request_without_second_person"
    ANSWER_REQUEST = "answer_request"
    REFUSE_REQUEST = "refuse_request"
    ANSWER_AUTOMATICALLY = "answer_automatically"
    PLACE_HOLD = "place_hold"
    CONFIRM_HOLD = "confirm_hold"
    RELEASE_HOLD = "release_hold"
    ASK_CONSENT = "ask_consent"
    DECIDE_CONSENT = "decide_consent"
    RETRACT_ITEM = "retract_item"
    KEEP_CASE = "keep_case"
    ERASE_CASE = "erase_case"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_PEERS = "manage_peers"
    IMPORT_TRANSFERS = "import_transfers"
    MARK_ACCOUNT = "mark_account"
    READ_LOG = "read_log"

    @property
    def resource_type(self) -> str:
        """The kind of thing this is done to."""
        if self in _ON_CASE:
            return "Case"
        if self in _ON_HOLD:
            return "Hold"
        return "Office" if self in _ON_OFFICE else "Request"


_ON_CASE = {
    Action.READ_CASE, Action.REPORT_CASE, Action.SEND_NOTICE, Action.EXPORT_ATTACHMENT, Action.ASK_CONSENT,
    Action.DECIDE_CONSENT, Action.RETRACT_ITEM, Action.KEEP_CASE, Action.ERASE_CASE,
}  # fmt: skip
_ON_HOLD = {Action.PLACE_HOLD, Action.CONFIRM_HOLD, Action.RELEASE_HOLD}
_ON_OFFICE = {
    Action.MANAGE_PEOPLE, Action.MANAGE_PEERS, Action.IMPORT_TRANSFERS, Action.MARK_ACCOUNT, Action.READ_LOG,
}  # fmt: skip


class Outcome(StrEnum):
    """What a node does by itself with a request from abroad."""

    ANSWER = "answer"
    REFUSE = "refuse"
    OFFICER = "leave to an officer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`policies` are the ids that decided (none: nothing permits it), `reasons` their sentences.

    `refusal_ground` is set where a policy refuses such requests by itself, on that ground.
    """

    allowed: bool
    policies: tuple[str, ...]
    reasons: tuple[str, ...]
    refusal_ground: str | None = None

    @property
    def outcome(self) -> Outcome:
        """For `answer_automatically`: answer, refuse on `refusal_ground`, or leave it to an officer."""
        if self.allowed:
            return Outcome.ANSWER
        return Outcome.REFUSE if self.refusal_ground else Outcome.OFFICER


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """What a policy says about itself."""

    reason: str
    ground: str | None


class Policies:
    """The floor and a node's own policies, validated, ready to decide."""

    def __init__(self, own: Mapping[str, str], *, grounds: Collection[str] | None = None) -> None:
        """`own` maps file names to Cedar text. Raises `InputError` naming the file and the policy that is
        wrong.

        `grounds` are the codes that `@refuse` may name; by default those that `trace_and_hold` declares.
        """
        known = grounds if grounds is not None else procedure("trace_and_hold").declared.refusal_codes
        schema_text = read_text("policies", "schema.cedarschema")
        self._notes: dict[str, _Note] = {}
        texts = {_FLOOR: read_text("policies", _FLOOR), **_own(own)}
        for where, text in texts.items():
            for id_, note in _read(text, schema_text, known, where).items():
                if id_ in self._notes:
                    raise InputError.because(
                        expected="each policy id once", got=f"{id_!r} twice", where=where
                    )
                self._notes[id_] = note
        self._set = cedarpy.PolicySet.from_str("\n".join(texts.values()))
        self._schema = cedarpy.Schema.from_str(schema_text)

    @property
    def ids(self) -> tuple[str, ...]:
        """Every policy in force, the floor first."""
        return tuple(self._notes)

    def decide(self, action: Action, resource: Attributes, *, person: Person | None) -> Decision:
        """May `person` (None: the node itself, under a standing policy) do `action` to a thing with these
        attributes?

        Never raises for what cannot be evaluated: that is a denial with the reason.
        """
        thing = {"type": action.resource_type, "id": "it"}
        who, entities = _principal(person)
        request = {"principal": who, "action": {"type": "Action", "id": action.value}, "resource": thing}
        entities.append({"uid": thing, "attrs": dict(resource), "parents": []})
        try:
            text = json.dumps(entities, allow_nan=False)
            answer = cedarpy.is_authorized({**request, "context": {}}, self._set, text, self._schema)
        except (TypeError, ValueError) as error:
            return _unevaluated(error)
        if answer.diagnostics.errors:
            return _unevaluated("; ".join(answer.diagnostics.errors))
        ids = tuple(sorted(answer.diagnostics.id_annotations_by_reason.values()))
        return self._explained(action, answer.allowed, ids)

    def _explained(self, action: Action, allowed: bool, ids: tuple[str, ...]) -> Decision:
        if not ids:
            return _denied(f"no policy permits {action.value} here")
        grounds = [ground for id_ in ids if (ground := self._notes[id_].ground)]
        return Decision(
            allowed=allowed,
            policies=ids,
            reasons=tuple(f"{self._notes[id_].reason} [{id_}]" for id_ in ids),
            refusal_ground=grounds[0] if grounds and not allowed else None,
        )


def default_policies() -> dict[str, str]:
    """File name to text of the policies a new node copies and may change. The floor is not among them."""
    files = sorted(folder("policies").iterdir(), key=lambda file: file.name)
    return {
        file.name: file.read_text(encoding="utf-8")
        for file in files
        if file.name.endswith(".cedar") and file.name != _FLOOR
    }


def optional_policy(name: str) -> str:
    """The text of a policy file that a node may add, for example `fiu_channel_only.cedar`."""
    known = sorted(file.name for file in folder("policies", "optional").iterdir())
    if name not in known:
        raise InputError.because(expected=f"one of {', '.join(known)}", got=repr(name))
    return read_text("policies", "optional", name)


def _denied(reason: str) -> Decision:
    return Decision(allowed=False, policies=(), reasons=(reason,))


def _unevaluated(error: object) -> Decision:
    """Cedar repeats what it was given before it says what is wrong; case data does not belong into a
    reason.
    """
    said = str(error).rsplit("]: ", 1)[-1]
    return _denied(f"could not be evaluated, therefore denied: {said}")


def _own(own: Mapping[str, str]) -> Mapping[str, str]:
    if _FLOOR in own:
        raise InputError.because(
            expected="own policies only: the floor is built in",
            got=_FLOOR,
            remedy="Remove the file; what it says holds anyway.",
        )
    return own


def _principal(person: Person | None) -> tuple[dict[str, str], list[dict[str, Any]]]:
    if person is None:
        uid = {"type": "Node", "id": "self"}
        return uid, [{"uid": uid, "attrs": {}, "parents": []}]
    uid, role = {"type": "Person", "id": person.id}, {"type": "Role", "id": person.role.value}
    return uid, [
        {"uid": role, "attrs": {}, "parents": []},
        {"uid": uid, "attrs": {"id": person.id}, "parents": [role]},
    ]


def _read(text: str, schema: str, grounds: Collection[str], where: str) -> dict[str, _Note]:
    """Validate one file and return its policies' notes by id."""
    result = cedarpy.validate_policies(text, schema)
    if not result.validation_passed:
        said = "; ".join(_named(error, result.id_annotations_by_policy_id) for error in result.errors)
        raise InputError.because(expected="Cedar policies that fit the schema", got=said, where=where)
    parsed = json.loads(cedarpy.policies_to_json_str(text))
    if parsed["templates"]:
        raise InputError.because(expected="policies, no templates", got="a template", where=where)
    notes: dict[str, _Note] = {}
    for policy in parsed["staticPolicies"].values():
        id_, note = _note(policy, grounds, where)
        if id_ in notes:
            raise InputError.because(expected="each policy id once", got=f"{id_!r} twice", where=where)
        notes[id_] = note
    return notes


def _named(error: Any, ids: Mapping[str, str]) -> str:
    name = ids.get(error.policy_id, error.policy_id)
    return f"{name}: {error.error}" if name else str(error.error)


def _note(policy: Mapping[str, Any], grounds: Collection[str], where: str) -> tuple[str, _Note]:
    notes = policy.get("annotations", {})
    id_, reason, ground = notes.get("id"), notes.get("reason"), notes.get("refuse")
    if not id_ or not reason or set(notes) - {"id", "reason", "refuse"}:
        raise InputError.because(
            expected="every policy to carry @id and @reason, perhaps @refuse", got=str(notes), where=where
        )
    if where != _FLOOR and id_.startswith(_FLOOR_PREFIX):
        raise InputError.because(expected=f"an id that does not begin {_FLOOR_PREFIX}", got=id_, where=where)
    if "refuse" in notes:
        answers = policy["action"].get("entity", {}).get("id") == Action.ANSWER_AUTOMATICALLY.value
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
    return id_, _Note(reason=reason, ground=ground)
