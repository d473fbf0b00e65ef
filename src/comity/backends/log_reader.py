"""Read a published log, from a directory or over HTTP (port `ledger.LogReader`).

A log under check is not trusted: only regular files are read, redirects are not followed, and neither a long
file nor a compressed one can fill the memory. What is longer than any log file comes back cut off one byte
later, so that its length shows it.
"""

import os
import stat
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import httpx

from comity.errors import InputError, NetworkError, StorageError
from comity.proofs.note import MAX_NOTE_BYTES

MAX_FILE_BYTES = MAX_NOTE_BYTES
"""Longer than any checkpoint may be, and any tile or bundle of 32-byte entries is."""
_TIMEOUT = httpx.Timeout(20.0)
_WHOLE_SECONDS = 60.0
"""For a whole file: a log cannot hold us by trickling."""
_CHUNK = 16 * 1024

_CHECK_ADDRESS = "Check the address, and that the node is running there; then ask again."


class FileLogReader:
    """The log directory `root`."""

    def __init__(self, root: Path) -> None:
        self._folder = root

    def paths(self) -> Iterator[str]:
        """Every file below the directory, hidden ones too; links are not followed."""
        for folder, names, files in os.walk(self._folder, onerror=_unlistable):
            names.sort()
            for name in sorted(files):
                yield (Path(folder) / name).relative_to(self._folder).as_posix()

    def read(self, path: str) -> bytes | None:
        """The file at `path`; None if there is none, or something that is no regular file."""
        place = self._folder / path
        try:
            handle = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StorageError(f"the log could not be read: {error}", where=str(place)) from error
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return None
            return _read_all(handle)
        except OSError as error:
            raise StorageError(f"the log could not be read: {error}", where=str(place)) from error
        finally:
            os.close(handle)


class HttpLogReader:
    """The log at `url`, its `/log` included; to be closed. `client` is for who brings their own TLS."""

    def __init__(self, url: str, *, client: httpx.Client | None = None) -> None:
        parts = httpx.URL(url)
        if parts.scheme not in ("http", "https") or not parts.host or parts.query or parts.fragment:
            raise InputError.because(expected="a URL such as https://node.example/log", got=repr(url))
        self._prefix = url.rstrip("/")
        self._client = client or httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False)

    def __enter__(self) -> "HttpLogReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def read(self, path: str) -> bytes | None:
        """The resource at `path`; None for 404 and 410, `NetworkError` for anything but those and 200."""
        where = f"{self._prefix}/{path}"
        headers = {"Accept-Encoding": "gzip, identity"}
        try:
            with self._client.stream("GET", where, headers=headers, follow_redirects=False) as response:
                if response.status_code in (404, 410):
                    return None
                if response.status_code != 200:
                    raise NetworkError(f"expected status 200, got {response.status_code}", where=where)
                return _decoded(response, where)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NetworkError(
                f"the log could not be read: {str(error) or type(error).__name__}",
                where=where,
                remedy=_CHECK_ADDRESS,
            ) from error


def _unlistable(error: OSError) -> None:
    raise StorageError(f"the log could not be listed: {error}", where=str(error.filename)) from error


def _read_all(handle: int) -> bytes:
    parts: list[bytes] = []
    left = MAX_FILE_BYTES + 1
    while left and (part := os.read(handle, left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _decoded(response: httpx.Response, where: str) -> bytes:
    """The body, unpacked here so that a small answer cannot become a large one before it is counted."""
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip"):
        raise NetworkError(f"expected gzip or no content coding, got {coding!r}", where=where)
    unpack = zlib.decompressobj(wbits=31) if coding == "gzip" else None
    found, ends = bytearray(), time.monotonic() + _WHOLE_SECONDS
    for chunk in response.iter_raw(_CHUNK):
        if time.monotonic() > ends:
            raise NetworkError(f"expected the whole file within {_WHOLE_SECONDS:.0f} s", where=where)
        left = MAX_FILE_BYTES + 1 - len(found)
        if left <= 0:
            break
        try:
            found += chunk[:left] if unpack is None else unpack.decompress(chunk, left)
        except zlib.error as error:
            raise NetworkError(f"expected gzip, got something else: {error}", where=where) from error
    if unpack is not None and not unpack.eof and len(found) <= MAX_FILE_BYTES:
        raise NetworkError("expected a whole gzip stream, got a part of one", where=where)
    return bytes(found)
