"""Check the play from the outside: against one pooled trace, the ground truth, the logs and the mail.

The federated result is what the origin was told plus what it found in its own book. The pooled trace sees
all books at once, which no node ever does. Both must agree to the minor unit.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from comity.backends.log_reader import HttpLogReader
from comity.backends.sql import SqlEventStore
from comity.entrypoints.demo.cast import CAST, KILLED, ORIGIN
from comity.entrypoints.demo.play import Play, cosigners
from comity.entrypoints.demo.stage import Stage
from comity.exercise import score
from comity.ledger import verify_log
from comity.model import Crossing, Trace
from comity.node.bootstrap import Node
from comity.node.log.prove import log_signer
from comity.proofs.note import verifier_of
from comity.tracing import Book, Rule, follow

Amounts = dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that had to hold; `detail` says what was compared or what is wrong."""

    name: str
    held: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    checks: tuple[Check, ...]
    federated: Amounts
    pooled: Amounts

    @property
    def holds(self) -> bool:
        return all(check.held for check in self.checks)


def judge(play: Play) -> Verdict:
    """Make every check; a failed one does not hide the others."""
    stage = play.stage
    traces = _traces(stage.nodes, play.case_id)
    federated, flows = _federated(stage, play.case_id), _flows(traces)
    pooled = _pooled(stage)
    checks = [
        _equal("federated trace = pooled trace, to the minor unit", federated, _amounts(pooled)),
        Check(
            name="the same transfers carried it",
            held=flows == {flow.transfer_id: flow.tainted_minor for flow in pooled.flows},
            detail=f"{len(flows)} federated, {len(pooled.flows)} pooled",
        ),
        _truth(stage, federated, set(flows)),
        _held(play, traces),
        _refused_and_went_on(play),
        _killed_and_once(play),
        _mail(stage),
        *(_log(node) for node in stage.nodes.values()),
    ]
    return Verdict(checks=tuple(checks), federated=federated, pooled=_amounts(pooled))


def _federated(stage: Stage, case_id: str) -> Amounts:
    """Holdings in every book, as the origin knows them, and what left to where nobody has a book."""
    origin = stage.nodes[ORIGIN]
    with origin.records.reading() as tx:
        known = tx.cases.traces(case_id)
    covered = {country for member in origin.compact().members for country in member.covers}
    amounts: Counter[tuple[str, str]] = Counter()
    for one in known:
        for holding in one.trace.holdings:
            amounts[holding.account, holding.currency] += holding.tainted_minor
        for crossing in one.trace.exits:
            if crossing.to_country not in covered:
                amounts[crossing.to_account, crossing.currency] += crossing.tainted_minor
    return dict(amounts)


def _traces(nodes: Mapping[str, Node], case_id: str) -> dict[str, Trace]:
    """Each node's own trace of the case, read in its own database: for checking only, no node may."""
    found = {}
    for node_id, node in nodes.items():
        with node.records.reading() as tx:
            for case in tx.cases.all():
                if case_id in (case.id, case.origin_case):
                    for one in tx.cases.traces(case.id):
                        if one.source == node_id:
                            found[node_id] = one.trace
    return found


def _flows(traces: Mapping[str, Trace]) -> dict[str, int]:
    return {flow.transfer_id: flow.tainted_minor for trace in traces.values() for flow in trace.flows}


def _pooled(stage: Stage) -> Trace:
    """One trace over all books together; a transfer that two books have counts once."""
    tables = [book.table for book in stage.world.books.values()]
    seen: set[str] = set()
    kept = []
    for table in tables:
        ids = table["transfer_id"].to_pylist()
        kept.append(table.filter(pa.array([one not in seen for one in ids])))
        seen.update(ids)
    balances = {pot: minor for book in stage.world.books.values() for pot, minor in book.balances.items()}
    book = Book.from_table(pa.concat_tables(kept), balances=balances)
    with stage.nodes[ORIGIN].records.reading() as tx:
        claims = dict(tx.cases.all()[0].report["claims"])
    return follow(book, rule=Rule.FIFO, claims=claims)


def _amounts(trace: Trace) -> Amounts:
    return {(holding.account, holding.currency): holding.tainted_minor for holding in trace.holdings}


def _equal(name: str, federated: Amounts, pooled: Amounts) -> Check:
    wrong = sorted(pot for pot in federated.keys() | pooled.keys() if federated.get(pot) != pooled.get(pot))
    detail = f"{len(pooled)} pots of account and currency compared"
    if wrong:
        pot = wrong[0]
        detail = f"{len(wrong)} differ, first {pot}: {federated.get(pot)} federated, {pooled.get(pot)} pooled"
    return Check(name=name, held=not wrong and bool(pooled), detail=detail)


def _truth(stage: Stage, federated: Amounts, flows: set[str]) -> Check:
    found = score(stage.world.truth, federated, flows)
    detail = (
        f"{found.accounts.found} of {found.accounts.expected} accounts, "
        f"{found.transfers.found} of {found.transfers.expected} transfers, "
        f"{len(found.false_accounts)} false"
    )
    return Check(name="ground truth found exactly", held=found.exact, detail=detail)


def _held(play: Play, traces: Mapping[str, Trace]) -> Check:
    """Every pot where stolen money rests is held at that amount, but cash that was paid out."""
    resting: Amounts = {}
    for trace in traces.values():
        resting.update(_amounts(trace))
    held: Amounts = {}
    for node_id, node in play.stage.nodes.items():
        with node.records.reading() as tx:
            for hold in tx.holds.all():
                if hold.holder == node_id and hold.state == "held":
                    held[hold.account, hold.currency] = (
                        held.get((hold.account, hold.currency), 0) + hold.amount_minor
                    )
    gone = {
        (one.event.body["account"], one.event.body["currency"])
        for one in play.seen
        if one.event.kind == "hold.not-placed" and one.event.body["code"] == "cash"
    }
    expected = {pot: minor for pot, minor in resting.items() if pot not in gone}
    return Check(
        name="what rests in accounts is held",
        held=held == expected and bool(held),
        detail=f"{len(held)} holds; {len(gone & resting.keys())} pots were paid out in cash",
    )


def _refused_and_went_on(play: Play) -> Check:
    with play.stage.nodes[ORIGIN].records.reading() as tx:
        requests = tx.requests.of_case(play.case_id)
    refused = [one for one in requests if one.refusal is not None]
    went_on = [
        later
        for one in refused
        for later in requests
        if later.peer == one.peer
        and later.answer is not None
        and later.basis["instrument"] != one.basis["instrument"]
    ]
    detail = "nobody refused"
    if refused and went_on:
        one, later = refused[0], went_on[0]
        detail = (
            f"{one.peer} refused {one.basis['instrument']} ({(one.refusal or {})['ground']}), "
            f"answered on {later.basis['instrument']}"
        )
    return Check(name="one refusal, and the chain went on", held=bool(refused and went_on), detail=detail)


def _killed_and_once(play: Play) -> Check:
    """After SIGKILL in the middle: each request answered once, each hold placed once, each message once."""
    events = [one for one in play.seen if one.node == KILLED]
    answered = Counter(one.event.body["request"] for one in events if one.event.kind == "request.answered")
    placed = Counter(
        (one.event.body["account"], one.event.body["currency"])
        for one in events
        if one.event.kind == "hold.placed"
    )
    with play.stage.nodes[KILLED].records.reading() as tx:
        asked = [request for request in tx.requests.all() if request.direction == "in"]
    once = all(count == 1 for count in (*answered.values(), *placed.values()))
    held = play.back_at is not None and once and len(answered) == len(asked) > 0
    return Check(
        name=f"{KILLED} was killed (SIGKILL) and nothing was lost or done twice",
        held=held,
        detail=f"{len(asked)} requests, each answered once; {len(placed)} holds, each placed once",
    )


def _mail(stage: Stage) -> Check:
    """Every message that anybody queued was handled exactly once by the one it was for."""
    sent: Counter[str] = Counter()
    handled: Counter[str] = Counter()
    loose = 0
    for node in stage.nodes.values():
        with node.records.reading() as tx:
            outbox, inbox = tx.outbox.counts(), tx.inbox.counts()
        sent["all"] += sum(outbox.values())
        handled["all"] += inbox.get("handled", 0)
        loose += sum(count for state, count in outbox.items() if state not in ("accepted", "handled"))
        loose += sum(count for state, count in inbox.items() if state != "handled")
    return Check(
        name="every message has exactly one effect",
        held=sent["all"] == handled["all"] > 0 and loose == 0,
        detail=f"{sent['all']} sent, {handled['all']} handled, {loose} loose",
    )


def _log(node: Node) -> Check:
    """Over HTTP, as anybody can; and against the events in the node's database, as an auditor can."""
    key = verifier_of(log_signer(node))
    with HttpLogReader(f"{node.settings.public_url}/log") as reader, node.records.reading() as tx:
        found = verify_log(reader, key, expected_entries=tx.events.recomputed_entries)
    by = cosigners(node)
    expected = len(CAST) - 1
    detail = f"{found.entries_checked} entries, cosigned by {len(by)} of {expected}"
    if found.fault is not None:
        detail = f"{found.fault.file}: {found.fault.problem}"
    return Check(
        name=f"log of {node.id} verifies and is cosigned",
        held=found.holds
        and len(by) == expected
        and found.entries_checked == SqlEventStore(node.records).size(),
        detail=detail,
    )


def beyond(stage: Stage, case_id: str) -> Iterable[Crossing]:
    """What went to where no node has a book."""
    origin = stage.nodes[ORIGIN]
    covered = {country for member in origin.compact().members for country in member.covers}
    with origin.records.reading() as tx:
        for one in tx.cases.traces(case_id):
            yield from (crossing for crossing in one.trace.exits if crossing.to_country not in covered)
