"""What a case's page says of following it across borders: open parts, choke points, rounds and traffic. Reads."""

from collections.abc import Collection, Iterable, Iterator

from comity.backends.sql import Transaction
from comity.casework import Case, CaseTrace
from comity.law.chokes import piercing
from comity.node.bootstrap import Node
from comity.node.open_parts import open_parts, rounds_of
from comity.node.pages.views import Amount, ChokeRow, Federation, OpenPartRow


def open_part_rows(
    node: Node, tx: Transaction, case: Case, *, unread: Collection[str]
) -> Iterator[OpenPartRow]:
    for one in open_parts(node, tx, case, unread=unread):
        yield OpenPartRow(
            peer=one.peer, countries=one.countries, transfers=one.transfers, since=one.since, code=one.code,
            why=one.why, request=one.request, late=one.late,
            amounts=tuple(Amount(minor=minor, currency=code) for code, minor in sorted(one.amounts.items())),
        )  # fmt: skip


def choke_rows(node: Node, traces: Iterable[CaseTrace]) -> Iterator[ChokeRow]:
    for trace in traces:
        for point in trace.chokes:
            way = piercing(point.kind)
            yield ChokeRow(
                account=point.account, institution=point.institution, country=point.country,
                amount=Amount(minor=point.tainted_minor, currency=point.currency), transfers=point.transfers,
                kind=point.kind.value, told_by="" if trace.source == node.id else trace.source,
                request=way.request, addressee=way.addressee, basis=way.basis,
            )  # fmt: skip


def federation(tx: Transaction, case_id: str) -> Federation:
    went = tx.traffic.of_case(case_id)
    return Federation(
        rounds=rounds_of(tx.requests.of_case(case_id)), messages=went.sent + went.received,
        bytes=went.sent_bytes + went.received_bytes, sent=went.sent, sent_bytes=went.sent_bytes,
        received=went.received, received_bytes=went.received_bytes,
    )  # fmt: skip
