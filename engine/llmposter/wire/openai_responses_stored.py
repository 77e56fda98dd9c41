"""Responses that clients come back to, ``/v1/responses/{id}`` and below; counting tokens, and summing up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from llmposter.beside import Kept
from llmposter.model import BadRequest, Delta, Ended, Response, Route, Started, Tokens, ToolCall
from llmposter.wire import openai_item_ids as ids
from llmposter.wire import sse
from llmposter.wire.headers import JSON
from llmposter.wire.openai_headers import of_reply
from llmposter.wire.openai_responses_echo import asked
from llmposter.wire.openai_responses_events import spoken
from llmposter.wire.openai_responses_output import Output, usage_of
from llmposter.wire.openai_responses_read import read
from llmposter.wire.openai_stored_items import answered, given, missing, page, told
from llmposter.wire.seal import sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llmposter.beside import Desk, Endpoint
    from llmposter.model import Json, Piece, Reply, Request

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
        return Response(200, (("content-type", JSON), *of_reply(reply)), output.whole())
    after = request.query.get("starting_after", "-1")
    if not after.removeprefix("-").isdecimal() or len(after) > 9:
        return BadRequest("Invalid type for 'starting_after': expected an integer.", "starting_after", "invalid_type")
    frames = list(spoken(output, _pieces(reply)))[max(0, int(after) + 1) :]
    return Response(200, (*sse.HEADERS, *of_reply(reply)), b"".join([frame.data for frame in frames]))


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
    return page([*_before(kept, desk), *given(kept, desk, reply.id)], request.query, desk)


def _before(kept: Kept, desk: Desk) -> list[Json]:
    """The items of the history that a request went on from, as far as they are held."""
    chain: list[Kept] = []
    if kept.turn.thread and not kept.turn.previous and (thread := desk.thread(kept.turn.thread)) is not None:
        ids_ = [each.reply and each.reply.id for each in thread.kept]
        own = kept.reply and kept.reply.id
        chain = list(thread.kept[: ids_.index(own)] if own in ids_ else ())
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


class Compacted:
    """A history summed up: what the user said, and an item that stands for the rest and names the last answer."""

    provider = _PROVIDER
    routes: tuple[Route, ...] = (Route("POST", "/v1/responses/compact"),)

    def answer(self, request: Request, desk: Desk) -> Response | BadRequest:
        turn = read(_PROVIDER, request)
        if isinstance(turn, BadRequest):
            return turn
        kept, name = Kept(turn, None), desk.fresh()
        items = [*_before(kept, desk), *given(kept, desk, name)]
        last = next((message.answer for message in reversed(turn.messages) if message.answer), turn.previous)
        token = sealed(last, "")
        left = [item for item in items if item["type"] == "message" and item["role"] == "user"]
        return told(
            {
                "id": f"{ids.RESPONSE}{name}",
                "object": "response.compaction",
                "created_at": int(desk.now()),
                "output": [*left, {"id": f"cmp_{name}", "type": "compaction", "encrypted_content": token}],
                "usage": msgspec.Raw(usage_of(Tokens(desk.tokens(turn), desk.estimate(token)))),
            }
        )


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Counted(),
    Compacted(),
    Stored("GET", "/v1/responses/{id}", _retrieve),
    Stored("DELETE", "/v1/responses/{id}", _delete),
    Stored("POST", "/v1/responses/{id}/cancel", _cancel),
    Stored("GET", "/v1/responses/{id}/input_items", _input_items),
)
