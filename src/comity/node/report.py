"""Take a report of stolen money: a case, its event, and the starting transfers of a trace."""

from collections.abc import Mapping
from typing import Any

from comity.backends.sql import Transaction
from comity.casework import Case
from comity.errors import Conflict, InputError
from comity.law.offences import offences
from comity.model import Report
from comity.node.bootstrap import Node
from comity.node.trace import reported_amounts, trace_case
from comity.tracing import claims_of, read_report

FRAUD = "fraud"


def report(
    node: Node,
    document: Mapping[str, Any],
    *,
    actor: str,
    where: str = "report",
    compact: str | None = None,
) -> Case:
    """Open a case for `report.json` (trace contract, REPORT; more keys: summary, offence, victim_country).

    Every named transfer must be in this node's book and bear the claim: a first trace is made before the
    case is opened, so that every case can be followed. The same report twice is a `Conflict`, so that
    repeating a call that seemed to fail is safe. `compact` is the one in which it is pursued, and needs
    no name where there is only one. The running node takes it from here: `comity.node.ask`.
    """
    said = _checked(read_report(document, where=where), where)
    claims = claims_of(said, node.book.book())
    now, case_id = node.clock(), node.new_id("case")
    code = _offence(_text(document, "offence", FRAUD, where), where)
    case = Case(
        id=case_id, compact=_compact(node, compact), origin=node.id, origin_case=case_id,
        title=_title(said, document, where),
        summary=_text(document, "summary", "", where), offence=code, rule=node.settings.rule,
        report={"report_id": said.report_id, "claims": claims}, reported_at=now, opened_at=now,
        pursuit_wanted=1, pursuit_done=0,
    )  # fmt: skip
    trace_case(node, case, ())
    amounts = reported_amounts(node.book.standing(), claims)
    with node.records.transaction() as tx:
        if any(known.report["report_id"] == said.report_id for known in tx.cases.all() if _own(node, known)):
            raise Conflict.because(
                expected="a report that was not taken before",
                got=repr(said.report_id),
                remedy=f"Look at its case: comity case list {node.home.path}",
            )
        _refuse_claimed(node, tx, claims)
        tx.cases.add(case)
        node.record(
            tx, "report.received", case_id=case.id, actor=actor, report=said.report_id, compact=case.compact,
            offence=code, rule=case.rule, transfers=sorted(claims), amounts=amounts,
        )  # fmt: skip
    return case


def _checked(said: Report, where: str) -> Report:
    """What a case and the requests made of it need: a name, and something stolen."""
    if not (said.report_id.strip() and said.report_id.isprintable() and len(said.report_id) <= 200):
        raise InputError.because(
            expected="a report_id of 1 to 200 characters", got=repr(said.report_id[:200]), where=where
        )
    if not said.claims:
        raise InputError.because(expected="at least one stolen transfer", got="none", where=where)
    return said


def _refuse_claimed(node: Node, tx: Transaction, claims: Mapping[str, int | None]) -> None:
    """The same loss is not reported, traced and held twice."""
    for known in tx.cases.all():
        again = sorted(claims.keys() & known.report["claims"].keys()) if _own(node, known) else []
        if again:
            raise Conflict.because(
                expected="transfers that no case of this node has reported",
                got=f"{again[0]}, which {known.id} has",
                remedy=f"Look at that case: comity case show {node.home.path} {known.id}",
            )


def _compact(node: Node, named: str | None) -> str:
    """Nothing is told to anybody outside the compact of a case, so somebody must say which it is."""
    return node.compact(named).name if named is not None or node.in_compact() else ""


def _own(node: Node, case: Case) -> bool:
    return case.origin == node.id


def _title(said: Report, document: Mapping[str, Any], where: str) -> str:
    return _text(document, "title", "", where).strip() or f"Report {said.report_id}"


def _offence(named: str, where: str) -> str:
    """An id of the catalogue, or an ICCS code (the first offence that has it)."""
    for known in offences():
        if named in (known.id, known.iccs):
            return known.id
    raise InputError.because(
        expected=f"an offence: {', '.join(known.id for known in offences())}, or an ICCS code",
        got=repr(named),
        where=where,
    )


def _text(document: Mapping[str, Any], key: str, default: str, where: str) -> str:
    value = document.get(key, default)
    if not isinstance(value, str) or len(value) > 2_000:
        raise InputError.because(
            expected=f"text of at most 2,000 characters in {key!r}", got=type(value).__name__, where=where
        )
    return value
