"""People of the node: added once, signed in by a password that is kept nowhere in clear, for eight hours."""

import json
from datetime import timedelta

import pytest

from comity.errors import Conflict, Forbidden, InputError, NotFound
from comity.model import Role
from comity.node.people import (
    add_person,
    check_password,
    close_session,
    in_session,
    open_session,
    other_accounts,
    remove_person,
)
from comity.node.tokens import BadToken, bearer_of, issue
from tests.nodes.story import CA
from tests.nodes.town import Town


def test_the_password_opens_and_nothing_else_does(town: Town) -> None:
    password = add_person(town[CA], "mei", Role.ANALYST, actor="administrator")
    person = check_password(town[CA], "mei", password)
    assert person is not None
    assert (person.id, person.role) == ("mei", Role.ANALYST)
    for name, wrong in (("mei", password[:-1]), ("mei", ""), ("Mei", password), ("nobody", password)):
        assert check_password(town[CA], name, wrong) is None


def test_a_name_is_taken_once(town: Town) -> None:
    add_person(town[CA], "mei", Role.ANALYST, actor="administrator")
    with pytest.raises(Conflict):
        add_person(town[CA], "mei", Role.SUPERVISOR, actor="administrator")
    assert len(town.events(CA, "person.added")) == 2


@pytest.mark.parametrize(
    "name", ["", "m", "x" * 61, "a b", "a\n", "a;b", "../x", "node", "policy", "clock", "-", "console:0"]
)
def test_a_name_that_would_mislead_is_refused(town: Town, name: str) -> None:
    """Events are signed with names: nobody may be called what the machine is called."""
    with pytest.raises(InputError):
        add_person(town[CA], name, Role.ANALYST, actor="administrator")


def test_a_session_ends_after_eight_hours_and_when_it_is_closed(town: Town) -> None:
    password = add_person(town[CA], "mei", Role.ANALYST, actor="administrator")
    mei = check_password(town[CA], "mei", password)
    assert mei is not None
    first, second = open_session(town[CA], mei), open_session(town[CA], mei)
    assert in_session(town[CA], first) == mei
    close_session(town[CA], first)
    assert in_session(town[CA], first) is None
    assert in_session(town[CA], second) == mei
    town.clock.advance(hours=8)
    assert in_session(town[CA], second) is None
    assert in_session(town[CA], "") is None


def test_no_secret_is_kept_or_recorded(town: Town) -> None:
    """Not in an event, not in the database, not under another name: hashes only."""
    password = add_person(town[CA], "mei", Role.ANALYST, actor="administrator")
    mei = check_password(town[CA], "mei", password)
    assert mei is not None
    token = open_session(town[CA], mei)
    passphrase = town[CA].home.passphrase.read_text()
    recorded = json.dumps([dict(event.body) for event in town.events(CA)])
    town[CA].records.close()
    kept = b"".join(file.read_bytes() for file in town[CA].home.path.glob("node.db*"))
    for secret in (password, token, passphrase):
        assert secret not in recorded
        assert secret.encode() not in kept


def test_the_accounts_of_one_human_are_known_as_such(town: Town) -> None:
    for name, human in (("mei", "P-1207"), ("mei.duty", "P-1207"), ("lok", ""), ("lok.duty", "lok")):
        add_person(town[CA], name, Role.ANALYST, actor="administrator", human=human)
    assert [one.id for one in other_accounts(town[CA], "mei")] == ["mei.duty"]
    assert [one.id for one in other_accounts(town[CA], "lok")] == ["lok.duty"], (
        "the name, where none was given"
    )
    added = {event.body["person"]: event.body for event in town.events(CA, "person.added")}
    assert (added["mei.duty"]["human"], added["mei.duty"]["others"]) == ("P-1207", ["mei"])
    assert (added["lok"]["human"], added["lok"]["others"]) == ("lok", [])


@pytest.mark.parametrize("human", ["x", "P 12", "P-1 for P-2", "node", "policy", "clock", "P\n12", "x" * 61])
def test_a_personnel_number_that_would_mislead_is_refused(town: Town, human: str) -> None:
    with pytest.raises(InputError, match="a personnel number"):
        add_person(town[CA], "mei", Role.ANALYST, actor="administrator", human=human)


def test_who_was_removed_comes_in_no_more_and_their_name_stays_theirs(town: Town) -> None:
    password = add_person(town[CA], "mei", Role.ANALYST, actor="administrator")
    mei = check_password(town[CA], "mei", password)
    assert mei is not None
    session = open_session(town[CA], mei)
    admin = town.person(CA, Role.ADMINISTRATOR)
    _, token = issue(town[CA], "mei", town.clock() + timedelta(days=9), by=admin)
    assert bearer_of(town[CA], token).person == mei
    remove_person(town[CA], "mei", person=admin)
    assert check_password(town[CA], "mei", password) is None
    assert check_password(town[CA], "mei", "") is None
    assert in_session(town[CA], session) is None
    with pytest.raises(BadToken):
        bearer_of(town[CA], token)
    assert [event.actor for event in town.events(CA, "person.signed-in")] == ["mei"], "what they did stays"
    with pytest.raises(Conflict, match="has or had"):
        add_person(town[CA], "mei", Role.ANALYST, actor="administrator")
    with pytest.raises(NotFound):
        remove_person(town[CA], "mei", person=admin)
    with town.looking(CA) as tx:
        assert "mei" not in [one.id for one, _ in tx.people.all()]
        assert tx.people.humans_behind("mei for lok") == {"mei", "lok"}


def test_somebody_remains_who_can_add_people(town: Town) -> None:
    admin = town.person(CA, Role.ADMINISTRATOR)
    with pytest.raises(Conflict, match="the only one"):
        remove_person(town[CA], "administrator", person=admin)
    add_person(town[CA], "second", Role.ADMINISTRATOR, actor="administrator")
    remove_person(town[CA], "administrator", person=admin)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_an_administrator_removes_people(town: Town, role: Role) -> None:
    add_person(town[CA], "mei", Role.ANALYST, actor="administrator")
    with pytest.raises(Forbidden, match="manage_people"):
        remove_person(town[CA], "mei", person=town.person(CA, role))
