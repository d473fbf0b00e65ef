"""Draw a procedure: states from top to bottom, each at its distance from the beginning, and the events between them.

The tables under it say the same. Ends have a double frame, what holds somebody or something a thick one,
and states in which the requesting side leads a dashed one. Ways back run on the left, thin.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from comity.entrypoints.web.svg import fit, number, tag
from comity.law.procedures import Procedure

BOX_W, BOX_H, GAP_X, GAP_Y, PAD = 168.0, 40.0, 26.0, 58.0, 14.0
LABEL = 21
"""Columns of text that fit into a box."""
SWEEPS = 4


@dataclass(frozen=True, slots=True)
class _Spot:
    x: float
    y: float
    layer: int


def draw_states(procedure: Procedure) -> Markup:
    """Return `<svg role="img">` with title and description."""
    layers = _ordered(procedure, _layers(procedure))
    widest = max(len(layer) for layer in layers)
    width = 2 * PAD + widest * BOX_W + (widest - 1) * GAP_X
    height = 2 * PAD + len(layers) * BOX_H + (len(layers) - 1) * GAP_Y
    spots = _placed(layers, width)
    head = tag("title", f"The states of {procedure.title}", id="states-title") + tag(
        "desc", "Each state and its events stand in the tables below.", id="states-desc"
    )
    body = [*_ways(procedure, spots), *(_box(procedure, name, spot) for name, spot in spots.items())]
    return tag(
        "svg", head + _arrow_head() + Markup("").join(body), xmlns="http://www.w3.org/2000/svg", class_="states",
        role="img", viewBox=f"0 0 {number(width)} {number(height)}", width=number(width), height=number(height),
        aria_labelledby="states-title states-desc",
    )  # fmt: skip


def _layers(procedure: Procedure) -> list[list[str]]:
    """States by their distance from the initial one."""
    layers, seen = [[procedure.initial]], {procedure.initial}
    while layers[-1]:
        following: list[str] = []
        for move in procedure.transitions:
            if move.source in layers[-1] and move.target not in seen:
                seen.add(move.target)
                following.append(move.target)
        layers.append(following)
    return layers[:-1]


def _ordered(procedure: Procedure, layers: list[list[str]]) -> list[list[str]]:
    """Each layer in the order of the middle of what leads there: fewer ways cross."""
    pairs = {(move.source, move.target) for move in procedure.transitions}
    for _ in range(SWEEPS):
        for index in range(1, len(layers)):
            above = {name: place / len(layers[index - 1]) for place, name in enumerate(layers[index - 1])}
            layers[index] = sorted(layers[index], key=partial(_middle, above=above, pairs=pairs))
    return layers


def _middle(name: str, *, above: Mapping[str, float], pairs: set[tuple[str, str]]) -> float:
    places = [place for one, place in above.items() if (one, name) in pairs]
    return sum(places) / len(places) if places else 0.5


def _placed(layers: list[list[str]], width: float) -> dict[str, _Spot]:
    spots = {}
    for index, layer in enumerate(layers):
        row = len(layer) * BOX_W + (len(layer) - 1) * GAP_X
        for place, name in enumerate(layer):
            x = (width - row) / 2 + place * (BOX_W + GAP_X)
            spots[name] = _Spot(x=x, y=PAD + index * (BOX_H + GAP_Y), layer=index)
    return spots


def _ways(procedure: Procedure, spots: Mapping[str, _Spot]) -> list[Markup]:
    """One line from state to state, however many events lead there.

    Events that stay, and the second and further ways to an end from beside or below it, are in the tables only.
    """
    events: dict[tuple[str, str], list[str]] = {}
    for move in procedure.transitions:
        falls_back = spots[move.target].layer <= spots[move.source].layer
        if move.source != move.target and not (move.target in procedure.final and falls_back):
            events.setdefault((move.source, move.target), []).append(move.event.replace("_", " "))
    return [_way(spots[source], spots[target], names) for (source, target), names in events.items()]


def _way(source: _Spot, target: _Spot, names: list[str]) -> Markup:
    forward = target.layer > source.layer
    if forward:
        start, end = (source.x + BOX_W / 2, source.y + BOX_H), (target.x + BOX_W / 2, target.y)
        bend = max(GAP_Y / 2, (end[1] - start[1]) / 2)
        bends = ((start[0], start[1] + bend), (end[0], end[1] - bend))
    else:
        start, end = (source.x, source.y + BOX_H / 2), (target.x, target.y + BOX_H / 2)
        left = min(source.x, target.x) - 10.0 - 4.0 * (source.layer - target.layer)
        bends = ((left, start[1]), (left, end[1]))
    path = f"M{_point(start)}C{_point(bends[0])} {_point(bends[1])} {_point(end)}"
    kind = "states-way" if forward else "states-way states-back"
    return tag("path", tag("title", ", ".join(names)), d=path, class_=kind, marker_end="url(#states-head)")


def _point(where: tuple[float, float]) -> str:
    return f"{number(where[0])} {number(where[1])}"


def _box(procedure: Procedure, name: str, spot: _Spot) -> Markup:
    state = procedure.states[name]
    kinds = ["states-box"]
    kinds += ["states-asks"] if procedure.sides == "two" and state.lead == "requesting" else []
    kinds += ["states-holds"] if state.holds else []
    place = {"x": number(spot.x), "y": number(spot.y), "width": number(BOX_W), "height": number(BOX_H)}
    frame = tag("rect", rx="7", class_=" ".join(kinds), **place)
    if name in procedure.final:
        inner = {
            "x": number(spot.x + 3), "y": number(spot.y + 3), "width": number(BOX_W - 6), "height": number(BOX_H - 6),
        }  # fmt: skip
        frame += tag("rect", rx="5", class_="states-end", **inner)
    words = tag(
        "text", fit(name.replace("_", " "), LABEL), x=number(spot.x + BOX_W / 2), y=number(spot.y + BOX_H / 2 + 5),
        text_anchor="middle",
    )  # fmt: skip
    return tag("g", tag("title", state.text) + frame + words)


def _arrow_head() -> Markup:
    shape = tag("path", d="M0 0L7 3.5L0 7Z", class_="states-head")
    marker = tag(
        "marker", shape, id="states-head", markerWidth="7", markerHeight="7", refX="6.5", refY="3.5", orient="auto",
        markerUnits="userSpaceOnUse",
    )  # fmt: skip
    return tag("defs", marker)
