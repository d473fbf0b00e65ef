"""The door: sign-in, slowed down for whoever guesses, and sign-out.

The answer to a wrong name and to a wrong password is the same page; that it also takes the same time is the
Desk's part. Two attempts are looked at at a time, as a password hash takes memory on purpose.
"""

from math import ceil

from anyio import CapacityLimiter, to_thread
from litestar import Response, post, route
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from comity.entrypoints.web.guards import form_token, local_path, read_form
from comity.entrypoints.web.site import Site, WebRequest, home_of
from comity.entrypoints.web.throttle import address_key

_AT_A_TIME = 2
_LONGEST_NAME = 200
_WRONG = "The name or the password is not right."


def sign_in_pages(site: Site) -> list[HTTPRouteHandler]:
    at_the_door = CapacityLimiter(_AT_A_TIME)

    @route("/sign-in", http_method=["GET", "HEAD"], sync_to_thread=True)
    def sign_in_page(request: WebRequest) -> Response[str]:
        wanted = local_path(request.query_params.get("next", ""), otherwise="")
        person = site.visitor(request)
        if person is not None:
            return Redirect(wanted or home_of(person), status_code=303)
        return _door(site, request, wanted=wanted)

    @post("/sign-in", status_code=200)
    async def sign_in(request: WebRequest) -> Response[str]:
        form = await read_form(request)
        name, wanted = (
            form.get("name", "").strip()[:_LONGEST_NAME],
            local_path(form.get("next", ""), otherwise=""),
        )
        named = f"name {name.casefold()}"
        addressed = address_key(request.client.host if request.client else None)
        wait = site.throttle.charge(named, addressed)
        if wait > 0:
            return _told_to_wait(site, request, seconds=ceil(wait), name=name, wanted=wanted)
        signed_in = await to_thread.run_sync(
            site.desk.sign_in, name, form.get("password", ""), limiter=at_the_door
        )
        if signed_in is None:
            return _door(site, request, status=401, problem=_WRONG, name=name, wanted=wanted)
        site.throttle.clear(named)
        site.throttle.refund(addressed)
        return Redirect(
            wanted or home_of(signed_in.person),
            status_code=303,
            cookies=site.cookies.set_session(request, signed_in.token),
        )

    @post("/sign-out", status_code=303)
    async def sign_out(request: WebRequest) -> Response[str]:
        await to_thread.run_sync(site.desk.sign_out, site.cookies.session(request))
        return Redirect("/", status_code=303, cookies=site.cookies.clear(request))

    return [sign_in_page, sign_in, sign_out]


def _door(
    site: Site, request: WebRequest, *, wanted: str, status: int = 200, problem: str = "", name: str = ""
) -> Response[str]:
    """The form; a visitor without any cookie of ours gets one for the form to be bound to."""
    binding = site.cookies.binding(request)
    new = "" if binding else site.new_secret()
    answer = site.show(
        request,
        "sign_in.html",
        status=status,
        cookies=site.cookies.set_visitor(request, new) if new else None,
        form_token=form_token(binding or new),
        wanted=wanted,
        problem=problem,
        name=name,
    )
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Session"
    return answer


def _told_to_wait(site: Site, request: WebRequest, *, seconds: int, name: str, wanted: str) -> Response[str]:
    words = f"There were too many attempts. Please wait {seconds} seconds, then try again."
    answer = _door(site, request, status=429, problem=words, name=name, wanted=wanted)
    answer.headers["Retry-After"] = str(seconds)
    return answer
