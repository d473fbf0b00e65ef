"""A request that crosses a border, as the asking node (`out`) or the asked one (`in`) sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`state` is one of the procedure's. `basis` names the legal basis as the law room returned it.

    `message_id` is the message that carried it. `refusal` holds `ground` and `text`. `unmatched`: of how many of its
    inflows we said by ourselves, without an officer, that our book does not show them, and had not said so before.
    """

    id: str
    case_id: str
    direction: Literal["out", "in"]
    procedure: str
    peer: str
    state: str
    message_id: str
    drafted_by: str
    basis: Mapping[str, Any]
    payload: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    refusal: Mapping[str, Any] | None
    created_at: datetime
    updated_at: datetime
    unmatched: int = 0
