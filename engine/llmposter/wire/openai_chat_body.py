"""The body of a request to OpenAI Chat Completions, typed as its reference has it, and read into a `Turn`.

What is not named here is accepted and kept in the request's bytes; what is named has the type that OpenAI wants.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import msgspec

from llmposter.model import BadRequest, Message, Struct, Tool, ToolResult, ToolUse, Turn
from llmposter.wire.openai_wording import NO_MODEL, NOT_JSON, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.model import Json, Request


# --- content ----------------------------------------------------------------------------------------------------


class _TextPart(Struct, frozen=True, tag_field="type", tag="text"):
    text: str


class _RefusalPart(Struct, frozen=True, tag_field="type", tag="refusal"):
    refusal: str


class _Url(Struct, frozen=True):
    url: str


class _ImagePart(Struct, frozen=True, tag_field="type", tag="image_url"):
    image_url: _Url


class _Audio(Struct, frozen=True):
    data: str
    format: str


class _AudioPart(Struct, frozen=True, tag_field="type", tag="input_audio"):
    input_audio: _Audio


class _FilePart(Struct, frozen=True, tag_field="type", tag="file"):
    file: dict[str, Any]


_UserPart: TypeAlias = _TextPart | _ImagePart | _AudioPart | _FilePart
_AssistantPart: TypeAlias = _TextPart | _RefusalPart
_Part: TypeAlias = _UserPart | _RefusalPart


# --- messages ---------------------------------------------------------------------------------------------------


class _Function(Struct, frozen=True):
    name: str
    arguments: str


class _FunctionCall(Struct, frozen=True, tag_field="type", tag="function"):
    id: str
    function: _Function


class _Custom(Struct, frozen=True):
    name: str
    input: str


class _CustomCall(Struct, frozen=True, tag_field="type", tag="custom"):
    id: str
    custom: _Custom


class _System(Struct, frozen=True, tag_field="role", tag="system"):
    content: str | list[_TextPart]


class _Developer(Struct, frozen=True, tag_field="role", tag="developer"):
    content: str | list[_TextPart]


class _User(Struct, frozen=True, tag_field="role", tag="user"):
    content: str | list[_UserPart]


class _Assistant(Struct, frozen=True, tag_field="role", tag="assistant"):
    content: str | list[_AssistantPart] | None = None
    refusal: str | None = None
    tool_calls: list[_FunctionCall | _CustomCall] | None = None
    function_call: _Function | None = None
    reasoning_content: Any = None


class _ToolAnswer(Struct, frozen=True, tag_field="role", tag="tool"):
    content: str | list[_TextPart]
    tool_call_id: str


class _FunctionAnswer(Struct, frozen=True, tag_field="role", tag="function"):
    name: str
    content: str | None


_Message: TypeAlias = _System | _Developer | _User | _Assistant | _ToolAnswer | _FunctionAnswer


# --- the body ---------------------------------------------------------------------------------------------------


_Positive: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]


class _Named(Struct, frozen=True):
    name: str
    parameters: dict[str, Any] | None = None


class _FunctionTool(Struct, frozen=True, tag_field="type", tag="function"):
    function: _Named


class _CustomTool(Struct, frozen=True, tag_field="type", tag="custom"):
    custom: _Named


class _StreamOptions(Struct, frozen=True):
    include_usage: bool | None = None


class _Body(Struct, frozen=True):
    model: str
    messages: Annotated[list[_Message], msgspec.Meta(min_length=1)]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    tools: list[_FunctionTool | _CustomTool] | None = None
    functions: list[_Named] | None = None
    tool_choice: str | dict[str, Any] | None = None
    function_call: str | dict[str, Any] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    max_tokens: _Positive | None = None
    max_completion_tokens: _Positive | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=128)] | None = None
    reasoning_effort: str | None = None
    response_format: dict[str, Any] | None = None
    service_tier: str | None = None
    metadata: dict[str, Any] | None = None


class Asked(Struct, frozen=True):
    """What the answer's form depends on.

    Attributes:
        custom: names of the custom tools. legacy: calls are spelt as `function_call`.
        choices: how many copies of the answer. usage: whether the stream ends with the token counts.
        tier: the service tier asked for, or "".
    """

    custom: frozenset[str] = frozenset()
    legacy: bool = False
    choices: int = 1
    usage: bool = False
    tier: str = ""


_DECODER: Final = msgspec.json.Decoder(_Body)
_SUPPORTED: Final = {
    "role": ("system", "assistant", "user", "function", "tool", "developer"),
    "type": ("text", "image_url", "input_audio", "refusal", "file"),
}
_TOOL_TYPES: Final = {"type": ("function", "custom")}
_OF_A_TOOL: Final = re.compile(r" - at `\$\.(?:tools\[\d+\]|messages\[\d+\]\.tool_calls\[\d+\])\.type`\Z")


def read(provider: str, request: Request) -> Turn | BadRequest:
    """The request in our words; any bytes give one or the other."""
    try:
        # As text first: the decoder leaves bytes alone that no field wants, and OpenAI does not.
        body = _DECODER.decode(request.body.decode("utf-8"))
    except msgspec.ValidationError as error:
        told = str(error)
        return refusal(told, _TOOL_TYPES if _OF_A_TOOL.search(told) else _SUPPORTED)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NOT_JSON
    return _turn(provider, request, body) if body.model else NO_MODEL


def _turn(provider: str, request: Request, body: _Body) -> Turn:
    system = [_text(m.content) for m in body.messages if isinstance(m, _System | _Developer)]
    return Turn(
        provider=provider,
        request=request,
        model=body.model,
        stream=bool(body.stream),
        system="\n".join(system),
        messages=tuple(_joined(_message(m) for m in body.messages if not isinstance(m, _System | _Developer))),
        tools=tuple(_tools(body)),
        params=_params(body),
        metadata=body.metadata or {},
        retry=_retry(request),
        breaches=tuple(_breaches(body)),
        extra=_asked(body),
    )


def _message(message: _User | _Assistant | _ToolAnswer | _FunctionAnswer) -> Message:
    match message:
        case _User(content=content):
            images, files = _attached(content)
            return Message("user", _text(content), images=images, files=files)
        case _Assistant():
            said = (_text(message.content), message.refusal)
            thought = message.reasoning_content
            return Message(
                "assistant",
                "\n".join(text for text in said if text),
                calls=tuple(_calls(message)),
                thinking=thought if isinstance(thought, str) else "",
            )
        case _ToolAnswer(content=content, tool_call_id=id_):
            return Message("tool", results=(ToolResult(id_, _text(content)),))
        case _FunctionAnswer(name=name, content=content):
            return Message("tool", results=(ToolResult("", content or "", tool=name),))


def _joined(messages: Iterable[Message]) -> Iterator[Message]:
    """The messages with results that follow each other made one."""
    results: tuple[ToolResult, ...] = ()
    for message in messages:
        if message.role == "tool":
            results += message.results
            continue
        if results:
            yield Message("tool", results=results)
            results = ()
        yield message
    if results:
        yield Message("tool", results=results)


def _text(content: str | Iterable[_Part] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    spoken = (
        p.text if isinstance(p, _TextPart) else p.refusal for p in content if isinstance(p, _TextPart | _RefusalPart)
    )
    return "\n".join(spoken)


def _attached(content: str | list[_UserPart]) -> tuple[int, int]:
    """How many images, and how many files and recordings."""
    if isinstance(content, str):
        return 0, 0
    images = sum(isinstance(part, _ImagePart) for part in content)
    return images, sum(isinstance(part, _FilePart | _AudioPart) for part in content)


def _calls(message: _Assistant) -> Iterator[ToolUse]:
    for call in message.tool_calls or ():
        match call:
            case _FunctionCall(id=id_, function=function):
                yield ToolUse(id_, function.name, function.arguments)
            case _CustomCall(id=id_, custom=custom):
                yield ToolUse(id_, custom.name, custom.input)
    if message.function_call is not None:
        # The old form has no ids: call and result find each other by being neighbours.
        yield ToolUse("", message.function_call.name, message.function_call.arguments)


def _tools(body: _Body) -> Iterator[Tool]:
    for tool in body.tools or ():
        match tool:
            case _FunctionTool(function=named):
                yield Tool(named.name, named.parameters)
            case _CustomTool(custom=named):
                yield Tool(named.name)
    for named in body.functions or ():
        yield Tool(named.name, named.parameters)


def _params(body: _Body) -> dict[str, Json]:
    sent = {
        "temperature": body.temperature,
        "top_p": body.top_p,
        "max_tokens": body.max_tokens if body.max_completion_tokens is None else body.max_completion_tokens,
        "stop": body.stop,
        "seed": body.seed,
        "n": body.n,
        "reasoning": body.reasoning_effort,
        "response_format": body.response_format,
        "tool_choice": body.function_call if body.tool_choice is None else body.tool_choice,
    }
    return {name: value for name, value in sent.items() if value is not None}


def _retry(request: Request) -> int | None:
    count = request.headers.get("x-stainless-retry-count", "")
    return int(count) if count.isascii() and count.isdigit() and len(count) < 10 else None


def _asked(body: _Body) -> Asked:
    return Asked(
        custom=frozenset(tool.custom.name for tool in body.tools or () if isinstance(tool, _CustomTool)),
        legacy=bool(body.functions) and not body.tools,
        choices=body.n or 1,
        usage=bool(body.stream_options and body.stream_options.include_usage),
        tier=body.service_tier or "",
    )


_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _breaches(body: _Body) -> Iterator[str]:
    """What OpenAI refuses with a 400 although the body can be read."""
    if body.stream_options is not None and not body.stream:
        yield "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    if body.max_tokens is not None and body.max_completion_tokens is not None:
        yield "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
    if body.tool_choice is not None and not body.tools:
        yield "'tool_choice' is only allowed when 'tools' are specified."
    for where, name in _declared(body):
        if not _TOOL_NAME.fullmatch(name):
            yield f"Invalid '{where}.name': '{name}' does not match the pattern '^[a-zA-Z0-9_-]{{1,64}}$'."
    if (body.response_format or {}).get("type") == "json_object" and not _mentions_json(body):
        yield "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
    if isinstance(body.stop, list) and len(body.stop) > 4:
        yield f"Invalid 'stop': array too long. Expected an array with maximum length 4, but got {len(body.stop)}."


def _mentions_json(body: _Body) -> bool:
    return any("json" in _text(message.content).lower() for message in body.messages)


def _declared(body: _Body) -> Iterator[tuple[str, str]]:
    for n, tool in enumerate(body.tools or ()):
        match tool:
            case _FunctionTool(function=named):
                yield f"tools[{n}].function", named.name
            case _CustomTool(custom=named):
                yield f"tools[{n}].custom", named.name
    for n, named in enumerate(body.functions or ()):
        yield f"functions[{n}]", named.name
