"""`comity case show`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import amounts, as_plain, out, print_json, shown, table_of
from comity.node.pages.views import CasePage


def case_show(
    folder: NodeDir,
    case: Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")],
    as_json: AsJson = False,
) -> None:
    """Show a case: figures, where the money rests, holds, requests and the timeline.

    Reading a case is an event in the log. Of a case that was erased it says
    when, by whom and on which ground.

    \b
    Examples:
      comity case show ca case-5f0c2a9e1b7d3c48
    """
    from comity.node.bootstrap import open_node
    from comity.node.handling.exits import require_case
    from comity.node.pages.case_page import case_page
    from comity.node.pages.erased import refuse_erased

    node = open_node(folder)
    refuse_erased(node, case)
    require_case(node, case, actor=console_actor())
    with node.records.transaction() as tx:
        tx.cases.get(case)
        node.record(tx, "case.read", case_id=case, actor=console_actor(), role="console")
    with node.records.reading() as tx:
        page = case_page(node, tx, case)
    if as_json:
        print_json(as_plain(page))
    else:
        _show(page)


def _show(page: CasePage) -> None:
    (title,) = shown(page.title)
    out.print(f"[bold]{title}[/]  {page.id}")
    out.print(f"{page.status}; followed under {page.rule}", highlight=False)
    for why in page.withheld:
        out.print(f"[yellow]{shown(why)[0]}[/]", highlight=False)
    for label, found in (
        ("reported", page.reported), ("traced", page.traced), ("held", page.held), ("returned", page.returned),
    ):  # fmt: skip
        out.print(f"  {label:<9} {amounts(found)}", highlight=False)
    if page.time_to_first_hold is not None:
        out.print(f"  first hold after {page.time_to_first_hold.total_seconds():.1f} s", highlight=False)
    if page.federation is not None and page.federation.messages:
        took = page.federation
        out.print(
            f"  asked in {took.rounds} rounds: {took.messages} messages, {took.bytes:,} bytes",
            highlight=False,
        )
    _table(
        "Where it rests", ("account", "institution", "country", "stolen", "balance", "told by"),
        [
            (one.account, one.institution, one.country, amounts((one.tainted,)),
             amounts((one.balance,)) if one.balance else "", one.told_by or "own book")
            for one in page.holdings
        ],
    )  # fmt: skip
    _table(
        "Open", ("with", "country", "amount", "since", "why"),
        [
            (one.peer, ", ".join(one.countries), amounts(one.amounts), f"{one.since:%Y-%m-%d %H:%M} UTC",
             f"{one.why} (late)" if one.late else one.why)
            for one in page.open_parts
        ],
    )  # fmt: skip
    _table(
        "Where tracing ends", ("account", "kind", "amount", "told by", "what would pierce it"),
        [
            (one.account, one.kind, amounts((one.amount,)), one.told_by or "own book",
             f"{one.request}; of {one.addressee} ({one.basis})")
            for one in page.chokes
        ],
    )  # fmt: skip
    _table(
        "Holds", ("hold", "account", "amount", "state", "by", "lapses"),
        [
            (one.id, one.account, amounts((one.amount,)), one.state, one.placed_by,
             f"{one.lapses_at:%Y-%m-%d %H:%M} UTC" if one.lapses_at else "")
            for one in page.holds
        ],
    )  # fmt: skip
    _table(
        "Requests", ("request", "", "with", "basis", "state", "result"),
        [
            (one.id, "→" if one.sent_by_us else "←", one.peer, one.legal_basis, one.state,
             one.refusal.ground if one.refusal else one.result)
            for one in page.requests
        ],
    )  # fmt: skip
    _table(
        "Timeline", ("time (UTC)", "log", "what", "who"),
        [
            (f"{one.at:%H:%M:%S.%f}"[:-3], "" if one.log_index is None else str(one.log_index), one.summary, one.actor)
            for one in page.events
        ],
    )  # fmt: skip


def _table(title: str, headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    if not rows:
        return
    table = table_of(*headings, whole=("hold", "request", "stolen", "amount"), title=title)
    for row in rows:
        table.add_row(*shown(*row))
    out.print()
    out.print(table, highlight=False)
