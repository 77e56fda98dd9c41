"""Conversation objects, which hold a history for the Responses API: ``/v1/conversations`` and their items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from llmposter.beside import Kept, Thread
from llmposter.model import BadRequest, Response, Route, Struct, Turn
from llmposter.wire import openai_item_ids as ids
from llmposter.wire import openai_responses_items as read
from llmposter.wire.openai_responses_echo import Asked
from llmposter.wire.openai_responses_read import worded
from llmposter.wire.openai_stored_items import answered, given, listing, missing, page, told
from llmposter.wire.openai_wording import NOT_JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llmposter.beside import Desk, Endpoint
    from llmposter.model import Json, Request

_PROVIDER: Final = "responses"


class _Body(Struct, frozen=True):
    items: list[msgspec.Raw] | None = None
    metadata: dict[str, Any] | None = None


def _body(request: Request) -> _Body | BadRequest:
    data = request.body.strip() or b"{}"
    try:
        return msgspec.json.decode(data if data.isascii() else data.decode("utf-8"), type=_Body)
    except msgspec.ValidationError as error:
        return worded(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NOT_JSON


def _turn(request: Request, thread: str, items: Sequence[msgspec.Raw]) -> Turn | BadRequest:
    """What items say, as a request would have said it."""
    heard: list[read.Heard] = []
    try:
        for raw in items:
            heard.append(read.read(bytes(raw)))  # noqa: PERF401 - how many were read tells where it went wrong
    except msgspec.ValidationError as error:
        return worded(str(error), f"items[{len(heard)}]")
    except (msgspec.DecodeError, RecursionError):
        return NOT_JSON
    said = read.together(heard)
    return Turn(
        _PROVIDER,
        request,
        model="",
        stream=False,
        system=said.carried,
        messages=said.messages,
        extra=Asked(said=list(items)),
        thread=thread,
        references=said.references,
        carried=said.carried,
        echoes=True,
    )


def _shown(thread: Thread) -> Response:
    return told(_object(thread))


def _object(thread: Thread) -> Json:
    return {"id": thread.id, "object": "conversation", "created_at": thread.created, "metadata": thread.metadata}


def _items(thread: Thread, desk: Desk) -> list[Json]:
    """All items of a conversation, oldest first."""
    return [item for n, kept in enumerate(thread.kept) for item in (*_given(thread, kept, n, desk), *answered(kept))]


def _given(thread: Thread, kept: Kept, place: int, desk: Desk) -> list[Json]:
    return list(given(kept, desk, kept.reply.id if kept.reply is not None else f"{thread.id} {place}"))


class Made:
    """A new conversation object."""

    provider = _PROVIDER
    routes: tuple[Route, ...] = (Route("POST", "/v1/conversations"),)

    def answer(self, request: Request, desk: Desk) -> Response | BadRequest:
        body = _body(request)
        if isinstance(body, BadRequest):
            return body
        thread = Thread(f"{ids.CONVERSATION}{desk.fresh()}", int(desk.now()), body.metadata or {})
        turn = _turn(request, thread.id, body.items or [])
        if isinstance(turn, BadRequest):
            return turn
        desk.hold(thread)
        if body.items:
            desk.add(turn)
        return _shown(thread)


class Held:
    """One thing to do with a conversation object that is held."""

    provider = _PROVIDER

    def __init__(self, method: str, path: str, do: Callable[[Request, Thread, Desk], Response | BadRequest]) -> None:
        self.routes: tuple[Route, ...] = (Route(method, path),)
        self._do = do

    def answer(self, request: Request, desk: Desk) -> Response | BadRequest:
        id_ = request.path.split("/")[3]
        if (thread := desk.thread(id_)) is None:
            return missing(f"Conversation with id '{id_}' not found.", desk)
        return self._do(request, thread, desk)


def _retrieve(request: Request, thread: Thread, desk: Desk) -> Response:  # noqa: ARG001
    return _shown(thread)


def _update(request: Request, thread: Thread, desk: Desk) -> Response | BadRequest:
    body = _body(request)
    if isinstance(body, BadRequest):
        return body
    thread = replace(thread, metadata=body.metadata or {})
    desk.hold(thread)
    return _shown(thread)


def _delete(request: Request, thread: Thread, desk: Desk) -> Response:  # noqa: ARG001
    desk.close(thread.id)
    return told({"id": thread.id, "object": "conversation.deleted", "deleted": True})


def _list(request: Request, thread: Thread, desk: Desk) -> Response | BadRequest:
    return page(_items(thread, desk), request.query, desk)


def _add(request: Request, thread: Thread, desk: Desk) -> Response | BadRequest:
    body = _body(request)
    if isinstance(body, BadRequest):
        return body
    if body.items is None:
        return BadRequest("Missing required parameter: 'items'.", "items", "missing_required_parameter")
    turn = _turn(request, thread.id, body.items)
    if isinstance(turn, BadRequest):
        return turn
    desk.add(turn)
    return told(listing(_given(thread, Kept(turn, None), len(thread.kept), desk)))


def _item(request: Request, thread: Thread, desk: Desk) -> Response:
    id_ = request.path.split("/")[5]
    found = next((item for item in _items(thread, desk) if item["id"] == id_), None)
    return _no_item(id_, thread, desk) if found is None else told(found)


def _no_item(id_: str, thread: Thread, desk: Desk) -> Response:
    return missing(f"Item with id '{id_}' not found in conversation '{thread.id}'.", desk)


def _remove(request: Request, thread: Thread, desk: Desk) -> Response | BadRequest:
    """What is left is put in once more; its ids still name the answers that it came from."""
    id_, items = request.path.split("/")[5], _items(thread, desk)
    left = [item for item in items if item["id"] != id_]
    if len(left) == len(items):
        return _no_item(id_, thread, desk)
    turn = _turn(request, thread.id, [msgspec.Raw(msgspec.json.encode(item)) for item in left])
    if isinstance(turn, BadRequest):
        return turn
    desk.hold(replace(thread, kept=()))
    desk.add(turn)
    return _shown(thread)


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Made(),
    Held("GET", "/v1/conversations/{id}", _retrieve),
    Held("POST", "/v1/conversations/{id}", _update),
    Held("DELETE", "/v1/conversations/{id}", _delete),
    Held("GET", "/v1/conversations/{id}/items", _list),
    Held("POST", "/v1/conversations/{id}/items", _add),
    Held("GET", "/v1/conversations/{id}/items/{item}", _item),
    Held("DELETE", "/v1/conversations/{id}/items/{item}", _remove),
)
