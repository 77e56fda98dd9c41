"""Vertex AI's ``predict``, by which its older embedding models are asked: a vector for each instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from llmposter.model import BadRequest, Failure, Response, Route, Struct
from llmposter.wire.gemini_embeddings import Size, dimensions_of, told
from llmposter.wire.gemini_read import ACTIONS, decoded, path

if TYPE_CHECKING:
    from llmposter.beside import Desk, Endpoint
    from llmposter.model import Json, Request


class Instance(Struct, frozen=True):
    content: str


class Body(Struct, frozen=True):
    """What is read of a request."""

    instances: list[Instance] | None = None
    parameters: Size = Size()


_BODY: Final = msgspec.json.Decoder(Body)


class Predict:
    """The endpoint."""

    provider = "gemini"
    routes: tuple[Route, ...] = tuple(Route("POST", f"{path}:predict") for path in ACTIONS)

    def answer(self, request: Request, desk: Desk) -> Response | Failure | BadRequest:
        body = decoded(_BODY, request.body)
        if isinstance(body, BadRequest):
            return body
        if not body.instances:
            return BadRequest("* PredictRequest.instances: instances is not specified\n", "instances")
        model, asked = path(request)[0], body.parameters
        size = dimensions_of(model, asked.asked, "PredictRequest.parameters")
        if isinstance(size, BadRequest):
            return size
        predictions: list[Json] = []
        for instance in body.instances:
            vector = desk.vector(instance.content, model, size)
            if isinstance(vector, Failure):
                return vector
            statistics = {"truncated": False, "token_count": desk.estimate(instance.content)}
            predictions.append({"embeddings": {"values": vector, "statistics": statistics}})
        return told({"predictions": predictions})


ENDPOINTS: Final[tuple[Endpoint, ...]] = (Predict(),)
