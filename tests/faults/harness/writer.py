"""Say things at one node, as one more process that may be killed, and keep a book of what was said.

`python -m tests.faults.harness.writer DIR BOOK PEER… --upto N --pace SECONDS --seed TEXT`. The book gets a line
before each transaction (what it will say) and one after it (that it was committed, that it was given up, or that the
disk refused it). A restarted writer goes on until N messages are known to be committed.
"""

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comity.errors import StorageError
from comity.exchange.notice import NOTICE, Notice, write_notice
from comity.node.bootstrap import Node, open_node
from comity.node.handling.gate import PURPOSE
from comity.node.post.send import Letter, send

COMPACT = "storm"
MOST_AT_ONCE = 5
TO = (1, 1, 1, 1, 2, 3)
LONG = (0, 20, 3_000)
Said = tuple[str, list[str], str]
"""Id, to whom, and the words."""


class GivenUp(Exception):
    """The business change failed: nothing of it may leave."""


class Book:
    """Lines that are whole or not there: each is one append."""

    def __init__(self, file: Path) -> None:
        self._handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(self, **line: object) -> None:
        os.write(self._handle, json.dumps(line).encode() + b"\n")


def read_book(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def committed(file: Path) -> int:
    """How many messages are known to be in the outbox."""
    lines = read_book(file)
    sizes = {line["tx"]: len(line["says"]) for line in lines if "says" in line}
    return sum(sizes[line["tx"]] for line in lines if line.get("end") == "committed")


def say(node: Node, says: Sequence[Said], *, give_up: bool) -> None:
    """Several messages in one transaction, each to one or several peers."""
    ids = iter([one[0] for one in says])
    usual = node.new_id
    node.new_id = lambda kind: next(ids) if kind == "message" else usual(kind)
    try:
        with node.records.transaction() as tx:
            for _, peers, text in says:
                send(node, tx, letter(peers, text), actor="storm")
            if give_up:
                raise GivenUp
    finally:
        node.new_id = usual


def letter(peers: Sequence[str], text: str) -> Letter:
    return Letter(
        compact=COMPACT, peer=peers[0], also=tuple(peers[1:]), type=NOTICE, case_id="", purpose=PURPOSE,
        legal_basis="", payload=write_notice(Notice(origin="", case="", subject="storm", text=text)),
    )  # fmt: skip


def write(node: Node, file: Path, peers: list[str], *, upto: int, pace: float, seed: str) -> None:
    book, dice = Book(file), random.Random(seed)
    done, number = committed(file), len(read_book(file))
    while done < upto:
        size = min(dice.randint(1, MOST_AT_ONCE), upto - done)
        number += 1
        tx = f"{node.id}-{number}"
        says = [
            (
                f"message-{tx}-{place}", dice.sample(peers, dice.choice(TO)),
                f"{tx} {place} {'x' * dice.choice(LONG)}",
            )
            for place in range(size)
        ]  # fmt: skip
        book.write(tx=tx, says=says)
        try:
            say(node, says, give_up=dice.random() < 0.05)
            book.write(tx=tx, end="committed")
            done += size
        except GivenUp:
            book.write(tx=tx, end="given up")
        except StorageError:
            book.write(tx=tx, end="refused by the disk")
            time.sleep(0.3)
        time.sleep(dice.uniform(0, 2 * pace * size))


def arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("book", type=Path)
    parser.add_argument("peers", nargs="+")
    parser.add_argument("--upto", type=int, required=True)
    parser.add_argument("--pace", type=float, required=True)
    parser.add_argument("--seed", required=True)
    return parser.parse_args(given)


if __name__ == "__main__":
    said = arguments(sys.argv[1:])
    try:
        opened = open_node(said.folder)
    except StorageError as error:
        print(error, flush=True)
        sys.exit(error.exit_status)
    write(opened, said.book, said.peers, upto=said.upto, pace=said.pace, seed=said.seed)
