"""`comity compact revoke`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.compact_change import Proposal, RootKey, show_signed
from comity.entrypoints.cli.compact_show import CompactName, registered


def compact_revoke(
    folder: NodeDir,
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="Whose keys are not to be trusted.")],
    reason: Annotated[str, typer.Option(help="Why, for the other members: key stolen.")],
    file: Proposal = None,
    name: CompactName = None,
    key: RootKey = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a member's keys from this moment on, and tell every member.

    A state revokes its own members alone and at once. For another state's member the proposal to let that
    state go is written, which the threshold of states must sign; until then: comity peer refuse DIR MEMBER.
    What was logged before is judged as before.

    \b
    Examples:
      comity compact revoke hk hk-deception --reason "signing key stolen"
      comity compact revoke ca th-amlo --reason "does not answer" --out without-th.json
    """
    from comity.node.bootstrap import open_node
    from comity.node.registers.publish import propose_change, removing, revoking, root_key

    node = open_node(folder)
    compact = registered(node, name)
    own = compact.member(member).state == node.settings.authority.jurisdiction
    proposing = revoking(member, reason) if own else removing(member)
    done = propose_change(
        node, compact.name, proposing, key=root_key(node, key), file=file, actor=console_actor()
    )  # fmt: skip
    show_signed(done, file, as_json)
