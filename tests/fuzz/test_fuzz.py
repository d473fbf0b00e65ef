"""Every fuzzer for a moment, with the same inputs every time; longer by hand: `python -m tests.fuzz`."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.errors import ComityError
from tests.fuzz.engine import Target, fuzz
from tests.fuzz.targets import targets

INPUTS = 1_000
SEED = 20_250_603


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name.replace(" ", "-"))
def test_nothing_but_our_own_errors(target: Target) -> None:
    run = fuzz(target, seed=SEED, inputs=int(INPUTS * target.weight))
    assert [str(crash) for crash in run.crashes] == []
    assert len(run.answers) > 1, "every input got the same answer: the samples no longer reach the parser"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
ANYTHING = st.one_of(
    st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    JSON.map(lambda value: json.dumps(value).encode()),
)  # fmt: skip


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name.replace(" ", "-"))
def test_nothing_but_our_own_errors_from_anything(target: Target) -> None:
    """Bytes, text and JSON that have nothing to do with any sample."""

    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(data=ANYTHING)
    def read(data: bytes) -> None:
        try:
            target.read(data)
        except ComityError:
            return

    read()
