"""`comity operation list`."""

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.joint_arguments import utc
from comity.entrypoints.cli.terminal import out, print_json, shown, table_of


def operation_list(folder: NodeDir, as_json: AsJson = False) -> None:
    """List joint operations: whether each goes, who is silent, and until when everybody must have spoken.

    \b
    Examples:
      comity operation list ca
    """
    from comity.entrypoints.cli.operation_show import operation_document
    from comity.node.bootstrap import open_node
    from comity.node.joint.operation import operations

    found = operations(open_node(folder), actor=console_actor())
    if as_json:
        print_json([operation_document(one) for one in found])
        return
    table = table_of("operation", "title", "led by", "stands", "silent", "decided by", whole=("operation",))
    for one in found:
        plan, silent = one.plan, ", ".join(one.standing.silent)
        table.add_row(
            *shown(
                one.space.id, plan.title if plan else "(taken back)", one.space.founder, one.standing.state.value,
                silent or "–", utc(plan.decide_by) if plan else "–",
            )
        )  # fmt: skip
    out.print(table if found else "No joint operation yet.")
