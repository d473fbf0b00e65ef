"""Ask a stand-alone witness over HTTP(S): C2SP tlog-witness `add-checkpoint`, and the checkpoint it saw last.

Only the address that the operator wrote into the policy is ever contacted: redirects are not followed and proxies
of the environment not used. TLS is verified against the system's authorities; no key of ours is shown. What comes
back is capped in size and time, and means nothing until a signature in it holds.
"""

import hashlib
import time

import httpx

from comity.errors import InputError, NetworkError
from comity.ledger.quorum import is_policy_url

MAX_ANSWER = 256 * 1024
WHOLE_SECONDS = 20.0
"""For a whole answer: a witness cannot hold us by trickling."""
_TIMEOUT = httpx.Timeout(10.0, connect=3.0)
TEXT = "text/plain; charset=utf-8"


def origin_id(origin: str) -> str:
    """How a log is named in a path: lower-case hexadecimal SHA-256 of its origin line."""
    return hashlib.sha256(origin.encode()).hexdigest()


class HttpWitness:
    """The witness whose submission prefix is `url`. Threads may share it."""

    def __init__(self, url: str, *, client: httpx.Client | None = None) -> None:
        if not is_policy_url(url):
            raise InputError.because(
                expected="a URL such as https://witness.example/prefix", got=repr(url[:200])
            )
        self._prefix = url.rstrip("/")
        self._client = client or httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False)

    def add_checkpoint(self, request: bytes) -> tuple[int, str, bytes]:
        """Status, content type and body; `NetworkError` if none came."""
        return self._ask("POST", f"{self._prefix}/add-checkpoint", request)

    def newest_checkpoint(self, origin: str) -> bytes | None:
        """The signed checkpoint that it saw last of that log, or None; `NetworkError` if no answer came."""
        status, _, body = self._ask("GET", f"{self._prefix}/checkpoint/{origin_id(origin)}", None)
        return body if status == 200 else None

    def close(self) -> None:
        self._client.close()

    def _ask(self, method: str, where: str, body: bytes | None) -> tuple[int, str, bytes]:
        ends = time.monotonic() + WHOLE_SECONDS
        headers = {"accept-encoding": "identity"} | ({"content-type": TEXT} if body is not None else {})
        try:
            with self._client.stream(
                method, where, content=body, headers=headers, follow_redirects=False
            ) as answer:
                found = bytearray()
                for part in answer.iter_raw():
                    found += part
                    if time.monotonic() > ends:
                        raise NetworkError(f"had not answered whole after {WHOLE_SECONDS:.0f} s", where=where)
                    if len(found) > MAX_ANSWER:
                        raise NetworkError(f"answered more than {MAX_ANSWER} bytes", where=where)
                return answer.status_code, answer.headers.get("content-type", ""), bytes(found)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise NetworkError(f"{type(error).__name__}: {error}", where=where) from error
