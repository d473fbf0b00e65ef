"""Tokens of programs: who gives them, how long they are good, and that nobody gains anything by one."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from comity.errors import Conflict, Forbidden, InputError, NotFound
from comity.model import Person, Role
from comity.node.people import add_person
from comity.node.tokens import (
    SEEN_EVERY,
    BadToken,
    ReadOnlyToken,
    bearer_of,
    issue,
    listed,
    require_full,
    revoke,
    standing,
)
from tests.nodes.story import CA
from tests.nodes.town import Town

ADMINISTRATOR = Person(id="administrator", role=Role.ADMINISTRATOR)


def issued(town: Town, *, days: float = 30, only: str = "", name: str = "mei") -> tuple[str, str]:
    """The token's name, and the token."""
    with town.looking(CA) as tx:
        known = tx.people.find(name)
    if known is None:
        add_person(town[CA], name, Role.ANALYST, actor="test")
    until = town.clock() + timedelta(days=days)
    token, text_ = issue(town[CA], name, until, by=ADMINISTRATOR, only=only)
    return token.id, text_


def test_a_token_is_its_person_in_their_role(town: Town) -> None:
    token_id, secret = issued(town)
    bearer = bearer_of(town[CA], secret)
    assert (bearer.person.id, bearer.person.role, bearer.token.id) == ("mei", Role.ANALYST, token_id)
    require_full(bearer)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_an_administrator_gives_lists_and_revokes_them(town: Town, role: Role) -> None:
    token_id, _ = issued(town)
    who, until = town.person(CA, role), town.clock() + timedelta(days=1)
    with pytest.raises(Forbidden):
        issue(town[CA], "mei", until, by=who)
    with pytest.raises(Forbidden):
        listed(town[CA], by=who)
    with pytest.raises(Forbidden):
        revoke(town[CA], token_id, by=who)
    assert len(listed(town[CA], by=ADMINISTRATOR)) == 1


def test_the_token_itself_is_nowhere(town: Town) -> None:
    _, secret = issued(town)
    hidden = secret.partition(".")[2].encode()
    assert len(hidden) >= 43
    bearer_of(town[CA], secret)
    kept = [file for file in town[CA].home.path.rglob("*") if file.is_file()]
    assert kept
    assert not [file for file in kept if hidden in file.read_bytes()]


@pytest.mark.parametrize(
    "wrong", ["", ".", "x", "token-x.y", "{id}", "{id}.", "{id}.AAAA", "{id}.{secret}x", "\ud800.\ud800"]
)
def test_another_token_is_none(town: Town, wrong: str) -> None:
    token_id, secret = issued(town)
    with pytest.raises(BadToken):
        bearer_of(town[CA], wrong.format(id=token_id, secret=secret.partition(".")[2]))


def test_it_ends_at_its_end(town: Town) -> None:
    _, secret = issued(town, days=1)
    town.clock.advance(hours=23, minutes=59)
    bearer_of(town[CA], secret)
    town.clock.advance(minutes=1)
    with pytest.raises(BadToken, match="run out"):
        bearer_of(town[CA], secret)


def test_revoking_is_at_once_and_once(town: Town) -> None:
    token_id, secret = issued(town)
    bearer_of(town[CA], secret)
    revoke(town[CA], token_id, by=ADMINISTRATOR)
    with pytest.raises(BadToken, match="revoked"):
        bearer_of(town[CA], secret)
    with pytest.raises(Conflict):
        revoke(town[CA], token_id, by=ADMINISTRATOR)
    with pytest.raises(NotFound):
        revoke(town[CA], "token-nowhere", by=ADMINISTRATOR)
    (row,) = listed(town[CA], by=ADMINISTRATOR)
    assert (standing(row, town.clock()), row.revoked_by) == ("revoked", "administrator")


def test_who_gets_another_role_needs_another_token(town: Town) -> None:
    _, secret = issued(town)
    with town[CA].records.transaction() as tx:
        tx.people._connection.execute(text("UPDATE people SET role = 'supervisor' WHERE id = 'mei'"))
    with pytest.raises(BadToken, match="role changed"):
        bearer_of(town[CA], secret)


def test_a_token_ends_with_its_person(town: Town) -> None:
    _, secret = issued(town)
    with town[CA].records.transaction() as tx:
        tx.people.remove("mei", town.clock())
    with pytest.raises(BadToken):
        bearer_of(town[CA], secret)


def test_a_token_for_reading_changes_nothing(town: Town) -> None:
    bearer = bearer_of(town[CA], issued(town, only="read")[1])
    with pytest.raises(ReadOnlyToken):
        require_full(bearer)


@pytest.mark.parametrize("days", [0, -1, 367])
def test_an_end_is_ahead_and_within_a_year(town: Town, days: int) -> None:
    with pytest.raises(InputError):
        issued(town, days=days)


def test_what_makes_no_sense_is_refused(town: Town) -> None:
    until = town.clock() + timedelta(days=1)
    with pytest.raises(InputError, match="somebody of this node"):
        issue(town[CA], "nobody", until, by=ADMINISTRATOR)
    issued(town)
    with pytest.raises(InputError, match="read"):
        issue(town[CA], "mei", until, by=ADMINISTRATOR, only="write")
    with pytest.raises(InputError, match="one line"):
        issue(town[CA], "mei", until, by=ADMINISTRATOR, note="two\nlines")
    with pytest.raises(InputError, match="UTC"):
        issue(town[CA], "mei", until.replace(tzinfo=None), by=ADMINISTRATOR)


def test_issuing_using_and_revoking_are_events(town: Town) -> None:
    token_id, secret = issued(town)
    for _ in range(3):
        bearer_of(town[CA], secret)
    town.clock.advance(days=1)
    bearer_of(town[CA], secret)
    revoke(town[CA], token_id, by=ADMINISTRATOR)
    found = town.events(CA, "token.issued", "token.used", "token.revoked")
    assert [one.kind for one in found] == ["token.issued", "token.used", "token.used", "token.revoked"]
    assert [one.actor for one in found] == ["administrator", "mei", "mei", "administrator"]
    assert {one.body["token"] for one in found} == {token_id}


def test_last_used_is_kept_and_costs_no_write_each_time(town: Town) -> None:
    _, secret = issued(town)
    assert listed(town[CA], by=ADMINISTRATOR)[0].last_used_at is None
    bearer_of(town[CA], secret)
    first = listed(town[CA], by=ADMINISTRATOR)[0].last_used_at
    bearer_of(town[CA], secret)
    assert listed(town[CA], by=ADMINISTRATOR)[0].last_used_at == first
    town.clock.advance(seconds=SEEN_EVERY.total_seconds())
    bearer_of(town[CA], secret)
    later = listed(town[CA], by=ADMINISTRATOR)[0].last_used_at
    assert first is not None
    assert later is not None
    assert later - first >= SEEN_EVERY
