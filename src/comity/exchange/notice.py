"""A notice: what a person tells members of a compact about a case, or about none (spec/attachment.md §5). Pure.

A case is named by the member whose case it is and its number there, so that everybody who has a copy of it finds
their own. Naming a case gives nobody access to it: what the receiver makes of the name is decided there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comity.exchange.attachment import Attachment, read_attachment, write_attachment
from comity.exchange.fields import ID, LABEL, Fields

NOTICE = "notice"
"""The type of the message."""
LONGEST_SUBJECT = 200
LONGEST_TEXT = 20_000
LONGEST_LINE = 4_000
MOST_ATTACHMENTS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """`origin` and `case` are both empty for a notice about no case; `text` may have several lines."""

    origin: str
    case: str
    subject: str
    text: str
    attachments: tuple[Attachment, ...] = ()


def write_notice(notice: Notice) -> dict[str, Any]:
    return {
        "case": {"origin": notice.origin, "id": notice.case},
        "subject": notice.subject,
        "text": notice.text,
        "attachments": [write_attachment(one) for one in notice.attachments],
    }


def read_notice(payload: Mapping[str, Any]) -> Notice:
    """Read a payload that anybody may have written; `Malformed` names the first field that is wrong."""
    fields = Fields(payload, "notice")
    about = fields.nested("case")
    origin, case = about.text_or_empty("origin", form=ID), about.text_or_empty("id", form=LABEL)
    if bool(origin) != bool(case):
        raise fields.wrong("case", "a case's origin and id, or neither", (origin, case))
    attachments = tuple(
        read_attachment(one) for one in fields.objects("attachments", least=0, most=MOST_ATTACHMENTS)
    )
    if len({one.id for one in attachments}) != len(attachments):
        raise fields.wrong("attachments", "each attachment once", [one.id for one in attachments])
    return Notice(
        origin=origin, case=case, subject=fields.text("subject", longest=LONGEST_SUBJECT),
        text=_lines(fields), attachments=attachments,
    )  # fmt: skip


def _lines(fields: Fields) -> str:
    """Text of several lines, each such that it shows as what it is."""
    value = fields.values.get("text")
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise fields.wrong("text", f"text of at most {LONGEST_TEXT} characters", value)
    for line in value.split("\n"):
        Fields({"text": line}, fields.where).text_or_empty("text", longest=LONGEST_LINE)
    return value
