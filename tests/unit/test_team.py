"""Joint investigation teams: in force when all have signed one text, shared among members only, ended by its time."""

from datetime import timedelta
from typing import Any

import pytest

from comity.casework.joint_team import SHARED, SIGNATURE, State
from comity.errors import ComityError, Conflict, Forbidden, InputError, NotFound
from comity.model import Role
from comity.node.handling.gate import barred
from comity.node.handling.retract import take_back
from comity.node.joint.team import (
    Team,
    evaluate,
    leave,
    prolong,
    propose_team,
    share,
    sign_agreement,
    team_named,
    teams,
)
from comity.node.joint.team_text import agreement_of
from tests.nodes.joint import entries, forged, say, space_of
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import WATCH, Town

ALL = (CA, HK, TH)
CANARY = "The witness lives in Bo Kaeo."


def document(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Team K", "purpose": "Investigate compound K.", "leader": CA, "starts": "2026-03-01",
        "ends": "2026-06-30", "evidence": "Gathered under the law of the place; may be used in all three courts.",
        "evaluation": "After three months, by the leader.", "costs": "Each its own.",
        "data_protection": "Kept for the proceedings, then erased.",
        "parties": [
            {"member": one, "authority": f"Prosecutor of {one}", "powers": "Coercive measures at home only."}
            for one in ALL
        ],
        **changes,
    }  # fmt: skip


def proposed(town: Town, **changes: Any) -> str:
    team = propose_team(
        town[CA], agreement_of(document(**changes)), compact=None, person=town.person(CA, Role.PROSECUTOR)
    )
    town.settle()
    return team.id


def at(town: Town, node_id: str, team: str) -> Team:
    return team_named(town[node_id], team, actor="test")


def sign(town: Town, team: str, *members: str) -> None:
    for node_id in members:
        digest = at(town, node_id, team).standing.agreement.digest
        sign_agreement(town[node_id], team, digest=digest, person=town.person(node_id, Role.PROSECUTOR))


def running(town: Town) -> str:
    team = proposed(town)
    sign(town, team, *ALL)
    town.settle()
    return team


def tell(town: Town, team: str, node_id: str, text: str = CANARY) -> None:
    share(town[node_id], team, title="Statement", text=text, person=town.person(node_id, Role.PROSECUTOR))


def states(town: Town, team: str) -> list[State]:
    return [at(town, node_id, team).standing.state for node_id in ALL]


# --- the way it is meant ---------------------------------------------------------------------------------


def test_it_is_in_force_when_every_member_signed_the_identical_text(town: Town) -> None:
    team = proposed(town)
    assert states(town, team) == [State.SIGNING] * 3
    with pytest.raises(Conflict):
        tell(town, team, CA)
    sign(town, team, CA, HK)
    town.settle()
    assert at(town, CA, team).standing.unsigned == (TH,)
    sign(town, team, TH)
    town.settle()
    assert states(town, team) == [State.IN_FORCE] * 3
    with pytest.raises(Conflict):
        sign(town, team, TH)
    assert [one.body["state"] for one in town.events(HK, "team.stands")] == ["in force"]
    assert teams(town[WATCH], actor="test") == []


def test_a_signature_names_the_text_that_was_read(town: Town) -> None:
    team = proposed(town)
    for digest in ("", "a" * 64, at(town, HK, team).standing.agreement.digest[:7]):
        with pytest.raises(Conflict):
            sign_agreement(town[HK], team, digest=digest, person=town.person(HK, Role.PROSECUTOR))


def test_what_is_shared_goes_to_the_members_and_never_outside(town: Town) -> None:
    team = running(town)
    tell(town, team, TH)
    town.settle()
    for node_id in ALL:
        (shared,) = at(town, node_id, team).standing.shared
        assert (shared.author, shared.body["text"]) == (TH, CANARY)
    with town.looking(HK) as tx:
        item = next(one for one in tx.items.all() if one.originator == TH and one.direction == "in")
        assert not barred(town[HK], tx, "read", [item], recipient=HK, purpose="team")
        for recipient in (WATCH, CA, "outside"):
            (found,) = barred(town[HK], tx, "disclose_onward", [item], recipient=recipient, purpose="team")
            assert not found.permitted.ask
    with town.looking(WATCH) as tx:
        assert not [one for one in tx.items.all() if one.direction == "in"]


def test_it_ends_by_its_time_unless_all_prolong_it(town: Town) -> None:
    team = running(town)
    for node_id in (CA, HK):
        prolong(town[node_id], team, until="2026-09-30", person=town.person(node_id, Role.PROSECUTOR))
    prolong(town[TH], team, until="2026-10-01", person=town.person(TH, Role.PROSECUTOR))
    town.settle()
    assert f"{at(town, HK, team).standing.until:%Y-%m-%d}" == "2026-06-30"
    prolong(town[TH], team, until="2026-09-30", person=town.person(TH, Role.PROSECUTOR))
    town.settle()
    assert {f"{at(town, one, team).standing.until:%Y-%m-%d}" for one in ALL} == {"2026-09-30"}
    with pytest.raises(InputError):
        prolong(town[TH], team, until="2026-09-01", person=town.person(TH, Role.PROSECUTOR))
    town.clock.advance(days=(at(town, CA, team).standing.until - town.clock()).days + 1)
    assert states(town, team) == [State.ENDED] * 3
    with pytest.raises(Conflict):
        tell(town, team, CA)


def test_after_its_end_it_is_evaluated(town: Town) -> None:
    team = running(town)
    town.clock.advance(days=20)
    leave(town[CA], team, why="Done", person=town.person(CA, Role.PROSECUTOR))
    town.settle()
    assert at(town, HK, team).standing.state is State.ENDED
    evaluate(town[HK], team, text="Six arrests, slow requests.", person=town.person(HK, Role.PROSECUTOR))
    town.settle()
    assert [one.author for one in at(town, TH, team).standing.evaluations] == [HK]


def test_who_left_gets_and_gives_nothing_more(town: Town) -> None:
    team = running(town)
    leave(town[TH], team, why="Court order", person=town.person(TH, Role.PROSECUTOR))
    town.settle()
    assert at(town, HK, team).standing.present == (CA, HK)
    assert at(town, HK, team).standing.state is State.IN_FORCE
    tell(town, team, CA)
    town.settle()
    assert at(town, TH, team).standing.shared == ()
    assert len(at(town, HK, team).standing.shared) == 1
    with pytest.raises(NotFound):
        tell(town, team, TH)
    say(town, TH, HK, forged(town, TH, "team", SHARED, {"title": "x", "text": "y", "evidence": []}))
    assert len(at(town, HK, team).standing.shared) == 1


def test_what_is_taken_back_is_shown_no_more(town: Town) -> None:
    team = running(town)
    tell(town, team, TH)
    town.settle()
    with town.looking(TH) as tx:
        message = tx.spaces.entries(space_of(town, TH, "team"))[-1].message_id
    take_back(town[TH], message, person=town.person(TH, Role.SUPERVISOR), why="In danger")
    town.settle()
    (entry,) = [one for one in at(town, HK, team).entries if one.entry.kind == SHARED]
    assert entry.body == {}
    assert "etracted by th-office" in entry.withheld
    assert CANARY not in str(at(town, HK, team))
    with town.looking(HK) as tx:
        assert CANARY not in str(tx.spaces.entries(space_of(town, HK, "team")))
    tell(town, team, TH, "Another one")
    town.settle()
    assert at(town, HK, team).standing.state is State.IN_FORCE


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMINISTRATOR, Role.OVERSIGHT, Role.TRAINING])
def test_only_who_may_commit_the_node_proposes_signs_and_shares(town: Town, role: Role) -> None:
    team = running(town)
    person = town.person(HK, role)
    with pytest.raises(Forbidden):
        propose_team(town[HK], agreement_of(document()), compact=None, person=person)
    with pytest.raises(Forbidden):
        sign_agreement(town[HK], team, digest="a" * 64, person=person)
    with pytest.raises(Forbidden):
        share(town[HK], team, title="x", text="y", person=person)


PARTIES = document()["parties"]


@pytest.mark.parametrize(
    "changes",
    [
        {"leader": WATCH}, {"ends": "2026-02-01"}, {"ends": "2040-01-01"}, {"purpose": ""}, {"evidence": None},
        {"surprise": "x"}, {"parties": PARTIES[:1]}, {"parties": [*PARTIES, PARTIES[0]]}, {"starts": "soon"},
        {"parties": [{**PARTIES[0], "powers": ""}, *PARTIES[1:]]}, {"title": "\u202ex"}, {"costs": "a\x00"},
    ],
    ids=str,
)  # fmt: skip
def test_an_agreement_without_its_content_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ComityError):
        agreement_of(document(**changes))


# --- members who cheat -----------------------------------------------------------------------------------


def test_a_signature_of_another_text_does_not_count(town: Town) -> None:
    team = proposed(town)
    sign(town, team, CA, HK)
    town.settle()
    say(town, TH, HK, forged(town, TH, "team", SIGNATURE, {"agreement": "a" * 64}))
    assert at(town, HK, team).standing.unsigned == (TH,)


def test_what_is_told_differently_to_two_members_is_seen_when_one_writes_next(town: Town) -> None:
    team = running(town)
    for to, text in ((HK, "There were six."), (TH, "There were nine.")):
        body = {"title": "Count", "text": text, "evidence": []}
        say(town, CA, to, forged(town, CA, "team", SHARED, body))
    assert states(town, team)[1:] == [State.IN_FORCE] * 2
    tell(town, team, HK)
    town.settle(down=[CA], patience=timedelta(minutes=1))
    assert at(town, TH, team).standing.state is State.DISPUTED
    (alarm,) = town.events(TH, "alarm.joint-two-stories")
    assert (alarm.body["peer"], alarm.body["witness"]) == (CA, HK)
    assert at(town, HK, team).heads[CA] != at(town, TH, team).heads[CA]


def test_what_one_member_is_not_told_is_seen_to_be_lacking(town: Town) -> None:
    team = running(town)
    say(town, CA, HK, forged(town, CA, "team", SHARED, {"title": "x", "text": "Only for HK", "evidence": []}))
    tell(town, team, HK)
    town.settle(down=[CA], patience=timedelta(minutes=1))
    assert at(town, TH, team).lacking == {
        CA: len([one for one in entries(town, HK, "team") if one.author == CA])
    }


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("team.agreement", document()), ("team.party", {}), (SHARED, {"title": "", "text": "x", "evidence": []}),
        (SHARED, {"title": "x", "text": "x", "evidence": [{"name": "f", "sha256": "x"}]}),
        ("team.prolongation", {"agreement": "a" * 64, "until": "2090-01-01T00:00:00.000000+00:00"}),
        (SIGNATURE, {"agreement": "x"}), ("team.leave", {"text": ""}),
    ],
    ids=str,
)  # fmt: skip
def test_an_entry_that_is_none_is_refused(town: Town, kind: str, body: dict[str, Any]) -> None:
    proposed(town)
    say(town, TH, CA, forged(town, TH, "team", kind, body))
    assert [one.author for one in entries(town, CA, "team")] == [CA]
    assert len(town.events(CA, "alarm.message-refused")) == 1
