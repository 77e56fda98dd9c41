"""What no model can be asked, and models asked without their full name: a 404 in Gemini's form, with what is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.model import BadRequest, Route
from llmposter.wire.gemini_read import ACTIONS, VERSIONS

if TYPE_CHECKING:
    from llmposter.beside import Desk, Endpoint
    from llmposter.model import Request

_KNOWN: Final = ("generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents")


class Unknown:
    """The endpoint."""

    provider = "gemini"
    routes: tuple[Route, ...] = (
        *(Route("POST", f"{path}:{{action}}") for path in ACTIONS),
        *(Route("POST", path) for path in ACTIONS),
        *(Route("POST", f"/{version}/{{model}}:{{action}}") for version in VERSIONS),
    )

    def answer(self, request: Request, desk: Desk) -> BadRequest:  # noqa: ARG002 - the protocol's
        before, _, named = request.path.rpartition("/")
        model, _, action = named.rpartition(":")
        if action in _KNOWN:
            wrong = f"a model's name begins with models/, so that the path is {before}/models/{named}"
        else:
            asked = f'"{action}" is none of them' if model else "one of them follows the model's name and a colon"
            wrong = f"a model can be asked for {', '.join(_KNOWN)}; {asked}"
        return BadRequest(f"{request.path} is not found: {wrong}", status=404)


ENDPOINTS: Final[tuple[Endpoint, ...]] = (Unknown(),)
