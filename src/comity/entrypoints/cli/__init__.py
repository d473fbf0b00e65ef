"""The `comity` command. One file a command; this one only puts them together and ends with the right status.

0 done · 2 bad input · 3 trust · 4 not allowed · 5 network · 6 storage · 1 anything else (`comity.errors`).
"""

import os
import sys
from collections.abc import Callable

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
    hold_place,
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
from comity.entrypoints.cli.help_text import help_of
from comity.entrypoints.cli.terminal import print_error
from comity.errors import ComityError

_OPTIONS = {"no_args_is_help": True, "rich_markup_mode": "rich", "pretty_exceptions_enable": False}

app = typer.Typer(
    help="Find, trace, freeze and hand over across borders, and prove every step.",
    add_completion=False,
    **_OPTIONS,  # type: ignore[arg-type] # one dictionary for every group
)


def _add(group: typer.Typer, name: str, command: Callable[..., None]) -> None:
    group.command(name, help=help_of(command))(command)


def _group(name: str, about: str) -> typer.Typer:
    group = typer.Typer(help=about, **_OPTIONS)  # type: ignore[arg-type] # as above
    app.add_typer(group, name=name)
    return group


_add(app, "demo", demo.demo)
_add(app, "trace", trace.trace)
_add(app, "report", report.report)

_case = _group("case", "Cases of a node.")
_add(_case, "list", case_list.case_list)
_add(_case, "show", case_show.case_show)

_request = _group("request", "Requests that cross a border, sent and received.")
_add(_request, "list", request_list.request_list)
_add(_request, "show", request_show.request_show)
_add(_request, "approve", request_approve.request_approve)
_add(_request, "answer", request_answer.request_answer)
_add(_request, "refuse", request_refuse.request_refuse)

_hold = _group("hold", "Holds on money: a hold ends by itself unless an order confirms it in time.")
_add(_hold, "list", hold_list.hold_list)
_add(_hold, "place", hold_place.hold_place)
_add(_hold, "tell-holder", hold_decide.tell_holder)
_add(_hold, "order", hold_decide.order)
_add(_hold, "release", hold_decide.release)
_add(_hold, "return", hold_decide.return_to_victim)

_transfers = _group("transfers", "The node's own book of transfers.")
_add(_transfers, "import", transfers_import.transfers_import)

_law = _group("law", "What the law data says, with source and confidence. Not legal advice.")
_add(_law, "bases", law_bases.law_bases)

_log = _group("log", "The node's log, which others witness.")
_add(_log, "verify", log_verify.log_verify)
_add(_log, "key", log_key.log_key)

_node = _group("node", "Create and run a node.")
_add(_node, "init", node_init.node_init)
_add(_node, "run", node_run.node_run)

_compact = _group("compact", "The compact: the register of peers a node talks to.")
_add(_compact, "create", compact_create.compact_create)
_add(_compact, "join", compact_join.compact_join)
_add(_compact, "show", compact_show.compact_show)

_person = _group("person", "The people of a node and their roles.")
_add(_person, "add", person_add.person_add)
_add(_person, "list", person_list.person_list)


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
