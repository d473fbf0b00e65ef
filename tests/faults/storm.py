"""A storm by hand: `python -m tests.faults.storm --seed 7 --messages 2000 [--minutes 10] [--keep DIR]`.

Without `--minutes` it rages for half a minute. Any seed may be run again; `--diary` prints what went wrong when.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.faults.harness.run import run_storm

SHORT_SECONDS = 30.0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--minutes", type=float, default=None)
    parser.add_argument("--keep", type=Path, default=None, metavar="DIR", help="leave the nodes there")
    parser.add_argument("--diary", action="store_true", help="print what went wrong when")
    said = parser.parse_args()
    seed = said.seed if said.seed is not None else random.SystemRandom().randrange(1_000_000)
    seconds = said.minutes * 60 if said.minutes is not None else SHORT_SECONDS
    print(f"seed {seed}: {said.messages} messages in about {seconds:.0f} s of storm", flush=True)
    with tempfile.TemporaryDirectory(prefix="comity-storm-", ignore_cleanup_errors=True) as temporary:
        folder = said.keep if said.keep is not None else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        outcome = run_storm(folder.resolve(), seed=seed, messages=said.messages, seconds=seconds)
    print("\n".join([*(outcome.diary if said.diary else []), *outcome.lines()]))
    return 1 if outcome.findings.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
