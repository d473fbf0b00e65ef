"""All fuzzers, by name."""

from tests.fuzz.engine import Target
from tests.fuzz.exchange_targets import exchange_targets
from tests.fuzz.file_targets import file_targets
from tests.fuzz.format_targets import format_targets
from tests.fuzz.ledger_targets import ledger_targets
from tests.fuzz.payload_targets import payload_targets
from tests.fuzz.register_targets import register_targets


def targets() -> list[Target]:
    found = [
        *exchange_targets(), *ledger_targets(), *register_targets(), *payload_targets(), *file_targets(),
        *format_targets(),
    ]  # fmt: skip
    assert len({one.name for one in found}) == len(found)
    return found
