"""HPKE base mode with KEM 0x647A, written from the documents, with chosen randomness. For tests only.

FIPS 203 (ML-KEM-768 encapsulation), draft-connolly-cfrg-xwing-kem (X-Wing combiner), RFC 9180 §5 (key
schedule). The library gives no way to choose the randomness of encapsulation; test vectors need one, and a
second implementation that the product's ciphertexts must agree with is worth having anyway.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Q, K, DU, DV = 3329, 3, 10, 4
Poly = list[int]


def _bit_reversed(index: int) -> int:
    return int(f"{index:07b}"[::-1], 2)


ZETAS = [pow(17, _bit_reversed(index), Q) for index in range(128)]
GAMMAS = [pow(17, 2 * _bit_reversed(index) + 1, Q) for index in range(128)]


def hpke_seal(public: bytes, info: bytes, plaintext: bytes, randomness: bytes) -> bytes:
    """`randomness`: 32 bytes for ML-KEM, 32 for X25519. Returns enc ‖ ciphertext."""
    shared, enc = xwing_encapsulate(public, randomness)
    suite = b"HPKE" + bytes.fromhex("647a00010002")
    context = b"\x00" + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", info)
    secret = _extract(suite, shared, b"secret", b"")
    key, nonce = (
        _expand(suite, secret, b"key", context, 32),
        _expand(suite, secret, b"base_nonce", context, 12),
    )
    return enc + AESGCM(key).encrypt(nonce, plaintext, b"")


def xwing_encapsulate(public: bytes, randomness: bytes) -> tuple[bytes, bytes]:
    mlkem, x25519 = public[:1184], public[1184:]
    shared_m, ciphertext_m = mlkem_encapsulate(mlkem, randomness[:32])
    ephemeral = X25519PrivateKey.from_private_bytes(randomness[32:])
    ciphertext_x = ephemeral.public_key().public_bytes_raw()
    shared_x = ephemeral.exchange(X25519PublicKey.from_public_bytes(x25519))
    shared = hashlib.sha3_256(shared_m + shared_x + ciphertext_x + x25519 + rb"\./" + rb"/^" + b"\\").digest()
    return shared, ciphertext_m + ciphertext_x


def mlkem_encapsulate(ek: bytes, m: bytes) -> tuple[bytes, bytes]:
    """FIPS 203 algorithm 17: shared secret and ciphertext."""
    derived = hashlib.sha3_512(m + hashlib.sha3_256(ek).digest()).digest()
    return derived[:32], _encrypt(ek, m, derived[32:])


def _encrypt(ek: bytes, m: bytes, r: bytes) -> bytes:
    """FIPS 203 algorithm 14."""
    t = [_decode(ek[384 * i : 384 * (i + 1)], 12) for i in range(K)]
    rho = ek[384 * K :]
    noise = [_cbd2(hashlib.shake_256(r + bytes([n])).digest(128)) for n in range(2 * K + 1)]
    y = [_ntt(one) for one in noise[:K]]
    u = []
    for i in range(K):
        column = [_sample_ntt(rho + bytes([i, j])) for j in range(K)]  # A transposed: row j, column i
        u.append(_add(_inverse_ntt(_dot(column, y)), noise[K + i]))
    mu = [(bit * Q + 1) // 2 for bit in _decode(m, 1)]
    v = _add(_add(_inverse_ntt(_dot(t, y)), noise[2 * K]), mu)
    return b"".join(_encode(_compress(one, DU), DU) for one in u) + _encode(_compress(v, DV), DV)


def _sample_ntt(seed: bytes) -> Poly:
    stream, at = hashlib.shake_128(seed).digest(168 * 9), 0
    found: Poly = []
    while len(found) < 256:
        a, b, c = stream[at : at + 3]
        found += [value for value in (a + 256 * (b % 16), b // 16 + 16 * c) if value < Q]
        at += 3
    return found[:256]


def _cbd2(noise: bytes) -> Poly:
    bits = [(byte >> shift) & 1 for byte in noise for shift in range(8)]
    return [(bits[i] + bits[i + 1] - bits[i + 2] - bits[i + 3]) % Q for i in range(0, 1024, 4)]


def _ntt(poly: Poly) -> Poly:
    f, i, length = list(poly), 1, 128
    while length >= 2:
        for start in range(0, 256, 2 * length):
            for j in range(start, start + length):
                t = ZETAS[i] * f[j + length] % Q
                f[j + length], f[j] = (f[j] - t) % Q, (f[j] + t) % Q
            i += 1
        length //= 2
    return f


def _inverse_ntt(poly: Poly) -> Poly:
    f, i, length = list(poly), 127, 2
    while length <= 128:
        for start in range(0, 256, 2 * length):
            for j in range(start, start + length):
                t = f[j]
                f[j], f[j + length] = (t + f[j + length]) % Q, ZETAS[i] * (f[j + length] - t) % Q
            i -= 1
        length *= 2
    return [value * 3303 % Q for value in f]


def _dot(left: list[Poly], right: list[Poly]) -> Poly:
    total = [0] * 256
    for a, b in zip(left, right, strict=True):
        for i in range(128):
            a0, a1, b0, b1 = a[2 * i], a[2 * i + 1], b[2 * i], b[2 * i + 1]
            total[2 * i] += a0 * b0 + a1 * b1 % Q * GAMMAS[i]
            total[2 * i + 1] += a0 * b1 + a1 * b0
    return [value % Q for value in total]


def _add(left: Poly, right: Poly) -> Poly:
    return [(a + b) % Q for a, b in zip(left, right, strict=True)]


def _compress(poly: Poly, bits: int) -> Poly:
    return [((value << (bits + 1)) + Q) // (2 * Q) % (1 << bits) for value in poly]


def _encode(poly: Poly, bits: int) -> bytes:
    whole = sum(value << (bits * i) for i, value in enumerate(poly))
    return whole.to_bytes(32 * bits, "little")


def _decode(raw: bytes, bits: int) -> Poly:
    whole = int.from_bytes(raw, "little")
    return [(whole >> (bits * i)) & ((1 << bits) - 1) for i in range(256)]


def _extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.new(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256").digest()


def _expand(suite: bytes, secret: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.new(secret, labelled + b"\x01", "sha256").digest()[:length]
