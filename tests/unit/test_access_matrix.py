"""Who may do what: every role, every action, every value of an attribute that matters, written down by hand here.

`ALLOWED` says what the policies of a new node allow, `FORBIDDEN` what the floor forbids on a node that permits
everything. A new action, or a new policy of the floor, fails until somebody has said here what it is meant to do.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from comity.law.access_page import reference
from comity.law.files import read_text
from comity.law.policies import Action, Policies, default_policies
from comity.law.procedure_files import all_procedures
from comity.model import Person, Role

LETTERS = {
    "A": Role.ANALYST, "S": Role.SUPERVISOR, "C": Role.CENTRAL_AUTHORITY, "P": Role.PROSECUTOR,
    "B": Role.BORDER_OFFICER, "V": Role.VICTIM_SUPPORT, "O": Role.OVERSIGHT, "D": Role.DEFENCE,
    "T": Role.TRAINING, "M": Role.ADMINISTRATOR, "N": None,
}  # fmt: skip
"""M manages the machine (administrator); N is the node itself, under a standing policy."""
EVERYBODY = "".join(LETTERS)

_USABLE = {"instrument": "UNTOC", "kind": "multilateral", "usable": True, "confidence": "medium"}
_UNUSABLE = _USABLE | {"usable": False}
_REQUEST: dict[str, Any] = {
    "type": "trace_and_hold", "channel": "fiu", "offence": "fraud", "urgent": True, "from_member": True,
    "from_jurisdiction": "CA", "amount_minor": 230_000_000, "currency": "CAD", "legal_basis": _USABLE,
    "drafted_by": "another", "drafters": ["P-9"], "rule": "fifo", "inflows": 1, "accounts": 1,
    "third_countries": 0, "unmatched": 0, "exits": 0, "requests_today": 1, "cases_today": 1,
    "peer_requests_today": 1, "unmatched_today": 0,
}  # fmt: skip
_HOLD: dict[str, Any] = {
    "urgent": True, "own_case": False, "from_member": True, "placed_by": "policy", "offence": "fraud",
    "amount_minor": 100, "currency": "HKD", "legal_basis": _USABLE,
}  # fmt: skip
_MATTER: dict[str, Any] = {
    "procedure": "mla", "side": "requesting", "own": True, "event": "", "approves": False, "drafters": ["P-9"],
    "channel": "judicial", "from_jurisdiction": "TH",
}  # fmt: skip
THINGS: dict[str, dict[str, dict[str, Any]]] = {
    "Case": {
        "real": {"exercise": False, "disclosed_to_defence": False},
        "exercise": {"exercise": True, "disclosed_to_defence": False},
        "disclosed": {"exercise": False, "disclosed_to_defence": True},
    },
    "Request": {
        "another": _REQUEST,
        "account": _REQUEST | {"drafted_by": "me"},
        "human": _REQUEST | {"drafters": ["P-1"]},
        "nobody": _REQUEST | {"drafted_by": ""},
        "unnamed": _REQUEST | {"drafters": []},
        "unusable": _REQUEST | {"legal_basis": _UNUSABLE},
    },
    "Hold": {
        "for others": _HOLD,
        "unusable": _HOLD | {"legal_basis": _UNUSABLE},
        "own case": _HOLD | {"own_case": True, "legal_basis": _UNUSABLE},
    },
    "Matter": {
        "mla": _MATTER,
        "extradition": _MATTER | {"procedure": "extradition"},
        "handover": _MATTER | {"procedure": "handover"},
        "challenge": _MATTER | {"procedure": "handover", "event": "challenge"},
        "appeal": _MATTER | {"procedure": "victim_referral", "event": "appeal"},
        "elsewhere": _MATTER | {"event": "challenge"},
        "complaint": _MATTER | {"procedure": "complaint"},
        "complained": _MATTER | {"procedure": "complaint", "drafters": ["P-1"]},
        "complained of": _MATTER
        | {"procedure": "complaint", "drafters": ["P-1"], "own": False, "side": "requested"},
        "notice": _MATTER | {"procedure": "notice", "event": "publish"},
        "deletion": _MATTER | {"procedure": "notice", "event": "delete"},
        "second": _MATTER | {"approves": True},
        "own": _MATTER | {"approves": True, "drafters": ["P-1", "P-9"]},
        "unheard": _MATTER | {"approves": True, "drafters": []},
    },
    "JointWork": {"led": {"kind": "team", "leads": True}, "joined": {"kind": "operation", "leads": False}},
    "Office": {"": {}},
    "Vault": {"": {}},
}

ALLOWED = """
read_case            real: ASCP      exercise: ASCPT disclosed: ASCPD
report_case          real: AS        exercise: AST   disclosed: AS
send_notice          real: ASCP      exercise: ASCP  disclosed: ASCP
export_attachment    real: ASCP      exercise: ASCP  disclosed: ASCP
ask_consent          real: ASCP      exercise: ASCP  disclosed: ASCP
decide_consent       real: SC        exercise: SC    disclosed: SC
retract_item         real: SC        exercise: SC    disclosed: SC
keep_case            real: SCP       exercise: SCP   disclosed: SCP
erase_case           real: SC        exercise: SC    disclosed: SC

draft_request        another: ASCP  account: ASCP  human: ASCP  nobody: ASCP  unnamed: ASCP  unusable: ASCP
approve_request      another: SC    account: -     human: -     nobody: -     unnamed: -     unusable: -
send_request         another: ASC   account: ASC   human: ASC   nobody: ASC   unnamed: ASC   unusable: -
send_request_without_second_person another: ASN   account: ASN   human: ASN   nobody: ASN   unnamed: ASN   unusable: -
answer_request       another: SC    account: SC    human: SC    nobody: SC    unnamed: SC    unusable: SC
refuse_request       another: SC    account: SC    human: SC    nobody: SC    unnamed: SC    unusable: SC
answer_automatically another: N     account: N     human: N     nobody: N     unnamed: N     unusable: -

place_hold           for others: SN  unusable: -     own case: SN
confirm_hold         for others: CP  unusable: CP    own case: CP
release_hold         for others: SCP unusable: SCP   own case: SCP

open_matter    mla: ASCP  extradition: ASCP    handover: ASCPBV  challenge: ASCPBV   appeal: ASCPBV   elsewhere: ASCP
read_matter    mla: ASCP  extradition: ASCPBV  handover: ASCPBV  challenge: ASCPBV   appeal: ASCPBV   elsewhere: ASCP
decide_matter  mla: ASCP  extradition: ASCPBV  handover: ASCPBV  challenge: ASCPBVD  appeal: ASCPBVD  elsewhere: ASCP
extend_matter  mla: SCP   extradition: SCP     handover: SCPV    challenge: SCPV     appeal: SCPV     elsewhere: SCP
open_matter    complaint: ASCPVOD  complained: ASCPVOD  complained of: ASCPVOD  notice: ASCP   deletion: ASCP
read_matter    complaint: ASCPO    complained: ASCPVOD  complained of: ASCPO    notice: ASCPO  deletion: ASCPO
decide_matter  complaint: ASCPO    complained: ASCPVOD  complained of: ASCPO    notice: ASCP   deletion: ASCPO
extend_matter  complaint: SCPO     complained: SCPO     complained of: SCPO     notice: SCP    deletion: SCP
open_matter    second: ASCP  own: ASCP  unheard: ASCP
read_matter    second: ASCP  own: ASCP  unheard: ASCP
decide_matter  second: ASCP  own: -     unheard: -
extend_matter  second: SCP   own: -     unheard: -

read_joint           led: ASCP               joined: ASCP
manage_joint         led: SCP                joined: SCP
ask_deconfliction    led: ASP                joined: ASP

manage_people        M
manage_peers         M
import_transfers     SM
mark_account         SC
read_log             SOM
manage_deputies      M
manage_tokens        M

read_victim          V
write_victim         V
disclose_victim      V
erase_victim         V
"""

FORBIDDEN = """
read_case            real: MT        exercise: M     disclosed: MT
report_case          real: MOT       exercise: MO    disclosed: MOT
send_notice          real: MOT       exercise: MOT   disclosed: MOT
export_attachment    real: MT        exercise: MT    disclosed: MT
ask_consent          real: MOT       exercise: MOT   disclosed: MOT
decide_consent       real: MOT       exercise: MOT   disclosed: MOT
retract_item         real: MOT       exercise: MOT   disclosed: MOT
keep_case            real: MOT       exercise: MOT   disclosed: MOT
erase_case           real: MOT       exercise: MOT   disclosed: MOT

draft_request        another: MOT   account: MOT   human: MOT   nobody: MOT   unnamed: MOT   unusable: MOT
approve_request      another: MOT   account: *     human: *     nobody: *     unnamed: *     unusable: *
send_request         another: MOT   account: MOT   human: MOT   nobody: MOT   unnamed: MOT   unusable: *
send_request_without_second_person another: MOT   account: MOT   human: MOT   nobody: MOT   unnamed: MOT   unusable: *
answer_request       another: MOT   account: MOT   human: MOT   nobody: MOT   unnamed: MOT   unusable: MOT
refuse_request       another: MOT   account: MOT   human: MOT   nobody: MOT   unnamed: MOT   unusable: MOT
answer_automatically another: -     account: -     human: -     nobody: -     unnamed: -     unusable: *

place_hold           for others: MOT unusable: *     own case: MOT
confirm_hold         for others: MOT unusable: MOT   own case: MOT
release_hold         for others: MOT unusable: MOT   own case: MOT

open_matter    mla: MOTV  extradition: MOT  handover: MOT  challenge: MOT  appeal: MOT  elsewhere: MOTV
read_matter    mla: MT    extradition: MT   handover: MT   challenge: MT   appeal: MT   elsewhere: MT
decide_matter  mla: MOTV  extradition: MOT  handover: MOT  challenge: MOT  appeal: MOT  elsewhere: MOTV
extend_matter  mla: MOTV  extradition: MOT  handover: MOT  challenge: MOT  appeal: MOT  elsewhere: MOTV
open_matter    complaint: MT  complained: MT  complained of: MT  notice: MOTV  deletion: MTV
read_matter    complaint: MT  complained: MT  complained of: MT  notice: MT    deletion: MT
decide_matter  complaint: MT  complained: MT  complained of: MT  notice: MOTV  deletion: MTV
extend_matter  complaint: MT  complained: MT  complained of: MT  notice: MOTV  deletion: MTV
open_matter    second: MOTV  own: MOTV  unheard: MOTV
read_matter    second: MT    own: MT    unheard: MT
decide_matter  second: MOTV  own: *     unheard: *
extend_matter  second: MOTV  own: *     unheard: *

read_joint           led: MT                 joined: MT
manage_joint         led: MOT                joined: MOT
ask_deconfliction    led: MOT                joined: MOT

manage_people        T
manage_peers         T
import_transfers     T
mark_account         OT
read_log             -
manage_deputies      OT
manage_tokens        OT

read_victim          ASCPBODTM
write_victim         ASCPBODTM
disclose_victim      ASCPBODTM
erase_victim         ASCPBODTM
"""
"""Only whom it could be permitted to: the node itself is no principal of most actions."""

PERMIT_ALL = '@id("all") @reason("everything") permit (principal, action, resource);'
_BY_NODE = {Action.SEND_REQUEST_WITHOUT_SECOND_PERSON, Action.ANSWER_AUTOMATICALLY, Action.PLACE_HOLD}
_ENTRY = re.compile(r"([^:]+?):\s*(\S+)\s*")


def cells(table: str) -> dict[tuple[Action, str], str]:
    """The table by action and kind of thing."""
    found: dict[tuple[Action, str], str] = {}
    for line in filter(None, map(str.strip, table.splitlines())):
        name, _, rest = line.partition(" ")
        entries = _ENTRY.findall(rest.strip()) if ":" in rest else [("", rest.strip())]
        for kind, who in entries:
            assert (Action(name), kind.strip()) not in found, (name, kind)
            found[Action(name), kind.strip()] = who
    return found


def principals_of(action: Action) -> str:
    """Whom Cedar lets ask at all."""
    if action is Action.ANSWER_AUTOMATICALLY:
        return "N"
    return EVERYBODY if action in _BY_NODE else EVERYBODY.replace("N", "")


def somebody(letter: str) -> Person | None:
    role = LETTERS[letter]
    return None if role is None else Person(id="me", role=role, human="P-1")


EVERY_CELL = [(action, kind) for action in Action for kind in THINGS[action.resource_type]]


@pytest.mark.parametrize("table", [ALLOWED, FORBIDDEN], ids=["allowed", "forbidden"])
def test_the_tables_are_whole(table: str) -> None:
    assert set(cells(table)) == set(EVERY_CELL)


@pytest.fixture(scope="module")
def founded() -> Policies:
    """A new node's."""
    return Policies(default_policies())


@pytest.fixture(scope="module")
def loose() -> Policies:
    """Those of a node that permits everything: what is denied there, the floor forbids."""
    return Policies({"own.cedar": PERMIT_ALL})


@pytest.mark.parametrize(("action", "kind"), EVERY_CELL)
def test_a_new_node_allows_this_and_no_more(founded: Policies, action: Action, kind: str) -> None:
    thing, allowed = THINGS[action.resource_type][kind], set[str]()
    for letter in EVERYBODY:
        decision = founded.decide(action, thing, person=somebody(letter))
        allowed |= {letter} if decision.allowed else set()
        assert decision.reasons
        if letter not in principals_of(action):
            continue
        said = zip(decision.policies, decision.reasons, strict=True) if decision.policies else ()
        assert all(reason.endswith(f"[{id_}]") for id_, reason in said)
        assert not decision.reasons[0].startswith("could not"), decision
    assert allowed == set(cells(ALLOWED)[action, kind].strip("-"))


@pytest.mark.parametrize(("action", "kind"), EVERY_CELL)
def test_the_floor_forbids_this_and_no_more(loose: Policies, action: Action, kind: str) -> None:
    thing, asked = THINGS[action.resource_type][kind], principals_of(action)
    denied = {letter for letter in asked if not loose.decide(action, thing, person=somebody(letter)).allowed}
    who = cells(FORBIDDEN)[action, kind]
    expected = set(asked) if who == "*" else set(who.strip("-"))
    if who == "*" and action in _BY_NODE and kind != "unusable":
        expected -= {"N"}
    assert denied == expected


def without(id_: str) -> str:
    """The floor without one of its policies."""
    blocks = re.split(r"(?m)^(?=@id\()", read_text("policies", "floor.cedar"))
    kept = [block for block in blocks if not block.startswith(f'@id("{id_}")')]
    assert len(kept) == len(blocks) - 1, id_
    return "".join(kept)


FLOOR = [id_ for id_ in Policies({}).ids if id_.startswith("floor-")]
ONLY_BY = {
    "floor-administrator-sees-no-case": (Action.READ_CASE, "real", "M"),
    "floor-four-eyes": (Action.APPROVE_REQUEST, "human", "S"),
    "floor-draft-has-an-author": (Action.APPROVE_REQUEST, "unnamed", "S"),
    "floor-matter-four-eyes": (Action.DECIDE_MATTER, "own", "C"),
    "floor-oversight-never-acts": (Action.MANAGE_JOINT, "led", "O"),
    "floor-oversight-hears-complaints-only": (Action.DECIDE_MATTER, "mla", "O"),
    "floor-victim-support-decides-for-victims": (Action.DECIDE_MATTER, "notice", "V"),
    "floor-training-never-acts": (Action.DECIDE_MATTER, "mla", "T"),
    "floor-training-sees-exercises-only": (Action.READ_CASE, "real", "T"),
    "floor-training-sees-no-matter": (Action.READ_MATTER, "mla", "T"),
    "floor-no-unusable-basis": (Action.SEND_REQUEST, "unusable", "S"),
    "floor-no-hold-without-basis": (Action.PLACE_HOLD, "unusable", "N"),
    "floor-victims-vault": (Action.READ_VICTIM, "", "A"),
}
"""For each policy of the floor something that it alone forbids."""


def test_every_policy_of_the_floor_is_proved() -> None:
    assert set(ONLY_BY) == set(FLOOR)


@pytest.mark.parametrize("id_", FLOOR)
def test_what_a_policy_of_the_floor_forbids_is_allowed_without_it(
    loose: Policies, id_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    action, kind, letter = ONLY_BY[id_]
    thing = THINGS[action.resource_type][kind]
    decision = loose.decide(action, thing, person=somebody(letter))
    assert (decision.allowed, decision.policies) == (False, (id_,))
    text = without(id_)

    def read_floor_without(*path: str) -> str:
        return text if path[-1] == "floor.cedar" else read_text(*path)

    monkeypatch.setattr("comity.law.policies.read_text", read_floor_without)
    assert Policies({"own.cedar": PERMIT_ALL}).decide(action, thing, person=somebody(letter)).allowed


@pytest.mark.parametrize(
    ("human", "stands_for", "allowed"),
    [
        ("P-1", "", True),
        ("P-9", "", False),
        ("P-1", "P-9", False),
        ("P-9", "P-1", False),
        ("P-1", "P-2", True),
        ("", "P-9", False),
    ],
)
@pytest.mark.parametrize(
    ("action", "kind"), [(Action.APPROVE_REQUEST, "another"), (Action.DECIDE_MATTER, "second")]
)
def test_four_eyes_are_those_of_two_humans(
    founded: Policies, action: Action, kind: str, human: str, stands_for: str, allowed: bool
) -> None:
    """P-9 drafted it. Neither under another account, nor as a deputy, nor through one, does P-9 approve it."""
    who = Person(
        id="mei for lok" if stands_for else "mei", role=Role.SUPERVISOR, human=human, stands_for=stands_for
    )
    decision = founded.decide(action, THINGS[action.resource_type][kind], person=who)
    assert decision.allowed is allowed, decision


def test_whoever_a_procedure_lets_decide_the_policies_let_too(founded: Policies) -> None:
    """The policies are the outer wall: a role that they shut out could never do what the procedure leaves to it."""
    shut = {
        (one.name, move.event, role)
        for one in all_procedures()
        for move in one.transitions
        for role in move.roles
        if not _may_decide(founded, one.name, move.event, Role(role))
    }
    assert shut == set()


def test_no_procedure_leaves_anything_to_those_who_never_act() -> None:
    left = {
        (role, one.name)
        for one in all_procedures()
        for move in one.transitions
        for role in move.roles
        if role in (Role.OVERSIGHT, Role.TRAINING, Role.ADMINISTRATOR)
    }
    assert left <= {(Role.OVERSIGHT, "complaint"), (Role.OVERSIGHT, "notice")}


def _may_decide(policies: Policies, procedure: str, event: str, role: Role) -> bool:
    """Of a complaint, as whoever brought it."""
    thing = _MATTER | {"procedure": procedure, "event": event, "drafters": ["P-1"]}
    action = Action.EXTEND_MATTER if event == "extend" else Action.DECIDE_MATTER
    return policies.decide(action, thing, person=Person(id="me", role=role, human="P-1")).allowed


def test_every_permit_is_for_somebody_and_every_action_is_permitted_to_somebody(founded: Policies) -> None:
    assert founded.unpermitted == ()
    everything = {
        who for action in Action for who in cells(ALLOWED)[action, next(iter(THINGS[action.resource_type]))]
    }
    assert everything - {"-"} <= set(EVERYBODY)


def test_a_node_founded_before_an_action_was_there_says_what_to_add() -> None:
    shipped = default_policies()
    old = Policies({name: shipped[name] for name in ("people.cedar", "standing.cedar")})
    assert {Action.OPEN_MATTER, Action.MANAGE_DEPUTIES} <= set(old.unpermitted)
    assert Action.READ_CASE not in old.unpermitted
    decision = old.decide(Action.OPEN_MATTER, _MATTER, person=somebody("S"))
    assert not decision.allowed
    assert "to anybody" in decision.reasons[0]
    assert "--add matters.cedar" in decision.reasons[0]
    known = old.decide(Action.READ_CASE, THINGS["Case"]["real"], person=somebody("B"))
    assert "to anybody" not in known.reasons[0]
    assert Policies({"own.cedar": PERMIT_ALL}).unpermitted == ()


def test_the_page_says_what_the_policies_decide() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "access.md"
    assert page.read_text(encoding="utf-8") == reference() + "\n", (
        "python -m comity.law.access_page > docs/reference/access.md"
    )
    assert all(f"`{action}`" in reference() for action in Action)
    assert all(f"| `{id_}` |" in reference() for id_ in Policies(default_policies()).ids)
