"""`comity case erase`."""

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.case_keep import Case, Ground
from comity.entrypoints.cli.terminal import out, print_json


def case_erase(folder: NodeDir, case: Case, ground: Ground, as_: As, as_json: AsJson = False) -> None:
    """Erase a case for ever: its events, messages, traces, requests and holds, out of the database's files too.

    Their entries stay in the log, which still verifies, and say nothing any
    more. Who erased the case, on which ground and how much is recorded. Refused
    while a legal hold stands, money is held or messages are under way. Copies
    elsewhere (backups, the peers') are not reached.

    \b
    Examples:
    comity case erase ca case-5f0c… --ground "retention ended, section 6(3)" --as nadia
    """
    from comity.node.bootstrap import open_node
    from comity.node.erase import erase_case

    node = open_node(folder)
    done = erase_case(node, case, ground=ground, person=signed_in(node, as_))
    if as_json:
        print_json(
            {
                "case": case, "events": done.events, "messages": done.messages,
                "attachments": done.attachments, "scrubbed": done.scrubbed,
            }
        )  # fmt: skip
        return
    out.print(
        f"{case} is erased: {done.events} events, {done.messages} messages, {done.attachments} attachments",
        highlight=False, markup=False,
    )  # fmt: skip
    if not done.scrubbed:
        out.print("The database server keeps old bytes until its own vacuum and its archives are rotated.")
