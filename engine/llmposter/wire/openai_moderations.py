"""``POST /v1/moderations``: a result for each text, or one for a list of texts and images; flagged as rules say."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import msgspec

from llmposter.model import BadRequest, Failure, Response, Route, Struct
from llmposter.wire.headers import JSON
from llmposter.wire.openai_headers import of_server
from llmposter.wire.openai_wording import NOT_JSON, refusal
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmposter.beside import Desk, Endpoint
    from llmposter.model import Json, Request

_LATEST: Final = "omni-moderation-latest"
_OF_TEXT: Final = ("text",)
_OF_BOTH: Final = ("text", "image")
CATEGORIES: Final[Mapping[str, tuple[str, ...]]] = {
    "harassment": _OF_TEXT,
    "harassment/threatening": _OF_TEXT,
    "hate": _OF_TEXT,
    "hate/threatening": _OF_TEXT,
    "illicit": _OF_TEXT,
    "illicit/violent": _OF_TEXT,
    "self-harm": _OF_BOTH,
    "self-harm/instructions": _OF_BOTH,
    "self-harm/intent": _OF_BOTH,
    "sexual": _OF_BOTH,
    "sexual/minors": _OF_TEXT,
    "violence": _OF_BOTH,
    "violence/graphic": _OF_BOTH,
}
"""Every category, with the kinds of input that it looks at (openai/types/moderation.py)."""
_SCORES: Final = {False: 0.0001, True: 0.98}


class TextPart(Struct, frozen=True, tag_field="type", tag="text"):
    text: str


class Url(Struct, frozen=True):
    url: str


class ImagePart(Struct, frozen=True, tag_field="type", tag="image_url"):
    image_url: Url


Part: TypeAlias = TextPart | ImagePart


class Body(Struct, frozen=True, kw_only=True):
    """What is read of a request."""

    input: str | Annotated[list[str | Part], msgspec.Meta(min_length=1)]
    model: str | None = None


_DECODER: Final = msgspec.json.Decoder(Body)
_PARTS: Final = {"type": ("text", "image_url")}


class Moderations:
    """The endpoint."""

    provider = "openai"
    routes: tuple[Route, ...] = (Route("POST", "/v1/moderations"),)

    def answer(self, request: Request, desk: Desk) -> Response | Failure | BadRequest:
        try:
            body = _DECODER.decode(request.body.decode("utf-8"))
        except msgspec.ValidationError as error:
            return refusal(str(error), _PARTS)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return NOT_JSON
        inputs = _inputs(body)
        if isinstance(inputs, BadRequest):
            return inputs
        model = body.model or _LATEST
        results = []
        for parts in inputs:
            flagged: set[str] = set()
            for part in parts:
                flags = desk.flags(part.text if isinstance(part, TextPart) else part.image_url.url, model)
                if isinstance(flags, Failure):
                    return flags
                flagged |= flags
            results.append(_result(flagged, {"text" if isinstance(part, TextPart) else "image" for part in parts}))
        id_ = f"modr-{blake2b(request.body, digest_size=16).hexdigest()}"
        told = encode({"id": id_, "model": model, "results": results})
        return Response(200, (("content-type", JSON), *of_server(request.body)), told)


def _inputs(body: Body) -> list[list[Part]] | BadRequest:
    """The parts of each input: one of a text, any number of a list of texts and images."""
    given = [body.input] if isinstance(body.input, str) else body.input
    texts: list[list[Part]] = [[TextPart(each)] for each in given if isinstance(each, str)]
    parts = [each for each in given if not isinstance(each, str)]
    if texts and parts:
        return BadRequest("Invalid 'input': expected an array of strings or an array of objects, got both.", "input")
    return texts or [parts]


def _result(flagged: set[str], kinds: set[str]) -> Json:
    return {
        "flagged": bool(flagged),
        "categories": {name: name in flagged for name in CATEGORIES},
        "category_scores": {name: _SCORES[name in flagged] for name in CATEGORIES},
        "category_applied_input_types": {
            name: [kind for kind in takes if kind in kinds] for name, takes in CATEGORIES.items()
        },
    }


ENDPOINTS: Final[tuple[Endpoint, ...]] = (Moderations(),)
