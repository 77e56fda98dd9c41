"""Values that nobody can guess, and under a manual clock the same ones in every run."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from hashlib import blake2b
from itertools import count
from typing import Final

_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Without vowels and without what looks alike (RFC 8628, section 6.1)."""


class Ids:
    """Makes values.

    Args:
        seed: None for real chance; else the same values come for the same text.
    """

    def __init__(self, seed: str | None) -> None:
        self._seed, self._numbers = seed, count(1)

    def _bytes(self, size: int) -> bytes:
        if self._seed is None:
            return secrets.token_bytes(size)
        return blake2b(f"{self._seed}\0{next(self._numbers)}".encode(), digest_size=size).digest()

    def value(self, prefix: str = "") -> str:
        """One of 256 bits that can stand in a URL."""
        return prefix + urlsafe_b64encode(self._bytes(32)).rstrip(b"=").decode()

    def user_code(self) -> str:
        """One that a person types."""
        letters = "".join(_LETTERS[each % len(_LETTERS)] for each in self._bytes(8))
        return f"{letters[:4]}-{letters[4:]}"
