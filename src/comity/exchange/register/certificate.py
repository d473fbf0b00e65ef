"""Read the pinned TLS certificate a card states. Pure.

Self-signed, ECDSA P-256, its own root and nobody else's: it is loaded as the only root for that member, so no
outside authority can vouch for another, and the member cannot let others in (spec/register.md §2). Whether it
has expired is TLS's to say.
"""

from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from comity.exchange.fields import Malformed

_UNREADABLE = (
    ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.ExtensionNotFound, x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)  # fmt: skip
"""What the library raises for bytes that are no certificate, or one that it cannot read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """`hosts` are the DNS names and IP addresses it may be reached at. `der` is what TLS presents."""

    common_name: str
    hosts: tuple[str, ...]
    der: bytes


@lru_cache(maxsize=1024)
def read_certificate(pem: str, *, where: str) -> Certificate:
    """Return the one certificate in `pem`, or raise `Malformed`. What was read once is not read again."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode("ascii"))
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        certificate.verify_directly_issued_by(certificate)
        key = certificate.public_key()
        common_name = _only_common_name(certificate)
    except (*_UNREADABLE, InvalidSignature) as error:
        raise Malformed(
            f"expected one self-signed certificate with its names: {error}", where=where
        ) from error
    if certificate.public_bytes(serialization.Encoding.PEM).decode() != pem:
        raise Malformed("expected exactly one certificate in PEM, got more or another spelling", where=where)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Malformed("expected an ECDSA P-256 certificate", where=where)
    if not basic.ca or usage.key_cert_sign:
        raise Malformed(
            "expected CA:TRUE, to be its own root, and no keyCertSign, to be no one else's", where=where
        )
    hosts = names.get_values_for_type(x509.DNSName)
    hosts += [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    der = certificate.public_bytes(serialization.Encoding.DER)
    return Certificate(common_name=common_name, hosts=tuple(hosts), der=der)


def _only_common_name(certificate: x509.Certificate) -> str:
    attributes = list(certificate.subject)
    if len(attributes) != 1 or attributes[0].oid != NameOID.COMMON_NAME:
        raise ValueError("the subject is not a single common name")
    return str(attributes[0].value)
