"""What a stand-alone witness answers: `POST /add-checkpoint`, `GET /checkpoint/<log>`, `GET /`. Everything else: 404.

Nobody is authenticated: a request counts by the log's own signature in it (C2SP tlog-witness). Requests of one
address are counted, and bodies capped before they are read whole.
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from litestar import Litestar, Request, Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from comity.backends.witness_client import origin_id
from comity.backends.witness_folder import WitnessFolder
from comity.entrypoints.web.throttle import address_key
from comity.entrypoints.witness.allowance import Allowance
from comity.entrypoints.witness.status import status_json, status_text
from comity.errors import ComityError
from comity.ledger import Misconduct, TwoStories, WitnessAnswer, add_checkpoint
from comity.ledger.witness import MAX_BODY_BYTES, TEXT_TYPE
from comity.proofs.note import Signer

log = structlog.get_logger()
DEFAULT_RATE = 20.0
BURST_SECONDS = 5.0
_Request = Request[Any, Any, Any]


def create_witness_app(
    folder: WitnessFolder, signer: Signer, *, clock: Callable[[], datetime], rate: float = DEFAULT_RATE
) -> Litestar:
    """The ASGI application; `rate`: requests a second from one address, 0 for any number."""
    allowance = Allowance(rate, reserve=rate * BURST_SECONDS, clock=time.monotonic)

    @post("/add-checkpoint", request_max_body_size=MAX_BODY_BYTES, status_code=200)
    async def offered(request: _Request) -> Response[bytes]:
        body = await request.body()
        answer = await sync_to_thread(lambda: cosign_offered(folder, signer, body, now=clock()))
        return Response(answer.body, status_code=answer.status, headers={"content-type": answer.content_type})

    @get("/checkpoint/{log_id:str}")
    async def newest(log_id: FromPath[str]) -> Response[bytes]:
        found = await sync_to_thread(lambda: newest_of(folder, log_id))
        return _text(200, found) if found is not None else _text(404, b"no checkpoint of that log was seen\n")

    @get("/")
    async def status(request: _Request) -> Response[bytes]:
        if "application/json" in request.headers.get("accept", ""):
            return Response(
                await sync_to_thread(lambda: status_json(folder)),
                media_type="application/json",
                headers=_FRESH,
            )
        return _text(200, await sync_to_thread(lambda: status_text(folder)))

    async def refuse_too_many(request: _Request) -> Response[bytes] | None:
        if allowance.allows(address_key(request.client.host if request.client else None)):
            return None
        return Response(b"too many requests\n", status_code=429, headers={"retry-after": "1", **_PLAIN})

    return Litestar(
        route_handlers=[offered, newest, status], before_request=refuse_too_many,
        exception_handlers={ComityError: _problem, HTTPException: _http_problem, Exception: _fault},
        openapi_config=None, logging_config=None,
    )  # fmt: skip


def cosign_offered(folder: WitnessFolder, signer: Signer, body: bytes, *, now: datetime) -> WitnessAnswer:
    """Answer one request; what speaks against the log is kept, as a portable proof if it is one."""
    logs = folder.records.logs()
    answer = add_checkpoint(body, logs=logs, store=folder.records, signer=signer, now=now)
    if answer.evidence is not None:
        keep(folder, answer.evidence, now=now)
    return answer


def keep(folder: WitnessFolder, found: TwoStories, *, now: datetime) -> None:
    digest = folder.records.keep_evidence(found, now=now)
    if digest is None:
        return
    if found.conclusive:
        key = folder.records.logs()[found.origin]
        case = Misconduct(key=key, first=found.trusted, second=found.offered)
        file = folder.keep_misconduct(f"{digest[:32]}.txt", case.encode())
        log.error("a log told two stories", origin=found.origin, proof=str(file))
    else:
        log.warning("a log did not show that it grew", origin=found.origin, evidence=digest)


def newest_of(folder: WitnessFolder, log_id: str) -> bytes | None:
    """The newest signed checkpoint seen of the log with that `origin_id`: what backs a 409."""
    for origin in folder.records.logs():
        if origin_id(origin) == log_id:
            seen = folder.records.newest(origin)
            return seen.note if seen else None
    return None


_PLAIN = {"content-type": TEXT_TYPE}
_FRESH = {"cache-control": "no-store"}


def _text(status: int, body: bytes) -> Response[bytes]:
    return Response(body, status_code=status, headers={**_PLAIN, **_FRESH})


def _problem(_: _Request, error: ComityError) -> Response[bytes]:
    """What is wrong inside is not for strangers to read; nothing was cosigned."""
    log.error("not answered", code=error.code, problem=str(error))
    return _text(503, b"the witness cannot answer now\n")


def _http_problem(_: _Request, error: HTTPException) -> Response[bytes]:
    return _text(error.status_code, f"{error.detail}\n".encode()[:500])


def _fault(_: _Request, error: Exception) -> Response[bytes]:
    log.exception("not answered", exc_info=error)
    return _text(500, b"internal error\n")
