"""The vocabulary: frozen values every room shares. Imports nothing of ours but `errors`."""

from comity.model.authority import Authority, Person, Role, human_of, humans_in
from comity.model.choke import ChokeKind, ChokePoint
from comity.model.event import Event
from comity.model.handling import ACTIONS, Consent, Handling, Permission, Permitted, meet, permits
from comity.model.money import CRYPTO_ASSETS, digits_of, format_minor, parse_amount
from comity.model.trace import Claim, Crossing, Flow, Gap, Holding, Move, Piece, Report, Total, Trace

__all__ = [
    "ACTIONS", "CRYPTO_ASSETS",
    "Authority", "ChokeKind", "ChokePoint", "Claim", "Consent", "Crossing", "Event", "Flow", "Gap", "Handling",
    "Holding", "Move", "Permission", "Permitted", "Person", "Piece", "Report", "Role", "Total", "Trace",
    "digits_of", "format_minor", "human_of", "humans_in", "meet", "parse_amount", "permits",
]  # fmt: skip
