"""The pages in a real browser: nothing refused by the policy, nothing from elsewhere, readable on a phone."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Watch
from tests.browser.sample_case import CASE_ID
from tests.browser.sample_desk import ADMINISTRATOR, ANALYST, PASSWORDS

pytestmark = pytest.mark.browser

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


def sign_in(page: Page, address: str, name: str = ANALYST) -> None:
    page.goto(f"{address}/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORDS[name])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def fits(page: Page) -> None:
    """No sideways scrolling of the page itself, and text that stands out from its ground (WCAG 1.4.3, 1.4.10)."""
    wide, room = page.evaluate("() => [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= room
    assert page.evaluate(CONTRAST) == []


def test_public_page(page: Page, address: str, watch: Watch) -> None:
    page.goto(address)
    assert page.get_by_role("heading", name="Stolen money, followed and held").is_visible()
    assert page.get_by_text("6 min 24 s").is_visible()
    fits(page)
    watch.saw_nothing_wrong()


def test_from_the_door_to_the_case_to_the_proof(
    page: Page, address: str, watch: Watch, tmp_path: Path
) -> None:
    page.goto(f"{address}/cases/{CASE_ID}")
    page.get_by_label("Name").fill(ANALYST)
    page.get_by_label("Password").fill(PASSWORDS[ANALYST])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Law firm in Vancouver").wait_for()
    assert page.url == f"{address}/cases/{CASE_ID}", "sign-in did not lead back"
    assert page.get_by_text("Your reading of this case was recorded").is_visible()
    diagram = page.get_by_role("img", name="The way of the money")
    assert diagram.is_visible()
    fits(page)
    page.get_by_text("The same as tables").click()
    assert page.get_by_role("table").filter(has_text="crosses a border").first.is_visible()
    fits(page)
    page.get_by_role("link", name="log 1,040").first.click()
    page.get_by_role("heading", name="Proof that this happened").wait_for()
    fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the proof").click()
    saved = tmp_path / "proof.json"
    download.value.save_as(saved)
    assert json.loads(saved.read_text())["log_index"] == 1040
    watch.saw_nothing_wrong()


def test_the_policy_and_the_styles_are_at_work(page: Page, address: str, watch: Watch) -> None:
    """The hatching survives the policy, the colours of the diagram come from the sheet, no script may run."""
    sign_in(page, address)
    page.goto(f"{address}/cases/{CASE_ID}")
    held = page.locator(".flow-strip-held").first
    assert held.evaluate("e => getComputedStyle(e).fill") != "rgb(0, 0, 0)"
    hatched = page.locator(".flow-unsure").first
    assert "flow-hatch" in hatched.evaluate("e => getComputedStyle(e).stroke")
    watch.saw_nothing_wrong()
    page.evaluate(
        "() => document.body.append(Object.assign("
        "document.createElement('script'), { textContent: 'window.ran = 1' }))"
    )
    assert page.evaluate("() => window.ran") is None
    assert any("Content Security Policy" in complaint for complaint in watch.complaints)


def test_every_part_is_reached_by_keyboard_and_shows_it(page: Page, address: str) -> None:
    page.goto(f"{address}/sign-in")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    assert page.locator(".skip").evaluate("e => e.getBoundingClientRect().top") >= 0
    page.get_by_label("Name").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.id") == "password"
    assert page.evaluate("() => getComputedStyle(document.activeElement).outlineWidth") == "3px"


def test_administrator_adds_somebody_and_sees_no_case(page: Page, address: str, watch: Watch) -> None:
    sign_in(page, address, ADMINISTRATOR)
    name = f"person-{page.evaluate('() => window.innerWidth')}"
    page.get_by_label("Name").fill(name)
    page.get_by_label("Role").select_option("supervisor")
    page.get_by_role("button", name="Add").click()
    assert page.get_by_text("orbit-velvet-canyon-41").is_visible()
    fits(page)
    page.get_by_role("link", name="Node", exact=True).click()
    fits(page)
    watch.saw_nothing_wrong()
    page.goto(f"{address}/cases")
    assert page.get_by_role("heading", name="This is not open to you").is_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").wait_for()


def test_after_sign_out_the_back_button_shows_nothing(page: Page, address: str) -> None:
    sign_in(page, address)
    page.goto(f"{address}/cases/{CASE_ID}")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").wait_for()
    page.go_back()
    page.get_by_label("Password").wait_for()
    assert page.get_by_text("Vancouver").count() == 0
