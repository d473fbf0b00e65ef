"""What every page needs: the Desk, who is signed in, how to render. Given to each group of pages."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Request, Response
from litestar.datastructures import Cookie

from comity.entrypoints.web.guards import Cookies, NotSignedIn, form_token
from comity.entrypoints.web.rendering import Pages
from comity.entrypoints.web.throttle import Throttle
from comity.model import Person, Role
from comity.node.pages.views import Desk

WebRequest = Request[Any, Any, Any]
_PERSON = "comity.person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """`now` is the UTC clock, `new_secret` gives unguessable text."""

    desk: Desk
    pages: Pages
    cookies: Cookies
    throttle: Throttle
    now: Callable[[], datetime]
    new_secret: Callable[[], str]

    def visitor(self, request: WebRequest) -> Person | None:
        """Whoever is signed in, or None. Asks the Desk: call it from a worker thread."""
        token = self.cookies.session(request)
        person = self.desk.who(token) if token else None
        request.scope["state"][_PERSON] = person
        return person

    def person(self, request: WebRequest) -> Person:
        """Whoever is signed in, or `NotSignedIn`."""
        person = self.visitor(request)
        if person is None:
            raise NotSignedIn("expected somebody signed in, got no valid session")
        return person

    def show(
        self,
        request: WebRequest,
        template: str,
        *,
        status: int = 200,
        cookies: list[Cookie] | None = None,
        **values: Any,
    ) -> Response[str]:
        """Render a page inside the frame: who is signed in, where we are, the token for forms."""
        binding = self.cookies.binding(request)
        values.setdefault("form_token", form_token(binding) if binding else "")
        return self.pages.show(
            template,
            status=status,
            cookies=cookies,
            person=request.scope["state"].get(_PERSON),
            asked_who=_PERSON in request.scope["state"],
            here=request.url.path,
            **values,
        )


def home_of(person: Person) -> str:
    """Where somebody starts: an administrator sees no case."""
    return "/people" if person.role is Role.ADMINISTRATOR else "/cases"
