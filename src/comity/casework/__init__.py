"""Casework: cases, the requests and holds that run a procedure, and their deadlines.

Values are frozen; what moves them is a procedure declared in `comity.law`. What the room needs from outside
is in `ports.py`. It never reaches another capability: `comity.node` reads cases beside traces and logs.
"""

from comity.casework.case import Case, CaseTrace
from comity.casework.deadline import Deadline
from comity.casework.hold import Hold
from comity.casework.ports import CaseStore, DeadlineStore, HoldStore, RequestStore
from comity.casework.request import Request
from comity.casework.running import Moved, Subject, move, rows, start

__all__ = [
    "Case", "CaseStore", "CaseTrace", "Deadline", "DeadlineStore", "Hold", "HoldStore", "Moved", "Request",
    "RequestStore", "Subject", "move", "rows", "start",
]  # fmt: skip
