"""Which states of a hold count as money held: one list for figures, pages and diagrams."""

COUNTED_AS_HELD = frozenset({"held", "ordered", "returned", "confiscation_case"})
"""Held, confirmed by an order, or on its way to the victim or to a court: it did not get away."""
