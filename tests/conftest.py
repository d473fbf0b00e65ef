"""Fixtures for tests that need nodes: a town is founded once a run and copied for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.browser.chromium import MISSING, find_chromium
from tests.contract import postgres_server, spark_session
from tests.contract.postgres_server import find_postgres, postgres
from tests.nodes.town import EVERYBODY, Town, found_town, free_ports

__all__ = ["postgres"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it once, where nobody overlooks it."""
    if find_chromium() is None:
        terminalreporter.write_line(MISSING, red=True, bold=True)
    if find_postgres() is None:
        terminalreporter.write_line(postgres_server.MISSING, red=True, bold=True)
    if spark_session.find_java() is None:
        terminalreporter.write_line(spark_session.MISSING, red=True, bold=True)


@pytest.fixture(scope="session", autouse=True)
def _plain_log() -> None:
    """As `comity node run` writes it: one line an entry. The library's default draws every traceback."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(),
    )


@pytest.fixture(scope="session")
def town_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return found_town(tmp_path_factory.mktemp("founded"), free_ports(2 * len(EVERYBODY)))


@pytest.fixture
def town(town_template: Path, tmp_path: Path) -> Iterator[Town]:
    """Canada, Hong Kong, Thailand with the story in their books, and a body that only witnesses."""
    town = Town.copied(town_template, tmp_path / "town")
    yield town
    town.close()


@pytest.fixture(scope="session")
def settled_town(town_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Town:
    """The story, reported and followed to its end; closed, to be copied."""
    town = Town.copied(town_template, tmp_path_factory.mktemp("settled"))
    town.report()
    town.settle()
    town.close()
    return town


@pytest.fixture
def held(settled_town: Town, tmp_path: Path) -> Iterator[Town]:
    """A town in which the story has been reported and everything that rests is held."""
    town = Town.copied(settled_town.folder, tmp_path / "held", after=settled_town)
    yield town
    town.close()
