"""HTTP connections with deadlines, so that idle or trickling clients do not keep others out.

uvicorn closes a connection that rests between requests; this also closes one that never makes a request, or
does not finish sending it.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 10.0
BODY_SECONDS = 60.0
MOST_CONNECTIONS = 2_000


class DeadlineProtocol(H11Protocol):
    """HTTP/1.1: a first request within `REQUEST_SECONDS`, and its whole body within `BODY_SECONDS`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn's own type
        super().connection_made(transport)
        self._watched: Any = None
        self._watch = self.loop.call_later(REQUEST_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._watch.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Close what has not begun, or what was sending the same body at the last look."""
        cycle = self.cycle
        sending = cycle is not None and cycle.more_body and not cycle.response_complete
        if cycle is None or (sending and cycle is self._watched):
            self.transport.close()
            return
        self._watched = cycle
        self._watch = self.loop.call_later(BODY_SECONDS, self._look)
