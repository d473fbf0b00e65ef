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
from comity.law.policy_text import EVERY, FLOOR, Note, read_policies
from comity.law.procedure_files import procedure
from comity.model import Person

Attributes = Mapping[str, Any]
"""The attributes of the thing acted on, as `data/policies/schema.cedarschema` declares them."""


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
    MANAGE_DEPUTIES = "manage_deputies"
    MANAGE_TOKENS = "manage_tokens"
    OPEN_MATTER = "open_matter"
    READ_MATTER = "read_matter"
    DECIDE_MATTER = "decide_matter"
    EXTEND_MATTER = "extend_matter"
    READ_JOINT = "read_joint"
    MANAGE_JOINT = "manage_joint"
    ASK_DECONFLICTION = "ask_deconfliction"
    READ_VICTIM = "read_victim"
    WRITE_VICTIM = "write_victim"
    DISCLOSE_VICTIM = "disclose_victim"
    ERASE_VICTIM = "erase_victim"

    @property
    def resource_type(self) -> str:
        """The kind of thing this is done to."""
        return next((kind for kind, actions in _DONE_TO.items() if self in actions), "Request")


_DONE_TO = {
    "Case": {
        Action.READ_CASE, Action.REPORT_CASE, Action.SEND_NOTICE, Action.EXPORT_ATTACHMENT, Action.ASK_CONSENT,
        Action.DECIDE_CONSENT, Action.RETRACT_ITEM, Action.KEEP_CASE, Action.ERASE_CASE,
    },
    "Hold": {Action.PLACE_HOLD, Action.CONFIRM_HOLD, Action.RELEASE_HOLD},
    "Matter": {Action.OPEN_MATTER, Action.READ_MATTER, Action.DECIDE_MATTER, Action.EXTEND_MATTER},
    "JointWork": {Action.READ_JOINT, Action.MANAGE_JOINT, Action.ASK_DECONFLICTION},
    "Vault": {Action.READ_VICTIM, Action.WRITE_VICTIM, Action.DISCLOSE_VICTIM, Action.ERASE_VICTIM},
    "Office": {
        Action.MANAGE_PEOPLE, Action.MANAGE_PEERS, Action.IMPORT_TRANSFERS, Action.MARK_ACCOUNT, Action.READ_LOG,
        Action.MANAGE_DEPUTIES, Action.MANAGE_TOKENS,
    },
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


class Policies:
    """The floor and a node's own policies, validated, ready to decide."""

    def __init__(self, own: Mapping[str, str], *, grounds: Collection[str] | None = None) -> None:
        """`own` maps file names to Cedar text. Raises `InputError` naming the file and the policy that is
        wrong.

        `grounds` are the codes that `@refuse` may name; by default those that `trace_and_hold` declares.
        """
        known = grounds if grounds is not None else procedure("trace_and_hold").declared.refusal_codes
        schema_text = read_text("policies", "schema.cedarschema")
        self._notes: dict[str, Note] = {}
        texts = {FLOOR: read_text("policies", FLOOR), **_own(own)}
        for where, text in texts.items():
            for id_, note in read_policies(text, schema_text, known, where).items():
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

    @property
    def unpermitted(self) -> tuple[Action, ...]:
        """What nobody may do, since no policy permits it to anybody.

        A node that was founded before an action was there has no policy for it: `shipped_for` names one that ships.
        """
        permitted = frozenset[str]().union(*(note.permits for note in self._notes.values()))
        return () if EVERY in permitted else tuple(one for one in Action if one not in permitted)

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

    def _where_to_find(self, action: Action) -> str:
        """For an action that nobody may do: which shipped file says who may."""
        if action not in self.unpermitted:
            return ""
        files = ", ".join(shipped_for([action]))
        return f", to anybody; {files} ships for it: comity node policies DIR --add {files}"

    def _explained(self, action: Action, allowed: bool, ids: tuple[str, ...]) -> Decision:
        if not ids:
            return _denied(f"no policy permits {action.value} here{self._where_to_find(action)}")
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
        if file.name.endswith(".cedar") and file.name != FLOOR
    }


def shipped_for(actions: Collection[Action]) -> dict[str, tuple[Action, ...]]:
    """Which of `default_policies` permit these actions to somebody, and which of them."""
    schema, found = read_text("policies", "schema.cedarschema"), {}
    for name, text in default_policies().items():
        notes = read_policies(text, schema, (), name).values()
        if some := tuple(one for one in actions if any(one in note.permits for note in notes)):
            found[name] = some
    return found


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
    if FLOOR in own:
        raise InputError.because(
            expected="own policies only: the floor is built in",
            got=FLOOR,
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
        {"uid": uid, "attrs": {"id": person.id, "humans": sorted(person.humans)}, "parents": [role]},
    ]
