"""Write spec/vectors/: `python -m tests.vectors.generate`. Same bytes every time; a test compares."""

import json
from collections.abc import Iterable
from pathlib import Path

from tests.vectors import batch_cases, disclosure_cases, log_cases
from tests.vectors.attachment_cases import cases as attachment_cases
from tests.vectors.envelope_cases import Case
from tests.vectors.envelope_cases import cases as envelope_cases
from tests.vectors.forger import HONG_KONG, NOW, b64u, instant
from tests.vectors.handling_cases import GROUPS as HANDLING_GROUPS
from tests.vectors.register_forger import compact_document
from tests.vectors.trust_cases import card_cases, receipt_cases, register_cases

FOLDER = Path(__file__).parents[2] / "spec" / "vectors"


def files() -> dict[str, str]:
    """Path below spec/vectors → content."""
    written = {"reader.json": _text(_reader())}
    groups: dict[str, Iterable[Case]] = {
        "attachment": attachment_cases(),
        "disclosure": disclosure_cases.cases(),
        "envelope": envelope_cases(),
        "envelopes": batch_cases.envelopes_cases(),
        "misconduct": log_cases.misconduct_cases(),
        "policy": log_cases.policy_cases(),
        "proof": log_cases.proof_cases(),
        "receipt": receipt_cases(),
        "results": batch_cases.results_cases(),
        "card": card_cases(),
        "register": register_cases(),
        **{group: cases() for group, cases in HANDLING_GROUPS.items()},
    }
    for group, cases in groups.items():
        for case in cases:
            fields = {"what": case.what, "expect": case.expect, "wire": b64u(case.wire)}
            written[f"{group}/{case.name}.json"] = _text(fields)
    return written


def _reader() -> dict[str, str]:
    """Who reads the envelopes, when, with which (public!) private keys, in which compact."""
    return {
        "own_id": HONG_KONG.id,
        "now": instant(NOW),
        "mlkem_seed": b64u(HONG_KONG.mlkem.private_bytes_raw()),
        "x25519_private": b64u(HONG_KONG.x25519.private_bytes_raw()),
        "signing_public": b64u(HONG_KONG.signing_public),
        "compact": b64u(compact_document()),
        "log_entry": b64u(disclosure_cases.ENTRY),
        "log_vkey": log_cases.LOG_VKEY,
        "proof_entry": b64u(log_cases.entry(log_cases.PROVEN)),
    }


def _text(value: dict[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    for path, content in files().items():
        target = FOLDER / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
