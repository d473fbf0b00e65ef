"""People of the node: added once, signed in by a password that is kept nowhere in clear, for eight hours."""

import json

import pytest

from comity.errors import Conflict, InputError
from comity.model import Role
from comity.node.people import add_person, check_password, close_session, in_session, open_session
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
    "name", ["", "m", "x" * 61, "a b", "a\n", "a;b", "../x", "node", "policy", "-", "console:0"]
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
