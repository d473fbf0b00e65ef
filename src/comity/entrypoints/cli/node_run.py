"""`comity node run`."""

from comity.entrypoints.cli.arguments import NodeDir
from comity.entrypoints.cli.journal import write_journal
from comity.entrypoints.cli.terminal import err


def node_run(folder: NodeDir) -> None:
    """Run a node until Ctrl-C: its pages, its peer surface and its work.

    It goes on exactly where it was stopped, however it was stopped.

    \b
    Examples:
      comity node run hk
    """
    from comity.entrypoints.serve import serve
    from comity.node.bootstrap import open_node

    write_journal()
    node = open_node(folder)

    def ready() -> None:
        err.print(f"[bold]{node.settings.authority.name}[/] is running")
        err.print(f"  pages  {node.settings.public_url}", highlight=False)
        err.print(f"  log    {node.settings.public_url}/log", highlight=False)
        if node.in_compact():
            err.print(
                f"  peers  {node.settings.endpoint} (members of {', '.join(node.compacts())})",
                highlight=False,
            )
        else:
            err.print("  peers  none: comity compact join DIR FILE, then start again")
        if missing := node.policies.unpermitted:
            err.print(
                f"  policies permit nobody: {', '.join(missing)} (comity node policies {folder})",
                highlight=False, soft_wrap=True,
            )  # fmt: skip

    serve(node, on_ready=ready)
