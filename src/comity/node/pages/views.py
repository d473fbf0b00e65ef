"""What people are shown: frozen values for pages and `--json`, and `Desk`, the port that gives them. Pure.

Values only: no wording of pages, no formatting, no I/O. Amounts are minor units, times are UTC. The pages are
`comity.entrypoints.web`; the `Desk` on the database belongs to `comity.node`.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from comity.model import Person, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Minor units of an ISO 4217 currency, or of an asset whose `digits` are then given."""

    minor: int
    currency: str
    digits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """`token` is the session's only secret: at least 128 random bits, shown once, kept by the browser."""

    token: str
    person: Person


# --- the node and its people ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRow:
    """A member of the compact. `waiting` counts messages queued for it and not yet acknowledged."""

    id: str
    name: str
    jurisdiction: str
    oversight: bool
    last_heard_at: datetime | None
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCard:
    """The node in one card. `cosigned_by` names who witnessed the checkpoint of `log_size`."""

    name: str
    authority: str
    jurisdiction: str
    compact: str
    peers: tuple[PeerRow, ...]
    log_origin: str
    log_size: int
    log_key: str
    """The log's verifier key in signed-note form, as `comity log key` prints it."""
    cosigned_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """`human`: a personnel number, the same for all accounts of one human; `deputy_for`: whose roles they have now."""

    name: str
    role: Role
    human: str
    deputy_for: tuple[str, ...]
    added_at: datetime
    last_signed_in_at: datetime | None


# --- the public page -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One public sum, by currency, with the definition it was computed by and the events it counts."""

    key: str
    label: str
    amounts: tuple[Amount, ...]
    definition: str
    counted_from: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeToHold:
    """From report to hold. The three times are None while nothing was held."""

    median: timedelta | None
    fastest: timedelta | None
    slowest: timedelta | None
    holds: int
    definition: str
    counted_from: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPage:
    node: NodeCard
    as_of: datetime
    cases: int
    figures: tuple[Figure, ...]
    time_to_hold: TimeToHold


# --- the flow of money ---------------------------------------------------------------------------


class FlowKind(StrEnum):
    VICTIM = "victim"
    ACCOUNT = "account"
    EXCHANGE = "exchange"
    WALLET = "wallet"
    CASH = "cash"
    BEYOND = "beyond"
    """What another node followed in its own book: we are told holdings and exits, not the way between."""


class FlowState(StrEnum):
    """How far the money at a node or on a link is known. `OPEN` asked and not answered, or not yet asked."""

    KNOWN = "known"
    OPEN = "open"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowNode:
    """Where tainted money was. `resting` is what is there now, `held` the part of it under a hold."""

    id: str
    kind: FlowKind
    account: str
    institution: str
    country: str
    at: datetime | None
    """When tainted money first came; None where another node did not say."""
    resting: tuple[Amount, ...] = ()
    held: tuple[Amount, ...] = ()
    state: FlowState = FlowState.KNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLink:
    """Tainted money that moved. `arrived` only where it was converted on the way.

    `transfers` counts the bookings behind the link; `at` is the first of them.
    """

    source: str
    target: str
    amount: Amount
    at: datetime | None
    crossing: bool
    arrived: Amount | None = None
    transfers: int = 1
    state: FlowState = FlowState.KNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowGraph:
    nodes: tuple[FlowNode, ...] = ()
    links: tuple[FlowLink, ...] = ()


# --- a case --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    id: str
    title: str
    status: str
    opened_at: datetime
    reported: tuple[Amount, ...]
    held: tuple[Amount, ...]
    open_requests: int
    next_deadline_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One event of the case. `log_index` is None until the sequencer has placed it."""

    id: str
    at: datetime
    kind: str
    actor: str
    summary: str
    log_index: int | None
    step: bool = False
    """A step on the way that the next event makes plain again: a message, a check, a receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingRow:
    """Where tainted money rests. `told_by` names the node that answered; empty for our own book."""

    account: str
    institution: str
    country: str
    tainted: Amount
    balance: Amount | None
    told_by: str


class HoldState(StrEnum):
    ASKED = "asked"
    PLACED = "placed"
    CONFIRMED = "confirmed"
    RETURNED = "returned"
    CONFISCATION = "confiscation case"
    LAPSED = "lapsed"
    RELEASED = "released"

    @property
    def counted(self) -> bool:
        """Whether the money counts as held: as `model.hold_states.COUNTED_AS_HELD`, in the words of pages."""
        return self not in (HoldState.ASKED, HoldState.LAPSED, HoldState.RELEASED)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    """`lapses_at` is when a hold that no order confirms ends by itself; None once confirmed or over."""

    id: str
    account: str
    institution: str
    country: str
    amount: Amount
    state: HoldState
    placed_by: str
    placed_at: datetime | None
    lapses_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineRow:
    """`met_at` is None while it runs; `missed` is True once it passed unmet."""

    label: str
    due_at: datetime
    met_at: datetime | None
    missed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a state said no: the ground as its law names it, where that stands, and its own words."""

    ground: str
    source: str
    words: str


class RequestOutcome(StrEnum):
    RUNNING = "running"
    ANSWERED = "answered"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A request sent or received. `state` is the procedure's own word for where it stands."""

    id: str
    sent_by_us: bool
    peer: str
    country: str
    procedure: str
    state: str
    outcome: RequestOutcome
    legal_basis: str
    basis_reasons: tuple[str, ...]
    issued_at: datetime
    answered_at: datetime | None
    deadlines: tuple[DeadlineRow, ...]
    refusal: Refusal | None
    result: str
    """One sentence on what was answered; empty while running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentRow:
    """A file that came or went with a notice. `state` says what became of it; `trouble`: somebody has to look."""

    id: str
    name: str
    media_type: str
    size: int
    digest: str
    state: str
    whole: bool
    trouble: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """What we told `peers`, or were told by the one of them. `withheld` says why nothing of it is shown."""

    id: str
    sent_by_us: bool
    peers: tuple[str, ...]
    person: str
    """Who of us told it; empty for one that arrived."""
    subject: str
    lines: tuple[str, ...]
    at: datetime
    attachments: tuple[AttachmentRow, ...]
    withheld: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPartRow:
    """What went to `peer` and is not answered for. `code` is stable; `why` is a sentence; `late`: past a deadline."""

    peer: str
    countries: tuple[str, ...]
    amounts: tuple[Amount, ...]
    transfers: tuple[str, ...]
    since: datetime
    code: str
    why: str
    request: str
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChokeRow:
    """Stolen money that arrived where tracing ends, and what would pierce it. `told_by`: empty for our own book."""

    account: str
    institution: str
    country: str
    amount: Amount
    transfers: int
    kind: str
    told_by: str
    request: str
    addressee: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Federation:
    """What following it across borders took: rounds of asking, messages of the case to and fro, bytes on the wire."""

    rounds: int
    messages: int
    bytes: int
    sent: int
    sent_bytes: int
    received: int
    received_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """A case as one person may read it. The Desk records the reading; `reading` is that event."""

    id: str
    title: str
    status: str
    asked_by: str
    """The member whose case it is; empty for our own."""
    rule: str
    as_of: datetime
    reported_at: datetime
    reported: tuple[Amount, ...]
    traced: tuple[Amount, ...]
    held: tuple[Amount, ...]
    returned: tuple[Amount, ...]
    time_to_first_hold: timedelta | None
    flow: FlowGraph
    events: tuple[EventRow, ...]
    holdings: tuple[HoldingRow, ...]
    holds: tuple[HoldRow, ...]
    requests: tuple[RequestRow, ...]
    reading: EventRow
    notices: tuple[NoticeRow, ...] = ()
    withheld: tuple[str, ...] = ()
    """Why something of it is not shown: retracted, kept no longer, or not for us to read; a sentence each."""
    open_parts: tuple[OpenPartRow, ...] = ()
    chokes: tuple[ChokeRow, ...] = ()
    federation: Federation | None = None


# --- the proof of an event -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofStep:
    """One step anybody can do with standard tools; `command` is empty where there is nothing to type."""

    title: str
    detail: str
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventProof:
    """All that is needed, offline, to check that an event is in the witnessed log.

    Hashes and salt are lower-case hex. Before the next checkpoint covers the event, `log_index` is None and
    `inclusion` and `checkpoint` are empty.
    """

    case_id: str
    event: EventRow
    log_origin: str
    log_key: str
    log_index: int | None
    tree_size: int | None
    salt: str
    event_json: str
    """The event's canonical bytes, as text: exactly what the salted commitment covers."""
    entry_hash: str
    inclusion: tuple[str, ...]
    checkpoint: str
    cosigned_by: tuple[str, ...]
    steps: tuple[ProofStep, ...] = field(default=())


class Desk(Protocol):
    """What the pages ask of the node. Called in worker threads, several at once.

    Decides who may see what: raises `Forbidden` where the person's role may not, `NotFound` where the thing
    is not there or is not theirs to know of, `InputError` or `Conflict` for a person that cannot be added.
    """

    def sign_in(self, name: str, password: str) -> SignedIn | None:
        """None for a wrong name or password, after the same work for both: unknown names cost a hash too."""

    def who(self, token: str) -> Person | None:
        """Whose session this is; None if unknown, expired or signed out."""

    def sign_out(self, token: str) -> None: ...

    def cases(self, person: Person) -> list[CaseRow]: ...

    def case(self, person: Person, case_id: str) -> CasePage:
        """The case, after the reading itself was recorded as an event."""

    def people(self, person: Person) -> list[PersonRow]: ...

    def add_person(self, person: Person, name: str, role: Role, human: str = "") -> str:
        """Add somebody and return their one-time password, which is stored nowhere in the clear.

        `human`: their personnel number; by default the name.
        """

    def event_proof(self, person: Person, event_id: str) -> EventProof: ...

    def public(self) -> PublicPage:
        """Figures for everybody. Strangers ask often: it may be a few seconds old, never a table scan."""

    def node(self) -> NodeCard: ...
