"""The pages as a browser and as an attacker meet them, on a Desk in memory."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar import Litestar, get, post
from litestar.testing import TestClient

from comity.entrypoints.web import create_app
from comity.entrypoints.web.guards import MAX_FORM_BYTES, form_token, local_path
from comity.entrypoints.web.headers import EVERYWHERE
from comity.entrypoints.web.throttle import FREE_ATTEMPTS
from comity.errors import StorageError
from comity.model import Person
from comity.node.pages.erased import CaseErased
from comity.node.pages.views import CasePage, CaseRow
from tests.browser.sample_case import CASE_ID, NOW
from tests.browser.sample_desk import ADMINISTRATOR, ANALYST, PASSWORDS, SampleDesk

ORIGIN = "https://node.test"
PAGES = (
    "/",
    "/procedures",
    "/procedures/handover",
    "/cases",
    f"/cases/{CASE_ID}",
    f"/cases/{CASE_ID}/events/ev-0",
    "/node",
)
FORMS = ("/sign-in", "/sign-out", "/people")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def desk() -> SampleDesk:
    return SampleDesk()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def app_on(desk: SampleDesk, clock: Clock, **more: Any) -> Litestar:
    return create_app(desk, node_name="Canada", now=lambda: NOW, seconds=clock, **more)


@pytest.fixture
def client(desk: SampleDesk, clock: Clock) -> Iterator[TestClient[Litestar]]:
    with TestClient(app_on(desk, clock), base_url=ORIGIN, raise_server_exceptions=False) as opened:
        yield opened


def token_in(page: str) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', page)
    assert found, "the page has no form token"
    return found[1]


def send(client: TestClient[Litestar], path: str, fields: dict[str, str], **headers: str) -> Any:
    """Send a form as a browser does from our own page."""
    own = {"Origin": str(client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    return client.post(path, data=fields, headers={**own, **headers}, follow_redirects=False)


def sign_in(client: TestClient[Litestar], who: str = ANALYST, **fields: str) -> Any:
    token = token_in(client.get("/sign-in").text)
    own = {"form_token": token, "name": who, "password": PASSWORDS.get(who, "")}
    return send(client, "/sign-in", {**own, **fields})


# --- the door ------------------------------------------------------------------------------------


def test_signing_in_leads_to_the_cases_and_out_again(client: TestClient[Litestar], desk: SampleDesk) -> None:
    answer = sign_in(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
    page = client.get("/cases").text
    assert "Law firm in Vancouver" in page
    out = send(client, "/sign-out", {"form_token": token_in(page)})
    assert (out.status_code, out.headers["location"]) == (303, "/")
    assert desk.sessions == {}
    assert client.get("/cases", follow_redirects=False).headers["location"] == "/sign-in?next=/cases"


def test_an_administrator_starts_at_people(client: TestClient[Litestar]) -> None:
    assert sign_in(client, ADMINISTRATOR).headers["location"] == "/people"


def test_session_cookie_is_out_of_reach(client: TestClient[Litestar]) -> None:
    cookies = sign_in(client).headers.get_list("set-cookie")
    session = next(c for c in cookies if "comity-session" in c)
    assert session.startswith("__Host-")
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/", "Secure"):
        assert attribute.lower() in session.lower()
    assert "domain" not in session.lower()
    assert "max-age" not in session.lower()


def test_without_tls_the_cookie_still_works_but_claims_no_host_prefix(desk: SampleDesk, clock: Clock) -> None:
    with TestClient(app_on(desk, clock), base_url="http://127.0.0.1:8000") as client:
        session = next(c for c in sign_in(client).headers.get_list("set-cookie") if "session" in c)
        assert session.startswith("comity-session-")
        assert "secure" not in session.lower()
        assert client.get("/cases").status_code == 200


def test_two_nodes_on_one_host_keep_their_cookies_apart(desk: SampleDesk) -> None:
    names = set()
    for node in ("Canada", "Hong Kong"):
        with TestClient(create_app(desk, node_name=node), base_url="http://127.0.0.1:8000") as client:
            names |= {cookie.split("=")[0] for cookie in sign_in(client).headers.get_list("set-cookie")}
    assert len(names) == 4


def test_wrong_password_and_unknown_name_get_the_same_answer(client: TestClient[Litestar]) -> None:
    wrong = sign_in(client, ANALYST, password="nope")
    unknown = sign_in(client, "nobody", password="nope")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace(f'value="{ANALYST}"', "") == unknown.text.replace('value="nobody"', "")


def test_guessing_is_slowed_down_for_known_and_unknown_names_alike(
    client: TestClient[Litestar], desk: SampleDesk, clock: Clock
) -> None:
    for _ in range(FREE_ATTEMPTS):
        assert sign_in(client, ANALYST, password="nope").status_code == 401
    before = len(desk.attempts)
    refused = sign_in(client, ANALYST)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert len(desk.attempts) == before, "the password was looked at all the same"
    clock.now += float(refused.headers["retry-after"])
    assert sign_in(client, ANALYST).status_code == 303


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        (f"/cases/{CASE_ID}", f"/cases/{CASE_ID}"), ("https://evil.test/", "/cases"), ("//evil.test", "/cases"),
        ("/\\evil.test", "/cases"), ("/a\r\nX: y", "/cases"), ("javascript:alert(1)", "/cases"), ("", "/cases"),
    ],
)  # fmt: skip
def test_sign_in_leads_nowhere_else(client: TestClient[Litestar], wanted: str, leads_to: str) -> None:
    assert sign_in(client, next=wanted).headers["location"] == leads_to


@given(st.text(max_size=30))
def test_no_wanted_address_ever_leaves_the_site(wanted: str) -> None:
    path = local_path(wanted, otherwise="/cases")
    assert re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", path)
    assert "\\" not in path


# --- forms from elsewhere ------------------------------------------------------------------------


def forms_of(app: Litestar) -> set[str]:
    return {
        route.path for route in app.routes if getattr(route, "methods", set()) - {"GET", "HEAD", "OPTIONS"}
    }


def test_the_list_of_forms_here_is_complete(desk: SampleDesk, clock: Clock) -> None:
    assert forms_of(app_on(desk, clock)) == set(FORMS)


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"}, {"Origin": "null"}, {"Origin": "http://node.test"},
        {"Origin": "https://node.test:444"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)  # fmt: skip
def test_a_form_from_elsewhere_is_refused_even_with_the_right_token(
    client: TestClient[Litestar], path: str, headers: dict[str, str]
) -> None:
    sign_in(client, ADMINISTRATOR)
    token = token_in(client.get("/people").text)
    answer = send(client, path, {"form_token": token, "name": "x", "role": "analyst"}, **headers)
    assert answer.status_code == 403
    assert client.get("/people").status_code == 200, "the session ended"


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_any_mark_of_a_browser_is_refused(client: TestClient[Litestar], path: str) -> None:
    sign_in(client, ADMINISTRATOR)
    token = token_in(client.get("/people").text)
    assert client.post(path, data={"form_token": token}).status_code == 403


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("token", [None, "", "0" * 64, "é", form_token("somebody else's session")])
def test_a_form_without_its_session_s_token_is_refused(
    client: TestClient[Litestar], desk: SampleDesk, path: str, token: str | None
) -> None:
    sign_in(client, ADMINISTRATOR)
    fields = {"name": "x", "role": "analyst", "password": "y"} | (
        {} if token is None else {"form_token": token}
    )
    assert send(client, path, fields).status_code == 403
    assert "x" not in desk.roles


def test_sign_in_needs_the_visitor_s_own_cookie(client: TestClient[Litestar]) -> None:
    token = token_in(client.get("/sign-in").text)
    client.cookies.clear()
    fields = {"form_token": token, "name": ANALYST, "password": PASSWORDS[ANALYST]}
    assert send(client, "/sign-in", fields).status_code == 403


def test_a_token_of_one_session_is_worth_nothing_in_the_next(client: TestClient[Litestar]) -> None:
    sign_in(client, ADMINISTRATOR)
    old = token_in(client.get("/people").text)
    send(client, "/sign-out", {"form_token": old})
    sign_in(client, ADMINISTRATOR)
    assert send(client, "/people", {"form_token": old, "name": "x", "role": "analyst"}).status_code == 403


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b'{"form_token":"x"}', "application/json", 400),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 400),
        (b"form_token=a&form_token=b", "application/x-www-form-urlencoded", 400),
        (b"form_token=%ff%fe", "application/x-www-form-urlencoded", 400),
        (b"&&&===", "application/x-www-form-urlencoded", 400),
        (b"a=" + b"x" * MAX_FORM_BYTES, "application/x-www-form-urlencoded", 413),
        (b"".join(b"f%d=1&" % n for n in range(500))[:-1], "application/x-www-form-urlencoded", 400),
        (b"", "", 400),
    ],
)
def test_what_is_not_a_form_is_refused(
    client: TestClient[Litestar], body: bytes, content_type: str, status: int
) -> None:
    headers = {"Origin": ORIGIN, "Content-Type": content_type}
    assert client.post("/sign-in", content=body, headers=headers).status_code == status


@given(body=st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_bytes_in_a_form_are_refused_calmly(body: bytes) -> None:
    with TestClient(app_on(SampleDesk(), Clock()), base_url=ORIGIN, raise_server_exceptions=False) as client:
        headers = {"Origin": ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/sign-in", content=body, headers=headers).status_code in {400, 403}


# --- what every answer carries -------------------------------------------------------------------


class Tags(HTMLParser):
    """Collects every start tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize(
    "path", [*PAGES, "/nope", "/people", "/static/style.css", "/static/nope", "/sign-in"]
)
def test_every_answer_carries_the_security_headers(client: TestClient[Litestar], path: str) -> None:
    sign_in(client)
    headers = client.get(path).headers
    for name, value in EVERYWHERE.items():
        if name != "Cache-Control":
            assert headers[name] == value, name
    assert headers["strict-transport-security"].startswith("max-age=")
    assert "unsafe" not in headers["content-security-policy"]


def test_refusals_and_failures_carry_the_headers_too(client: TestClient[Litestar]) -> None:
    for answer in (
        client.post("/sign-in"),
        client.put("/cases"),
        client.get("/cases", follow_redirects=False),
    ):
        assert answer.headers["content-security-policy"] == EVERYWHERE["Content-Security-Policy"]
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
def test_what_a_signed_in_person_sees_is_kept_by_no_cache(client: TestClient[Litestar], path: str) -> None:
    sign_in(client)
    assert client.get(path).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [*PAGES, "/people", "/sign-in", "/nope"])
def test_pages_have_nothing_inline_and_nothing_from_elsewhere(
    client: TestClient[Litestar], path: str
) -> None:
    sign_in(client, ADMINISTRATOR if path == "/people" else ANALYST)
    page = client.get(path).text
    for tag, attributes in Tags(page).found:
        assert tag not in {"script", "style", "iframe", "object", "embed", "base"}
        for name, value in attributes.items():
            assert name != "style"
            assert not name.startswith("on")
            if name in {"href", "src", "action"}:
                assert re.match(r"[/#](?!/)", value or ""), f"{tag} {name}={value}"
    forms = [a for t, a in Tags(page).found if t == "form"]
    assert page.count('name="form_token"') == len(forms)


@pytest.mark.parametrize("path", [*PAGES, "/people", "/sign-in", "/nope"])
def test_pages_are_sound_html(client: TestClient[Litestar], path: str) -> None:
    """Ids are unique, labels and headings there, references resolve within the page."""
    sign_in(client, ADMINISTRATOR if path == "/people" else ANALYST)
    tags = Tags(client.get(path).text).found
    ids = [a["id"] for _, a in tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert [t for t, _ in tags].count("h1") == 1
    assert [t for t, _ in tags].count("main") == 1
    for tag, attributes in tags:
        for name in ("for", "aria-labelledby", "aria-describedby"):
            for target in (attributes.get(name) or "").split():
                assert target in ids, f"{tag} {name}={target}"
        if (attributes.get("href") or "").startswith("#"):
            assert (attributes["href"] or "")[1:] in ids


def test_the_stylesheet_may_be_kept_only_under_its_own_version(client: TestClient[Litestar]) -> None:
    address = re.search(r'href="(/static/style\.css\?v=[0-9a-f]+)"', client.get("/").text)
    assert address
    assert "immutable" in client.get(address[1]).headers["cache-control"]
    assert client.get("/static/style.css?v=0").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["..%2fapp.py", "%2e%2e/app.py", "app.py", "style.css%00", ".", ""])
def test_static_serves_nothing_but_its_own_files(client: TestClient[Litestar], name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


# --- pages ---------------------------------------------------------------------------------------


def test_everybody_may_read_the_figures_with_their_definitions(client: TestClient[Litestar]) -> None:
    page = client.get("/").text
    said = (
        "2,341,200.00",
        "5,808,000.00",
        "6 min 24 s",
        "2 cases in all",
        "Computed from events in the log",
        "hold.placed",
        "neither lapsed nor released",
        f"comity log verify {ORIGIN}/log",
        "/log/checkpoint",
    )
    for words in said:
        assert words in page, words


def test_a_node_on_its_first_day_says_so(clock: Clock) -> None:
    with TestClient(app_on(SampleDesk(cases_exist=False), clock), base_url=ORIGIN) as client:
        page = client.get("/").text
        assert "No case has been reported to this node yet." in page
        assert "No hold yet" in page
        sign_in(client)
        assert "There is no case yet." in client.get("/cases").text


def test_case_page_tells_the_whole_case(client: TestClient[Litestar], desk: SampleDesk) -> None:
    sign_in(client)
    page = client.get(f"/cases/{CASE_ID}").text
    said = (
        "Your reading of this case was recorded",
        "6 min 12 s after the report",
        "first in, first out",
        "<svg",
        "Clayton",
        "A domestic investigation would be prejudiced",
        "UNTOC article 18(25)",
        "unless an order confirms it",
        "does not lapse",
        "missed",
        "arrived as",
        "not told yet",
        "Hong Kong ADU answered: 2 holdings held, 3 exits",
        "In force between both since 1 March 2002",
        "th-amlo has the request and has not answered it",
        "it refused on a ground that no other basis mends",
        "The sub-ledger of the pooled account",
        "FATF Recommendations 10 and 16",
        "took 3 rounds of asking and 6 messages: 3 sent (26.7 KiB) and 3 received",
        "<code>H-2</code>",
    )
    for words in said:
        assert words.replace("'", "&#39;") in page, words
    assert desk.readings == 1
    for number in range(11):
        assert f'href="/cases/{CASE_ID}/events/ev-{number}"' in page


def test_a_long_case_is_folded_by_country(client: TestClient[Litestar], desk: SampleDesk) -> None:
    case = desk.case(Person(id="x", role=desk.roles[ANALYST]), CASE_ID)
    desk.page = replace(case, holds=case.holds * 4, holdings=case.holdings * 4)
    sign_in(client)
    page = client.get(f"/cases/{CASE_ID}").text
    assert [t for t, a in Tags(page).found if a.get("class") == "group"] == ["details"] * 5
    assert "12 holds" in page
    assert page.count("<code>H-2</code>") == 4


def test_a_case_with_nothing_open_has_no_part_for_it(client: TestClient[Litestar], desk: SampleDesk) -> None:
    case = desk.case(Person(id="x", role=desk.roles[ANALYST]), CASE_ID)
    desk.page = replace(case, open_parts=(), chokes=(), federation=None)
    sign_in(client)
    page = client.get(f"/cases/{CASE_ID}").text
    for words in ("Still open", "Where tracing ends", "rounds of asking"):
        assert words not in page


def test_an_erased_case_says_that_it_was(
    client: TestClient[Litestar], desk: SampleDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def erased(*_: object) -> CasePage:
        raise CaseErased("expected a case, got one that was erased 2026-01-02 10:00 UTC by admin: retention")

    sign_in(client)
    monkeypatch.setattr(desk, "case", erased)
    answer = client.get(f"/cases/{CASE_ID}")
    assert answer.status_code == 404
    assert "This case was erased" in answer.text
    assert "erased 2026-01-02 10:00 UTC by admin: retention" in answer.text
    assert "Nothing of it can be shown" in answer.text


def test_the_table_twin_says_every_amount_the_diagram_says(
    client: TestClient[Litestar], desk: SampleDesk
) -> None:
    sign_in(client)
    page = client.get(f"/cases/{CASE_ID}").text
    tables = page[page.index("The same as tables") : page.index('id="holds"')]
    case = desk.case(Person(id="x", role=desk.roles[ANALYST]), CASE_ID)
    for link in case.flow.links:
        assert f"{link.amount.minor // 100:,}" in tables
    for node in case.flow.nodes:
        assert (node.account or node.institution) in tables


def test_administrator_sees_people_and_health_and_no_case(
    client: TestClient[Litestar], desk: SampleDesk
) -> None:
    sign_in(client, ADMINISTRATOR)
    event = f"/cases/{CASE_ID}/events/ev-0"
    for path in ("/cases", f"/cases/{CASE_ID}", event, f"{event}/proof.json"):
        answer = client.get(path)
        assert answer.status_code == 403
        assert "This is not open to you" in answer.text
        assert "Vancouver" not in answer.text
    assert desk.readings == 0
    assert 'href="/cases"' not in client.get("/people").text
    assert "Messages waiting" in client.get("/node").text


def test_adding_somebody_shows_their_password_once(client: TestClient[Litestar], desk: SampleDesk) -> None:
    sign_in(client, ADMINISTRATOR)
    fields = {
        "form_token": token_in(client.get("/people").text),
        "name": " m.tremblay ",
        "role": "prosecutor",
    }
    answer = send(client, "/people", fields)
    assert desk.passwords["m.tremblay"] in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert desk.passwords["m.tremblay"] not in client.get("/people").text
    again = send(client, "/people", fields)
    assert again.status_code == 409
    assert "who is here already" in again.text


@pytest.mark.parametrize(
    ("name", "role", "status"), [("", "analyst", 400), ("x", "king", 400), ("x", "", 400)]
)
def test_a_wrong_form_says_what_was_expected(
    client: TestClient[Litestar], name: str, role: str, status: int
) -> None:
    sign_in(client, ADMINISTRATOR)
    fields = {"form_token": token_in(client.get("/people").text), "name": name, "role": role}
    answer = send(client, "/people", fields)
    assert answer.status_code == status
    assert "expected" in answer.text


def test_an_analyst_adds_nobody(client: TestClient[Litestar], desk: SampleDesk) -> None:
    sign_in(client)
    fields = {"form_token": token_in(client.get("/cases").text), "name": "x", "role": "analyst"}
    assert send(client, "/people", fields).status_code == 403
    assert "x" not in desk.roles


def test_the_downloaded_proof_holds(client: TestClient[Litestar]) -> None:
    """Checked here from the file alone, by RFC 9162 §2.1.3.2 (the same tree as RFC 6962)."""
    sign_in(client)
    answer = client.get(f"/cases/{CASE_ID}/events/ev-3/proof.json")
    assert answer.headers["content-disposition"] == 'attachment; filename="event-1043-proof.json"'
    proof = json.loads(answer.content)
    entry = sha256(bytes.fromhex(proof["salt"]) + proof["event"].encode()).digest()
    assert entry.hex() == proof["entry_hash"]
    fn, sn, node = proof["log_index"], proof["tree_size"] - 1, sha256(b"\x00" + entry).digest()
    for step in map(bytes.fromhex, proof["inclusion"]):
        if fn & 1 or fn == sn:
            node = sha256(b"\x01" + step + node).digest()
            while fn & 1 == 0 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = sha256(b"\x01" + node + step).digest()
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0
    _, size, top = proof["checkpoint"].split("\n")[:3]
    assert (size, top) == (str(proof["tree_size"]), b64encode(node).decode())


def test_an_event_no_checkpoint_covers_waits(client: TestClient[Litestar]) -> None:
    sign_in(client)
    client.get(f"/cases/{CASE_ID}")
    page = client.get(f"/cases/{CASE_ID}/events/reading-1")
    assert page.status_code == 200
    assert "waits for the next checkpoint" in page.text
    assert client.get(f"/cases/{CASE_ID}/events/reading-1/proof.json").status_code == 409


@pytest.mark.parametrize(
    "path", ["/cases/other", "/cases/other/events/ev-0", f"/cases/{CASE_ID}/events/nope"]
)
def test_what_is_not_there_is_a_calm_page(client: TestClient[Litestar], path: str) -> None:
    sign_in(client)
    answer = client.get(path)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_head_answers_like_get_without_the_page(client: TestClient[Litestar], path: str) -> None:
    sign_in(client)
    answer = client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


# --- when something is wrong ---------------------------------------------------------------------

JSON = {"Accept": "application/json"}


def test_programs_get_problem_json(client: TestClient[Litestar]) -> None:
    answer = client.get("/cases", headers=JSON)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"]
    body = answer.json()
    assert (body["status"], body["code"], body["type"]) == (
        401, "web.not-signed-in", "urn:comity:problem:web.not-signed-in",
    )  # fmt: skip
    assert body["next_step"]
    assert client.get("/nope", headers=JSON).json()["code"] == "http.404"


@pytest.mark.parametrize("accept", ["text/html,application/xhtml+xml,*/*;q=0.8", "*/*", "", "nonsense;;q=x"])
def test_everybody_else_gets_a_page(client: TestClient[Litestar], accept: str) -> None:
    assert client.get("/nope", headers={"Accept": accept}).headers["content-type"].startswith("text/html")


class BrokenDesk(SampleDesk):
    """Its store fails with words that must stay inside."""

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self.failure = failure

    def cases(self, person: Person) -> list[CaseRow]:
        raise self.failure


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (RuntimeError("secret-path /var/x"), 500, "internal"),
        (StorageError("secret-path /var/x"), 507, "storage"),
    ],
)
def test_what_breaks_inside_stays_inside_and_is_logged_under_a_reference(
    clock: Clock, caplog: pytest.LogCaptureFixture, failure: Exception, status: int, code: str
) -> None:
    desk = BrokenDesk(failure)
    with TestClient(app_on(desk, clock), base_url=ORIGIN, raise_server_exceptions=False) as client:
        sign_in(client)
        for headers in ({}, JSON):
            answer = client.get("/cases", headers=headers)
            assert answer.status_code == status
            assert "secret" not in answer.text
            assert "Traceback" not in answer.text
            assert code in answer.text
        reference = answer.json()["reference"]
    assert reference in caplog.text
    assert "secret-path" in caplog.text


def test_debug_settings_of_the_machine_do_not_show_the_inside(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("LITESTAR_DEBUG", "1")
    app = app_on(BrokenDesk(RuntimeError("secret")), clock)
    with TestClient(app, base_url=ORIGIN, raise_server_exceptions=False) as client:
        sign_in(client)
        assert "secret" not in client.get("/cases").text


def test_extra_handlers_get_headers_and_error_pages_but_no_form_guard(desk: SampleDesk, clock: Clock) -> None:
    @get("/log/checkpoint", sync_to_thread=False)
    def checkpoint() -> str:
        return "a note"

    @post("/peer", sync_to_thread=False)
    def peer() -> str:
        return "taken"

    app = app_on(desk, clock, extra_handlers=[checkpoint, peer])
    with TestClient(app, base_url=ORIGIN) as client:
        assert client.get("/log/checkpoint").headers["content-security-policy"]
        assert client.post("/peer").status_code == 201


def test_hostile_text_in_a_case_stays_text(client: TestClient[Litestar], desk: SampleDesk) -> None:
    evil = '"><img src=x onerror=alert(1)>\u202e'
    case = desk.case(Person(id="x", role=desk.roles[ANALYST]), CASE_ID)
    desk.page = replace(
        case,
        title=evil,
        status=evil,
        events=tuple(replace(event, summary=evil, actor=evil, id=evil, kind=evil) for event in case.events),
        holdings=tuple(replace(h, account=evil, institution=evil, told_by=evil) for h in case.holdings),
        holds=tuple(replace(h, account=evil, institution=evil, placed_by=evil) for h in case.holds),
        requests=tuple(
            replace(r, peer=evil, legal_basis=evil, result=evil, state=evil) for r in case.requests
        ),
    )
    sign_in(client)
    page = client.get(f"/cases/{CASE_ID}").text
    assert "\u202e" not in page
    assert all(t != "img" or a["src"] != "x" for t, a in Tags(page).found)
    assert not any(name.startswith("on") for _, a in Tags(page).found for name in a)
