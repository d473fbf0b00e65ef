"""Carry bytes to a peer: HTTPS, TLS 1.3, both sides pinned by the compact. Nothing else is ever contacted."""

import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from comity.backends.peer_client import TIMEOUT, Resolver, open_client, resolve
from comity.backends.witness_client import origin_id
from comity.errors import NetworkError, TrustError
from comity.exchange import Answer, Member, write_envelopes
from comity.exchange.batch import ENVELOPES, MAX_BATCH, MAX_RESULTS, RESULTS

_MAX_ANSWER = 64 * 1024
_WHOLE_SECONDS = 20.0
"""For a whole answer, as the client's limits are for each part of it: a peer cannot hold us by trickling."""
POLL_SECONDS = 20.0
"""How long a peer may keep a poll open that has nothing for us."""
_POLL = httpx.Timeout(10.0, connect=3.0, read=POLL_SECONDS + 10)


class PeerCourier:
    """One client a peer, kept open while it works. `context` gives the TLS context in which only that peer is
    trusted; `version` changes whenever another would be given. Threads may share it.
    """

    def __init__(
        self, context: Callable[[Member], ssl.SSLContext], *, resolver: Resolver = resolve,
        version: Callable[[Member], str] = lambda member: member.tls_certificate,
    ) -> None:  # fmt: skip
        self._context, self._resolver, self._version = context, resolver, version
        self._clients: dict[str, tuple[str, httpx.Client]] = {}
        self._lock = threading.Lock()

    def deliver(self, member: Member, wires: Sequence[bytes]) -> Answer:
        """POST a batch of envelopes; one try, never raises for peer or network."""
        return self._try(member, "/peer/messages", write_envelopes(wires), ENVELOPES, most=MAX_RESULTS)

    def fetch(self, member: Member, results: bytes) -> Answer:
        """POST to our mailbox at a peer: what became of the batch before; the answer is the next, if there is one."""
        return self._try(
            member,
            "/peer/mailbox",
            results,
            RESULTS,
            most=MAX_BATCH,
            seconds=POLL_SECONDS + 60,
            timeout=_POLL,
        )

    def add_checkpoint(self, member: Member, request: bytes) -> tuple[int, str, bytes]:
        """C2SP tlog-witness `add-checkpoint`: status, content type and body; `NetworkError` if none came."""
        return self._post(member, "/peer/add-checkpoint", request, "text/plain; charset=utf-8")

    def newest_checkpoint(self, member: Member, origin: str) -> bytes | None:
        """The signed checkpoint that the peer saw last of the log `origin`, or None; `NetworkError` if none came."""
        answer = self._ask("GET", member, f"/peer/checkpoint/{origin_id(origin)}", None, "")
        return answer[2] if answer[0] == 200 else None

    def close(self) -> None:
        with self._lock:
            for _, client in self._clients.values():
                client.close()
            self._clients.clear()

    def _try(self, member: Member, path: str, body: bytes, kind: str, **limits: Any) -> Answer:
        try:
            status, headers, answer = self._exchange("POST", member, path, body, kind, **limits)
        except (NetworkError, TrustError) as error:
            return Answer(status=None, why=str(error))
        return Answer(status=status, body=answer, retry_after=headers.get("retry-after", ""))

    def _post(self, member: Member, path: str, body: bytes, kind: str) -> tuple[int, str, bytes]:
        return self._ask("POST", member, path, body, kind)

    def _ask(
        self, method: str, member: Member, path: str, body: bytes | None, kind: str
    ) -> tuple[int, str, bytes]:
        status, headers, answer = self._exchange(method, member, path, body, kind)
        return status, headers.get("content-type", ""), answer

    def _exchange(
        self, method: str, member: Member, path: str, body: bytes | None, kind: str, *,
        most: int = _MAX_ANSWER, seconds: float = _WHOLE_SECONDS,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> tuple[int, httpx.Headers, bytes]:  # fmt: skip
        """Status, headers and body, or `NetworkError`; `PrivateAddress` if the member may not be connected to."""
        ends = time.monotonic() + seconds
        client = self._client(member)
        try:
            with client.stream(
                method, path, content=body, headers={"content-type": kind} if kind else {}, timeout=timeout
            ) as answer:
                parts, size = [], 0
                for part in answer.iter_raw():
                    parts.append(part)
                    size += len(part)
                    if time.monotonic() > ends:
                        raise NetworkError(f"{member.id} had not answered whole after {seconds:.0f} s")
                    if size > most:
                        raise NetworkError(f"{member.id} answered more than {most} bytes")
                return answer.status_code, answer.headers, b"".join(parts)
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            self._forget(member, client)
            problem = f"{member.id} at {member.endpoint}: {type(error).__name__}: {error}"
            raise NetworkError(problem) from error

    def _client(self, member: Member) -> httpx.Client:
        pinned = f"{self._version(member)} {member.endpoint}"
        with self._lock:
            known = self._clients.get(member.id)
        if known is not None and known[0] == pinned:
            return known[1]
        if known is not None:
            self._forget(member, known[1])
        client = open_client(member, self._context(member), resolver=self._resolver)
        with self._lock:
            self._clients[member.id] = (pinned, client)
        return client

    def _forget(self, member: Member, client: httpx.Client) -> None:
        """The next one looks the name up again. Another thread's request on it ends as it may."""
        with self._lock:
            if self._clients.get(member.id, ("", None))[1] is client:
                del self._clients[member.id]
        client.close()
