"""Cases, requests, holds, deadlines and what waits for whom: what the pages show, and what people decide."""

from collections.abc import Sequence
from typing import Annotated

from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, HeaderParameter, JSONBody

from comity.casework import Deadline, Hold
from comity.entrypoints.api.asked import HoldDecision, Nothing, RequestRefusal, plain
from comity.entrypoints.api.guards import caller_of
from comity.entrypoints.api.problems import ApiRequest
from comity.entrypoints.api.routes import IDEMPOTENCY_KEY, changing, do_once, reading
from comity.node.answer import answer_by_hand, refuse_by_hand
from comity.node.bootstrap import Node
from comity.node.hold import decide_hold
from comity.node.pages import lists
from comity.node.pages.desk import NodeDesk
from comity.node.pages.views import CasePage, CaseRow
from comity.node.request import approve

OnceKey = Annotated[
    str | None,
    HeaderParameter(
        name=IDEMPOTENCY_KEY, required=False,
        description="8 to 128 visible ASCII characters, a new one for each call: sent again, the call has one effect.",
    ),
]  # fmt: skip


def casework_routes(node: Node) -> list[HTTPRouteHandler]:
    return [*_case_routes(node), *_request_routes(node), *_hold_routes(node), *_waiting_routes(node)]


def _case_routes(node: Node) -> list[HTTPRouteHandler]:
    desk = NodeDesk(node)

    @reading("/cases")
    def cases(request: ApiRequest) -> Sequence[CaseRow]:
        """The cases, newest first. That they were listed is an event."""
        return desk.cases(caller_of(request).person)

    @reading("/cases/{case_id:str}")
    def case(request: ApiRequest, case_id: FromPath[str]) -> CasePage:
        """A case: figures, where the money rests, holds, requests, timeline. That it was read is an event."""
        return desk.case(caller_of(request).person, case_id)

    return [cases, case]


def _request_routes(node: Node) -> list[HTTPRouteHandler]:
    @reading("/requests")
    def requests(request: ApiRequest) -> Sequence[lists.RequestLine]:
        """Requests to trace and hold money, sent and received."""
        return lists.requests(node, person=caller_of(request).person)

    @reading("/requests/{request_id:str}")
    def one_request(request: ApiRequest, request_id: FromPath[str]) -> lists.RequestPage:
        """A request: its basis with reasons, what it asks, its deadlines, what became of it."""
        return lists.request(node, request_id, person=caller_of(request).person)

    @changing("/requests/{request_id:str}/approve", body=Nothing)
    def approve_request(
        request: ApiRequest, request_id: FromPath[str], data: JSONBody[Nothing], key: OnceKey = None
    ) -> lists.RequestPage:
        """Approve what no standing policy sends by itself; it goes out at once. Never the one who drafted it."""
        person = caller_of(request).person
        do_once(node, request, key, plain(data), lambda: approve(node, request_id, person=person))
        return lists.request(node, request_id, person=person)

    @changing("/requests/{request_id:str}/answer", body=Nothing)
    def answer_request(
        request: ApiRequest, request_id: FromPath[str], data: JSONBody[Nothing], key: OnceKey = None
    ) -> lists.RequestPage:
        """Answer a request that waits for an officer: trace on in the own book, hold what rests, reply."""
        person = caller_of(request).person
        do_once(node, request, key, plain(data), lambda: answer_by_hand(node, request_id, person=person))
        return lists.request(node, request_id, person=person)

    @changing("/requests/{request_id:str}/refuse", body=RequestRefusal)
    def refuse_request(
        request: ApiRequest, request_id: FromPath[str], data: JSONBody[RequestRefusal], key: OnceKey = None
    ) -> lists.RequestPage:
        """Refuse a request on a ground that the procedure declares."""
        person = caller_of(request).person
        do_once(
            node, request, key, plain(data),
            lambda: refuse_by_hand(node, request_id, person=person, ground=data.ground, text=data.text),
        )  # fmt: skip
        return lists.request(node, request_id, person=person)

    return [requests, one_request, approve_request, answer_request, refuse_request]


def _hold_routes(node: Node) -> list[HTTPRouteHandler]:
    @reading("/holds")
    def holds(request: ApiRequest) -> Sequence[Hold]:
        """Holds that this node placed, and those its partners told it of."""
        return lists.holds(node, person=caller_of(request).person)

    @changing("/holds/{hold_id:str}/decide", body=HoldDecision)
    def decide(
        request: ApiRequest, hold_id: FromPath[str], data: JSONBody[HoldDecision], key: OnceKey = None
    ) -> Hold:
        """Move a hold by one event of its procedure, if the role may and the gates are open."""
        person = caller_of(request).person
        do_once(
            node, request, key, plain(data),
            lambda: decide_hold(node, hold_id, data.event, data.facts, person=person),
        )  # fmt: skip
        return lists.hold(node, hold_id, person=person)

    return [holds, decide]


def _waiting_routes(node: Node) -> list[HTTPRouteHandler]:
    @reading("/deadlines")
    def deadlines(request: ApiRequest) -> Sequence[Deadline]:
        """The deadlines that run, the next one first. `kind`: L is legal, T a target."""
        return lists.deadlines(node, person=caller_of(request).person)

    @reading("/approvals")
    def approvals(request: ApiRequest) -> Sequence[lists.Waiting]:
        """What waits for a decision: `may` says whether this person may take it, `why` why not."""
        return lists.approvals(node, person=caller_of(request).person)

    return [deadlines, approvals]
