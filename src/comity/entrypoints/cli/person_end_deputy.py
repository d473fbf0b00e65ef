"""`comity person end-deputy`."""

from comity.entrypoints.cli.arguments import As, NodeDir, signed_in
from comity.entrypoints.cli.person_deputise import Name, Principal
from comity.entrypoints.cli.terminal import out


def person_end_deputy(folder: NodeDir, name: Name, principal: Principal, as_: As) -> None:
    """End a deputy's role before its date, and every session in it.

    \b
    Examples:
      comity person end-deputy hk mei --for lok --as administrator
    """
    from comity.node.bootstrap import open_node
    from comity.node.deputies import end_deputy

    node = open_node(folder)
    end_deputy(node, name, principal=principal, person=signed_in(node, as_))
    out.print(f"[bold]{name}[/] acts for {principal} no more", highlight=False)
