"""The files under `static/`, read once at start. Requests choose among their names; no path is opened."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from comity.entrypoints.web.site import WebRequest

_STATIC = Path(__file__).parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    body: bytes
    media_type: str
    version: str


class Assets:
    def __init__(self, folder: Path = _STATIC) -> None:
        self._files = {
            path.name: Asset(
                body=path.read_bytes(),
                media_type=_TYPES[path.suffix],
                version=sha256(path.read_bytes()).hexdigest()[:12],
            )
            for path in sorted(folder.iterdir())
            if path.suffix in _TYPES
        }

    def address(self, name: str) -> str:
        return f"/static/{name}?v={self._files[name].version}"

    def handler(self) -> HTTPRouteHandler:
        @get("/static/{name:str}", sync_to_thread=False)
        def static_file(request: WebRequest, name: FromPath[str]) -> Response[bytes]:
            asset = self._files.get(name)
            if asset is None:
                raise NotFoundException
            lasting = request.query_params.get("v") == asset.version
            keep = "public, max-age=31536000, immutable" if lasting else "no-cache"
            return Response(asset.body, media_type=asset.media_type, headers={"Cache-Control": keep})

        return static_file
