"""Comity: the node an agency runs to cooperate lawfully across borders. The map is ARCHITECTURE.md."""

__version__ = "0.1.0"
