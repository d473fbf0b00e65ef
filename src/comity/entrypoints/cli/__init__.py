"""The `comity` command. One file a command; `commands` lists them,
`tree` calls them, and this one ends with the right status.

A command's module imports at its head only what its `--help` needs, so that help and refusals come at once; what
does the work is imported by the function that does it.

0 done · 2 bad input · 3 trust · 4 not allowed · 5 network · 6 storage · 1 anything else (`comity.errors`).
"""

import os
import sys

from comity.entrypoints.cli.terminal import print_error
from comity.entrypoints.cli.tree import app
from comity.errors import ComityError

__all__ = ["app", "main"]


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
