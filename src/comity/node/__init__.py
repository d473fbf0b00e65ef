"""Use cases, one verb a module: report, trace, ask, answer, hold, verify, publish; and the bootstrap that wires them.

A module here reads top to bottom like the walk of an investigation, which is also what an auditor reads. It may
use every room below it and is used by `entrypoints` only. `views` is the one module both sides share: frozen
values of what a page or `--json` shows, and `Desk`, the port through which the web pages ask for them.
"""
