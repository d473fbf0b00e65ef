"""The agreement of a joint investigation team as a document, and what may stand in each entry of a team's space."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from comity.backends.transfers.zones import Zone, day_of, instant
from comity.casework.joint import MOST_MEMBERS, Entry, Space
from comity.casework.joint_team import (
    AGREEMENT,
    CLAUSES,
    EVALUATION,
    KINDS,
    LEFT,
    LONGEST,
    OPTIONAL_CLAUSES,
    PROLONGATION,
    SHARED,
    SIGNATURE,
    require_sound,
)
from comity.errors import InputError
from comity.exchange.fields import DIGEST, ID, Fields
from comity.node.joint.entries import line, members_of, only, prose, read_instant, write_instant

LONGEST_SHARED = 20_000
_KNOWN = {"title", "members", "parties", "leader", "starts", "ends", *CLAUSES, *OPTIONAL_CLAUSES}


def agreement_of(document: object) -> dict[str, Any]:
    """The body of an agreement that a person wrote. `starts` and `ends` may be days: their first moment in UTC."""
    if not isinstance(document, dict):
        raise InputError.because(
            expected=f"an agreement with {', '.join(sorted(_KNOWN))}", got="something else"
        )
    fields = Fields(document, "agreement")
    parties = [dict(one.values) for one in fields.objects("parties", least=2, most=MOST_MEMBERS)]
    body = {
        **document, "parties": parties, "members": [one.get("member") for one in parties],
        **{name: time_of(document.get(name), name) for name in ("starts", "ends")},
    }  # fmt: skip
    check_agreement(body)
    return body


def time_of(value: object, name: str) -> str:
    """A day or a time with its offset, as it is written in an entry."""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    whole = f"{text}T00:00:00Z" if len(text) == 10 and day_of(text) else text
    try:
        return write_instant(datetime.fromisoformat(instant(whole, Zone.named("Z"))))
    except ValueError as error:
        raise InputError.because(
            expected="a day such as 2026-12-31", got=repr(text[:40]), where=name
        ) from error


def check_agreement(body: Mapping[str, Any]) -> None:
    fields = Fields(body, AGREEMENT)
    only(fields, _KNOWN)
    line(fields, "title")
    for name in (*CLAUSES, *(one for one in OPTIONAL_CLAUSES if one in body)):
        prose(fields, name)
    members = members_of(fields)
    parties = fields.objects("parties", least=2, most=MOST_MEMBERS)
    for one in parties:
        only(one, {"member", "authority", "powers"})
        line(one, "authority")
        prose(one, "powers")
    if tuple(one.text("member", form=ID) for one in parties) != members:
        raise fields.wrong("parties", "each member once", [one.values.get("member") for one in parties])
    require_sound(
        starts=read_instant(fields, "starts"), ends=read_instant(fields, "ends"), members=members,
        leader=fields.text("leader", form=ID),
    )  # fmt: skip


def check(entry: Entry, space: Space | None) -> None:
    """An entry of a team: of its form. The agreement is the founding entry, and there is one only."""
    if entry.kind not in KINDS or (entry.kind == AGREEMENT) is not (space is None):
        raise InputError.because(
            expected=f"one of {', '.join(KINDS)}, the agreement first and once", got=entry.kind
        )
    if entry.kind == AGREEMENT:
        check_agreement(entry.body)
        return
    fields = Fields(entry.body, entry.kind)
    if entry.kind in (SIGNATURE, PROLONGATION):
        only(fields, {"agreement"} if entry.kind == SIGNATURE else {"agreement", "until"})
        fields.text("agreement", form=DIGEST)
        if entry.kind == PROLONGATION and read_instant(fields, "until") > entry.at + LONGEST:
            raise fields.wrong("until", f"at most {LONGEST.days} days from now", entry.body["until"])
    elif entry.kind == SHARED:
        only(fields, {"title", "text", "evidence"})
        line(fields, "title")
        prose(fields, "text", longest=LONGEST_SHARED)
        for one in fields.objects("evidence", least=0, most=32):
            only(one, {"name", "sha256"})
            line(one, "name")
            one.text("sha256", form=DIGEST)
    elif entry.kind in (LEFT, EVALUATION):
        only(fields, {"text"})
        prose(fields, "text")
