"""`comity node run`."""

import logging
import sys

import structlog

from comity.entrypoints.cli.arguments import NodeDir
from comity.entrypoints.cli.terminal import err
from comity.node.bootstrap import open_node


def node_run(folder: NodeDir) -> None:
    """Run a node until Ctrl-C: its pages, its peer surface and its work.

    It goes on exactly where it was stopped, however it was stopped.

    \b
    Examples:
      comity node run hk
    """
    from comity.entrypoints.serve import serve

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info, structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )  # fmt: skip
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
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

    serve(node, on_ready=ready)
