"""An HTTPS client for one member, connected to an address that was checked, and to no other.

A node connects only where a register says, and never into its own network on a peer's word: a name is resolved
here, addresses that are not public are left out unless the member's card says openly that it is on a private
network, and the connection goes to the very address that was checked. Nothing resolves the name a second time
(DNS rebinding). TLS is as if the name had been connected to: SNI, the certificate's name, and the pin.
"""

import socket
import ssl
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import httpx

from comity.errors import NetworkError
from comity.exchange import Member
from comity.exchange.register.address import PrivateAddress, is_private

Resolver = Callable[[str, int], Sequence[str]]
"""A host's name and a port → IP addresses as text, the preferred first."""
TIMEOUT = httpx.Timeout(10.0, connect=3.0)


def resolve(host: str, port: int) -> list[str]:
    """Ask the system; `NetworkError` if it knows no address."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NetworkError(f"expected an address of {host}: {error}") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def checked_address(member: Member, *, resolver: Resolver = resolve) -> str:
    """Where to connect to: the first address of the member's host that may be. `PrivateAddress` if none may."""
    host, port = _place(member)
    found = resolver(host, port)
    usable = [one for one in found if member.private_network or not is_private(one)]
    if not usable:
        raise PrivateAddress(
            f"expected a public address of {member.id} at {host}, got {', '.join(found) or 'none'}"
        )
    return usable[0]


def open_client(
    member: Member, context: ssl.SSLContext, *, resolver: Resolver = resolve, timeout: httpx.Timeout = TIMEOUT
) -> httpx.Client:
    """A client whose `base_url` is the member's endpoint at its checked address.

    No redirects are followed, and proxies of the environment are not used. Keep it as long as it works; open
    another one after a failure, so that a member may move.
    """
    address, (host, port) = checked_address(member, resolver=resolver), _place(member)
    shown = f"[{address}]" if ":" in address else address

    def name_it(request: httpx.Request) -> None:
        request.extensions = {**request.extensions, "sni_hostname": host}

    return httpx.Client(
        base_url=f"https://{shown}:{port}{urlsplit(member.endpoint).path.rstrip('/')}", verify=context,
        timeout=timeout, follow_redirects=False, trust_env=False,
        headers={"host": urlsplit(member.endpoint).netloc}, event_hooks={"request": [name_it]},
    )  # fmt: skip


def _place(member: Member) -> tuple[str, int]:
    parts = urlsplit(member.endpoint)
    return str(parts.hostname), parts.port or 443
