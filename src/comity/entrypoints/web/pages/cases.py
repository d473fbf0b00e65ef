"""Cases, one case, and the proof of one event. The Desk says who may see what and records every reading."""

from litestar import Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from comity.entrypoints.web.flow_shares import shares_of, whereabouts
from comity.entrypoints.web.flow_svg import draw_flow, draw_share_bar, share_key
from comity.entrypoints.web.proof_file import proof_file
from comity.entrypoints.web.site import Site, WebRequest
from comity.entrypoints.web.wording import first_time
from comity.errors import NotFound
from comity.model import Person
from comity.node.pages.views import EventProof


def case_pages(site: Site) -> list[HTTPRouteHandler]:
    @route("/cases", http_method=["GET", "HEAD"], sync_to_thread=True)
    def case_list(request: WebRequest) -> Response[str]:
        person = site.person(request)
        return site.show(request, "cases.html", cases=site.desk.cases(person), now=site.now())

    @route("/cases/{case_id:str}", http_method=["GET", "HEAD"], sync_to_thread=True)
    def case_page(request: WebRequest, case_id: FromPath[str]) -> Response[str]:
        case = site.desk.case(site.person(request), case_id)
        now_at = whereabouts(case.flow)
        first_at = first_time((node.at for node in case.flow.nodes), case.reported_at)
        return site.show(
            request,
            "case.html",
            case=case,
            diagram=draw_flow(case.flow, first_at=first_at, title=f"The way of the money, {case.id}"),
            first_at=first_at,
            nodes={node.id: node for node in case.flow.nodes},
            ribbons=shares_of(case.flow),
            share_bar=draw_share_bar(now_at),
            share_key=share_key(now_at),
        )

    @route("/cases/{case_id:str}/events/{event_id:str}", http_method=["GET", "HEAD"], sync_to_thread=True)
    def event_page(request: WebRequest, case_id: FromPath[str], event_id: FromPath[str]) -> Response[str]:
        proof = _proof(site, site.person(request), case_id, event_id)
        return site.show(request, "event.html", proof=proof)

    @route(
        "/cases/{case_id:str}/events/{event_id:str}/proof.json",
        http_method=["GET", "HEAD"],
        sync_to_thread=True,
    )
    def event_proof(request: WebRequest, case_id: FromPath[str], event_id: FromPath[str]) -> Response[bytes]:
        proof = _proof(site, site.person(request), case_id, event_id)
        name = f"event-{proof.log_index}-proof.json"
        return Response(
            proof_file(proof),
            media_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    return [case_list, case_page, event_page, event_proof]


def _proof(site: Site, person: Person, case_id: str, event_id: str) -> EventProof:
    """The proof, if the event is one of the case that the address names."""
    proof = site.desk.event_proof(person, event_id)
    if proof.case_id != case_id:
        raise NotFound(f"expected an event of case {case_id}, got {event_id}")
    return proof
