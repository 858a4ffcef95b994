"""The ciphers of encrypted spools, and what is derived from their keys.

AES-256-CTR (NIST SP 800-38A) for what is long, because a part of it can be read where it
lies; AES-256-GCM (SP 800-38D) for what is short: wrapped keys and headers. Keys for one
purpose each are derived by HMAC-SHA-256 with the purpose as its message.
"""

from __future__ import annotations

import hmac
from functools import cache
from typing import Any

from hotfolder.core.errors import Corrupt

KEY = 32  # bytes of every key
WRAPPED = KEY + 16  # of a key that is wrapped: it, and a tag
_BLOCK = 16


@cache
def _primitives() -> tuple[Any, Any, Any, Any, type[Exception]]:
    # Slow to load, and needed only where something is encrypted.
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers import Cipher  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.algorithms import AES  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.modes import CTR  # noqa: PLC0415

    return Cipher, AES, CTR, AESGCM, InvalidTag


def derive(key: bytes, purpose: bytes) -> bytes:
    """The key for one purpose."""
    return hmac.digest(key, b"hotfolder/1 " + purpose, "sha256")


class Stream:
    """The key stream of a key from a place on; encrypting and decrypting are the same."""

    def __init__(self, key: bytes, position: int = 0) -> None:
        cipher, aes, ctr, _, _ = _primitives()
        counter = (position // _BLOCK).to_bytes(_BLOCK, "big")
        self._context = cipher(aes(key), ctr(counter)).encryptor()
        if skip := position % _BLOCK:
            self._context.update(bytes(skip))

    def update(self, data: bytes) -> bytes:
        """As many bytes as came."""
        found: bytes = self._context.update(data)
        return found


def seal_small(key: bytes, number: int, data: bytes, context: bytes) -> bytes:
    """``data`` and a tag over it and ``context``. With one key no number is used for two
    different ``data``."""
    *_, gcm, _ = _primitives()
    sealed: bytes = gcm(key).encrypt(number.to_bytes(12, "big"), data, context)
    return sealed


def open_small(key: bytes, number: int, sealed: bytes, context: bytes) -> bytes:
    """The inverse of ``seal_small``; raises ``Corrupt`` if it is another's or was changed."""
    *_, gcm, invalid = _primitives()
    try:
        data: bytes = gcm(key).decrypt(number.to_bytes(12, "big"), sealed, context)
    except invalid:
        raise Corrupt(
            "a key or header in the store is not what was written",
            hint="restore the spool's keys from another root: `hotfolder verify --mend`",
            code="keys.damaged",
        ) from None
    return data
