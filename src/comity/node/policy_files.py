"""The node's own policy files: what they lack, and adding one that ships.

A node keeps the policies that it was founded with, which are its law. An action that the program has learnt since is
permitted to nobody there, and this says so instead of denying it for ever without a word.
"""

from comity.backends.files import write_durably
from comity.errors import Conflict, InputError
from comity.law import Policies, default_policies, shipped_for
from comity.node.bootstrap import Node, policy_files


def lacking(node: Node) -> dict[str, list[str]]:
    """The files that ship for what no policy of this node permits to anybody, and those actions."""
    found = shipped_for(node.policies.unpermitted)
    return {file: [one.value for one in actions] for file, actions in found.items()}


def add_policies(node: Node, file: str, *, actor: str) -> str:
    """Copy a file that ships into the node's folder; return its path. It holds from the next start of the node.

    Raises `InputError` if none of that name ships, or its policies do not fit beside the node's own; `Conflict` if the
    node has a file of that name.
    """
    shipped = default_policies()
    if file not in shipped:
        raise InputError.because(expected=f"one of {', '.join(sorted(shipped))}", got=repr(file))
    path = node.home.policy / file
    if path.exists():
        raise Conflict.because(
            expected=f"a node without {file}", got=str(path),
            remedy="Compare it with what ships (docs/reference/access.md) and write what it lacks into it.",
        )  # fmt: skip
    Policies({**policy_files(node.home), file: shipped[file]})
    write_durably(path, shipped[file].encode())
    with node.records.transaction() as tx:
        node.record(tx, "policies.added", actor=actor, file=file)
    return str(path)
