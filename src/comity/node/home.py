"""A node's directory: what is where, and its settings. Only `comity node init` creates one.

node.toml    who this node is and where it listens      keys/      private keys, encrypted
node.db      cases, requests, holds, events, messages    book/      transfers, Parquet
compact.json the peers it has agreed to talk to          log/       the witnessed log, public
policy/      its own standing policies (Cedar)           card.jws   what it tells peers of itself
passphrase   what opens keys/ when the environment does not say so (better kept elsewhere: SECURITY.md)
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from comity.errors import InputError, NotFound
from comity.law.bases import Channel
from comity.model import Authority
from comity.tracing import Rule

MOST_HOLD_HOURS = 30 * 24
"""As the procedure allows for its `hold-lapse`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `node.toml` says. `covers` are the countries whose accounts this node's book holds."""

    authority: Authority
    covers: tuple[str, ...]
    host: str
    peer_port: int
    web_port: int
    channel: str
    """`police` or `fiu`: the kind of authority, which decides the channels open to it."""
    rule: str
    hold_hours: int

    @property
    def endpoint(self) -> str:
        return f"https://{self.host}:{self.peer_port}"

    @property
    def public_url(self) -> str:
        return f"http://{self.host}:{self.web_port}"

    @property
    def hold_time(self) -> timedelta:
        return timedelta(hours=self.hold_hours)


@dataclass(frozen=True, slots=True)
class Home:
    """Paths inside a node's directory."""

    path: Path

    @property
    def settings_file(self) -> Path:
        return self.path / "node.toml"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def passphrase(self) -> Path:
        return self.path / "passphrase"

    @property
    def database(self) -> Path:
        return self.path / "node.db"

    @property
    def book(self) -> Path:
        return self.path / "book"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def policy(self) -> Path:
        return self.path / "policy"

    @property
    def card(self) -> Path:
        return self.path / "card.jws"

    @property
    def compact(self) -> Path:
        return self.path / "compact.json"

    def require(self) -> None:
        """Raise `NotFound` unless this is a node's directory."""
        if not self.settings_file.is_file():
            raise NotFound.because(
                expected="the directory of a node (with node.toml)",
                got=str(self.path),
                remedy=f"Create it: comity node init {self.path} --name NAME --jurisdiction CC --authority ID",
            )


def write_settings(home: Home, settings: Settings) -> None:
    authority = settings.authority
    lines = {
        "authority": authority.id, "name": authority.name, "jurisdiction": authority.jurisdiction,
        "oversight": authority.oversight, "covers": list(settings.covers), "channel": settings.channel,
        "host": settings.host, "peer_port": settings.peer_port, "web_port": settings.web_port,
        "rule": settings.rule, "hold_hours": settings.hold_hours,
    }  # fmt: skip
    text = "# This node. Written by `comity node init`; start the node again after a change.\n" + "".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in lines.items()
    )
    home.settings_file.write_text(text, encoding="utf-8")


def _countries(found: object) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise TypeError("covers must be a list of countries")
    return tuple(found)


def check_settings(settings: Settings) -> None:
    """`InputError` for settings that a node cannot run with."""
    try:
        _checked(settings)
    except ValueError as error:
        raise InputError(f"expected settings a node can run with, got {error}") from error


def read_settings(home: Home) -> Settings:
    """Read and check `node.toml`; `InputError` names the file and what is wrong with it."""
    home.require()
    try:
        found = tomllib.loads(home.settings_file.read_text(encoding="utf-8"))
        return _checked(
            Settings(
                authority=Authority(
                    id=_text(found, "authority"), name=_text(found, "name"),
                    jurisdiction=_text(found, "jurisdiction"), oversight=bool(found["oversight"]),
                ),
                covers=tuple(str(code) for code in found["covers"]), host=_text(found, "host"),
                peer_port=int(found["peer_port"]), web_port=int(found["web_port"]),
                channel=_text(found, "channel"), rule=_text(found, "rule"),
                hold_hours=int(found["hold_hours"]),
            )
        )  # fmt: skip
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, UnicodeDecodeError) as error:
        raise InputError.because(
            expected="the settings that `comity node init` writes",
            got=f"{type(error).__name__}: {error}",
            where=str(home.settings_file),
        ) from error


def _text(found: Mapping[str, object], key: str) -> str:
    value = found[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value


def _checked(settings: Settings) -> Settings:
    """Raise `ValueError` for what a node cannot run with."""
    for port in (settings.peer_port, settings.web_port):
        if not 1 <= port <= 65535:
            raise ValueError(f"port {port}")
    if not 1 <= settings.hold_hours <= MOST_HOLD_HOURS:
        raise ValueError(f"hold_hours {settings.hold_hours}, not 1 to {MOST_HOLD_HOURS}")
    if settings.channel not in set(Channel):
        raise ValueError(f"channel {settings.channel!r}, not one of {', '.join(Channel)}")
    Rule.named(settings.rule)
    for country in (settings.authority.jurisdiction, *settings.covers):
        if not (len(country) == 2 and country.isascii() and country.isupper()):
            raise ValueError(f"country {country!r}")
    return settings
