"""A node's directory: what is where, and its settings. Only `comity node init` creates one.

node.toml    who this node is and where it listens      keys/      private keys, encrypted
node.db      cases, requests, holds, events, messages    book/      transfers, Parquet
compacts/    the peers it has agreed to talk to          log/       the witnessed log, public
policy/      its own standing policies (Cedar)           card.jws   what it tells peers of itself
attachments/ files that came with notices or that we offer, sealed
witnesses.policy    who must have cosigned our log before anything is disclosed
witnessed.note      our newest checkpoint that they had      log-contradicted.note    proof that our log was put back
vault/       the victims' vault: its own key, database and passphrase (spec/vault.md); in no backup of the node
passphrase   what opens keys/ when the environment does not say so (better kept elsewhere: SECURITY.md)
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from comity.backends.files import write_durably
from comity.backends.sql.postgres import read_url
from comity.errors import InputError, NotFound
from comity.exchange.delivery import LONGEST_TICK
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
    database: str = "node.db"
    """A file in the node's directory, or a postgresql:// address."""
    peer_address: str = ""
    """https address that peers reach, where it is not `host` and `peer_port` (a proxy in front)."""
    public_address: str = ""
    inbound: bool = True
    """False: no peer can connect to us; we fetch what they have for us."""
    audience: str = "compact"
    """With whom what we tell may be shared: every member of the `compact`, or only the one `asked`."""
    reply_tick_ms: int = 500
    """Automatic replies leave at these ticks, so that the time taken tells nothing."""
    log_cadence_ms: int = 1000
    """The log grows at these ticks, and by a multiple of `log_padding` entries."""
    log_padding: int = 8
    log_heartbeat: int = 0
    """After so many silent ticks it grows all the same; 0 for never."""
    max_attachment_bytes: int = 50 * 2**30
    deconfliction_rounds: int = 4
    """How often in 24 hours one peer is asked whether it works the same targets, and may ask us; 0: never."""

    @property
    def endpoint(self) -> str:
        return self.peer_address or f"https://{self.host}:{self.peer_port}"

    @property
    def public_url(self) -> str:
        return self.public_address or f"http://{self.host}:{self.web_port}"

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
    def database_password(self) -> Path:
        """What opens a PostgreSQL database when neither the environment nor the URL says so."""
        return self.path / "database-password"

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
    def compacts(self) -> Path:
        """One folder a compact that this node has joined, by its name."""
        return self.path / "compacts"

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
        "rule": settings.rule, "hold_hours": settings.hold_hours, "database": settings.database,
    }  # fmt: skip
    lines |= {key: value for key, value in _optional(settings).items() if value != _DEFAULTS[key]}
    text = "# This node. Written by `comity node init`; start the node again after a change.\n" + "".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in lines.items()
    )
    write_durably(home.settings_file, text.encode())


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
                hold_hours=int(found["hold_hours"]), **_options(found),
            )
        )  # fmt: skip
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, UnicodeDecodeError) as error:
        raise InputError.because(
            expected="the settings that `comity node init` writes",
            got=f"{type(error).__name__}: {error}",
            where=str(home.settings_file),
        ) from error


_DEFAULTS: Mapping[str, Any] = {
    one.name: one.default for one in fields(Settings) if one.default is not MISSING
}


def _optional(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in _DEFAULTS}


def _options(found: Mapping[str, object]) -> dict[str, Any]:
    """The optional settings that are given, each of its default's type."""
    given = {name: found[name] for name in _DEFAULTS if name in found}
    for name, value in given.items():
        if type(value) is not type(_DEFAULTS[name]):
            raise TypeError(f"{name} is no {type(_DEFAULTS[name]).__name__}")
    return given


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
    for name, least, most in (
        ("reply_tick_ms", 0, LONGEST_TICK // timedelta(milliseconds=1)),
        ("log_cadence_ms", 10, 60_000),
        ("log_padding", 1, 4096),
        ("log_heartbeat", 0, 86_400),
        ("deconfliction_rounds", 0, 24),
    ):
        if not least <= getattr(settings, name) <= most:
            raise ValueError(f"{name} {getattr(settings, name)}, not {least} to {most}")
    if settings.audience not in ("compact", "asked"):
        raise ValueError(f"audience {settings.audience!r}, not compact or asked")
    if settings.channel not in set(Channel):
        raise ValueError(f"channel {settings.channel!r}, not one of {', '.join(Channel)}")
    if Rule.named(settings.rule) is Rule.POISON:
        raise ValueError("rule 'poison': what was exposed to the money is not for that reason to be held")
    _refuse_place(settings.database)
    for country in (settings.authority.jurisdiction, *settings.covers):
        if not (len(country) == 2 and country.isascii() and country.isupper()):
            raise ValueError(f"country {country!r}")
    return settings


def _refuse_place(database: str) -> None:
    """A file stays inside the node's directory; what a URL must be is the database's to say."""
    if "://" in database:
        read_url(database)
    elif Path(database).name != database or database in ("", ".", ".."):
        raise ValueError(f"database {database!r}, neither a file's name nor postgresql://USER@HOST/NAME")
