"""A request to OpenAI Responses, read into a `Turn`: any bytes give one or a `BadRequest`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from llmposter.model import BadRequest, Message, Struct, Tool, Turn
from llmposter.wire import openai_item_ids as ids
from llmposter.wire import openai_responses_body as sent
from llmposter.wire import openai_responses_items as items
from llmposter.wire.headers import retries
from llmposter.wire.memo import Memo
from llmposter.wire.openai_responses_echo import NO_TOOLS, Asked, Declared
from llmposter.wire.openai_wording import NOT_JSON, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.model import Json, Request

_BODY: Final = msgspec.json.Decoder(sent.Body)
_TOOLS: Final = msgspec.json.Decoder(list[msgspec.Raw] | None)
_PROBE: Final = msgspec.json.Decoder(sent.Probe)
_FUNCTION: Final = msgspec.json.Decoder(sent.Function)
_CUSTOM: Final = msgspec.json.Decoder(sent.Custom)
_SUPPORTED: Final = {
    "role": ("assistant", "system", "developer", "user"),
    "type": (
        "input_text", "input_image", "output_text", "refusal", "input_file", "computer_screenshot", "summary_text",
    ),
}  # fmt: skip
NO_MODEL: Final = BadRequest("Missing required parameter: 'model'.", "model", "missing_required_parameter")
NO_INPUT: Final = BadRequest(
    "One of 'input' or 'previous_response_id' or 'prompt' or 'conversation' must be provided.",
    "input",
    "missing_required_parameter",
)


def read(provider: str, request: Request, *, bare: bool = False) -> Turn | BadRequest:
    """The request in our words; any bytes give one or the other. *bare*: a model and an input may be missing."""
    data = request.body
    try:
        # As text where it may not be: the decoder leaves bytes alone that no field wants, and OpenAI does not.
        body = _BODY.decode(data if data.isascii() else data.decode("utf-8"))
    except msgspec.ValidationError as error:
        return worded(str(error), data=data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NOT_JSON
    if not bare and not body.model and body.prompt is None:
        return NO_MODEL
    going_on = body.previous_response_id or body.conversation is not None or body.prompt is not None
    if not bare and body.input is None and not going_on:
        return NO_INPUT
    heard = _heard(body.input)
    if isinstance(heard, BadRequest):
        return heard
    declared = _declared(body.tools)
    if isinstance(declared, BadRequest):
        return declared
    return _turn(provider, request, body, heard, declared)


def _heard(given: str | list[msgspec.Raw] | None) -> list[items.Heard] | BadRequest:
    if given is None or isinstance(given, str):
        return [] if given is None else [items.Heard("user", Message("user", given), plain=True)]
    if len(given) > 1:
        try:
            return items.known(list(map(bytes, given)))
        except (msgspec.MsgspecError, RecursionError):
            pass  # which of them it was, and where, is told below
    heard: list[items.Heard] = []
    try:
        for raw in given:
            heard.append(items.read(bytes(raw)))  # noqa: PERF401 - how many were read tells where it went wrong
    except msgspec.ValidationError as error:
        return worded(str(error), f"input[{len(heard)}]")
    except (msgspec.DecodeError, RecursionError):
        return NOT_JSON
    return heard


_AT: Final = re.compile(r" - at `\$\.?([^`]*)`\Z")


def worded(told: str, within: str = "", data: bytes = b"") -> BadRequest:
    """A decoder's message in OpenAI's words, its place told from the top."""
    if within:
        place = _AT.search(told)
        path, told = (place[1], told[: place.start()]) if place else ("", told)
        told = f"{told} - at `$.{within}{'' if path.startswith('[') or not path else '.'}{path}`"
    return refusal(told, _SUPPORTED, data)


# --- tools ------------------------------------------------------------------------------------------------------


def _declared(raw: msgspec.Raw) -> Declared | BadRequest:
    return _MEMO.get(bytes(raw)) if raw else NO_TOOLS


def _read_tools(raw: bytes) -> Declared | BadRequest:
    """The tools of a request, as it has them and as its answer repeats them."""
    read: list[_Declaration] = []
    place = "tools"
    try:
        for each in _TOOLS.decode(raw) or ():
            place = f"tools[{len(read)}]"
            read.append(_tool(bytes(each)))
    except msgspec.ValidationError as error:
        return worded(str(error), place)
    except (msgspec.DecodeError, RecursionError):
        return NOT_JSON
    return Declared(
        msgspec.Raw(b"[%b]" % b",".join([each.echoed for each in read])),
        tuple([each.tool for each in read if each.tool is not None]),
        frozenset([each.tool.name for each in read if each.tool is not None and each.custom]),
        tuple([f"Invalid 'tools[{n}]{each.wrong}" for n, each in enumerate(read) if each.wrong]),
    )


class _Declaration(Struct, frozen=True):
    """One tool; `wrong` is what OpenAI refuses of it."""

    echoed: bytes
    tool: Tool | None = None
    custom: bool = False
    wrong: str = ""


def _tool(raw: bytes) -> _Declaration:
    match _PROBE.decode(raw).type:
        case None:
            raise msgspec.ValidationError("Object missing required field `type`")
        case "function":
            function = _FUNCTION.decode(raw)
            # A function is strict unless the request says otherwise.
            filled = {"description": None, "parameters": None, "strict": True, **msgspec.json.decode(raw)}
            tool = Tool(function.name, function.parameters)
            return _Declaration(msgspec.json.encode(filled), tool, wrong=_misnamed(tool))
        case "custom":
            tool = Tool(_CUSTOM.decode(raw).name)
            return _Declaration(raw, tool, custom=True, wrong=_misnamed(tool))
        case kind:
            return _Declaration(raw, wrong="" if kind in sent.HOSTED_TOOLS else _unknown(kind))


_MEMO: Final = Memo(_read_tools)
"""Of lists of tools: a client sends the same one with each of its requests."""
_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _misnamed(tool: Tool) -> str:
    if _TOOL_NAME.fullmatch(tool.name):
        return ""
    return ".name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]{1,64}$'."


def _unknown(kind: str) -> str:
    listed = ", ".join(f"'{each}'" for each in sorted((*sent.HOSTED_TOOLS, "function", "custom")))
    return f".type': '{kind}'. Supported values are: {listed}."


# --- the turn ---------------------------------------------------------------------------------------------------


def _turn(provider: str, request: Request, body: sent.Body, heard: list[items.Heard], declared: Declared) -> Turn:
    said = items.together(heard)
    thread = _conversation(body)
    return Turn(
        provider,
        request,
        body.model or "",
        bool(body.stream),
        f"{body.instructions}\n{said.carried}"
        if body.instructions and said.carried
        else body.instructions or said.carried,
        said.messages,
        declared.tools,
        _params(body),
        body.metadata or {},
        retries(request),
        (*_breaches(body, heard, declared), *said.breaches),
        Asked(body, declared, thread, body.input or ()),
        (body.previous_response_id or "").removeprefix(ids.RESPONSE),
        thread,
        body.store is not False,
        said.references,
        _lost(body, thread),
        said.carried,
        echoes=True,
    )


def _conversation(body: sent.Body) -> str:
    given = body.conversation
    return given.id if isinstance(given, sent.Conversation) else given or ""


def _lost(body: sent.Body, thread: str) -> BadRequest | None:
    """What OpenAI says where it does not know the history that the request goes on from."""
    if thread:
        return BadRequest(f"Conversation with id '{thread}' not found.", status=404)
    if given := body.previous_response_id:
        return BadRequest(
            f"Previous response with id '{given}' not found.", "previous_response_id", "previous_response_not_found"
        )
    return None


_NONE: Final = (None,) * 6


def _params(body: sent.Body) -> dict[str, Json]:
    given = (body.temperature, body.top_p, body.max_output_tokens, body.reasoning, body.text, body.tool_choice)
    if given == _NONE:
        return {}
    params = {
        "temperature": body.temperature,
        "top_p": body.top_p,
        "max_tokens": body.max_output_tokens,
        "reasoning": body.reasoning.effort if body.reasoning else None,
        "response_format": body.text.format if body.text else None,
        "tool_choice": body.tool_choice,
    }
    return {name: value for name, value in params.items() if value is not None}


# --- what OpenAI refuses with a 400 although the body can be read -----------------------------------------------


def _breaches(body: sent.Body, heard: list[items.Heard], declared: Declared) -> Iterator[str]:
    yield from declared.wrong
    if body.stream_options is not None and not body.stream:
        yield "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    if body.previous_response_id and body.conversation is not None:
        yield "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you only provide one."
    if body.background and body.store is False:
        yield "Background mode requires 'store' to be true."
    if isinstance(body.tool_choice, dict):
        yield from _chosen(body.tool_choice, declared)
    elif body.tool_choice == "required" and not body.tools:
        yield "Tool choice 'required' must be specified with 'tools' parameter."
    if body.input == [] and not (body.previous_response_id or body.conversation or body.prompt):
        yield "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead."
    if body.text and body.text.format and body.text.format.get("type") == "json_object":
        yield from _no_json(body, heard)


def _chosen(choice: dict[str, Json], declared: Declared) -> Iterator[str]:
    kind, name = choice.get("type"), choice.get("name")
    if kind in ("function", "custom") and name not in [tool.name for tool in declared.tools]:
        yield f"Tool choice '{kind}' not found in 'tools' parameter."


def _no_json(body: sent.Body, heard: list[items.Heard]) -> Iterator[str]:
    told = [body.instructions or "", *(item.system for item in heard)]
    told += [item.message.text for item in heard]
    if not any("json" in text.lower() for text in told):
        yield (
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
            "'json_object'."
        )
