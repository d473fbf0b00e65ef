"""SWIFT MT messages as transfers and recalls: MT103; MT192, MT196 and MT199."""

from comity.backends.transfers.swift_mt.payments import items
from comity.backends.transfers.swift_mt.recalls import recalls

__all__ = ["items", "recalls"]
