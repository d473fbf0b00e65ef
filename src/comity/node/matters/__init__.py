"""Matters at this node: opened, decided, heard of, come due, and read (spec/matter.md).

`casework.matter` says what may happen; here it is stored, sent and recorded, each step in one transaction.
"""

from comity.node.matters.deciding import amend, decide
from comity.node.matters.due import come_due
from comity.node.matters.hearing import HANDLERS
from comity.node.matters.opening import open_matter
from comity.node.matters.reading import Opening, get, listed, openings
from comity.node.matters.settling import settle

__all__ = [
    "HANDLERS", "Opening", "amend", "come_due", "decide", "get", "listed", "open_matter", "openings", "settle",
]  # fmt: skip
