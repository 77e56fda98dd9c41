"""Responses that clients come back to: ``/v1/responses/{id}`` and what hangs below it, and counting tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from llmposter.model import BadRequest, Delta, Ended, Response, Route, Started, ToolCall
from llmposter.wire import openai_item_ids as ids
from llmposter.wire import sse
from llmposter.wire.openai_responses_echo import asked
from llmposter.wire.openai_responses_events import spoken
from llmposter.wire.openai_responses_output import Output
from llmposter.wire.openai_responses_read import read
from llmposter.wire.openai_stored_items import answered, given, missing, page, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llmposter.model import Desk, Endpoint, Json, Kept, Piece, Reply, Request

    Do: TypeAlias = Callable[[Request, Kept, Reply, Desk], Response | BadRequest]

_PROVIDER: Final = "responses"


class Stored:
    """One thing to do with a response that is held."""

    provider = _PROVIDER

    def __init__(self, method: str, path: str, do: Do) -> None:
        self.routes: tuple[Route, ...] = (Route(method, path),)
        self._do = do

    def answer(self, request: Request, desk: Desk) -> Response | BadRequest:
        id_ = request.path.split("/")[3]
        kept = desk.kept(id_.removeprefix(ids.RESPONSE))
        if kept is None or kept.reply is None:
            return missing(f"Response with id '{id_}' not found.", desk)
        return self._do(request, kept, kept.reply, desk)


def _retrieve(request: Request, kept: Kept, reply: Reply, desk: Desk) -> Response | BadRequest:  # noqa: ARG001
    output = Output(asked(kept.turn), reply)
    if request.query.get("stream") != "true":
        return Response(200, (("content-type", "application/json"),), output.whole())
    after = request.query.get("starting_after", "-1")
    if not after.removeprefix("-").isdecimal() or len(after) > 9:
        return BadRequest("Invalid type for 'starting_after': expected an integer.", "starting_after", "invalid_type")
    frames = list(spoken(output, _pieces(reply)))[max(0, int(after) + 1) :]
    return Response(200, sse.HEADERS, b"".join([frame.data for frame in frames]))


def _pieces(reply: Reply) -> Iterator[Piece]:
    for n, part in enumerate(reply.parts):
        yield Started(n, part)
        if text := part.arguments if isinstance(part, ToolCall) else part.text:
            yield Delta(n, part, text)
        yield Ended(n, part)


def _delete(request: Request, kept: Kept, reply: Reply, desk: Desk) -> Response:  # noqa: ARG001
    desk.forget(reply.id)
    return told({"id": f"{ids.RESPONSE}{reply.id}", "object": "response", "deleted": True})


def _cancel(request: Request, kept: Kept, reply: Reply, desk: Desk) -> BadRequest:  # noqa: ARG001
    # What is held is answered already, also what was to run in the background.
    kind = "completed" if asked(kept.turn).body.background else "synchronous"
    return BadRequest(f"Cannot cancel a {kind} response.")


def _input_items(request: Request, kept: Kept, reply: Reply, desk: Desk) -> Response | BadRequest:
    return page([*_before(kept, reply, desk), *given(kept, desk, reply.id)], request.query, desk)


def _before(kept: Kept, reply: Reply, desk: Desk) -> list[Json]:
    """The items of the history that a response went on from, as far as they are held."""
    chain: list[Kept] = []
    if kept.turn.thread and not kept.turn.previous and (thread := desk.thread(kept.turn.thread)) is not None:
        held = [each.reply.id if each.reply else "" for each in thread.kept]
        chain = list(thread.kept[: held.index(reply.id)] if reply.id in held else ())
    while (before := desk.kept(kept.turn.previous) if kept.turn.previous else None) is not None:
        chain.insert(0, before)
        kept = before
    return [item for n, each in enumerate(chain) for item in (*given(each, desk, _seed(each, n)), *answered(each))]


def _seed(kept: Kept, place: int) -> str:
    return kept.reply.id if kept.reply is not None else f"{kept.turn.thread} {place}"


class Counted:
    """How many tokens a request would have, without an answer."""

    provider = _PROVIDER
    routes: tuple[Route, ...] = (Route("POST", "/v1/responses/input_tokens"),)

    def answer(self, request: Request, desk: Desk) -> Response | BadRequest:
        turn = read(_PROVIDER, request, bare=True)
        if isinstance(turn, BadRequest):
            return turn
        return told({"object": "response.input_tokens", "input_tokens": desk.tokens(turn)})


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Counted(),
    Stored("GET", "/v1/responses/{id}", _retrieve),
    Stored("DELETE", "/v1/responses/{id}", _delete),
    Stored("POST", "/v1/responses/{id}/cancel", _cancel),
    Stored("GET", "/v1/responses/{id}/input_items", _input_items),
)
