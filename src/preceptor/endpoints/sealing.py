"""Keys of endpoints at rest: sealed with the installation's secret, so that a copy of the database alone is no use.

AES-256-GCM (NIST SP 800-38D) under a key that HKDF-SHA256 (RFC 5869) derives from the secret; the endpoint's id is
authenticated with it, so that a sealed key cannot be moved to another row.
"""

import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from preceptor.kit.errors import AppError

VERSION = b"\x01"
NONCE_BYTES = 12


class KeyUnreadable(AppError):
    """The endpoint's key was sealed with another secret of this installation. Enter the key again."""

    code = "endpoint_key_unreadable"


def seal(key: str, endpoint_id: UUID, secret: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return VERSION + nonce + _cipher(secret).encrypt(nonce, key.encode(), endpoint_id.bytes)


def unseal(sealed: bytes, endpoint_id: UUID, secret: bytes) -> str:
    """The key again; KeyUnreadable where the secret, the row or the bytes are not those it was sealed with."""
    nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return _cipher(secret).decrypt(nonce, body, endpoint_id.bytes).decode()
    except InvalidTag:
        raise KeyUnreadable from None


def _cipher(secret: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=b"preceptor model endpoint key").derive(secret))
