"""Steps and proposals of a matter as documents: stored, sent and hashed. Reading refuses what is not one."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from comity.casework.matter import CLOCK, Actor, Proposal, Taken, step_document
from comity.errors import InputError

__all__ = ["proposal_document", "read_proposal", "read_step", "read_steps", "step_document"]
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,79}", re.ASCII)
LONGEST_NAME = 125
"""Two personnel numbers of 60, and the word between them: a deputy and whom they stand for."""
_STEP: Mapping[str, type] = {
    "number": int, "event": str, "from": str, "to": str, "by": str, "role": str, "side": str, "at": str, "facts": dict,
}  # fmt: skip
_PROPOSAL: Mapping[str, type] = {
    "number": int, "event": str, "by": str, "role": str, "side": str, "facts": dict,
}  # fmt: skip


def proposal_document(one: Proposal) -> dict[str, Any]:
    return {
        "number": one.number, "event": one.event, "by": one.actor.by, "role": one.actor.role,
        "side": one.actor.side, "facts": dict(one.facts),
    }  # fmt: skip


def read_steps(documents: Any) -> tuple[Taken, ...]:
    if not isinstance(documents, Sequence) or isinstance(documents, str):
        raise InputError.because(expected="a list of steps", got=type(documents).__name__)
    return tuple(read_step(one) for one in documents)


def read_step(document: Any) -> Taken:
    row = _row(document, _STEP, "step")
    for key in ("to", *(["from"] if row["from"] else [])):
        _word(row[key], key)
    return Taken(
        number=row["number"], event=_word(row["event"], "event"), source=row["from"], target=row["to"],
        actor=_actor(row), at=_time(row["at"]), facts=row["facts"],
    )  # fmt: skip


def read_proposal(document: Any) -> Proposal:
    row = _row(document, _PROPOSAL, "proposal")
    return Proposal(
        event=_word(row["event"], "event"), actor=_actor(row), facts=row["facts"], number=row["number"]
    )


def _row(document: Any, shape: Mapping[str, type], what: str) -> dict[str, Any]:
    if not isinstance(document, dict) or set(document) != set(shape):
        got = sorted(document) if isinstance(document, dict) else type(document).__name__
        raise InputError.because(expected=f"a {what} with {', '.join(shape)}", got=str(got)[:200])
    for key, kind in shape.items():
        if type(document[key]) is not kind:
            raise InputError.because(
                expected=f"{key}: {kind.__name__}", got=repr(document[key])[:80], where=what
            )
    if document["number"] < 0:
        raise InputError.because(expected="number: 0 or more", got=str(document["number"]), where=what)
    return document


def _actor(row: Mapping[str, Any]) -> Actor:
    if row["side"] not in ("requesting", "requested"):
        raise InputError.because(expected="side: requesting or requested", got=repr(row["side"])[:40])
    if not 0 < len(row["by"]) <= LONGEST_NAME or not row["by"].isprintable():
        raise InputError.because(
            expected=f"by: a name of at most {LONGEST_NAME} characters", got=repr(row["by"])[:40]
        )
    if (row["by"] == CLOCK) is not (row["role"] == CLOCK):
        raise InputError.because(expected=f"{CLOCK} as name and as role, or as neither", got=row["by"])
    return Actor(by=row["by"], role=_word(row["role"], "role"), side=row["side"])


def _time(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.utcoffset() != timedelta(0) or at.isoformat(timespec="microseconds") != text:
        raise InputError.because(expected="a time of UTC with microseconds and +00:00", got=repr(text)[:40])
    return text


def _word(text: str, key: str) -> str:
    if _WORD.fullmatch(text) is None:
        raise InputError.because(expected=f"{key}: a name in small letters", got=repr(text)[:80])
    return text
