"""The node's web pages: public figures, sign-in, cases, the proof of each event, people.

`create_app` puts them on a `Desk` (comity.node.pages.views). `pages/` holds one group of pages a module, `guards`
what is refused before any page runs, `flow_*` the diagram of the money's way, `templates/` and `static/` the
look.
"""

from comity.entrypoints.web.app import create_app

__all__ = ["create_app"]
