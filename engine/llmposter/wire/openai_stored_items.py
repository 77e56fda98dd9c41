"""Items as OpenAI lists those it holds: in full, each with an id, whatever form they came in."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from llmposter.model import BadRequest, Response, Struct
from llmposter.wire import openai_errors
from llmposter.wire import openai_item_ids as ids
from llmposter.wire.headers import JSON
from llmposter.wire.openai_headers import of_server
from llmposter.wire.openai_responses_echo import asked
from llmposter.wire.openai_responses_output import Output
from llmposter.wire.openai_wording import refusal
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llmposter.beside import Desk, Kept
    from llmposter.model import Json

_PREFIXES: Final = {**ids.PREFIXES, "function_call_output": "fco", "custom_tool_call_output": "ctco"}
_STATUSES: Final = frozenset({
    "message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output",
})  # fmt: skip


def given(kept: Kept, desk: Desk, seed: str) -> Iterator[Json]:
    """What a request said itself; ids that it left out are made of *seed*."""
    said = asked(kept.turn).said
    items = [{"role": "user", "content": said}] if isinstance(said, str) else map(msgspec.json.decode, said)
    for n, item in enumerate(items):
        if (item.get("type") or ("message" if "role" in item else "item_reference")) == "item_reference":
            yield from _referred(item["id"], desk)
        else:
            yield listed(item, f"{seed} {n}")


def answered(kept: Kept) -> list[Json]:
    """The items of its answer."""
    if kept.reply is None:
        return []
    return [msgspec.json.decode(item.whole()) for item in Output(asked(kept.turn), kept.reply).items]


def _referred(id_: str, desk: Desk) -> Iterator[Json]:
    named = ids.opened(id_)
    kept = desk.kept(named.answer) if named is not None else None
    if kept is not None:
        yield from (item for item in answered(kept) if item["id"] == id_)


def listed(item: Mapping[str, Json], seed: str) -> Json:
    """An item in full."""
    kind = item.get("type") or "message"
    made = blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    full = {**item, "type": kind, "id": item.get("id") or f"{_PREFIXES.get(kind, 'item')}_{made}"}
    if kind in _STATUSES:
        full["status"] = item.get("status") or "completed"
    if kind == "message":
        full["content"] = _content(item["role"], item["content"])
    return full


def _content(role: str, content: str | list[Json]) -> list[Json]:
    kind = "output_text" if role == "assistant" else "input_text"
    parts = [{"type": kind, "text": content}] if isinstance(content, str) else content
    return [_part(part) for part in parts]


def _part(part: Json) -> Json:
    match part["type"]:
        case "output_text":
            return {"annotations": [], "logprobs": [], **part}
        case "input_image":
            return {"detail": "auto", "file_id": None, "image_url": None, **part}
        case _:
            return part


# --- answers ----------------------------------------------------------------------------------------------------


def told(value: Json) -> Response:
    """An answer in JSON."""
    body = encode(value)
    return Response(200, (("content-type", JSON), *of_server(body)), body)


def missing(message: str, desk: Desk) -> Response:
    """A 404 for an id that is not held: what the client asked can be read, and is answered."""
    return openai_errors.refused(BadRequest(message, status=404), desk.now())


class Query(Struct, frozen=True):
    """How to page through a list."""

    after: str | None = None
    order: str = "desc"
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


def page(items: list[Json], query: Mapping[str, str], desk: Desk) -> Response | BadRequest:
    """The part of a list that a request wants, the newest first unless it says otherwise."""
    try:
        wanted = msgspec.convert({**query}, Query, strict=False)
    except msgspec.ValidationError as error:
        return refusal(str(error), {})
    if wanted.order not in ("asc", "desc"):
        message = f"Invalid value: '{wanted.order}'. Supported values are: 'asc' and 'desc'."
        return BadRequest(message, "order", "invalid_value")
    found = items if wanted.order == "asc" else items[::-1]
    if wanted.after:
        place = next((n for n, item in enumerate(found) if item["id"] == wanted.after), None)
        if place is None:
            return missing(f"Item with id '{wanted.after}' not found.", desk)
        found = found[place + 1 :]
    return told(listing(found[: wanted.limit], more=len(found) > wanted.limit))


def listing(items: list[Json], *, more: bool = False) -> Json:
    """A list as OpenAI tells it."""
    first, last = (items[0]["id"], items[-1]["id"]) if items else ("", "")
    return {"object": "list", "data": items, "first_id": first, "last_id": last, "has_more": more}
