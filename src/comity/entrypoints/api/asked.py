"""What the API takes: one model a body, strict. A key that is not here is refused."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Line = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(min_length=1, max_length=4_000)]
Answer = Literal["yes", "no", "unknown"]
Facts = dict[str, Any]


class _Body(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Every key once, and no other."""


class Nothing(_Body):
    """An empty object: the address says it all."""


class RequestRefusal(_Body):
    """`ground`: one that the procedure declares. `text`: the asking node reads it."""

    ground: Line
    text: Text


class HoldDecision(_Body):
    """One step of the procedure `urgent_freeze`, and the facts that its gates ask for."""

    event: Line
    facts: Facts = {}


class OpenMatter(_Body):
    """A draft. `fields` as far as they are known; `compact` may be left out where the node has one."""

    procedure: Line
    peer: Line
    compact: Line | None = None
    case: Line | None = None
    fields: Facts = {}


class MatterFields(_Body):
    """Fields stated anew, before the matter is sent."""

    fields: Facts


class MatterEvent(_Body):
    """An event of the procedure; `facts` are those that it may state. `after`: the number of the last step that the
    caller knows of; if there is another since, nothing is done (409).
    """

    event: Line
    facts: Facts = {}
    after: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None


class Comparison(_Body, rename={"from_": "from", "for_": "for"}):
    """Would conduct with these elements be an offence in both? What is not said is unknown."""

    from_: Line
    to: Line
    has: Sequence[Line] = ()
    lacks: Sequence[Line] = ()
    threshold: Line | None = None
    for_: Line | None = None


class SafeguardCheck(_Body, rename={"for_": "for"}):
    """`safeguard` or `for` (a step), not both. `facts`: by safeguard, then by fact."""

    safeguard: Line | None = None
    for_: Line | None = None
    facts: dict[str, dict[str, Answer]] = {}


def plain(body: msgspec.Struct) -> dict[str, Any]:
    """The body as JSON values, for its digest."""
    found: dict[str, Any] = msgspec.to_builtins(body)
    return found


BODIES = (
    Nothing, RequestRefusal, HoldDecision, OpenMatter, MatterFields, MatterEvent, Comparison, SafeguardCheck,
)  # fmt: skip
