"""Where a node may connect to: no peer's card turns it against its own network. Pure.

A card's endpoint is the only address that is ever contacted, and only if it is public, or if the card says
openly that the member is on a private network (which every state signed, spec/register.md §1). The rule is
applied to literal addresses when a card is read, and to what a name resolves to each time it is resolved:
a name may point elsewhere tomorrow (DNS rebinding).
"""

import ipaddress

from comity.errors import TrustError


class PrivateAddress(TrustError):
    """A member's endpoint leads to a private, loopback, link-local or reserved address."""

    code = "exchange.private-address"
    remedy = "If the member really is on a private network, its card must say so: private_network."


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052 §2.1: the last four bytes are an IPv4 address, which a gateway connects to."""


def is_private(address: str) -> bool:
    """Whether this IP address is anything but public unicast (RFC 6890); an IPv4 address within IPv6 counts."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in _NAT64:
            inner = ipaddress.IPv4Address(found.packed[-4:])
        if inner is not None:
            return is_private(str(inner))
    return not found.is_global or found.is_multicast or found.is_reserved


def refuse_private(host: str, *, where: str) -> None:
    """Raise `PrivateAddress` if `host` is a literal of a private address, or `localhost`."""
    name = host.rstrip(".").lower()
    try:
        private = is_private(host)
    except ValueError:
        private = name == "localhost" or name.endswith(".localhost") or _looks_numeric(name)
    if private:
        raise PrivateAddress(f"expected a public address, got {host}", where=where)


def _looks_numeric(name: str) -> bool:
    """`127.1`, `2130706433`, `0x7f.1`: old spellings of IPv4 that some resolvers still read."""
    last = name.rpartition(".")[2]
    return last.isdigit() or (last.startswith("0x") and all(one in "0123456789abcdef" for one in last[2:]))
