"""`comity person remove`."""

from comity.entrypoints.cli.arguments import As, NodeDir, signed_in
from comity.entrypoints.cli.person_deputise import Name
from comity.entrypoints.cli.terminal import out


def person_remove(folder: NodeDir, name: Name, as_: As) -> None:
    """End somebody's access: password, sessions, tokens and deputies. What they did stays, under their name.

    Nobody else ever gets that name.

    \b
    Examples:
      comity person remove hk mei --as administrator
    """
    from comity.node.bootstrap import open_node
    from comity.node.people import remove_person

    node = open_node(folder)
    remove_person(node, name, person=signed_in(node, as_))
    out.print(f"[bold]{name}[/] may not sign in any more", highlight=False)
