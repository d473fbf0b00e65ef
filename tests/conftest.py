"""Fixtures for tests that need nodes: a town is founded once a run and copied for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nodes.town import EVERYBODY, Town, found_town, free_ports


@pytest.fixture(scope="session")
def town_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return found_town(tmp_path_factory.mktemp("founded"), free_ports(2 * len(EVERYBODY)))


@pytest.fixture
def town(town_template: Path, tmp_path: Path) -> Iterator[Town]:
    """Canada, Hong Kong, Thailand with the story in their books, and a body that only witnesses."""
    town = Town.copied(town_template, tmp_path / "town")
    yield town
    town.close()
