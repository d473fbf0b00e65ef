"""What a witness says of itself to anybody: who it is, what it has seen, and which logs misbehaved."""

from typing import Any

from comity.backends.witness_folder import WitnessFolder
from comity.proofs.canonical import canonical_bytes


def status(folder: WitnessFolder) -> dict[str, Any]:
    """Name, key and logs, for programs."""
    counts = folder.records.evidence_counts()
    return {
        "name": folder.name,
        "key": str(folder.key),
        "logs": [
            {
                "origin": log.key.name, "key": str(log.key), "follow": log.follow,
                "size": log.seen.size if log.seen else None,
                "root": log.seen.root.hex() if log.seen else None, "seen_at": log.at or None,
                "two_stories": counts.get(log.key.name, (0, 0))[0],
                "doubts": counts.get(log.key.name, (0, 0))[1],
            }
            for log in folder.records.all()
        ],
    }  # fmt: skip


def status_json(folder: WitnessFolder) -> bytes:
    return canonical_bytes(status(folder)) + b"\n"


def status_text(folder: WitnessFolder) -> bytes:
    found = status(folder)
    lines = [f"witness {found['name']}", f"key {found['key']}", ""]
    for log in found["logs"]:
        seen = f"{log['size']} entries, {log['seen_at']}" if log["seen_at"] else "nothing seen yet"
        lines.append(f"{log['origin']}: {seen}")
        if log["two_stories"]:
            lines.append(f"  TOLD TWO STORIES: {log['two_stories']} proofs")
        if log["doubts"]:
            lines.append(f"  growth not shown: {log['doubts']} times")
    return "".join(f"{line}\n" for line in lines).encode()
