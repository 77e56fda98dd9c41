"""What clients ask for in place of a route, since the base URL is a gateway's, Azure's, or ends too early. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = re.compile(
    r"/openai/deployments/(?P<model>[^/]+)|/v1beta/openai|/(?:openai|anthropic|gemini|google|api)"
)
"""What stands before a route: Azure's, Google's for OpenAI's format, and those of gateways that speak for many."""
_SLASHES: Final = re.compile(r"/{2,}")
_BODY: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def alike(path: str) -> Iterator[str]:
    """The path, and what else it may stand for."""
    yield path
    # A base URL with a slash at its end, and a client that adds one.
    path = _SLASHES.sub("/", path)
    yield path
    yield f"/v1{path}"
    if (before := _PREFIX.match(path)) is not None and path[before.end() :].startswith("/"):
        yield path[before.end() :]
        yield f"/v1{path[before.end() :]}"


def deployment(path: str) -> str:
    """The model that the path names, as it does on Azure; "" for none."""
    before = _PREFIX.match(path)
    return "" if before is None else before["model"] or ""


def with_model(body: bytes, model: str) -> bytes:
    """The body with this model where it names none: Azure knows it by the path."""
    try:
        fields: dict[str, Any] = _BODY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
    return body if "model" in fields else msgspec.json.encode({"model": model, **fields})
