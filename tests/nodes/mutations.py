"""Documents that are almost right: one value somewhere in them replaced, left out or added."""

from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

MAX = 2**63 - 1
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, MAX, -MAX - 1, 10**12]),
    st.sampled_from(
        ["", " ", "\0", "a\nb", "\u202eright", "x" * 300, "x" * 5_000, "CA", "HK", "TH", "ZZ", "0", "-1", "USD",
         "ZZZ", "2026-03-01T12:00:00.000000Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "fifo",
         "held", "[/b]", "<script>", "'; DROP TABLE cases; --", "\U0001f600" * 60]
    ),
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.one_of(
    LEAVES,
    st.lists(LEAVES, max_size=3),
    st.dictionaries(st.sampled_from(["amount_minor", "tainted", "x", ""]), LEAVES, max_size=2),
    st.just([[[[[[]]]]]]),
)


def paths(document: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, from the outside in."""
    found = [here] if here else []
    items = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for key, value in items:
        found += paths(value, (*here, key))
    return found


@st.composite
def mutated(draw: st.DrawFn, document: dict[str, Any]) -> dict[str, Any]:
    """One place changed: another value, gone, doubled, or with a neighbour nobody knows."""
    changed = deepcopy(document)
    path = draw(st.sampled_from(paths(changed)))
    parent: Any = changed
    for key in path[:-1]:
        parent = parent[key]
    how = draw(st.sampled_from(["replace", "replace", "replace", "remove", "add"]))
    if how == "replace":
        parent[path[-1]] = draw(VALUES)
    elif how == "remove":
        del parent[path[-1]]
    elif isinstance(parent, list):
        parent.append(deepcopy(parent[path[-1]]))
    else:
        parent["surprise"] = draw(VALUES)
    return changed
