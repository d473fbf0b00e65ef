"""Write and read obligations as JSON (spec/handling.md §2): in manifests, and wherever a node keeps them. Pure."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from comity.errors import InputError
from comity.exchange.fields import DIGEST, ID, LABEL, Fields
from comity.model import Handling, Permission
from comity.model.handling import stricter

MAX_ORIGINATORS = 64
MAX_AUDIENCE = 256
MAX_PURPOSES = 32
MAX_ACTIONS = 64
MAX_CODES = 64
MAX_CAVEAT = 500
MAX_SOURCES = 256
MOST_DAYS = 36_525


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caps:
    """How many of each there may be, at most."""

    originators: int = MAX_ORIGINATORS
    audience: int = MAX_AUDIENCE
    purposes: int = MAX_PURPOSES
    actions: int = MAX_ACTIONS
    codes: int = MAX_CODES
    sources: int = MAX_SOURCES


_ON_THE_WIRE = _Caps()
_ANY = 1_000_000
_KEPT = _Caps(originators=_ANY, audience=_ANY, purposes=_ANY, actions=_ANY, codes=_ANY, sources=_ANY)
_SHORT = 4096
_PERMISSIONS = {one.value: one for one in Permission}
_KNOWN = frozenset({
    "originators", "audience", "purposes", "actions", "retention_days", "gradings", "codes", "caveats", "sources",
})  # fmt: skip


def write_handling(handling: Handling) -> dict[str, Any]:
    return {
        "originators": list(handling.originators),
        "audience": list(handling.audience),
        "purposes": list(handling.purposes),
        "actions": {action: permission.value for action, permission in handling.actions.items()},
        "retention_days": handling.retention_days,
        "gradings": list(handling.gradings),
        "codes": list(handling.codes),
        "caveats": list(handling.caveats),
        "sources": list(handling.sources),
    }


def read_handling(fields: Fields) -> Handling:
    """Read every field, or raise `Malformed` naming the first that is wrong.

    What a field of a newer version demands cannot be known: it turns every `allow` into `ask`.
    """
    return _read(fields, _ON_THE_WIRE)


def read_kept(fields: Fields) -> Handling:
    """What this node wrote itself, read again: the sender added to its originators, and what its codes demand,
    may make it larger than a message may say."""
    return _read(fields, _KEPT)


def fits(handling: Handling) -> bool:
    """Whether a message can say all of it (`read_handling` would read it)."""
    caps = _ON_THE_WIRE
    return all((
        len(handling.originators) <= caps.originators, len(handling.audience) <= caps.audience,
        len(handling.purposes) <= caps.purposes, len(handling.actions) <= caps.actions,
        len(handling.sources) <= caps.sources,
        max(len(handling.gradings), len(handling.codes), len(handling.caveats)) <= caps.codes,
    ))  # fmt: skip


def _read(fields: Fields, caps: _Caps) -> Handling:
    """Most messages say what others said before: that is read once."""
    try:
        text = json.dumps(fields.values)
        if len(text) <= _SHORT:
            return _read_text(text, caps)
    except (InputError, TypeError, ValueError):
        pass  # and now once more, to say where it is wrong
    return _read_anew(fields, caps)


@lru_cache(maxsize=256)
def _read_text(text: str, caps: _Caps) -> Handling:
    return _read_anew(Fields(json.loads(text), "handling"), caps)


def _read_anew(fields: Fields, caps: _Caps) -> Handling:
    actions = fields.nested("actions")
    if len(actions.values) > caps.actions:
        raise fields.wrong("actions", f"at most {caps.actions} actions", len(actions.values))
    originators = fields.texts("originators", most=caps.originators, form=ID)
    if not originators:
        raise fields.wrong("originators", "at least one", originators)
    at_best = Permission.ASK if fields.beyond(_KNOWN) else Permission.ALLOW
    return Handling(
        originators=originators,
        audience=fields.texts("audience", most=caps.audience, form=ID),
        purposes=fields.texts("purposes", most=caps.purposes),
        actions={
            _name(fields, name): stricter(_permission(actions.text(name, form=LABEL)), at_best)
            for name in actions.values
        },
        retention_days=fields.integer("retention_days", least=0, most=MOST_DAYS),
        gradings=fields.texts("gradings", most=caps.codes),
        codes=fields.texts("codes", most=caps.codes),
        caveats=fields.texts("caveats", most=caps.codes, longest=MAX_CAVEAT),
        sources=fields.texts("sources", most=caps.sources, form=DIGEST),
    )


def _name(fields: Fields, name: str) -> str:
    if LABEL.fullmatch(name) is None:
        raise fields.wrong("actions", "names of letters, digits and . _ : -", name)
    return name


def _permission(code: str) -> Permission:
    """An unknown code means `ask` (design §4)."""
    return _PERMISSIONS.get(code, Permission.ASK)
