"""The ledger: everything the node does, as a log that others can check and cosign (design §5; spec/log.md).

`entry` commits to an event, `sequence` lets many writers share one durable step, `publish` writes tiles and
the signed checkpoint, `verify` checks a log from its files, `prove` makes proofs from it. `request` and
`cosign` get and keep the witnesses' cosignatures; `witness` gives them to other logs, and `misconduct` is
what it keeps when a log tells two stories. What the room needs from outside is in `ports`.
"""

from comity.ledger.cosign import add_cosignatures, cosignatures_on
from comity.ledger.entry import EntryRefused, check_entry, commit, event_bytes
from comity.ledger.misconduct import TwoStories, check_split_view
from comity.ledger.ports import EventStore, LogReader, Seen, TileStore, WitnessStore
from comity.ledger.prove import InclusionProof, parse_proof, prove_entry, prove_growth, verify_proof
from comity.ledger.publish import CHECKPOINT, LogForked, LogRolledBack, publish, read_checkpoint, rebuild
from comity.ledger.request import Behind, Cosigned, WitnessRefused, read_answer, request_body
from comity.ledger.sequence import Sequencer
from comity.ledger.verify import Fault, LogWrong, Verdict, verify_log
from comity.ledger.witness import WitnessAnswer, add_checkpoint

__all__ = [
    "CHECKPOINT", "Behind", "Cosigned", "EntryRefused", "EventStore", "Fault", "InclusionProof", "LogForked",
    "LogReader",
    "LogRolledBack", "LogWrong", "Seen", "Sequencer", "TileStore", "TwoStories", "Verdict", "WitnessAnswer",
    "WitnessRefused", "WitnessStore",
    "add_checkpoint", "add_cosignatures", "check_entry", "check_split_view", "commit", "cosignatures_on",
    "event_bytes", "parse_proof", "prove_entry", "prove_growth", "publish", "read_answer", "read_checkpoint",
    "rebuild", "request_body", "verify_log", "verify_proof",
]  # fmt: skip
