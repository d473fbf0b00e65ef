"""Carry bytes to a peer: HTTPS, TLS 1.3, both sides pinned by the compact. Nothing else is ever contacted."""

import ssl
import time
from collections.abc import Callable

import httpx

from comity.errors import NetworkError
from comity.exchange import Answer, Member

_TIMEOUT = httpx.Timeout(10.0, connect=3.0)
_MAX_ANSWER = 64 * 1024
_WHOLE_SECONDS = 20.0
"""For a whole answer, as the limits above are for each part of it: a peer cannot hold us by trickling."""


class PeerCourier:
    """One client a peer, kept open. `context` gives the TLS context in which only that peer is trusted."""

    def __init__(self, context: Callable[[Member], ssl.SSLContext]) -> None:
        self._context = context
        self._clients: dict[str, tuple[str, httpx.Client]] = {}

    def deliver(self, member: Member, wire: bytes) -> Answer:
        """POST an envelope to the peer's card address; one try, never raises for peer or network."""
        try:
            status, _, body = self._post(member, "/peer/messages", wire, "application/octet-stream")
        except NetworkError as error:
            return Answer(status=None, why=str(error))
        return Answer(status=status, body=body)

    def add_checkpoint(self, member: Member, request: bytes) -> tuple[int, str, bytes]:
        """C2SP tlog-witness `add-checkpoint`: status, content type and body; `NetworkError` if none came."""
        return self._post(member, "/peer/add-checkpoint", request, "text/plain; charset=utf-8")

    def _post(self, member: Member, path: str, body: bytes, kind: str) -> tuple[int, str, bytes]:
        ends = time.monotonic() + _WHOLE_SECONDS
        try:
            with self._client(member).stream(
                "POST", path, content=body, headers={"content-type": kind}
            ) as answer:
                parts, size = [], 0
                for part in answer.iter_raw():
                    parts.append(part)
                    size += len(part)
                    if time.monotonic() > ends:
                        raise NetworkError(f"{member.id} had not answered whole after {_WHOLE_SECONDS:.0f} s")
                    if size > _MAX_ANSWER:
                        raise NetworkError(f"{member.id} answered more than {_MAX_ANSWER} bytes")
                return answer.status_code, answer.headers.get("content-type", ""), b"".join(parts)
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            problem = f"{member.id} at {member.endpoint}: {type(error).__name__}: {error}"
            raise NetworkError(problem) from error

    def _client(self, member: Member) -> httpx.Client:
        pinned = member.tls_certificate + member.endpoint
        known = self._clients.get(member.id)
        if known is not None and known[0] == pinned:
            return known[1]
        if known is not None:
            known[1].close()
        client = httpx.Client(
            base_url=member.endpoint, verify=self._context(member), timeout=_TIMEOUT,
            follow_redirects=False, trust_env=False,
        )  # fmt: skip
        self._clients[member.id] = (pinned, client)
        return client
