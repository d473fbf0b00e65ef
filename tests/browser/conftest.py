"""Chromium and a node's pages to open in it. Without Chromium the tests are skipped loudly, in CI they fail."""

import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from comity.entrypoints.web import create_app
from tests.browser.chromium import MISSING, find_chromium
from tests.browser.sample_case import NOW
from tests.browser.sample_desk import SampleDesk

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("expected Chromium in CI, got none: the browser tests must run here", pytrace=False)
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The sample pages on a port of their own, served as a node serves them."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app(SampleDesk(), node_name="Canada", now=lambda: NOW)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started, "the sample pages did not start within 20 s"
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    listening.close()


class Watch:
    """What a page complained about and whom it talked to."""

    def __init__(self, page: Page, address: str) -> None:
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        page.on(
            "request", lambda r: None if r.url.startswith(address + "/") else self.strangers.append(r.url)
        )

    def saw_nothing_wrong(self) -> None:
        assert self.complaints == []
        assert self.strangers == []


@pytest.fixture(params=[(1440, "light"), (375, "dark")], ids=["desktop-light", "phone-dark"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    width, scheme = request.param
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened = context.new_page()
    opened.set_default_timeout(15_000)
    yield opened
    context.close()


@pytest.fixture
def watch(page: Page, address: str) -> Watch:
    return Watch(page, address)
