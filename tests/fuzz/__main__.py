"""Fuzz by hand: `python -m tests.fuzz --minutes 10 [--only NAME] [--seed N]`. Exit status 1 if anything crashed.

The time is shared out among the fuzzers. An input that crashed one is printed and, with `--keep DIR`, written there.
"""

import argparse
import hashlib
import random
import sys
from pathlib import Path

from tests.fuzz.engine import fuzz
from tests.fuzz.targets import targets


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--only", default="", help="fuzzers whose name contains this")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--keep", type=Path, default=None, metavar="DIR")
    said = parser.parse_args()
    chosen = [one for one in targets() if said.only in one.name]
    print(f"seed {said.seed}: {len(chosen)} fuzzers in {said.minutes} minutes", flush=True)
    crashes = []
    for target in chosen:
        run = fuzz(target, seed=said.seed, seconds=said.minutes * 60 / len(chosen))
        print(
            f"{target.name:28} {run.inputs:9} inputs {len(run.answers):5} kinds of answer, "
            f"slowest {run.slowest * 1000:6.0f} ms, {len(run.crashes)} crashes",
            flush=True,
        )
        crashes += run.crashes
    for crash in crashes:
        print(crash)
        if said.keep is not None:
            said.keep.mkdir(parents=True, exist_ok=True)
            name = f"{crash.target.replace(' ', '-')}-{hashlib.sha256(crash.data).hexdigest()[:12]}"
            (said.keep / name).write_bytes(crash.data)
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
