"""What is left after the storm, looked at with none of the product's code: SQL, JSON, SHA-256 and Ed25519.

Only the log as a whole is also checked by `comity log verify`, in a process of its own.
"""

import hashlib
import json
import sqlite3
import subprocess
import sys
from base64 import b64decode, urlsafe_b64decode
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.faults.harness.field import Field
from tests.faults.harness.writer import read_book

Row = dict[str, Any]
CORRUPTED = ("signature.", "sealing.", "envelope.malformed", "envelope.unknown-sender", "envelope.oversize")
"""What a corrupted envelope may be called. Anything else nobody sent."""
BUNDLE = 256


@dataclass(slots=True)
class Findings:
    """`wrong` is empty if all is well."""

    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def require(self, holds: bool, problem: str) -> None:
        if not holds:
            self.wrong.append(problem)


@dataclass(slots=True)
class Left:
    """What one node's disk holds. Events by (kind, message id, peer)."""

    id: str
    home: Path
    outbox: list[Row]
    inbox: list[Row]
    events: list[Row]
    chains: list[Row]
    key: Ed25519PublicKey
    by_message: Counter[tuple[str, str, str]] = field(default_factory=Counter)


def rows(home: Path, query: str) -> list[Row]:
    with closing(sqlite3.connect(f"file:{home / 'node.db'}?mode=ro", uri=True, timeout=20)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(query)]


def left_at(node_id: str, home: Path) -> Left:
    left = Left(
        id=node_id, home=home, key=signing_key(home),
        outbox=rows(home, "SELECT * FROM outbox ORDER BY peer, sequence"),
        inbox=rows(home, "SELECT * FROM inbox ORDER BY arrival"),
        events=[{**row, "said": json.loads(row["body"])} for row in rows(home, "SELECT * FROM events ORDER BY seq")],
        chains=rows(home, "SELECT * FROM chains"),
    )  # fmt: skip
    for event in left.events:
        body = body_of(event)
        left.by_message[event["kind"], str(body.get("message", "")), str(body.get("peer", ""))] += 1
    return left


def body_of(event: Row) -> Row:
    said = event["said"]
    return dict(said["body"])


def signing_key(home: Path) -> Ed25519PublicKey:
    """As the node's own card states it."""
    card = payload_of((home / "card.jws").read_text().strip())
    return Ed25519PublicKey.from_public_bytes(unbase64(card["signing_key"]))


def unbase64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def payload_of(jws: str) -> Row:
    return dict(json.loads(unbase64(jws.split(".")[1])))


def signed_by(jws: str, key: Ed25519PublicKey) -> bool:
    head, _, signature = jws.rpartition(".")
    try:
        key.verify(unbase64(signature), head.encode())
    except InvalidSignature:
        return False
    return True


def at_rest(field: Field) -> str:
    """What is still under way, or nothing: no message waits anywhere, and every event stands in the log."""
    for node_id, home in field.homes.items():
        for what, query in (
            ("queued in the outbox", "SELECT count(*) n FROM outbox WHERE state = 'queued'"),
            ("not handled yet", "SELECT count(*) n FROM inbox WHERE state = 'received'"),
            (
                "without final receipt",
                "SELECT count(*) n FROM outbox WHERE type='notice' AND state='accepted'",
            ),
            ("events without a place in the log", "SELECT count(*) n FROM events WHERE log_index IS NULL"),
        ):
            count = rows(home, query)[0]["n"]
            if count:
                return f"{node_id}: {count} {what}"
        placed = rows(home, "SELECT max(log_index) n FROM events WHERE kind <> 'log.padding'")[0]["n"]
        if placed is not None and placed >= published_size(home):
            return f"{node_id}: events that are not published"
    return ""


def look(field: Field, *, logs: bool = True) -> Findings:
    """Every check, on nodes that have stopped; without `logs` all but that of the logs."""
    found = Findings()
    left = {node_id: left_at(node_id, home) for node_id, home in field.homes.items()}
    verifying = {one.id: log_verify(one.home) for one in left.values()} if logs else {}
    for one in left.values():
        book = read_book(field.book(one.id))
        _said_is_sent(found, one, book)
        _one_effect(found, one, left, book)
        _accounted_for(found, one, left)
        _chains_fit(found, one, left)
        _no_alarm(found, one)
        if logs:
            _log_holds(found, one, verifying[one.id])
    return found


def _said_is_sent(found: Findings, one: Left, book: Sequence[Row]) -> None:
    """What the writer knows to be committed is there; each transaction is there whole or not at all."""
    says = {line["tx"]: line["says"] for line in book if "says" in line}
    ends = {line["tx"]: line["end"] for line in book if "end" in line}
    sent = {row["id"]: row for row in one.outbox if row["type"] == "notice"}
    for tx, messages in says.items():
        there = [message[0] in sent for message in messages]
        end = ends.get(tx, "killed")
        found.counts[f"transactions {end}"] += 1
        found.require(all(there) or not any(there), f"{one.id}: {tx} is there in part")
        found.require(end != "committed" or all(there), f"{one.id}: {tx} was committed and is not there")
        found.require(end != "given up" or not any(there), f"{one.id}: {tx} was given up and was sent")
        for message_id, peers, _ in messages:
            got = sorted(row["peer"] for row in one.outbox if row["id"] == message_id)
            found.require(got in ([], sorted(peers)), f"{message_id}: to {got}, not {peers}")
    named = {message[0] for messages in says.values() for message in messages}
    found.require(set(sent) <= named, f"{one.id}: sent what nobody said: {sorted(set(sent) - named)[:3]}")


def _one_effect(found: Findings, one: Left, left: dict[str, Left], book: Sequence[Row]) -> None:
    """Each notice: one inbox row at its addressee, handled, with these very words, and one event at either end."""
    words = {message[0]: message[2] for line in book for message in line.get("says", [])}
    for row in one.outbox:
        other = left[row["peer"]]
        taken = [its for its in other.inbox if (its["sender"], its["id"]) == (one.id, row["id"])]
        name = f"{one.id} to {other.id}: {row['type']} {row['id']}"
        found.require(len(taken) == 1, f"{name}: {len(taken)} inbox rows")
        queued = one.by_message["message.queued", row["id"], other.id]
        found.require(queued == 1, f"{name}: queued {queued} times")
        received = other.by_message["message.received", row["id"], one.id]
        found.require(received == 1, f"{name}: received {received} times")
        found.counts[f"messages of type {row['type']}"] += 1
        for its in taken:
            found.require(its["digest"] == row["digest"], f"{name}: another envelope arrived")
            found.require(its["state"] == "handled", f"{name}: {its['state']} at the addressee")
            if row["type"] == "notice":
                filed = other.by_message["notice.received", row["id"], one.id]
                found.require(filed == 1, f"{name}: filed {filed} times")
                text = json.loads(its["message"])["payload"]["text"]
                found.require(text == words.get(row["id"]), f"{name}: other words arrived")
    came = Counter((its["sender"], its["id"]) for its in one.inbox)
    for (sender, message_id), count in came.items():
        known = any(row["id"] == message_id and row["peer"] == one.id for row in left[sender].outbox)
        found.require(
            count == 1 and known, f"{one.id}: {message_id} from {sender}: {count} times, sent: {known}"
        )


def _accounted_for(found: Findings, one: Left, left: dict[str, Left]) -> None:
    """Every row of the outbox has come to an end, with a receipt that its addressee signed for this envelope."""
    for row in one.outbox:
        name = f"{one.id}: {row['type']} {row['id']} to {row['peer']}"
        expected = ("handled",) if row["type"] == "notice" else ("accepted", "handled")
        found.require(row["state"] in expected, f"{name}: {row['state']} ({row['last_error']})")
        found.require(bool(row["receipt"]), f"{name}: no receipt")
        if not row["receipt"]:
            continue
        said = payload_of(row["receipt"])
        found.require(signed_by(row["receipt"], left[row["peer"]].key), f"{name}: the receipt's signature")
        fits = (said["id"], said["envelope"], said["sender"], said["receiver"], said["status"])
        expected_fit = (row["id"], row["digest"], one.id, row["peer"], row["state"])
        found.require(fits == expected_fit, f"{name}: the receipt says {fits}")
        found.counts["receipts verified"] += 1


def _chains_fit(found: Findings, one: Left, left: dict[str, Left]) -> None:
    """Per pair: 1, 2, 3 … in order of arrival, each line after the one before it, both ends the same."""
    by_peer: dict[str, list[Row]] = defaultdict(list)
    for row in one.outbox:
        by_peer[row["peer"]].append(row)
    for peer, sent in by_peer.items():
        previous = "0" * 64
        for number, row in enumerate(sent, start=1):
            line = bytes(row["wire"]).partition(b"\n")[0]
            link = next(to for to in payload_of(line.decode())["to"] if to["id"] == peer)
            found.require(
                row["sequence"] == number == chain_place(link), f"{one.id} to {peer}: place {number}"
            )
            found.require(
                hashlib.sha256(line).hexdigest() == row["digest"], f"{row['id']}: digest of its line"
            )
            found.require(previous in link.values(), f"{one.id} to {peer}: what {number} follows")
            previous = row["digest"]
        arrived = [its["digest"] for its in left[peer].inbox if its["sender"] == one.id]
        found.require(arrived == [row["digest"] for row in sent], f"{one.id} to {peer}: order of arrival")
        ends = {_end(one, peer, "out"), _end(left[peer], one.id, "in"), (len(sent), previous)}
        found.require(len(ends) == 1, f"{one.id} to {peer}: the two ends of the chain: {ends}")


def chain_place(link: Row) -> int:
    """The manifest's name for it: spec/envelope.md §3."""
    return int(link["sequence"])


def _end(one: Left, peer: str, direction: str) -> tuple[int, str]:
    found = [row for row in one.chains if (row["peer"], row["direction"]) == (peer, direction)]
    return (found[0]["sequence"], found[0]["digest"]) if len(found) == 1 else (-1, f"{len(found)} rows")


def _no_alarm(found: Findings, one: Left) -> None:
    """Only corrupted envelopes may have raised one."""
    for event in one.events:
        if event["kind"].startswith("alarm."):
            body = body_of(event)
            expected = event["kind"] == "alarm.message-rejected" and str(body["code"]).startswith(CORRUPTED)
            found.counts["alarms about corrupted envelopes"] += expected
            found.require(expected, f"{one.id}: {event['kind']} {body}")


def log_verify(home: Path) -> "subprocess.Popen[str]":
    """The product's own check, files against database, in a process of its own."""
    command = [sys.executable, "-m", "comity", "log", "verify", str(home), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _log_holds(found: Findings, one: Left, verifying: "subprocess.Popen[str]") -> None:
    """By the product's command, and by a Merkle tree of our own over the published entries."""
    said, _ = verifying.communicate()
    found.require(verifying.returncode == 0, f"{one.id}: comity log verify: {said[-500:]}")
    log = one.home / "log"
    size, root = published_size(one.home), (log / "checkpoint").read_text().split("\n")[2]
    entries = published(log, size)
    placed = sorted((event for event in one.events), key=lambda event: int(event["log_index"]))
    ahead = {event["kind"] for event in placed[size:]}
    found.require(ahead <= {"log.padding"}, f"{one.id}: not published: {ahead}")
    found.require(tree_hash([leaf_hash(entry) for entry in entries]) == b64decode(root), f"{one.id}: root")
    stored = [bytes(event["entry"]) for event in placed[:size]]
    found.require(stored == entries, f"{one.id}: the database has other entries than the log")
    found.counts["log entries verified"] += len(entries)


def published_size(home: Path) -> int:
    checkpoint = home / "log" / "checkpoint"
    return int(checkpoint.read_text().split("\n")[1]) if checkpoint.exists() else 0


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def published(log: Path, size: int) -> list[bytes]:
    """Entries of the bundles (tlog-tiles: two bytes of length before each)."""
    entries: list[bytes] = []
    for number in range(-(-size // BUNDLE)):
        width = min(BUNDLE, size - number * BUNDLE)
        name = f"{number % 1000:03d}"
        for rest in _groups(number // 1000):
            name = f"x{rest:03d}/{name}"
        full, part = log / "tile" / "entries" / name, log / "tile" / "entries" / f"{name}.p" / str(width)
        raw = (full if full.is_file() else part).read_bytes()
        for _ in range(width):
            length = int.from_bytes(raw[:2], "big")
            entries.append(raw[2 : 2 + length])
            raw = raw[2 + length :]
    return entries


def _groups(number: int) -> list[int]:
    groups = []
    while number:
        groups.append(number % 1000)
        number //= 1000
    return groups


def tree_hash(hashes: list[bytes]) -> bytes:
    """RFC 6962 §2.1, from the leaf hashes."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree_hash(hashes[:split]) + tree_hash(hashes[split:])).digest()
