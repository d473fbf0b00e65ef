"""Procedures as everybody may read them: the very tables that run, and a drawing. No case is in them."""

from litestar import Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from comity.entrypoints.web.site import Site, WebRequest
from comity.entrypoints.web.state_svg import draw_states
from comity.law import all_procedures, procedure
from comity.law.procedure_tables import heading, tables


def procedure_pages(site: Site) -> list[HTTPRouteHandler]:
    @route("/procedures", http_method=["GET", "HEAD"], sync_to_thread=True)
    def procedure_list(request: WebRequest) -> Response[str]:
        site.visitor(request)
        return site.show(request, "procedures.html", procedures=all_procedures())

    @route("/procedures/{name:str}", http_method=["GET", "HEAD"], sync_to_thread=True)
    def procedure_page(request: WebRequest, name: FromPath[str]) -> Response[str]:
        site.visitor(request)
        one = procedure(name)
        return site.show(
            request,
            "procedure.html",
            procedure=one,
            heading=heading(one),
            tables=tables(one),
            drawing=draw_states(one),
        )

    return [procedure_list, procedure_page]
