"""Draw the way of the money as SVG: country bands, time from left to right, ribbons as thick as their share.

Only classes and presentation attributes: the pages' policy allows no inline style and no script. All text is
escaped by MarkupSafe. What the drawing says, the tables beside it say too; it is never the only place.
"""

from collections import defaultdict
from datetime import datetime

from markupsafe import Markup

from comity.entrypoints.plain_text import plain
from comity.entrypoints.web.countries import country_name
from comity.entrypoints.web.flow_cards import CARD_H, CARD_W, Spot, draw_card
from comity.entrypoints.web.flow_layout import Sheet, lay_out, summed
from comity.entrypoints.web.flow_shares import Ribbon, Whereabouts
from comity.entrypoints.web.svg import number, tag
from comity.entrypoints.web.wording import money, percent, percents
from comity.node.pages.views import Amount, FlowGraph, FlowState

ROW, PITCH, FULL_WIDTH = 89, 236, 1136
SMALLEST = 1e-6
HEAD, PAD, THICKEST, THINNEST = 30, 10, 26.0, 1.5


def draw_flow(graph: FlowGraph, *, first_at: datetime, title: str) -> Markup:
    """Return `<svg role="img">` with title and description; a sheet without nodes gives empty markup."""
    sheet = lay_out(graph)
    if not sheet.places:
        return Markup("")
    tops, height = _band_tops(sheet)
    pitch = max(float(PITCH), (FULL_WIDTH - CARD_W - 2 * PAD) / max(1, sheet.columns - 1))
    pitch = min(pitch, 2.0 * PITCH)
    width = max(float(FULL_WIDTH), 2 * PAD + CARD_W + pitch * (sheet.columns - 1))
    spots = {
        place.node.id: Spot(x=PAD + place.column * pitch, y=tops[place.country] + HEAD + place.row * ROW)
        for place in sheet.places
    }
    paid = paid_on(sheet)
    body = [_bands(sheet, tops, width), *_ribbons(sheet, spots)]
    body += [
        draw_card(place, spots[place.node.id], first_at, paid.get(place.node.id, ()))
        for place in sheet.places
    ]
    head = (
        tag("title", plain(title), id="flow-title")
        + tag("desc", describe(sheet), id="flow-desc")
        + tag("defs", _hatch())
    )
    return tag(
        "svg",
        head + Markup("").join(body),
        xmlns="http://www.w3.org/2000/svg",
        class_="flow",
        role="img",
        viewBox=f"0 0 {number(width)} {number(height)}",
        width=number(width),
        height=number(height),
        aria_labelledby="flow-title flow-desc",
    )


def draw_share_bar(now: Whereabouts) -> Markup:
    """One bar for the whole reported value, hidden from screen readers: the list under it says the same."""
    pieces, x = [], 0.0
    for kind, share in (
        ("held", now.held), ("resting", now.resting), ("refused", now.refused), ("unknown", now.unknown),
    ):  # fmt: skip
        if share > SMALLEST:
            fill = "url(#flow-hatch)" if kind == "refused" else None
            piece = {"x": f"{x * 100:.2f}%", "width": f"{share * 100:.2f}%", "height": "100%"}
            pieces.append(tag("rect", class_=f"share-{kind}", fill=fill, **piece))
        x += share
    return tag("svg", Markup("").join(pieces), class_="share-bar", height="14", aria_hidden="true")


def share_key(now: Whereabouts) -> list[tuple[str, str, str]]:
    """Kind, percent and words for each piece of the bar that is there."""
    pieces = (
        ("held", now.held, "held"),
        ("resting", now.resting, "resting, not held"),
        ("refused", now.refused, "behind a refused request"),
        ("unknown", now.unknown, "gone on, not told to this node"),
    )
    there = [piece for piece in pieces if piece[1] > SMALLEST]
    written = percents([share for _, share, _ in there])
    return [(kind, text, words) for (kind, _, words), text in zip(there, written, strict=True)]


def describe(sheet: Sheet) -> str:
    """The drawing in two sentences, for those who hear it."""
    accounts = sum(place.stands_for for place in sheet.places)
    names = [country_name(country) for country, _ in sheet.bands]
    held = sum(bool(place.node.held) for place in sheet.places)
    return (
        f"{accounts} places where the money was, from left to right in order of time, in {', '.join(names)}. "
        f"{held} of the drawn places have money under a hold. The tables below give every amount and time."
    )


def _hatch() -> Markup:
    lines = tag("rect", width="7", height="7", class_="hatch-ground") + tag(
        "line", x1="0", y1="0", x2="0", y2="7", class_="hatch-line"
    )
    return tag(
        "pattern",
        lines,
        id="flow-hatch",
        width="7",
        height="7",
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )


def _band_tops(sheet: Sheet) -> tuple[dict[str, float], float]:
    tops: dict[str, float] = {}
    y = 0.0
    for country, rows in sheet.bands:
        tops[country] = y
        y += HEAD + rows * ROW + PAD
    return tops, y - PAD + 4


def _bands(sheet: Sheet, tops: dict[str, float], width: float) -> Markup:
    parts = []
    for country, rows in sheet.bands:
        tall = HEAD + rows * ROW - 4
        parts.append(
            tag(
                "rect",
                x="0",
                y=number(tops[country]),
                width=number(width),
                height=number(tall),
                rx="10",
                class_="flow-band",
            )
        )
        name = country_name(country)
        parts.append(
            tag("text", name, x=number(PAD + 2.0), y=number(tops[country] + 20), class_="flow-country")
        )
    return Markup("").join(parts)


def _ribbons(sheet: Sheet, spots: dict[str, Spot]) -> list[Markup]:
    """Ribbons from the right edge of one card to the left edge of another, thick ones first."""
    wide = {id(ribbon): _width(ribbon) for ribbon in sheet.ribbons}
    leaves = _ports(sheet.ribbons, wide, spots, leaving=True)
    enters = _ports(sheet.ribbons, wide, spots, leaving=False)
    drawn = []
    for ribbon in sorted(sheet.ribbons, key=lambda r: -r.share):
        x1, x2 = spots[ribbon.link.source].x + CARD_W, spots[ribbon.link.target].x
        y1, y2 = leaves[id(ribbon)], enters[id(ribbon)]
        drawn.append(_ribbon(ribbon, (x1, y1, x2, y2), wide[id(ribbon)]))
    return drawn


def _width(ribbon: Ribbon) -> float:
    """Thick enough to see; hatching needs a little more."""
    least = THINNEST if ribbon.link.state is FlowState.KNOWN else 2.5 * THINNEST
    return max(least, min(THICKEST, ribbon.share * THICKEST))


def _ports(
    ribbons: tuple[Ribbon, ...], wide: dict[int, float], spots: dict[str, Spot], *, leaving: bool
) -> dict[int, float]:
    """Where on a card's edge each ribbon meets it: stacked around the middle, ordered so that few cross."""
    at: dict[str, list[Ribbon]] = defaultdict(list)
    for ribbon in ribbons:
        at[ribbon.link.source if leaving else ribbon.link.target].append(ribbon)
    middle: dict[int, float] = {}
    for node, several in at.items():
        several.sort(key=lambda r: spots[r.link.target if leaving else r.link.source].y)
        total = sum(wide[id(ribbon)] for ribbon in several)
        shrink = min(1.0, (CARD_H - 10) / total)
        y = spots[node].y + CARD_H / 2 - total * shrink / 2
        for ribbon in several:
            step = wide[id(ribbon)] * shrink
            middle[id(ribbon)] = y + step / 2
            y += step
    return middle


def _ribbon(ribbon: Ribbon, ends: tuple[float, float, float, float], wide: float) -> Markup:
    x1, y1, x2, y2 = ends
    bend = max(34.0, (x2 - x1) / 2)
    link = ribbon.link
    unsure = link.state is not FlowState.KNOWN
    kind = "flow-ribbon flow-unsure" if unsure else "flow-ribbon flow-known"
    kind += " flow-crossing" if link.crossing and not unsure else ""
    arrives = f", arrived as {money(link.arrived)}" if link.arrived else ""
    several = f" in {link.transfers} transfers" if link.transfers > 1 else ""
    words = f"{money(link.amount)}{arrives}{several} · {percent(ribbon.share)} of the reported value"
    return tag(
        "path",
        tag("title", words),
        d="M{} {}C{} {} {} {} {} {}".format(*map(number, (x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2))),
        stroke_width=number(wide),
        stroke="url(#flow-hatch)" if unsure else None,
        class_=kind,
    )


def paid_on(sheet: Sheet) -> dict[str, tuple[Amount, ...]]:
    """What each drawn node paid out, by currency."""
    out: dict[str, list[Amount]] = defaultdict(list)
    for ribbon in sheet.ribbons:
        out[ribbon.link.source].append(ribbon.link.amount)
    return {node: summed(amounts) for node, amounts in out.items()}
