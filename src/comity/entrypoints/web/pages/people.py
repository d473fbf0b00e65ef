"""People of the node and its health: what an administrator looks after. No case is named on either page."""

from anyio import to_thread
from litestar import Response, post, route
from litestar.handlers import HTTPRouteHandler

from comity.entrypoints.web.guards import read_form
from comity.entrypoints.web.site import Site, WebRequest
from comity.errors import InputError
from comity.model import Person, Role


def people_pages(site: Site) -> list[HTTPRouteHandler]:
    @route("/people", http_method=["GET", "HEAD"], sync_to_thread=True)
    def people_page(request: WebRequest) -> Response[str]:
        return _people(site, request, site.person(request))

    @post("/people", status_code=200)
    async def add_person(request: WebRequest) -> Response[str]:
        form = await read_form(request)
        return await to_thread.run_sync(_add, site, request, form)

    @route("/node", http_method=["GET", "HEAD"], sync_to_thread=True)
    def node_page(request: WebRequest) -> Response[str]:
        site.person(request)
        return site.show(request, "node.html", node=site.desk.node(), now=site.now())

    return [people_page, add_person, node_page]


def _add(site: Site, request: WebRequest, form: dict[str, str]) -> Response[str]:
    """Add somebody and show their one-time password: once, in this answer, which no cache keeps."""
    person = site.person(request)
    name, role = form.get("name", "").strip(), form.get("role", "")
    human = form.get("human", "").strip()
    try:
        password = site.desk.add_person(person, name, _role(role), human)
    except InputError as error:
        return _people(
            site, request, person, status=error.http_status, problem=error.problem, name=name, chosen=role,
            human=human,
        )  # fmt: skip
    return _people(site, request, person, added=name, password=password)


def _people(
    site: Site,
    request: WebRequest,
    person: Person,
    *,
    status: int = 200,
    problem: str = "",
    name: str = "",
    chosen: str = "",
    human: str = "",
    added: str = "",
    password: str = "",
) -> Response[str]:
    return site.show(
        request,
        "people.html",
        status=status,
        people=site.desk.people(person),
        roles=list(Role),
        problem=problem,
        name=name,
        chosen=chosen,
        human=human,
        added=added,
        password=password,
    )


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise InputError.because(expected="one of the listed roles", got=repr(text)) from error
