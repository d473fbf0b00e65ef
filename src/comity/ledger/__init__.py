"""The ledger: everything the node does, as a log that others can check and cosign (design §5; spec/log.md).

`entry` commits to an event, `sequence` lets many writers share one durable step, `publish` writes tiles and
the signed checkpoint (`take_up` goes on from what is there), `disclose` shows fields of an event, `verify`
checks a log from its files, `prove` makes proofs from it. `request` and `cosign` get and keep the
witnesses' cosignatures; `witness` gives them to other logs, and `misconduct` is what it keeps when a log
tells two stories. What the room needs from outside is in `ports`.
"""

from comity.ledger.cosign import add_cosignatures, cosignatures_on
from comity.ledger.disclose import (
    Disclosure,
    DisclosureFile,
    ShownField,
    check_disclosure,
    check_disclosure_file,
    disclose,
    parse_disclosure,
    parse_disclosure_file,
)
from comity.ledger.entry import EntryRefused, check_entry, commit, event_bytes
from comity.ledger.fault import Fault, LogWrong
from comity.ledger.mirror import Mirrored, MirrorRefused, mirror
from comity.ledger.misconduct import (
    Conviction,
    Misconduct,
    TwoStories,
    check_misconduct,
    check_split_view,
    parse_misconduct,
)
from comity.ledger.ports import EventStore, LogReader, Seen, TileStore, WitnessStore
from comity.ledger.prove import InclusionProof, parse_proof, prove_entry, prove_growth, verify_proof
from comity.ledger.publish import Publisher, publish, rebuild
from comity.ledger.quorum import Finding, Policy, PolicyRefused, judge, parse_policy, satisfied
from comity.ledger.request import Behind, Cosigned, WitnessRefused, read_answer, request_body
from comity.ledger.sequence import Sequencer
from comity.ledger.take_up import CHECKPOINT, LogForked, LogRolledBack, read_checkpoint
from comity.ledger.verify import Verdict, verify_log
from comity.ledger.witness import WitnessAnswer, add_checkpoint

__all__ = [
    "CHECKPOINT",
    "Behind",
    "Conviction",
    "Cosigned",
    "Disclosure",
    "DisclosureFile",
    "EntryRefused",
    "EventStore",
    "Fault",
    "Finding",
    "InclusionProof",
    "LogForked",
    "LogReader",
    "LogRolledBack",
    "LogWrong",
    "MirrorRefused",
    "Mirrored",
    "Misconduct",
    "Policy",
    "PolicyRefused",
    "Publisher",
    "Seen",
    "Sequencer",
    "ShownField",
    "TileStore",
    "TwoStories",
    "Verdict",
    "WitnessAnswer",
    "WitnessRefused",
    "WitnessStore",
    "add_checkpoint",
    "add_cosignatures",
    "check_disclosure",
    "check_disclosure_file",
    "check_entry",
    "check_misconduct",
    "check_split_view",
    "commit",
    "cosignatures_on",
    "disclose",
    "event_bytes",
    "judge",
    "mirror",
    "parse_disclosure",
    "parse_disclosure_file",
    "parse_misconduct",
    "parse_policy",
    "parse_proof",
    "prove_entry",
    "prove_growth",
    "publish",
    "read_answer",
    "read_checkpoint",
    "rebuild",
    "request_body",
    "satisfied",
    "verify_log",
    "verify_proof",
]
