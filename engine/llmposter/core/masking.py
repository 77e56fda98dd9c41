"""Secrets that clients send, and how much of one is shown: so much that it can be told from others, and no more."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final

HEADERS: Final = ("authorization", "proxy-authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie")
"""Headers that hold a secret."""
FIELDS: Final = frozenset((*HEADERS, "key", "api_key", "access_token", "token"))
"""Headers, and fields of a query, that do."""
_ASKED: Final = re.compile(rf"(?i){'|'.join(HEADERS)}|query(?:\.|\[['\"])(?:key|access_token)\b")


def hidden(secret: str) -> str:
    """Three characters of a long secret, none of a short one; the scheme before it is none."""
    scheme, space, value = secret.rpartition(" ")
    return f"{scheme}{space}{value[:3] if len(value) > 8 else ''}…"


def hidden_key(key: str, expression: str) -> str:
    """A conversation's key, which tells it from others, as the *expression* that gave it lets it be shown."""
    if not _ASKED.search(expression):
        return key
    return f"{hidden(key)}#{blake2b(key.encode('utf-8', 'surrogatepass'), digest_size=4).hexdigest()}"
