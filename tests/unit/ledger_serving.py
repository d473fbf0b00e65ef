"""A log, or any application, behind the real server on a port of its own."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from litestar import Litestar

from comity.backends.log_reader import FileLogReader
from comity.entrypoints.public_log import log_handler

PATIENCE = 20.0


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The log in `folder` under its prefix."""
    with serving_app(Litestar([log_handler(FileLogReader(folder))], openapi_config=None)) as url:
        yield f"{url}/log"


@contextmanager
def serving_app(app: Any) -> Iterator[str]:
    """`app` until the block ends; its address without a slash behind it."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + PATIENCE
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(PATIENCE)
