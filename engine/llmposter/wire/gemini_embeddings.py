"""Gemini's ``embedContent`` and ``batchEmbedContents``: a vector for each content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from llmposter.model import BadRequest, Failure, Response, Route, Struct
from llmposter.wire import gemini_body as sent
from llmposter.wire.gemini_contents import text_of
from llmposter.wire.gemini_errors import HEADERS
from llmposter.wire.gemini_read import ACTIONS, decoded, path
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from llmposter.beside import Desk, Endpoint
    from llmposter.model import Request

_MOST_DIMENSIONS: Final = 3072
_SHORTER: Final = ("text-embedding-004", "text-embedding-005", "text-multilingual-embedding-002", "embedding-001")
_SHORT: Final = 768
"""Dimensions of the models that do not have the most."""
_MOST_REQUESTS: Final = 100


class Size(Struct, frozen=True):
    """How many numbers a vector shall have."""

    outputDimensionality: int | None = None  # noqa: N815 - the provider's
    output_dimensionality: int | None = None

    @property
    def asked(self) -> int | None:
        return self.output_dimensionality if self.outputDimensionality is None else self.outputDimensionality


class One(Size, frozen=True):
    """What is read of a request for one vector; the configuration is Vertex AI's."""

    content: sent.Content | None = None
    embedContentConfig: Size | None = None  # noqa: N815 - the provider's
    embed_content_config: Size | None = None

    @property
    def size(self) -> int | None:
        config = self.embedContentConfig or self.embed_content_config
        return self.asked if config is None else config.asked


class Batch(Struct, frozen=True):
    requests: list[One] | None = None


_ONE: Final = msgspec.json.Decoder(One)
_BATCH: Final = msgspec.json.Decoder(Batch)


class Embed:
    """One content."""

    provider = "gemini"
    routes: tuple[Route, ...] = tuple(Route("POST", f"{path}:embedContent") for path in ACTIONS)

    def answer(self, request: Request, desk: Desk) -> Response | Failure | BadRequest:
        asked = decoded(_ONE, request.body)
        if isinstance(asked, BadRequest):
            return asked
        vectors = _vectors([asked], path(request)[0], desk, "EmbedContentRequest")
        return vectors if not isinstance(vectors, list) else told({"embedding": {"values": vectors[0]}})


class BatchEmbed:
    """Several contents, which is also what the SDK asks for one."""

    provider = "gemini"
    routes: tuple[Route, ...] = tuple(Route("POST", f"{path}:batchEmbedContents") for path in ACTIONS)

    def answer(self, request: Request, desk: Desk) -> Response | Failure | BadRequest:
        body = decoded(_BATCH, request.body)
        if isinstance(body, BadRequest):
            return body
        asked = body.requests or []
        what = "BatchEmbedContentsRequest.requests"
        if not asked:
            return BadRequest(f"* {what}: requests is not specified\n", "requests")
        if len(asked) > _MOST_REQUESTS:
            return BadRequest(f"* {what}: at most {_MOST_REQUESTS} requests can be in one batch\n", "requests")
        vectors = _vectors(asked, path(request)[0], desk, f"{what}[{{}}]")
        return vectors if not isinstance(vectors, list) else told({"embeddings": [{"values": v} for v in vectors]})


def _vectors(asked: list[One], model: str, desk: Desk, place: str) -> list[tuple[float, ...]] | Failure | BadRequest:
    sizes: list[int] = []
    for n, one in enumerate(asked):
        where = place.format(n)
        if one.content is None or not one.content.listed:
            return BadRequest(f"* {where}.content: contents is not specified\n", "content")
        size = dimensions_of(model, one.size, where)
        if isinstance(size, BadRequest):
            return size
        sizes.append(size)
    vectors: list[tuple[float, ...]] = []
    for one, size in zip(asked, sizes, strict=True):
        vector = desk.vector(text_of(one.content), model, size)
        if isinstance(vector, Failure):
            return vector
        vectors.append(vector)
    return vectors


def dimensions_of(model: str, asked: int | None, place: str) -> int | BadRequest:
    """How long a vector of this model is; *place* is where the request may say so."""
    if asked is not None and not 0 < asked <= _MOST_DIMENSIONS:
        bounds = f"output_dimensionality must be in the range [1, {_MOST_DIMENSIONS}]."
        return BadRequest(f"* {place}.output_dimensionality: {bounds}", "output_dimensionality")
    return asked or (_SHORT if model in _SHORTER else _MOST_DIMENSIONS)


def told(value: object) -> Response:
    """The answer of an endpoint."""
    return Response(200, HEADERS, encode(value))


ENDPOINTS: Final[tuple[Endpoint, ...]] = (Embed(), BatchEmbed())
