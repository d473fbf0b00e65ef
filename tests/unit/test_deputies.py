"""Deputies and second accounts: whose role they use, until when, and that four eyes are those of two humans."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from litestar.testing import TestClient

from comity.casework import Request
from comity.casework.matter import Actor, Matter
from comity.casework.matter_steps import taken
from comity.entrypoints.web import create_app
from comity.errors import Conflict, Forbidden, InputError, NotFound
from comity.law import Action, procedure
from comity.model import Person, Role, human_of, humans_in
from comity.node.bootstrap import Node
from comity.node.deputies import CASEWORK, deputise, end_deputy
from comity.node.matters import decide, open_matter
from comity.node.pages.desk import NodeDesk
from comity.node.people import (
    add_person,
    check_password,
    in_session,
    open_session,
    other_accounts,
    remove_person,
)
from comity.node.policy import require_with_case
from comity.node.request import approve
from tests.nodes.matters import facts_for, fields_of
from tests.nodes.story import CA, HK
from tests.nodes.town import Town
from tests.unit.test_walk import in_yen
from tests.unit.test_web_app import send, token_in

ADMIN = Person(id="administrator", role=Role.ADMINISTRATOR)


class Office:
    """People of CA with their passwords; mei is lok's deputy for a day unless `named` is false."""

    def __init__(self, town: Town, *, named: bool = True) -> None:
        self.town, self.words = town, dict[str, str]()
        self.add("mei", Role.ANALYST, "P-1")
        self.add("lok", Role.SUPERVISOR, "P-2")
        if named:
            deputise(self.node, "mei", principal="lok", until=self.after(days=1), person=ADMIN)

    @property
    def node(self) -> Node:
        return self.town[CA]

    def add(self, name: str, role: Role, human: str = "") -> None:
        self.words[name] = add_person(self.node, name, role, actor="test", human=human)

    def after(self, **time: float) -> datetime:
        return self.town.clock() + timedelta(**time)

    def sign_in(self, name: str) -> Person:
        found = check_password(self.node, name, self.words[name.partition(" ")[0]])
        assert found is not None
        return found


@pytest.fixture
def office(town: Town) -> Office:
    return Office(town)


def waiting(node: Node, town: Town, drafted_by: str) -> Request:
    """A request of CA that waits for a second person, drafted by that account."""
    in_yen(town)
    town.settle()
    (request,) = town.requests(CA)
    request = replace(request, drafted_by=drafted_by)
    with node.records.transaction() as tx:
        tx.requests.put(request)
    return request


def test_a_deputy_has_that_one_role_and_everything_says_so(office: Office) -> None:
    mei = office.sign_in("mei for lok")
    assert (mei.id, mei.role, mei.account) == ("mei for lok", Role.SUPERVISOR, "mei")
    assert human_of(mei) == "P-1 for P-2"
    assert humans_in(human_of(mei)) == mei.humans == {"P-1", "P-2"}
    assert office.sign_in("mei").role is Role.ANALYST, "without saying for whom, only their own"
    (named,) = office.town.events(CA, "deputy.named")
    assert (named.actor, named.body["person"], named.body["principal"]) == ("administrator", "mei", "lok")


def test_what_a_deputy_does_is_recorded_under_both_names(office: Office) -> None:
    request = waiting(office.node, office.town, "node")
    approve(office.node, request.id, person=office.sign_in("mei for lok"))
    (approved,) = office.town.events(CA, "request.approved")
    assert approved.actor == "mei for lok"


@pytest.mark.parametrize("end", ["time", "ended", "deputy removed", "principal removed"])
def test_it_ends(office: Office, end: str) -> None:
    """By its date, by an administrator, with either of the two; and every session in it ends with it."""
    deputy, own = office.sign_in("mei for lok"), office.sign_in("mei")
    as_deputy, as_self = open_session(office.node, deputy), open_session(office.node, own)
    assert in_session(office.node, as_deputy) == deputy
    enders: dict[str, Callable[[], object]] = {
        "time": lambda: office.town.clock.advance(hours=24.1),
        "ended": lambda: end_deputy(office.node, "mei", principal="lok", person=ADMIN),
        "deputy removed": lambda: remove_person(office.node, "mei", person=ADMIN),
        "principal removed": lambda: remove_person(office.node, "lok", person=ADMIN),
    }
    enders[end]()
    assert in_session(office.node, as_deputy) is None
    if end == "deputy removed":
        assert check_password(office.node, "mei for lok", office.words["mei"]) is None
    else:
        with pytest.raises(Forbidden, match="expected a deputy of lok now"):
            office.sign_in("mei for lok")
        assert office.sign_in("mei") == own
    assert (in_session(office.node, as_self) is None) is (end in ("time", "deputy removed"))


def test_to_the_moment(office: Office) -> None:
    office.town.clock.advance(hours=23, minutes=59)
    assert office.sign_in("mei for lok").role is Role.SUPERVISOR
    office.town.clock.advance(minutes=1)
    with pytest.raises(Forbidden):
        office.sign_in("mei for lok")


def test_a_wrong_password_says_nothing_of_deputies(office: Office) -> None:
    for name in ("mei for lok", "mei for nobody", "lok for mei", "nobody for lok", " for lok", "mei for "):
        assert check_password(office.node, name, "wrong") is None


@pytest.mark.parametrize("name", ["lok for mei", "mei for mei", "mei for nobody", "mei for lok for lok"])
def test_nobody_is_a_deputy_that_nobody_named(office: Office, name: str) -> None:
    with pytest.raises(Forbidden, match="expected a deputy"):
        office.sign_in(name)


def test_a_role_is_not_passed_on(office: Office) -> None:
    """Kai stands in for mei, who stands in for lok: kai has mei's own role."""
    office.add("kai", Role.BORDER_OFFICER, "P-3")
    deputise(office.node, "kai", principal="mei", until=office.after(days=1), person=ADMIN)
    assert office.sign_in("kai for mei").role is Role.ANALYST
    with pytest.raises(Forbidden):
        office.sign_in("kai for lok")


@pytest.mark.parametrize("role", sorted(set(Role) - CASEWORK))
def test_only_people_of_casework_have_deputies_and_are_deputies(office: Office, role: Role) -> None:
    """No administrator comes to a case, and nobody to the people and keys of a node."""
    office.add("ola", role, "P-4")
    for name, principal in (("ola", "lok"), ("mei", "ola")):
        with pytest.raises(InputError, match="people of casework only"):
            deputise(office.node, name, principal=principal, until=office.after(days=1), person=ADMIN)
    assert Role.ADMINISTRATOR not in CASEWORK


def test_no_other_account_of_an_administrator_is_a_deputy(office: Office) -> None:
    office.add("root", Role.ADMINISTRATOR, "P-5")
    office.add("root.cases", Role.ANALYST, "P-5")
    with pytest.raises(InputError, match="root, administrator"):
        deputise(office.node, "root.cases", principal="lok", until=office.after(days=1), person=ADMIN)


def test_nobody_is_their_own_deputy_nor_names_themselves(office: Office) -> None:
    office.add("mei.second", Role.SUPERVISOR, "P-1")
    with pytest.raises(InputError, match="accounts of one"):
        deputise(office.node, "mei", principal="mei.second", until=office.after(days=1), person=ADMIN)
    office.town.law(
        CA, '@id("x") @reason("r") permit (principal, action == Action::"manage_deputies", resource);'
    )
    for person in (office.sign_in("lok"), replace(ADMIN, human="P-1")):
        with pytest.raises(Forbidden, match="themselves"):
            deputise(office.node, "mei", principal="lok", until=office.after(days=2), person=person)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_an_administrator_names_and_ends_them(office: Office, role: Role) -> None:
    somebody = Person(id="ola", role=role)
    with pytest.raises(Forbidden, match="manage_deputies"):
        deputise(office.node, "mei", principal="lok", until=office.after(days=1), person=somebody)
    with pytest.raises(Forbidden, match="manage_deputies"):
        end_deputy(office.node, "mei", principal="lok", person=somebody)


@pytest.mark.parametrize("days", [-1.0, 0.0, 367.0])
def test_an_end_that_is_none_is_refused(town: Town, days: float) -> None:
    office = Office(town, named=False)
    with pytest.raises(InputError, match="within 366 days"):
        deputise(office.node, "mei", principal="lok", until=office.after(days=days), person=ADMIN)
    naive = office.after(days=1).replace(tzinfo=None)
    with pytest.raises(InputError, match="in UTC"):
        deputise(office.node, "mei", principal="lok", until=naive, person=ADMIN)


def test_named_once_and_ended_once(office: Office) -> None:
    with pytest.raises(Conflict, match="already"):
        deputise(office.node, "mei", principal="lok", until=office.after(days=2), person=ADMIN)
    end_deputy(office.node, "mei", principal="lok", person=ADMIN)
    with pytest.raises(NotFound, match="a deputy of now"):
        end_deputy(office.node, "mei", principal="lok", person=ADMIN)
    deputise(office.node, "mei", principal="lok", until=office.after(days=2), person=ADMIN)
    with pytest.raises(NotFound, match="somebody on this node"):
        deputise(office.node, "nobody", principal="lok", until=office.after(days=2), person=ADMIN)


@pytest.mark.parametrize(
    ("drafted_by", "approver"),
    [
        ("lok", "lok"),  # the account itself
        ("mei", "mei.second"),  # another account of one human
        ("mei", "mei for lok"),  # the deputy's own draft
        ("lok", "mei for lok"),  # the principal's draft
        ("mei for lok", "lok"),  # what the deputy drafted in the principal's name
        ("mei for lok", "mei.second"),
        ("mei.second", "mei for lok"),
    ],
)
def test_nobody_approves_what_they_drafted_under_another_name(
    office: Office, drafted_by: str, approver: str
) -> None:
    office.add("mei.second", Role.SUPERVISOR, "P-1")
    request = waiting(office.node, office.town, drafted_by)
    with pytest.raises(Forbidden, match="drafted themselves"):
        approve(office.node, request.id, person=office.sign_in(approver))
    (unchanged,) = office.town.requests(CA)
    assert unchanged.state == "awaiting_approval"


@pytest.mark.parametrize(
    ("drafted_by", "approver"),
    [("mei", "lok"), ("kai", "mei for lok"), ("mei for lok", "kai"), ("node", "lok")],
)
def test_a_second_human_approves(office: Office, drafted_by: str, approver: str) -> None:
    office.add("kai", Role.CENTRAL_AUTHORITY, "P-3")
    request = waiting(office.node, office.town, drafted_by)
    assert approve(office.node, request.id, person=office.sign_in(approver)).state == "sent"


def test_a_draft_of_somebody_who_was_removed_is_still_theirs(office: Office) -> None:
    office.add("mei.second", Role.SUPERVISOR, "P-1")
    request = waiting(office.node, office.town, "mei")
    remove_person(office.node, "mei", person=ADMIN)
    with pytest.raises(Forbidden, match="drafted themselves"):
        approve(office.node, request.id, person=office.sign_in("mei.second"))


def test_the_desk_shows_who_stands_in_for_whom(office: Office) -> None:
    desk = NodeDesk(office.node)
    signed_in = desk.sign_in("mei for lok", office.words["mei"])
    assert signed_in is not None
    assert desk.who(signed_in.token) == signed_in.person
    rows = {row.name: row for row in desk.people(ADMIN)}
    assert (rows["mei"].deputy_for, rows["mei"].human) == (("lok",), "P-1")
    assert rows["mei"].last_signed_in_at is not None
    assert rows["lok"].deputy_for == ()
    require_with_case(office.node, Action.READ_CASE, signed_in.person)


@pytest.mark.parametrize(
    ("second", "allowed"),
    [
        ("P-1", False),  # another account of the drafter
        ("P-1 for P-2", False),  # the drafter as a deputy
        ("P-2 for P-1", False),  # the drafter's deputy
        ("P-2", True),
        ("P-2 for P-3", True),
    ],
)
def test_what_a_procedure_has_another_decide_another_human_decides(
    town: Town, second: str, allowed: bool
) -> None:
    """The record says which humans decided, so that the other side sees it too."""
    human, _, stands_for = second.partition(" for ")
    mla = procedure("mla")
    way = {move.event: move for move in mla.transitions if move.source in (mla.initial, "review")}
    fields = fields_of(mla)

    def person(name: str, event: str, number: str, other: str = "") -> Person:
        return Person(id=name, role=Role(way[event].roles[0]), human=number, stands_for=other)

    drafter = person("mei", "submit", "P-1")
    matter = open_matter(town[CA], procedure_name="mla", peer=HK, person=drafter, fields=fields)
    decide(town[CA], matter.id, "submit", facts_for(mla, way["submit"]), person=drafter)
    sender = person("other for lok" if stands_for else "other", "send", human, stands_for)
    if allowed:
        sent = decide(town[CA], matter.id, "send", facts_for(mla, way["send"]), person=sender)
        assert sent.facts["decided"]["send"]["by"] == second
        return
    with pytest.raises(Forbidden, match="floor-matter-four-eyes"):
        decide(town[CA], matter.id, "send", facts_for(mla, way["send"]), person=sender)
    without_floor = replace(matter_of(town, matter.id), pending=None)
    actor = Actor(by=human_of(sender), role=sender.role.value, side="requesting")
    with pytest.raises(Forbidden, match="four-eyes"):
        taken(mla, without_floor, "send", actor, facts_for(mla, way["send"]), at=town.clock())


def matter_of(town: Town, matter_id: str) -> Matter:
    with town.looking(CA) as tx:
        return tx.matters.get(matter_id)


def test_the_pages_take_deputies_and_show_them(office: Office) -> None:
    office.add("ada", Role.ADMINISTRATOR)
    now: Any = lambda: office.town.clock()  # noqa: E731 - stands in for a function
    site = create_app(NodeDesk(office.node), node_name="CA", now=now)

    def signed_in(client: TestClient[Any], name: str) -> int:
        word = office.words[name.partition(" ")[0]]
        form = {"form_token": token_in(client.get("/sign-in").text), "name": name, "password": word}
        return int(send(client, "/sign-in", form).status_code)

    with TestClient(site, base_url="https://node.test") as client:
        assert signed_in(client, "mei for lok") == 303
        assert client.get("/cases").status_code == 200
        end_deputy(office.node, "mei", principal="lok", person=ADMIN)
        assert client.get("/cases").url.path == "/sign-in", "the session ended with it"
    with TestClient(site, base_url="https://node.test") as client:
        assert signed_in(client, "mei for lok") == 403
    deputise(office.node, "mei", principal="lok", until=office.after(days=1), person=ADMIN)
    with TestClient(site, base_url="https://node.test") as client:
        assert signed_in(client, "ada") == 303
        people = client.get("/people").text
        assert "deputy for lok" in people
        form = {"form_token": token_in(people), "name": "mei.duty", "role": "analyst", "human": "P-1"}
        assert send(client, "/people", form).status_code == 200
        wrong = send(client, "/people", form | {"name": "kai", "human": "P-1 for P-2"})
        assert 400 <= wrong.status_code < 500
        assert "a personnel number" in wrong.text
    assert [one.id for one in other_accounts(office.node, "mei")] == ["mei.duty"]


def test_nobody_who_investigates_screens_as_the_deputy_of_a_victim_support_officer(town: Town) -> None:
    """A screening is independent of the investigation: so is whoever stands in for the officer."""
    office = Office(town)
    office.add("anong", Role.VICTIM_SUPPORT)
    office.add("malee", Role.VICTIM_SUPPORT, "P-7")
    deputise(office.node, "malee", principal="anong", until=office.after(days=1), person=ADMIN)
    office.add("malee-too", Role.ANALYST, "P-7")
    office.add("suda", Role.VICTIM_SUPPORT, "P-7")
    for name in ("mei", "lok", "suda"):
        with pytest.raises(InputError, match="victim-support officer and nothing else"):
            deputise(office.node, name, principal="anong", until=office.after(days=1), person=ADMIN)
