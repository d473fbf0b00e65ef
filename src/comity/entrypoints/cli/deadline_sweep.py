"""`comity deadline sweep`."""

from comity.entrypoints.cli.arguments import AsJson, NodeDir
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown


def deadline_sweep(folder: NodeDir, as_json: AsJson = False) -> None:
    """Let everything come due whose time is over, in order; a running node does this by itself.

    Several may do so at once: each deadline is handled once. What cannot be
    handled is recorded as an alarm, and holds up nothing else.

    \b
    Examples:
      comity deadline sweep hk
    """
    from comity.node.bootstrap import open_node
    from comity.node.handling.comply import expire
    from comity.node.sweep import swept

    node = open_node(folder)
    done = list(swept(node))
    ended = expire(node)
    if as_json:
        each = [{**as_plain(one.deadline), "did": one.did, "problem": one.problem} for one in done]
        print_json({"deadlines": each, "items_expired": ended})
        return
    for one in done:
        due = one.deadline
        said = f"{due.due_at:%Y-%m-%d %H:%M} UTC  {one.did}  {due.rule}  {due.subject_id}  {due.event}"
        out.print(shown(f"{said.rstrip()}  {one.problem}".rstrip())[0], highlight=False, soft_wrap=True)
    out.print(f"{len(done)} deadlines handled, {ended} items whose time is over", highlight=False)
