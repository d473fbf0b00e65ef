"""What may be done with what was shared: obligations, not a colour (design §4, spec/handling.md). Pure.

The algebra: `meet` is what a thing derived from two others must obey, `permits` decides one use, and `shrink`,
`retract` and `relax` are the originator's own changes. Three rules hold everywhere. What is not known (an action,
a permission, a code) is asked about, never allowed. An empty audience is nobody and empty purposes are none,
never everybody and any. Nobody but the originator makes anything wider.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from comity.errors import Forbidden


class Permission(StrEnum):
    """From most to least permissive: allow, ask, deny. `ask` can be lifted by a consent, `deny` by none."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


ACTIONS = (
    "read", "search", "link", "derive", "disclose_onward", "judicial_use", "contact_subject", "automated_match",
)  # fmt: skip
_STRICTNESS = {Permission.ALLOW: 0, Permission.ASK: 1, Permission.DENY: 2}


class NotTheOriginator(Forbidden):
    """Somebody who did not give a thing tries to change what may be done with it."""

    code = "handling.not-the-originator"
    remedy = "Ask its originator: comity consent ask DIR ITEM --action ACTION --recipient MEMBER --as NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """Obligations on one thing. An action not named means `ask`. Tuples are sorted sets.

    `originators` gave what it consists of: each of them must consent. `audience` are members. `sources` are digests
    of what it was derived from. `gradings` and `codes` are as received, for people: what codes demand is already
    in the rest (`exchange.markings`). `retention_days` count from when it was received.
    """

    originators: tuple[str, ...]
    audience: tuple[str, ...]
    purposes: tuple[str, ...]
    actions: Mapping[str, Permission] = field(default_factory=dict)
    retention_days: int = 90
    gradings: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("originators", "audience", "purposes", "gradings", "codes", "caveats", "sources"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))

    def may(self, action: str) -> Permission:
        return self.actions.get(action, Permission.ASK)

    @property
    def closed(self) -> bool:
        """Nobody may use it for anything: retracted, or derived from what cannot go together."""
        return not self.audience and not self.purposes


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """An originator's word that one use of one item is all right. `recipient` is who may do it, or be given it."""

    item: str
    by: str
    action: str
    recipient: str
    purpose: str
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Permitted:
    """May it be done? `ask` names who has not consented yet, where that is what is missing."""

    permission: Permission
    ask: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.permission is Permission.ALLOW


def stricter(a: Permission, b: Permission) -> Permission:
    return max(a, b, key=_STRICTNESS.__getitem__)


def meet(a: Handling, b: Handling) -> Handling:
    """What must be obeyed by what is derived from both: never more than either permits."""
    return Handling(
        originators=(*a.originators, *b.originators),
        audience=tuple(set(a.audience) & set(b.audience)),
        purposes=tuple(set(a.purposes) & set(b.purposes)),
        actions={
            action: stricter(a.may(action), b.may(action)) for action in sorted({*a.actions, *b.actions})
        },
        retention_days=min(a.retention_days, b.retention_days),
        gradings=(*a.gradings, *b.gradings),
        codes=(*a.codes, *b.codes),
        caveats=(*a.caveats, *b.caveats),
        sources=(*a.sources, *b.sources),
    )


def permits(
    handling: Handling,
    action: str,
    *,
    recipient: str,
    purpose: str,
    item: str = "",
    consents: Collection[Consent] = (),
    now: datetime,
) -> Permitted:
    """Decide whether `recipient` may do `action` (for `disclose_onward`: be given it) for `purpose`.

    An audience or purposes without them mean ask, empty ones deny. An ask is lifted by the unexpired consents
    of every originator for exactly this item, action, recipient and purpose; a denial by nothing.
    """
    permission, reasons = _unaided(handling, action, recipient, purpose)
    if permission is not Permission.ASK:
        return Permitted(permission=permission, reasons=reasons)
    given = {
        one.by
        for one in consents
        if (one.item, one.action, one.recipient, one.purpose) == (item, action, recipient, purpose)
        and item
        and now < one.expires
    }
    missing = tuple(one for one in handling.originators if one not in given)
    if missing or not handling.originators:
        return Permitted(permission=Permission.ASK, ask=missing, reasons=reasons)
    return Permitted(
        permission=Permission.ALLOW, reasons=(f"consented by {', '.join(handling.originators)}",)
    )


def shrink(handling: Handling, *, by: str, audience: Collection[str]) -> Handling:
    """Any originator takes members out of the audience. Naming new ones adds nobody."""
    _require_originator(handling, by)
    return replace(handling, audience=tuple(set(handling.audience) & set(audience)))


def retract(handling: Handling, *, by: str) -> Handling:
    """Any originator takes it back: from now on nobody may do anything with it, whatever was consented."""
    _require_originator(handling, by)
    return replace(
        handling, audience=(), purposes=(), retention_days=0,
        actions=dict.fromkeys(sorted({*ACTIONS, *handling.actions}), Permission.DENY),
    )  # fmt: skip


def relax(handling: Handling, *, by: str, to: Handling) -> Handling:
    """Replace the obligations by `to`, which may be wider: only its one originator may.

    What was taken back stays so.
    """
    if (
        handling.originators != (by,)
        or to.originators != (by,)
        or not set(handling.sources) <= set(to.sources)
    ):
        raise NotTheOriginator(
            f"expected the one originator of it, got {by}: {', '.join(handling.originators)}"
        )
    if handling.closed:
        raise NotTheOriginator("expected something that was not taken back: send it anew instead")
    return to


def _unaided(
    handling: Handling, action: str, recipient: str, purpose: str
) -> tuple[Permission, tuple[str, ...]]:
    """The answer before any consent, and why: the strictest of action, audience and purpose counts."""
    if handling.closed:
        return Permission.DENY, ("retracted, or for nobody",)
    found = [
        (handling.may(action), f"{action.replace('_', ' ')}: {handling.may(action)}"),
        _among(recipient, handling.audience, "audience"),
        _among(purpose, handling.purposes, "purposes"),
    ]
    strictest = max((one for one, _ in found), key=_STRICTNESS.__getitem__)
    return strictest, tuple(why for one, why in found if one is strictest)


def _among(wanted: str, named: tuple[str, ...], what: str) -> tuple[Permission, str]:
    if wanted in named:
        return Permission.ALLOW, f"{wanted} is in its {what}"
    if named:
        return Permission.ASK, f"{wanted} is not in its {what}"
    return Permission.DENY, f"its {what} are nobody's" if what == "purposes" else "its audience is nobody"


def _require_originator(handling: Handling, by: str) -> None:
    if by not in handling.originators:
        raise NotTheOriginator(f"expected one of {', '.join(handling.originators)}, got {by}")
