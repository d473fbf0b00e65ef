"""`python -m comity` is the `comity` command."""

from comity.entrypoints.cli import main

main()
