"""Serve the published log to anybody: `/log/checkpoint`, `/log/key`, `/log/tile/…` (C2SP tlog-tiles).

It holds salted commitments only. Full tiles never change and may be cached; partial ones and the checkpoint
may not.
"""

import re

from litestar import Response, get
from litestar.concurrency import sync_to_thread
from litestar.handlers import HTTPRouteHandler

from comity.ledger import TileStore

_PATH = re.compile(
    r"checkpoint|key|tile/(?:entries|[0-9]{1,2})/(?:x[0-9]{3}/)*[0-9]{3}(?P<part>\.p/[0-9]{1,3})?"
)


def log_handler(log: TileStore) -> HTTPRouteHandler:
    """The route that hands out the files of `log`, and nothing else."""

    @get("/log/{path:path}")
    async def log_file(path: str) -> Response[bytes]:
        name = path.removeprefix("/")
        found = _PATH.fullmatch(name)
        content = await sync_to_thread(lambda: log.read(name)) if found else None
        if found is None or content is None:
            return Response(b"not in this log\n", status_code=404, media_type="text/plain; charset=utf-8")
        tile = name.startswith("tile/")
        lasting = tile and found["part"] is None
        return Response(
            content, media_type="application/octet-stream" if tile else "text/plain; charset=utf-8",
            headers={"cache-control": "public, max-age=31536000, immutable" if lasting else "no-cache"},
        )  # fmt: skip

    return log_file
