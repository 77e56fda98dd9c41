"""``POST /v1/embeddings``: a vector for each input, as numbers or, as OpenAI's own SDK asks for them, in base64."""

from __future__ import annotations

from base64 import b64encode
from struct import pack
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from llmposter.model import BadRequest, Failure, Response, Route, Struct
from llmposter.wire.headers import JSON
from llmposter.wire.openai_headers import of_server
from llmposter.wire.openai_inputs import Each, Input, each
from llmposter.wire.openai_wording import NO_MODEL, NOT_JSON, refusal
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from llmposter.beside import Desk, Endpoint
    from llmposter.model import Request

_MOST_INPUTS: Final = 2048
_MOST_DIMENSIONS: Final = 8192
"""Of a model that OpenAI does not have."""
_USUAL: Final = 1536
_MODELS: Final = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
"""OpenAI's models, with the dimensions that they have."""
_FIXED: Final = frozenset(("text-embedding-ada-002",))
_MOST_TOKENS: Final = 8192
"""Of one input (API reference, "Create embeddings", `input`)."""
_MOST_IN_ALL: Final = 300_000
_PER_REQUEST: Final = "max_tokens_per_request"
# https://github.com/openai/openai-python/issues/576
_INVALID: Final = (
    "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
)
_FORMATS: Final = {"encoding_format": ("float", "base64")}


class Body(Struct, frozen=True, kw_only=True):
    """What is read of a request."""

    model: str
    input: Input
    dimensions: Annotated[int, msgspec.Meta(ge=1)] | None = None
    encoding_format: str | None = None


_DECODER: Final = msgspec.json.Decoder(Body)


class Embeddings:
    """The endpoint."""

    provider = "openai"
    routes: tuple[Route, ...] = (Route("POST", "/v1/embeddings"),)

    def answer(self, request: Request, desk: Desk) -> Response | Failure | BadRequest:
        body = _read(request.body)
        if isinstance(body, BadRequest):
            return body
        inputs = _inputs(body.input)
        if isinstance(inputs, BadRequest):
            return inputs
        counts = [desk.estimate(one.text) if one.tokens is None else one.tokens for one in inputs]
        if body.model in _MODELS and (long := _too_long(inputs, counts)) is not None:
            return long
        most = _MODELS.get(body.model, _USUAL)
        vectors, whole = [], " ".join([one.text for one in inputs])
        for one in inputs:
            vector = desk.vector(one.text, body.model, body.dimensions or most, whole)
            if isinstance(vector, Failure):
                return vector
            vectors.append(vector)
        told = _told(body, vectors, sum(counts))
        return Response(200, (("content-type", JSON), *of_server(request.body)), told)


def _read(data: bytes) -> Body | BadRequest:
    try:
        body = _DECODER.decode(data.decode("utf-8"))
    except msgspec.ValidationError as error:
        return refusal(str(error), {}, data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NOT_JSON
    if not body.model:
        return NO_MODEL
    if (form := body.encoding_format) is not None and form not in _FORMATS["encoding_format"]:
        return refusal(f"Invalid value '{form}' - at `$.encoding_format`", _FORMATS)
    return _wrong_size(body) or body


def _wrong_size(body: Body) -> BadRequest | None:
    if body.dimensions is None:
        return None
    if body.model in _FIXED:
        return BadRequest("This model does not support specifying dimensions.")
    most = _MODELS.get(body.model, _MOST_DIMENSIONS)
    if body.dimensions > most:
        wanted = f"Must be less than or equal to {most}."
        return BadRequest(f"Invalid value for 'dimensions' = {body.dimensions}. {wanted}", "dimensions")
    return None


def _inputs(given: Input) -> list[Each] | BadRequest:
    if isinstance(given, list) and len(given) > _MOST_INPUTS and not isinstance(given[0], int):
        message = f"Invalid 'input': array too long. Expected an array with maximum length {_MOST_INPUTS}, "
        message += f"but got an array with length {len(given)} instead."
        return BadRequest(message, "input", "array_above_max_length")
    found = each("input", given)
    if isinstance(found, BadRequest):
        return found
    for one in found:
        if not one.text:
            return BadRequest(f"{_INVALID} ({one.place} is empty.)")
    return found


def _too_long(inputs: list[Each], counts: list[int]) -> Failure | None:
    """OpenAI's own models take so much and no more. A count that is estimated has to be twice as high."""
    sure = [count if one.tokens is not None else count // 2 for one, count in zip(inputs, counts, strict=True)]
    for count, certain in zip(counts, sure, strict=True):
        if certain > _MOST_TOKENS:
            message = f"This model's maximum context length is {_MOST_TOKENS} tokens, however you requested {count} "
            message += f"tokens ({count} in your prompt; 0 for the completion). "
            return Failure("bad_request", 400, message=f"{message}Please reduce your prompt; or completion length.")
    if sum(sure) > _MOST_IN_ALL:
        message, kind = f"Requested {sum(counts)} tokens, max {_MOST_IN_ALL} tokens per request", _PER_REQUEST
        return Failure("bad_request", 400, message=message, type=kind, code=kind)
    return None


def _told(body: Body, vectors: list[tuple[float, ...]], used: int) -> bytes:
    coded = _in_base64 if body.encoding_format == "base64" else encode
    data = b",".join(
        [b'{"object":"embedding","index":%d,"embedding":%b}' % (n, coded(vector)) for n, vector in enumerate(vectors)]
    )
    usage = b'{"prompt_tokens":%d,"total_tokens":%d}' % (used, used)
    return b'{"object":"list","data":[%b],"model":%b,"usage":%b}' % (data, encode(body.model), usage)


def _in_base64(vector: tuple[float, ...]) -> bytes:
    """Numbers of 32 bits, the lowest byte first: what openai/resources/embeddings.py reads."""
    return b'"%b"' % b64encode(pack(f"<{len(vector)}f", *vector))


ENDPOINTS: Final[tuple[Endpoint, ...]] = (Embeddings(),)
