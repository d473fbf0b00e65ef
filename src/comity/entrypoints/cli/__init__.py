"""The `comity` command. One file a command; this one only puts them together and ends with the right status.

0 done · 2 bad input · 3 trust · 4 not allowed · 5 network · 6 storage · 1 anything else (`comity.errors`).
"""

import os
import sys

import typer

from comity.entrypoints.cli import (
    case_list,
    case_show,
    compact_create,
    compact_join,
    compact_show,
    demo,
    hold_decide,
    hold_list,
    law_bases,
    log_key,
    log_verify,
    node_init,
    node_run,
    person_add,
    person_list,
    report,
    request_answer,
    request_approve,
    request_list,
    request_refuse,
    request_show,
    trace,
    transfers_import,
)
from comity.entrypoints.cli.terminal import print_error
from comity.errors import ComityError

_OPTIONS = {"no_args_is_help": True, "rich_markup_mode": "markdown", "pretty_exceptions_enable": False}

app = typer.Typer(
    help="Find, trace, freeze and hand over across borders, and prove every step.",
    add_completion=False,
    **_OPTIONS,  # type: ignore[arg-type] # one dictionary for every group
)


def _group(name: str, about: str) -> typer.Typer:
    group = typer.Typer(help=about, **_OPTIONS)  # type: ignore[arg-type] # as above
    app.add_typer(group, name=name)
    return group


app.command("demo")(demo.demo)
app.command("trace")(trace.trace)
app.command("report")(report.report)

_case = _group("case", "Cases of a node.")
_case.command("list")(case_list.case_list)
_case.command("show")(case_show.case_show)

_request = _group("request", "Requests that cross a border, sent and received.")
_request.command("list")(request_list.request_list)
_request.command("show")(request_show.request_show)
_request.command("approve")(request_approve.request_approve)
_request.command("answer")(request_answer.request_answer)
_request.command("refuse")(request_refuse.request_refuse)

_hold = _group("hold", "Holds on money: a hold ends by itself unless an order confirms it in time.")
_hold.command("list")(hold_list.hold_list)
_hold.command("tell-holder")(hold_decide.tell_holder)
_hold.command("order")(hold_decide.order)
_hold.command("release")(hold_decide.release)
_hold.command("return")(hold_decide.return_to_victim)

_transfers = _group("transfers", "The node's own book of transfers.")
_transfers.command("import")(transfers_import.transfers_import)

_law = _group("law", "What the law data says, with source and confidence. Not legal advice.")
_law.command("bases")(law_bases.law_bases)

_log = _group("log", "The node's log, which others witness.")
_log.command("verify")(log_verify.log_verify)
_log.command("key")(log_key.log_key)

_node = _group("node", "Create and run a node.")
_node.command("init")(node_init.node_init)
_node.command("run")(node_run.node_run)

_compact = _group("compact", "The compact: the register of peers a node talks to.")
_compact.command("create")(compact_create.compact_create)
_compact.command("join")(compact_join.compact_join)
_compact.command("show")(compact_show.compact_show)

_person = _group("person", "The people of a node and their roles.")
_person.command("add")(person_add.person_add)
_person.command("list")(person_list.person_list)


def main() -> None:
    """Run the command and end with its status; an error says what to do next."""
    try:
        app()
    except ComityError as error:
        print_error(error)
        sys.exit(error.exit_status)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
