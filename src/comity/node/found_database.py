"""A new node's database: empty before, the node's own from then on, and empty again if founding fails."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from comity.backends.sql.database import create_database, forget_database
from comity.backends.sql.postgres import is_url, read_url, without_password
from comity.errors import ComityError
from comity.node.bootstrap import database_of
from comity.node.home import Home, Settings


def password_apart(home: Home, settings: Settings) -> Settings:
    """Keep a URL's password in a file that nobody else may read; the settings go without it."""
    if not is_url(settings.database):
        return settings
    url = read_url(settings.database)
    if url.password is None:
        return settings
    home.database_password.touch(mode=0o600)
    home.database_password.write_text(f"{url.password}\n", encoding="utf-8")
    return replace(settings, database=without_password(url))


@contextmanager
def new_database(home: Home, settings: Settings) -> Iterator[None]:
    """Make it and give it to the node. `Conflict` if there is anything in it."""
    place = database_of(home, settings)
    create_database(place, owner=settings.authority.id)
    try:
        yield
    except BaseException:
        with suppress(ComityError):  # what stopped us is what must be told
            forget_database(place)
        raise
