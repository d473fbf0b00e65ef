"""Indicators: what the public sees, computed from events and nothing else, so that it can be recomputed."""

from comity.indicators.interception import COUNTED_KINDS, DEFINITIONS, Interception, interception

__all__ = ["COUNTED_KINDS", "DEFINITIONS", "Interception", "interception"]
