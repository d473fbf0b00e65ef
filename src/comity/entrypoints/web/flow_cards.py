"""Draw one place of the diagram as a card: account, institution, what is there, when the money came.

The mark at the left edge fills as far as money is held and is hatched where a state did not tell.
"""

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from comity.entrypoints.plain_text import plain
from comity.entrypoints.web.countries import country_name
from comity.entrypoints.web.flow_layout import Place
from comity.entrypoints.web.svg import fit, number, tag
from comity.entrypoints.web.wording import brief_money, money, since_first
from comity.node.pages.views import Amount, FlowKind, FlowState

CARD_W, CARD_H = 176, 77


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Upper left corner of a card."""

    x: float
    y: float


def draw_card(place: Place, spot: Spot, first_at: datetime, paid: tuple[Amount, ...]) -> Markup:
    node = place.node
    unsure = node.state is not FlowState.KNOWN
    kinds = ["flow-card", f"flow-{node.kind}"]
    kinds += ["flow-many"] if place.stands_for > 1 else []
    kinds += ["flow-held"] if node.held else ["flow-asked"] if unsure else []
    box = tag(
        "rect",
        x=number(spot.x),
        y=number(spot.y),
        width=str(CARD_W),
        height=str(CARD_H),
        rx="8",
        class_="flow-box",
    )
    return tag(
        "g",
        tag("title", _told(place, first_at))
        + box
        + _strip(place, spot)
        + _lines(place, spot, first_at, paid),
        class_=" ".join(kinds),
    )


def _strip(place: Place, spot: Spot) -> Markup:
    """The mark at the card's left edge: filled as far as money is held, hatched where we were not told."""
    node = place.node
    x, y, tall = spot.x + 5, spot.y + 7, CARD_H - 14.0
    if node.state is not FlowState.KNOWN:
        return _bar(x, y, tall, "flow-strip-asked", fill="url(#flow-hatch)")
    strip = _bar(x, y, tall, "flow-strip flow-strip-resting" if node.resting else "flow-strip")
    if node.held:
        part = held_part(place)
        strip += _bar(x, y + tall * (1 - part), tall * part, "flow-strip flow-strip-held")
    return strip


def held_part(place: Place) -> float:
    """The held part of what rests, over currencies equally; shown as a mark, never as a figure."""
    parts = []
    for amount in place.node.resting:
        held = sum(a.minor for a in place.node.held if a.currency == amount.currency)
        parts.append(min(1.0, held / amount.minor) if amount.minor else 1.0)
    return sum(parts) / len(parts) if parts else 1.0


def _bar(x: float, y: float, tall: float, kind: str, fill: str | None = None) -> Markup:
    return tag(
        "rect",
        x=number(x),
        y=number(y),
        width="5",
        height=number(max(2.0, tall)),
        rx="2.5",
        class_=kind,
        fill=fill,
    )


def _lines(place: Place, spot: Spot, first_at: datetime, paid: tuple[Amount, ...]) -> Markup:
    """Four lines: account, institution, what is there, when the money came."""
    node = place.node
    name = node.account or node.institution or _kind_word(node.kind)
    bank = (node.institution if node.account else "") or _kind_word(node.kind)
    written = (
        ("flow-name", fit(name, 17), 19),
        ("flow-bank", fit(bank, 22), 35),
        ("flow-rest", fit(_rests(place, paid), 22), 52),
        ("flow-when", _when(place, first_at), 67),
    )
    return Markup("").join(
        tag("text", words, x=number(spot.x + 18), y=number(spot.y + down), class_=kind)
        for kind, words, down in written
        if words
    )


def _when(place: Place, first_at: datetime) -> str:
    return "" if place.node.at is None else since_first(place.node.at, first_at)


def _rests(place: Place, paid: tuple[Amount, ...]) -> str:
    """What to know first: held, resting, not told, or else passed on."""
    node = place.node
    for amounts, verb in ((node.held, " held"), (node.resting, " rests")):
        if amounts:
            return f"{brief_money(amounts[0])}{' +' if len(amounts) > 1 else ''}{verb}"
    if node.state is FlowState.REFUSED:
        return "not told: refused"
    if node.state is FlowState.OPEN:
        return "not told yet"
    verb = "taken" if node.kind is FlowKind.VICTIM else "passed on"
    return f"{brief_money(paid[0])}{' +' if len(paid) > 1 else ''} {verb}" if paid else ""


def _kind_word(kind: FlowKind) -> str:
    return {
        FlowKind.VICTIM: "victim's account",
        FlowKind.ACCOUNT: "account",
        FlowKind.EXCHANGE: "exchange",
        FlowKind.WALLET: "wallet",
        FlowKind.CASH: "taken out in cash",
        FlowKind.BEYOND: "only answers are told",
    }[kind]


def _told(place: Place, first_at: datetime) -> str:
    """Everything on the card, uncut: what a pointer resting on it shows."""
    node = place.node
    parts = [plain(node.account), plain(node.institution), country_name(node.country), _kind_word(node.kind)]
    parts += [f"resting {money(amount)}" for amount in node.resting]
    parts += [f"under a hold {money(amount)}" for amount in node.held]
    if node.at is not None:
        parts.append(f"reached {since_first(node.at, first_at)}")
    return " · ".join(part for part in parts if part)
