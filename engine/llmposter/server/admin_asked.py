"""What the parts of the admin API have in common: a request to it, an answer that says no, and how bodies are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from llmposter.model import Struct

if TYPE_CHECKING:
    from llmposter.server.service import Service
    from llmposter_dsl.diagnostic import Diagnostic


class Asked(NamedTuple):
    """One request of the admin API; `session` is None for the whole server."""

    service: Service
    session: str | None
    query: Mapping[str, str]
    body: bytes


class Refused(Struct, frozen=True):
    """An answer that says no; *more* stands beside the error."""

    status: int
    message: str
    more: Mapping[str, Any] = {}


Answer: TypeAlias = Any
"""JSON-able data, or `Refused`; or what becomes that later."""


def fields(asked: Asked, example: str, *known: str) -> dict[str, Any] | Refused:
    """The body, an object of these texts and numbers; *example* is what to send."""
    body = an_object(asked, example)
    if not isinstance(body, Refused) and (strange := body.keys() - set(known)):
        return Refused(400, f'nobody knows "{min(strange)}" here: send {example}')
    return body


def an_object(asked: Asked, example: str) -> dict[str, Any] | Refused:
    """The body, an object of anything."""
    try:
        body = msgspec.json.decode(asked.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refused(400, f"the body is not JSON: send {example}")
    if not isinstance(body, dict):
        return Refused(400, f"the body is no object: send {example}")
    return body


def sentence(found: Diagnostic, name: str = "") -> str:
    """``faults[1]: unknown fault `reset`; did you mean `drop`?``, as a file has it; *name* is that of the body."""
    path = getattr(found.place, "path", ())
    where = name + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    said = found.message if found.help is None else f"{found.message}; {found.help}"
    return f"{where.lstrip('.')}: {said}" if where else said
