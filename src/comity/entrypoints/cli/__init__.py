"""The `comity` command. One file a command; this one only puts them together and ends with the right status.

0 done · 2 bad input · 3 trust · 4 not allowed · 5 network · 6 storage · 1 anything else (`comity.errors`).
"""

import os
import sys
from collections.abc import Callable

import typer

from comity.entrypoints.cli import (
    attachment_fetch,
    attachment_list,
    attachment_save,
    case_erase,
    case_keep,
    case_list,
    case_release,
    case_show,
    compact_add,
    compact_create,
    compact_join,
    compact_remove,
    compact_renew,
    compact_revoke,
    compact_rotate,
    compact_show,
    compact_sign,
    compact_update,
    consent_ask,
    consent_grant,
    consent_list,
    consent_refuse,
    consent_withdraw,
    demo,
    hold_decide,
    hold_list,
    hold_place,
    item_list,
    item_retract,
    item_show,
    item_shrink,
    law_bases,
    log_check_disclosure,
    log_check_proof,
    log_disclose,
    log_fsck,
    log_key,
    log_mirror,
    log_misconduct,
    log_policy,
    log_prove,
    log_verify,
    node_init,
    node_move,
    node_run,
    notice_list,
    notice_send,
    notice_show,
    peer_list,
    peer_pin,
    peer_refuse,
    peer_trust,
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
    witness_add,
    witness_init,
    witness_run,
    witness_show,
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
_add(_case, "keep", case_keep.case_keep)
_add(_case, "release", case_release.case_release)
_add(_case, "erase", case_erase.case_erase)

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

_notice = _group("notice", "What members tell one another about a case, with files.")
_add(_notice, "send", notice_send.notice_send)
_add(_notice, "list", notice_list.notice_list)
_add(_notice, "show", notice_show.notice_show)

_attachment = _group("attachment", "Files that came with notices, or that we sent.")
_add(_attachment, "list", attachment_list.attachment_list)
_add(_attachment, "save", attachment_save.attachment_save)
_add(_attachment, "fetch", attachment_fetch.attachment_fetch)

_item = _group("item", "What was shared under handling obligations, by peers and by us.")
_add(_item, "list", item_list.item_list)
_add(_item, "show", item_show.item_show)
_add(_item, "retract", item_retract.item_retract)
_add(_item, "shrink", item_shrink.item_shrink)

_consent = _group(
    "consent", "Asking an originator for more than its obligations allow, and answering who asks us."
)
_add(_consent, "ask", consent_ask.consent_ask)
_add(_consent, "grant", consent_grant.consent_grant)
_add(_consent, "refuse", consent_refuse.consent_refuse)
_add(_consent, "withdraw", consent_withdraw.consent_withdraw)
_add(_consent, "list", consent_list.consent_list)

_transfers = _group("transfers", "The node's own book of transfers.")
_add(_transfers, "import", transfers_import.transfers_import)

_law = _group("law", "What the law data says, with source and confidence. Not legal advice.")
_add(_law, "bases", law_bases.law_bases)

_log = _group("log", "The node's log, which others witness.")
_add(_log, "verify", log_verify.log_verify)
_add(_log, "key", log_key.log_key)
_add(_log, "policy", log_policy.log_policy)
_add(_log, "prove", log_prove.log_prove)
_add(_log, "check-proof", log_check_proof.log_check_proof)
_add(_log, "disclose", log_disclose.log_disclose)
_add(_log, "check-disclosure", log_check_disclosure.log_check_disclosure)
_add(_log, "fsck", log_fsck.log_fsck)
_add(_log, "mirror", log_mirror.log_mirror)
_add(_log, "misconduct", log_misconduct.log_misconduct)

_witness = _group("witness", "An oversight body's witness, on its own: it sees to it that logs only grow.")
_add(_witness, "init", witness_init.witness_init)
_add(_witness, "add", witness_add.witness_add)
_add(_witness, "run", witness_run.witness_run)
_add(_witness, "show", witness_show.witness_show)

_node = _group("node", "Create and run a node.")
_add(_node, "init", node_init.node_init)
_add(_node, "run", node_run.node_run)
_add(_node, "move", node_move.node_move)

_compact = _group("compact", "The compact: the register of peers a node talks to.")
_add(_compact, "create", compact_create.compact_create)
_add(_compact, "sign", compact_sign.compact_sign)
_add(_compact, "join", compact_join.compact_join)
_add(_compact, "show", compact_show.compact_show)
_add(_compact, "update", compact_update.compact_update)
_add(_compact, "add", compact_add.compact_add)
_add(_compact, "remove", compact_remove.compact_remove)
_add(_compact, "rotate", compact_rotate.compact_rotate)
_add(_compact, "revoke", compact_revoke.compact_revoke)
_add(_compact, "renew", compact_renew.compact_renew)

_peer = _group("peer", "What this node itself says of single peers, above every compact.")
_add(_peer, "list", peer_list.peer_list)
_add(_peer, "pin", peer_pin.peer_pin)
_add(_peer, "refuse", peer_refuse.peer_refuse)
_add(_peer, "trust", peer_trust.peer_trust)

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
