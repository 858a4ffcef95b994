"""Repeatable choices: the same seed gives the same output on every Python and machine.

``random`` promises that only for ``random()``; a hash promises it for good.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_REFILL = 1 << 64  # below this, too few bits are left for an even choice


class Draw:
    """A stream of choices that is a function of ``parts`` alone."""

    def __init__(self, *parts: object) -> None:
        self._seed = repr(parts).encode("utf-8")
        self._round = 0
        self._pool = 0

    def below(self, limit: int) -> int:
        """An integer in [0, limit); ``limit`` at most 2**32."""
        if self._pool < _REFILL:
            self._round += 1
            digest = hashlib.sha512(self._seed + self._round.to_bytes(8, "big")).digest()
            self._pool = int.from_bytes(digest, "big")
        self._pool, value = divmod(self._pool, limit)
        return value

    def pick(self, options: Sequence[T]) -> T:
        """One of ``options``."""
        return options[self.below(len(options))]

    def digits(self, count: int) -> str:
        """``count`` decimal digits, at most nine; the first is not zero."""
        return str(10 ** (count - 1) + self.below(9 * 10 ** (count - 1)))

    def bytes(self, count: int) -> bytes:
        """``count`` bytes that do not compress; fast enough for gigabytes."""
        return hashlib.shake_128(self._seed + b"bytes" + self.digits(9).encode()).digest(count)
