"""The page everybody may read: figures computed from events, and how to check the log they stand in."""

from litestar import Response, route
from litestar.handlers import HTTPRouteHandler

from comity.entrypoints.web.site import Site, WebRequest


def public_pages(site: Site) -> list[HTTPRouteHandler]:
    @route("/", http_method=["GET", "HEAD"], sync_to_thread=True)
    def public_page(request: WebRequest) -> Response[str]:
        person = site.visitor(request)
        own_address = str(request.base_url).rstrip("/")
        answer = site.show(request, "public.html", page=site.desk.public(), own_address=own_address)
        answer.headers["Cache-Control"] = "no-store" if person else "no-cache"
        return answer

    return [public_page]
