"""Indicators: what the public sees, computed from events and nothing else, so that it can be recomputed."""

from comity.indicators.interception import DEFINITIONS, Interception, interception

__all__ = ["DEFINITIONS", "Interception", "interception"]
