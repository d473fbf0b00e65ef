"""Make the certificate a node shows its peers: self-signed, ECDSA P-256, its own authority, for ten years.

Peers pin it (it travels on the node's card), so no outside authority is involved and nothing is checked for
revocation: a certificate is replaced by a later version of the compact. CA:TRUE (RFC 5280 §4.2.1.9) lets it
validate as its own root, as server and as client; without keyCertSign (§4.2.1.3) a member cannot issue a
certificate with which somebody else would get in.
"""

import ipaddress
import re
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from comity.errors import InputError

VALID_FOR = timedelta(days=3652)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)


def certify(key: ec.EllipticCurvePrivateKey, *, node_id: str, host: str, now: datetime) -> str:
    """Return a certificate in PEM for `node_id`, reachable at `host`, localhost and 127.0.0.1."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, node_id)])
    public = key.public_key()
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=False, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, crl_sign=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip
    extended = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a peer's clock may be behind
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(extended, critical=False)
        .add_extension(_names(host), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def _names(host: str) -> x509.SubjectAlternativeName:
    names: dict[x509.GeneralName, None] = {
        x509.DNSName("localhost"): None,
        x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")): None,
    }
    try:
        names[x509.IPAddress(ipaddress.ip_address(host))] = None
    except ValueError:
        if _HOST.fullmatch(host) is None:
            raise InputError.because(expected="a host name or IP address", got=repr(host)) from None
        names[x509.DNSName(host.lower())] = None
    return x509.SubjectAlternativeName(names)
