"""Access: limits of standing policies, what Cedar cannot evaluate, and policies that are wrong.

Who may do what, and what the floor forbids, is in `test_access_matrix.py`.
"""

from typing import Any

import pytest

from comity.errors import InputError
from comity.law.files import read_text
from comity.law.policies import Action, Outcome, Policies, default_policies, optional_policy
from comity.model import Person, Role

_BASIS = {"instrument": "UNTOC", "kind": "multilateral", "usable": True, "confidence": "medium"}
_REQUEST: dict[str, Any] = {
    "type": "trace_and_hold", "channel": "fiu", "offence": "fraud", "urgent": True, "from_member": True,
    "from_jurisdiction": "CA", "amount_minor": 230_000_000, "currency": "CAD", "legal_basis": _BASIS,
    "drafted_by": "somebody", "drafters": ["P-9"], "rule": "fifo", "inflows": 1, "accounts": 1,
    "third_countries": 0, "unmatched": 0, "exits": 0, "requests_today": 1, "cases_today": 1,
    "peer_requests_today": 1, "unmatched_today": 0,
}  # fmt: skip
_CASE: dict[str, Any] = {"exercise": False, "disclosed_to_defence": False}
_PERMIT_ALL = '@id("all") @reason("everything") permit (principal, action, resource);'


@pytest.fixture(scope="module")
def policies() -> Policies:
    return Policies(default_policies())


def _person(role: Role, id_: str = "p1") -> Person:
    return Person(id=id_, role=role)


def test_without_any_policy_of_its_own_a_node_permits_nothing() -> None:
    bare = Policies({})
    assert bare.unpermitted == tuple(Action)
    for action, thing in ((Action.READ_CASE, _CASE), (Action.SEND_REQUEST, _REQUEST)):
        for who in map(_person, Role):
            assert not bare.decide(action, thing, person=who).allowed


@pytest.mark.parametrize(
    "change",
    [
        {"urgent": False},
        {"amount_minor": 500_000_001},
        {"currency": "XAU"},
        {"offence": "tip"},
        {"type": "mla"},
        {"legal_basis": _BASIS | {"confidence": "low"}},
        {"legal_basis": _BASIS | {"usable": False}},
    ],
)
def test_a_standing_approval_has_limits(policies: Policies, change: dict[str, Any]) -> None:
    action = Action.SEND_REQUEST_WITHOUT_SECOND_PERSON
    assert policies.decide(action, _REQUEST, person=None).policies == ("standing-approval-urgent-fraud",)
    assert not policies.decide(action, _REQUEST | change, person=None).allowed


@pytest.mark.parametrize(
    "change",
    [
        {"from_member": False},
        {"urgent": False},
        {"legal_basis": _BASIS | {"instrument": "TIP-PROTOCOL"}},
        {"legal_basis": _BASIS | {"confidence": "low"}},
        {"offence": "drugs"},
    ],
)
def test_what_no_standing_policy_answers_is_left_to_an_officer(
    policies: Policies, change: dict[str, Any]
) -> None:
    action = Action.ANSWER_AUTOMATICALLY
    assert policies.decide(action, _REQUEST, person=None).outcome is Outcome.ANSWER
    left = policies.decide(action, _REQUEST | change, person=None)
    assert (left.outcome, left.refusal_ground) == (Outcome.OFFICER, None)


def test_a_unit_that_answers_its_own_channel_only_refuses_the_police_channel_on_a_stated_ground() -> None:
    file = "fiu_channel_only.cedar"
    policies = Policies({**default_policies(), file: optional_policy(file)})

    def decide(instrument: str, kind: str) -> tuple[Outcome, str | None]:
        basis = {"instrument": instrument, "kind": kind, "usable": True, "confidence": "medium"}
        decision = policies.decide(
            Action.ANSWER_AUTOMATICALLY, _REQUEST | {"legal_basis": basis}, person=None
        )
        return decision.outcome, decision.refusal_ground

    assert decide("INTERPOL", "arrangement") == (Outcome.REFUSE, "wrong-channel")
    assert decide("EGMONT", "arrangement") == (Outcome.ANSWER, None)
    assert decide("UNTOC", "multilateral") == (Outcome.ANSWER, None)


@pytest.mark.parametrize(
    "thing",
    [
        {},
        {**_REQUEST, "surprise": 1},
        {**_REQUEST, "amount_minor": 2**63},
        {**_REQUEST, "amount_minor": 1.5},
        {**_REQUEST, "amount_minor": float("nan")},
        {**_REQUEST, "amount_minor": "230000000"},
        {**_REQUEST, "urgent": None},
        {**_REQUEST, "offence": {"__entity": {"type": "Role", "id": "supervisor"}}},
        {**_REQUEST, "legal_basis": {"usable": True}},
        {**_REQUEST, "drafted_by": object()},
    ],
)
def test_what_cannot_be_evaluated_is_denied_and_case_data_stays_out_of_the_reason(
    thing: dict[str, Any],
) -> None:
    loose = Policies({"own.cedar": _PERMIT_ALL})
    decision = loose.decide(Action.SEND_REQUEST, thing, person=_person(Role.SUPERVISOR))
    assert not decision.allowed
    assert decision.reasons[0].startswith("could not be evaluated, therefore denied")
    assert "trace_and_hold" not in decision.reasons[0]
    assert decision.outcome is Outcome.OFFICER


def test_a_policy_that_fails_while_it_is_evaluated_denies() -> None:
    """Cedar skips a policy that errs, here the forbid: without our rule the permit would stand."""
    overflow = """
        @id("cap") @reason("at most a little")
        forbid (principal, action == Action::"send_request", resource) when { resource.amount_minor * 9 > 100 };
    """
    policies = Policies({"own.cedar": _PERMIT_ALL + overflow})
    who = _person(Role.SUPERVISOR)
    small = policies.decide(Action.SEND_REQUEST, _REQUEST | {"amount_minor": 1}, person=who)
    assert small.allowed
    large = policies.decide(Action.SEND_REQUEST, _REQUEST | {"amount_minor": 2**63 - 1}, person=who)
    assert not large.allowed
    assert "overflow" in large.reasons[0]


@pytest.mark.parametrize("id_", ["p1\n", 'a"b', "", "p" * 5000, "Ünïcode", "Role::analyst"])
def test_any_name_of_a_person_is_a_name_and_nothing_else(policies: Policies, id_: str) -> None:
    assert policies.decide(Action.READ_CASE, _CASE, person=_person(Role.ANALYST, id_)).allowed
    assert not policies.decide(Action.READ_CASE, _CASE, person=_person(Role.ADMINISTRATOR, id_)).allowed


def test_defence_and_trainees_see_what_is_meant_for_them(policies: Policies) -> None:
    assert policies.decide(
        Action.READ_CASE, _CASE | {"disclosed_to_defence": True}, person=_person(Role.DEFENCE)
    ).allowed
    assert policies.decide(
        Action.REPORT_CASE, _CASE | {"exercise": True}, person=_person(Role.TRAINING)
    ).allowed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("permit (", "fit the schema"),
        ("permit (principal, action, resource);", "@id and @reason"),
        ('@id("x") permit (principal, action, resource);', "@id and @reason"),
        ('@id("") @reason("r") permit (principal, action, resource);', "@id and @reason"),
        ('@id("x") @reason("r") @note("n") permit (principal, action, resource);', "@id and @reason"),
        (_PERMIT_ALL + _PERMIT_ALL, "'all' twice"),
        ('@id("floor-x") @reason("r") permit (principal, action, resource);', "does not begin floor-"),
        ('@id("x") @reason("r") permit (principal, action == Action::"fly", resource);', "fly"),
        ('@id("x") @reason("r") permit (principal, action, resource) when { resource.zork };', "zork"),
        (
            '@id("x") @reason("r") @refuse("wrong-channel") permit (principal, action == '
            'Action::"answer_automatically", resource);',
            "@refuse on a forbid",
        ),
        (
            '@id("x") @reason("r") @refuse("wrong-channel") forbid (principal, action == '
            'Action::"send_request", resource);',
            "@refuse on a forbid",
        ),
        (
            '@id("x") @reason("r") @refuse("bank-secrecy") forbid (principal, action == '
            'Action::"answer_automatically", resource);',
            "a declared ground",
        ),
        ('@id("x") @reason("r") permit (principal == ?principal, action, resource);', "template"),
    ],
)
def test_a_malformed_policy_is_refused_with_its_file(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        Policies({"own.cedar": text})
    assert "own.cedar" in str(caught.value)


def test_ids_are_unique_over_all_files_and_the_floor_is_not_replaced() -> None:
    with pytest.raises(InputError, match="'all' twice"):
        Policies({"a.cedar": _PERMIT_ALL, "b.cedar": _PERMIT_ALL})
    with pytest.raises(InputError, match="the floor is built in"):
        Policies({"floor.cedar": _PERMIT_ALL})


def test_the_floor_is_not_copied_and_only_forbids() -> None:
    assert "floor.cedar" not in default_policies()
    assert "permit (" not in read_text("policies", "floor.cedar")
    assert all(f"floor-{name}" in Policies({}).ids for name in ("four-eyes", "no-unusable-basis"))
    with pytest.raises(InputError, match=r"one of fiu_channel_only\.cedar"):
        optional_policy("../floor.cedar")
