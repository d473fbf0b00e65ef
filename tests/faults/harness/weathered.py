"""`comity node run` with a clock and a courier that can be told to misbehave: only ever run by the harness.

`python -m tests.faults.harness.weathered WEATHER.json DIR`: the file is looked at again for every reading of the
clock and every message, so that the weather changes under a running node:
`{"skew_seconds": 0, "twice": 0.0, "late": 0.0, "answer_lost": 0.0, "corrupt": 0.0}`
"""

import json
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from comity.entrypoints.cli import main
from comity.node import bootstrap

CALM: dict[str, float] = {"skew_seconds": 0, "twice": 0, "late": 0, "answer_lost": 0, "corrupt": 0}
KEPT = 20


class Weather:
    """What the file says now."""

    def __init__(self, file: Path) -> None:
        self._file, self._stamp, self._now = file, 0, CALM

    def __getitem__(self, name: str) -> float:
        stamp = self._file.stat().st_mtime_ns
        if stamp != self._stamp:
            self._stamp, self._now = stamp, {**CALM, **json.loads(self._file.read_text())}
        return self._now[name]


def bad_clock(weather: Weather) -> None:
    """Every clock of the node comes from here."""
    bootstrap.utc_now = lambda: datetime.now(UTC) + timedelta(seconds=weather["skew_seconds"])


def bad_courier(weather: Weather) -> None:
    """Envelopes go out twice, again much later, changed on the way, or their answer is lost after they were taken."""
    send, dice, sent = httpx.Client.stream, random.SystemRandom(), dict[int, list[bytes]]()

    @contextmanager
    def stream(client: httpx.Client, method: str, url: str, **options: Any) -> Iterator[httpx.Response]:
        def once(content: bytes) -> None:
            with send(client, method, url, **{**options, "content": content}) as answer:
                answer.read()

        wire: bytes = options.get("content") or b""
        if str(url) == "/peer/mailbox" and dice.random() < weather["answer_lost"]:
            once(wire)
            raise httpx.ReadError("what was fetched was lost")
        if str(url) != "/peer/messages":
            with send(client, method, url, **options) as answer:
                yield answer
            return
        old = sent[id(client)] = [*sent.get(id(client), [])[-KEPT:], wire]
        if dice.random() < weather["late"]:
            once(dice.choice(old))
        if dice.random() < weather["twice"]:
            once(wire)
        if dice.random() < weather["answer_lost"]:
            once(wire)
            raise httpx.ReadError("the answer was lost")
        if dice.random() < weather["corrupt"]:
            place = dice.randrange(len(wire))
            wire = wire[:place] + bytes([wire[place] ^ 1 << dice.randrange(8)]) + wire[place + 1 :]
        with send(client, method, url, **{**options, "content": wire}) as answer:
            yield answer

    httpx.Client.stream = stream  # type: ignore[method-assign, assignment] # a worse one


if __name__ == "__main__":
    now = Weather(Path(sys.argv[1]))
    bad_clock(now)
    bad_courier(now)
    sys.argv = ["comity", "node", "run", sys.argv[2]]
    main()
