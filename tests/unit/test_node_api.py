"""The API for programs: every route, who may, what is refused and how, and that a repeated call has one effect."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from scripts import api_document

from comity.entrypoints.api import app as api_app
from comity.entrypoints.api import beside, create_api
from comity.entrypoints.api.guards import MAX_BODY
from comity.entrypoints.api.problems import PROBLEM
from comity.entrypoints.web import create_app
from comity.entrypoints.web.throttle import FREE_ATTEMPTS
from comity.errors import StorageError
from comity.law import procedure, safeguards
from comity.law.bases import as_json, bases
from comity.model import Role
from comity.node.pages import lists
from comity.node.pages.desk import NodeDesk
from comity.node.tokens import revoke
from tests.nodes.programs import ADMINISTRATOR, api_of, bearing, token_of
from tests.nodes.story import CA, HK
from tests.nodes.town import Town
from tests.nodes.ways import fields_for, way_to
from tests.unit.test_exits import SUMMARY, close_all

Client = TestClient[Litestar]
POLICE = procedure("police_information")


@pytest.fixture
def client(held: Town) -> Iterator[Client]:
    """Canada's, for an analyst."""
    with api_of(held[CA]) as opened:
        opened.headers.update(bearing(token_of(held[CA], Role.ANALYST)))
        yield opened


def acting(client: Client, town: Town, role: Role, node: str = CA) -> dict[str, str]:
    return bearing(token_of(town[node], role))


def problem(answer: Any, status: int, code: str = "") -> dict[str, Any]:
    """The body of an answer that must be that problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    found = dict(answer.json())
    assert found["status"] == status
    assert {"type", "title", "detail", "code", "remedy"} <= found.keys()
    assert found["type"] == f"urn:comity:problem:{found['code']}"
    if code:
        assert found["code"] == code
    return found


# --- who is calling ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Authorization": "Bearer"}, {"Authorization": "Bearer  "}, {"Authorization": "Bearer token-x.y"},
        {"Authorization": "Basic bWVpOnNlY3JldA=="}, {"Cookie": "comity-session-x=y"},
    ],
)  # fmt: skip
def test_without_a_good_token_nothing_is_told(client: Client, headers: dict[str, str]) -> None:
    del client.headers["Authorization"]
    answer = client.get("/cases", headers=headers)
    problem(answer, 401, "token.bad")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_in_the_address_is_none(client: Client) -> None:
    token = client.headers.pop("Authorization").removeprefix("Bearer ")
    problem(client.get("/cases", params={"access_token": token}), 401)
    client.headers.update(bearing(token))
    problem(client.get("/cases", params={"access_token": token}), 422)


def test_two_tokens_are_none(client: Client) -> None:
    own = client.headers.pop("Authorization")
    answer = client.get("/cases", headers=[("Authorization", own), ("Authorization", own)])
    problem(answer, 401)


def test_revoked_is_at_once(client: Client, held: Town) -> None:
    token_id = client.headers["Authorization"].removeprefix("Bearer ").partition(".")[0]
    assert client.get("/cases").status_code == 200
    revoke(held[CA], token_id, by=ADMINISTRATOR)
    problem(client.get("/cases"), 401)


def test_wrong_tokens_wait_and_right_ones_never_do(client: Client) -> None:
    for _ in range(FREE_ATTEMPTS):
        problem(client.get("/cases", headers=bearing("token-x.y")), 401)
    answer = client.get("/cases", headers=bearing("token-x.y"))
    problem(answer, 429, "api.too-many")
    assert int(answer.headers["retry-after"]) >= 1
    assert client.get("/cases").status_code == 200


def test_each_token_has_its_pace(held: Town) -> None:
    with api_of(held[CA], a_minute=3) as client:
        mei, lok = (bearing(token_of(held[CA], Role.ANALYST, name=name)) for name in ("mei", "lok"))
        said = [client.get("/law/offences", headers=mei).status_code for _ in range(5)]
        assert said == [200, 200, 200, 429, 429]
        assert client.get("/law/offences", headers=lok).status_code == 200


def test_a_token_for_reading_reads_and_asks_and_changes_nothing(client: Client, held: Town) -> None:
    only = bearing(token_of(held[CA], Role.SUPERVISOR, only="read"))
    assert client.get("/cases", headers=only).status_code == 200
    assert client.post("/law/check", headers=only, json={"safeguard": "torture"}).status_code == 200
    request = held.requests(CA)[0].id
    answer = client.post(f"/requests/{request}/approve", headers=only, json={})
    problem(answer, 403, "token.read-only")


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.OVERSIGHT, Role.DEFENCE, Role.TRAINING])
@pytest.mark.parametrize("path", ["/cases", "/requests", "/holds", "/deadlines", "/approvals"])
def test_a_token_has_no_more_than_its_role(client: Client, held: Town, role: Role, path: str) -> None:
    found = problem(client.get(path, headers=acting(client, held, role)), 403, "forbidden")
    if role is Role.ADMINISTRATOR:
        assert found["policies"] == ["floor-administrator-sees-no-case"]


def test_no_cookie_is_read_or_set(client: Client, held: Town) -> None:
    answer = client.get("/cases")
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


# --- what is sent --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "api.not-json"), (b"{", 400, "api.not-json"), (b'{"a":1,"a":2}', 400, "api.not-json"),
        (b'{"event":"x","event":"y"}', 400, "api.not-json"), (b'{"facts":1.5}', 400, "api.not-json"),
        (b'{"facts":NaN}', 400, "api.not-json"), (b"\xff", 400, "api.not-json"),
        (b"[" * 5_000, 400, "api.not-json"), (b"[]", 422, "api.shape"), (b"{}", 422, "api.shape"),
        (b'{"event":1}', 422, "api.shape"), (b'{"event":"x","facts":[]}', 422, "api.shape"),
        (b'{"event":"x","more":1}', 422, "api.shape"), (b'{"event":""}', 422, "api.shape"),
        (b'{"event":"x","facts":{"a":"' + b"x" * MAX_BODY + b'"}}', 413, "api.too-large"),
    ],
)  # fmt: skip
def test_a_body_is_strict(client: Client, body: bytes, status: int, code: str) -> None:
    answer = client.post("/holds/hold-x/decide", content=body, headers={"Content-Type": "application/json"})
    problem(answer, status, code)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_only_json_is_taken(client: Client, kind: str) -> None:
    answer = client.post("/law/check", content=b"{}", headers={"Content-Type": kind} if kind else {})
    problem(answer, 415, "api.media-type")


def test_a_query_is_strict(client: Client) -> None:
    problem(client.get("/law/bases", params={"from": "CA", "to": "HK"}), 422)
    problem(client.get("/law/bases?from=CA&to=HK&for=freeze&for=mla"), 422)
    problem(client.get("/law/bases?from=CA&to=HK&for=freeze&colour=red"), 422)
    found = problem(client.get("/law/bases?from=CA&to=ZZ&for=freeze"), 422, "input")
    assert found["got"]
    assert found["expected"]


def test_what_is_not_there_is_a_problem_too(client: Client) -> None:
    for path in ("/cases/case-x", "/requests/request-x", "/procedures/x", "/matters/matter-x"):
        problem(client.get(path), 404, "not-found")
    problem(client.get("/nowhere"), 404)
    problem(client.get("/cases/%00"), 404)
    answer = client.delete("/cases")
    problem(answer, 405)
    assert "GET" in answer.headers["allow"]


def test_what_goes_wrong_inside_stays_inside(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def burst(*_: Any, **__: Any) -> None:
        raise RuntimeError("account 4711 of a victim")

    def full(*_: Any, **__: Any) -> None:
        raise StorageError("no space on /srv/node")

    monkeypatch.setattr(lists, "holds", burst)
    answer = client.get("/holds")
    problem(answer, 500, "internal")
    assert "4711" not in answer.text
    assert answer.json()["reference"]
    monkeypatch.setattr(lists, "holds", full)
    answer = client.get("/holds")
    problem(answer, 503, "storage")
    assert "/srv" not in answer.text
    assert answer.headers["retry-after"]


# --- what is answered ----------------------------------------------------------------------------------


def test_health_and_the_document_need_no_token(client: Client) -> None:
    del client.headers["Authorization"]
    assert client.get("/health").json() == {"status": "ok", "node": CA}
    assert client.get("/openapi.json").json()["openapi"].startswith("3.1")


def test_the_document_is_made_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may ask for it, without a token and at any pace."""
    first = client.get("/openapi.json").content

    def again(_: object) -> dict[str, object]:
        raise AssertionError("made again")

    monkeypatch.setattr(api_app, "document", again)
    assert client.get("/openapi.json").content == first


def test_the_document_that_is_kept_is_the_one_that_is_served(client: Client) -> None:
    assert client.get("/openapi.json").json() == json.loads(api_document.PAGE.read_text()), "make reference"


def test_cases_are_those_of_the_pages_and_reading_is_an_event(client: Client, held: Town) -> None:
    (row,) = client.get("/cases").json()
    page = client.get(f"/cases/{row['id']}").json()
    assert page["id"] == row["id"] == held.case(CA).id
    assert page["reported"] == [{"minor": 1_000_000, "currency": "USD", "digits": None}]
    read = held.events(CA, "cases.listed", "case.read")
    assert [(one.kind, one.actor) for one in read] == [
        ("cases.listed", f"analyst-{CA}"), ("case.read", f"analyst-{CA}"),
    ]  # fmt: skip


def test_requests_and_holds_and_deadlines(client: Client, held: Town) -> None:
    rows = client.get("/requests").json()
    assert [one["id"] for one in rows] == [one.id for one in held.requests(CA)]
    page = client.get(f"/requests/{rows[0]['id']}").json()
    assert page["request"]["state"] == "answered"
    assert page["request"]["basis"]["usable"]
    with api_of(held[HK]) as hk:
        hk.headers.update(bearing(token_of(held[HK], Role.ANALYST)))
        mine = [one for one in hk.get("/holds").json() if one["holder"] == HK]
        assert {one["id"] for one in mine} == {one.id for one in held.holds(HK)}
        due = hk.get("/deadlines").json()
        assert {one["subject_id"] for one in due if one["subject"] == "hold"} == {one["id"] for one in mine}
        assert [one["due_at"] for one in due] == sorted(one["due_at"] for one in due)
    kinds = {one.kind for one in held.events(HK)}
    assert {"holds.listed", "deadlines.listed"} <= kinds
    assert {one.kind for one in held.events(CA)} >= {"requests.listed", "request.read"}


def test_procedures_whole(client: Client) -> None:
    names = [one["name"] for one in client.get("/procedures").json()]
    assert {"trace_and_hold", "urgent_freeze"} <= set(names)
    for name in names:
        found = client.get(f"/procedures/{name}").json()
        assert found["states"][found["initial"]]["text"]
        assert {one["source"] for one in found["transitions"]} <= found["states"].keys()
        assert {guard for one in found["transitions"] for guard in one["guards"]} <= found["guards"].keys()


def test_law_questions_have_the_answers_of_the_law(client: Client) -> None:
    assert client.get("/law/bases?from=CA&to=HK&for=freeze").json() == json.loads(
        json.dumps(as_json(bases("CA", "HK", "freeze")))
    )
    assert client.get("/law/authorities/CN?for=mla").json()["conflicts"]
    assert len(client.get("/law/offences").json()["offences"]) > 5
    assert client.get("/law/offences/fraud").json()["provisions"]
    asked = {
        "from": "CA", "to": "HK", "for": "extradition", "threshold": "serious_crime",
        "has": ["deception", "property_moved", "dishonest_intent", "amount_large"],
    }  # fmt: skip
    found = client.post("/law/offences/fraud/compare", json=asked).json()
    assert found["verdict"] in ("met", "not_met", "unknown")
    assert found["condition"]["for"] == "extradition"
    problem(client.post("/law/offences/fraud/compare", json={**asked, "lacks": ["deception"]}), 422)


def test_safeguards_take_nothing_unsaid_as_clear(client: Client) -> None:
    listed = client.get("/law/safeguards").json()["safeguards"]
    assert {one["table"] for one in listed} == set(safeguards.tables())
    found = client.post("/law/check", json={"for": "handover"}).json()
    assert found["outcome"] != "clear"
    one = client.post(
        "/law/check",
        json={
            "safeguard": "death_penalty",
            "facts": {"death_penalty": {"threatened": "yes", "assured": "no"}},
        },
    )
    assert one.json()["outcome"] == "barred"
    problem(client.post("/law/check", json={}), 422)
    problem(client.post("/law/check", json={"safeguard": "torture", "for": "mla"}), 422)
    problem(client.post("/law/check", json={"safeguard": "torture", "facts": {"nationals": {}}}), 422)
    problem(
        client.post("/law/check", json={"safeguard": "torture", "facts": {"torture": {"x": "maybe"}}}), 422
    )


def test_nothing_shows_what_was_taken_back(held: Town) -> None:
    """What Canada told Hong Kong is in its cases and requests; once Canada takes it back, in no answer."""
    case, request = held.case(HK).id, next(one.id for one in held.requests(HK) if one.direction == "in")
    paths = (
        "/cases",
        f"/cases/{case}",
        "/requests",
        f"/requests/{request}",
        "/holds",
        "/approvals",
        "/deadlines",
    )
    with api_of(held[HK]) as client:
        client.headers.update(bearing(token_of(held[HK], Role.ANALYST)))
        before = [client.get(path).text for path in paths]
        assert SUMMARY in "".join(before)
        assert "R-1" in before[0]
        close_all(held)
        after = [client.get(path) for path in paths]
    assert [one.status_code for one in after] == [200, 403, 200, 403, 200, 200, 200]
    for answer in after:
        assert not [secret for secret in (SUMMARY, "R-1", "T-01") if secret in answer.text]
    assert f"Retracted by {CA}" in after[2].text


# --- what people decide --------------------------------------------------------------------------------

DRAFT = """
@id("test-wait") @reason("Every request waits for a second person.")
forbid(principal, action == Action::"send_request_without_second_person", resource);
"""


@pytest.fixture
def waiting(town: Town) -> Iterator[tuple[Town, Client]]:
    """A request that waits for a second person."""
    town.law(CA, DRAFT)
    town.report()
    town.settle()
    with api_of(town[CA]) as client:
        yield town, client


def test_a_second_person_approves_once(waiting: tuple[Town, Client]) -> None:
    town, client = waiting
    analyst, supervisor = (bearing(token_of(town[CA], one)) for one in (Role.ANALYST, Role.SUPERVISOR))
    (mine,) = [one for one in client.get("/approvals", headers=supervisor).json() if one["may"]]
    assert (mine["subject"], mine["event"]) == ("request", "approve")
    theirs = client.get("/approvals", headers=analyst).json()
    assert [one["may"] for one in theirs] == [False]
    assert theirs[0]["why"]
    path = f"/requests/{mine['id']}/approve"
    problem(client.post(path, headers=analyst, json={}), 403)
    key = {"Idempotency-Key": "approve-once-1"}
    first = client.post(path, headers={**supervisor, **key}, json={})
    again = client.post(path, headers={**supervisor, **key}, json={})
    assert (first.status_code, again.status_code) == (200, 200), first.text
    assert first.json()["request"]["state"] == again.json()["request"]["state"] == "sent"
    problem(client.post(path, headers=supervisor, json={}), 409)
    assert len(town.events(CA, "request.approved")) == 1
    assert client.get("/approvals", headers=supervisor).json() == []


OFFICER = """
@id("test-officer") @reason("An officer answers.")
forbid(principal, action == Action::"answer_automatically", resource);
"""


def arrived(town: Town) -> str:
    """A request that waits for an officer in Hong Kong."""
    town.law(HK, OFFICER)
    town.report()
    town.settle()
    return next(one.id for one in town.requests(HK) if one.state == "acknowledged")


def test_an_officer_answers(town: Town) -> None:
    request = arrived(town)
    with api_of(town[HK]) as client:
        officer = bearing(token_of(town[HK], Role.SUPERVISOR))
        (mine,) = [one for one in client.get("/approvals", headers=officer).json() if one["id"] == request]
        assert (mine["event"], mine["may"]) == ("answer", True)
        answer = client.post(f"/requests/{request}/answer", headers=officer, json={})
        assert answer.json()["request"]["state"] == "answered", answer.text


def test_an_officer_refuses_on_a_declared_ground_only(town: Town) -> None:
    request = arrived(town)
    with api_of(town[HK]) as client:
        officer = bearing(token_of(town[HK], Role.SUPERVISOR))
        path, said = (
            f"/requests/{request}/refuse",
            {"ground": "incomplete", "text": "The victim is not named."},
        )
        problem(client.post(path, headers=officer, json={**said, "ground": "dislike"}), 403)
        analyst = bearing(token_of(town[HK], Role.ANALYST))
        problem(client.post(path, headers=analyst, json=said), 403)
        done = client.post(path, headers=officer, json=said)
        assert done.json()["request"]["refusal"] == said, done.text


def test_a_hold_is_decided_by_its_procedure(held: Town) -> None:
    hold = held.holds(HK)[0].id
    with api_of(held[HK]) as client:
        prosecutor = bearing(token_of(held[HK], Role.PROSECUTOR))
        path = f"/holds/{hold}/decide"
        shut = problem(client.post(path, headers=prosecutor, json={"event": "order"}), 403)
        assert "order" in shut["detail"]
        problem(client.post(path, headers=prosecutor, json={"event": "fly"}), 409)
        order = {"order": {"court": "Court of First Instance", "reference": "HCMP-1"}}
        key = {"Idempotency-Key": "order-by-court-1"}
        for _ in range(2):
            done = client.post(path, headers={**prosecutor, **key}, json={"event": "order", "facts": order})
            assert done.json()["state"] == "ordered", done.text
        assert len(held.events(HK, "hold.confirmed")) == 1
        other = client.post(
            path, headers={**prosecutor, **key}, json={"event": "tell_holder", "facts": {"holder_told": True}}
        )
        problem(other, 422, "call.key-used")
        problem(
            client.post(path, headers={**prosecutor, "Idempotency-Key": "x"}, json={"event": "order"}), 422
        )


def test_a_call_that_was_refused_may_be_made_again_under_its_key(held: Town) -> None:
    hold = held.holds(HK)[0].id
    with api_of(held[HK]) as client:
        prosecutor = bearing(token_of(held[HK], Role.PROSECUTOR))
        call = {"event": "tell_holder", "facts": {"holder_told": True}}
        key = {"Idempotency-Key": "tell-the-holder"}
        analyst = bearing(token_of(held[HK], Role.ANALYST))
        for _ in range(2):
            problem(client.post(f"/holds/{hold}/decide", headers={**analyst, **key}, json=call), 403)
        done = client.post(f"/holds/{hold}/decide", headers={**prosecutor, **key}, json=call)
        assert done.status_code == 200, done.text


def test_a_node_killed_after_the_effect_has_it_once(held: Town) -> None:
    """The answer was lost: the same call again, at the node that was started again, does nothing more."""
    hold, key = held.holds(HK)[0].id, {"Idempotency-Key": "order-and-kill"}
    prosecutor = bearing(token_of(held[HK], Role.PROSECUTOR))
    call = {"event": "order", "facts": {"order": {"court": "C", "reference": "R"}}}
    with api_of(held[HK]) as client:  # so that the token's first use is not what kills it
        client.get("/holds", headers=prosecutor)
    for after in (False, True):
        held.doom(HK, fuse=1, after=after)
        with pytest.raises(BaseException), api_of(held[HK]) as client:  # noqa: B017, PT011 - its loop dies with it
            client.post(f"/holds/{hold}/decide", headers={**prosecutor, **key}, json=call)
        assert held[HK].records._fuse == 0  # type: ignore[attr-defined] # it was the effect that killed it
        held.reopen(HK)
        assert len(held.events(HK, "hold.confirmed")) == int(after)
    with api_of(held[HK]) as client:
        again = client.post(f"/holds/{hold}/decide", headers={**prosecutor, **key}, json=call)
        assert (again.status_code, again.json()["state"]) == (200, "ordered")
    assert len(held.events(HK, "hold.confirmed")) == 1


def test_a_matter_is_opened_once_and_moved_only_from_where_the_program_knows_it(town: Town) -> None:
    with api_of(town[CA]) as client:
        analyst = bearing(token_of(town[CA], Role.ANALYST))
        fields = fields_for(POLICE, way_to(POLICE, "closed"))
        body = {"procedure": POLICE.name, "peer": HK, "fields": fields}
        key = {"Idempotency-Key": "open-one-matter"}
        made = [client.post("/matters", headers={**analyst, **key}, json=body) for _ in range(2)]
        assert [one.status_code for one in made] == [201, 201], made[0].text
        assert made[0].json() == made[1].json()
        problem(client.post("/matters", headers={**analyst, **key}, json={**body, "fields": {}}), 422)
        (row,) = client.get("/matters", headers=analyst).json()
        events = f"/matters/{row['id']}/events"
        submit = next(one for one in client.get(events, headers=analyst).json() if one["event"] == "submit")
        assert submit["shut"] == ""
        for after in (1, 7):
            problem(client.post(events, headers=analyst, json={"event": "submit", "after": after}), 409)
        done = client.post(events, headers=analyst, json={"event": "submit", "after": 0})
        assert (done.status_code, done.json()["matter"]["number"]) == (200, 1), done.text
        page = client.get(f"/matters/{row['id']}", headers=analyst).json()
        assert [one["event"] for one in page["steps"]] == ["open", "submit"]
        assert page["facts"]["decided"]["submit"]["by"] == f"analyst-{CA}"
        send = client.post(events, headers=analyst, json={"event": "send", "after": 1})
        problem(send, 403)
        assert client.get(f"/matters/{row['id']}/steps", headers=analyst).json() == page["steps"]
        assert client.get(f"/matters/{row['id']}/deadlines", headers=analyst).json() == page["deadlines"]


# --- beside the pages ----------------------------------------------------------------------------------


def test_pages_and_api_share_nothing(held: Town) -> None:
    pages = create_app(NodeDesk(held[CA]), node_name="Canada")
    with TestClient(beside(pages, create_api(held[CA])), base_url="https://node.test") as client:
        assert "text/html" in client.get("/").headers["content-type"]
        assert client.get("/api/v1/health").status_code == 200
        token = bearing(token_of(held[CA], Role.ANALYST))
        assert client.get("/api/v1/cases", headers=token).status_code == 200
        answer = client.get("/cases", headers=token, follow_redirects=False)
        assert answer.headers["location"] == "/sign-in?next=/cases"
        problem(client.get("/api/v1/nowhere"), 404)
        problem(client.get("/api"), 404)
        assert "text/html" in client.get("/apiary").headers["content-type"]
