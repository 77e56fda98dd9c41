"""The target of a request taken apart: session, path and query. Pure; any text gives a `Target`."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

SESSION_HEADER: Final = "x-llmposter-session"
_SESSION: Final = re.compile(r"[A-Za-z0-9_.\-~:]{1,128}")
FORM: Final = "1 to 128 letters, digits or any of _.-~:"


class Target(NamedTuple):
    """Where a request goes.

    Attributes:
        path: decoded, without `/@ID`; without a slash at its end, but for `/` itself.
        query: still encoded.
        session: of the path; None where the path names none.
    """

    path: str
    query: str
    session: str | None


def parse(raw: str) -> Target:
    """The target of a request line, in origin form, or in the absolute form that proxies use."""
    path, _, query = (_origin(raw) if raw[:4].lower() == "http" else raw).partition("?")
    session = None
    if path.startswith(("/@", "/%40")):
        first, _, rest = path[1:].partition("/")
        session, path = unquote(first)[1:], f"/{rest}"
    if "%" in path:
        path = unquote(path)
    return Target(path.rstrip("/") or "/", query, session)


def _origin(raw: str) -> str:
    try:
        parts = urlsplit(raw)
    except ValueError:
        return raw
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def query(encoded: str) -> dict[str, str]:
    """The query decoded, the last of equal names."""
    if not encoded:
        return {}
    try:
        return dict(parse_qsl(encoded, keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        return {}


def faulty(session: str) -> str | None:
    """What is wrong with a session's id, or None."""
    if _SESSION.fullmatch(session):
        return None
    shown = session if len(session) <= 140 else f"{session[:128]}…"
    return f'"{shown}" is no session id: it takes {FORM}'
