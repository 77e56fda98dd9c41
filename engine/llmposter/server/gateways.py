"""What clients ask for in place of a route, since the base URL is a cloud's or a gateway's, or ends too early. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERTEX: Final = r"/v1(?:beta1)?/(?:projects/[^/]+/locations/[^/]+/)?publishers"
_FORMS: Final = tuple(
    (re.compile(form), stands_for)
    for form, stands_for in (
        # Azure: https://learn.microsoft.com/azure/ai-services/openai/reference
        (r"/openai/deployments/(?P<model>[^/]+)(?=/)", ""),
        # Google's API in OpenAI's format: https://ai.google.dev/gemini-api/docs/openai
        (r"/v1beta/openai(?=/)", ""),
        # Vertex AI, with Google's models and with Anthropic's (anthropic/lib/vertex/_client.py)
        (rf"{_VERTEX}/google(?=/models/)", "/v1"),
        (rf"{_VERTEX}/anthropic/models/count-tokens:rawPredict\Z", "/v1/messages/count_tokens"),
        (rf"{_VERTEX}/anthropic/models/(?P<model>[^/:]+):(?:rawPredict|streamRawPredict)\Z", "/v1/messages"),
        # Gateways that speak for many
        (r"/(?:openai|anthropic|gemini|google|api)(?=/)", ""),
    )
)
"""How a path may begin, and what stands for it; `model` is the model that it names."""
_SLASHES: Final = re.compile(r"/{2,}")
_BODY: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def alike(path: str) -> Iterator[str]:
    """The path, and what else it may stand for."""
    yield path
    # A base URL with a slash at its end, and a client that adds one.
    path = _SLASHES.sub("/", path)
    yield path
    yield f"/v1{path}"
    for form, stands_for in _FORMS:
        if (begins := form.match(path)) is not None:
            rest = stands_for + path[begins.end() :]
            yield rest
            yield f"/v1{rest}"


def named_model(path: str) -> str:
    """The model that the path names in place of the body; "" for none."""
    for form, _ in _FORMS:
        if (begins := form.match(path)) is not None and (named := begins.groupdict().get("model")):
            return named
    return ""


def with_model(body: bytes, model: str) -> bytes:
    """The body with this model, where it names none."""
    try:
        fields: dict[str, Any] = _BODY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
    return body if "model" in fields else msgspec.json.encode({"model": model, **fields})
