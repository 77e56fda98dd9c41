"""A request to OpenAI Chat Completions, read into a `Turn`: any bytes give one or a `BadRequest`."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final, assert_never, cast

import msgspec

from llmposter.model import BadRequest, Message, Tool, ToolResult, ToolUse, Turn
from llmposter.wire import openai_chat_body as sent
from llmposter.wire.headers import retries
from llmposter.wire.memo import Memo
from llmposter.wire.openai_wording import NO_MODEL, NOT_JSON, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.model import Json, Request

_DECODER: Final = msgspec.json.Decoder(sent.Body)
_ENVELOPE: Final = msgspec.json.Decoder(sent.Envelope)
_MESSAGE: Final = msgspec.json.Decoder(sent.Message)
_ROLE: Final = b'"role"'
"""Stands in every message that is spelt as clients spell it: how often it does tells the cheaper way, nothing more."""
_SUPPORTED: Final = {
    "role": ("system", "assistant", "user", "function", "tool", "developer"),
    "type": ("text", "image_url", "input_audio", "refusal", "file"),
}
_TOOL_TYPES: Final = {"type": ("function", "custom")}
_OF_A_TOOL: Final = re.compile(r" - at `\$\.(?:tools\[\d+\]|messages\[\d+\]\.tool_calls\[\d+\])\.type`\Z")


def read(provider: str, request: Request) -> Turn | BadRequest:
    """The request in our words; any bytes give one or the other."""
    data = request.body
    body: sent.Body | sent.Envelope
    try:
        # As text where it may not be: the decoder leaves bytes alone that no field wants, and OpenAI does not.
        text = data if data.isascii() else data.decode("utf-8")
        if data.find(_ROLE, data.find(_ROLE) + 1) >= 0:
            body = _ENVELOPE.decode(text)
            heard = _MEMO.all(list(map(bytes, body.messages)))
        else:
            # A history that just begins has no message that came before.
            body = _DECODER.decode(text)
            heard = list(map(_heard, body.messages))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _refused(data)
    return _turn(provider, request, body, heard) if body.model else NO_MODEL


def _refused(data: bytes) -> BadRequest:
    """What is wrong with a body, its place told from the top."""
    try:
        _DECODER.decode(data.decode("utf-8"))
    except msgspec.ValidationError as error:
        told = str(error)
        return refusal(told, _TOOL_TYPES if _OF_A_TOOL.search(told) else _SUPPORTED, data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return NOT_JSON


def _heard(message: sent.Message) -> Message | sent.Heard:
    if type(message) is sent.User:
        return _of_user(message.content)
    match message:
        case sent.Assistant():
            said = _of_assistant(message)
            if message.says_anything and message.tool_calls != []:
                return said
            return sent.Heard(None, said, not message.says_anything, message.tool_calls == [])
        case sent.System(content=content) | sent.Developer(content=content):
            return sent.Heard(system=_text(content))
        case sent.ToolAnswer(content=content, tool_call_id=id_):
            return sent.Heard(None, Message("tool", results=(ToolResult(id_, _text(content)),)))
        case sent.FunctionAnswer(name=name, content=content):
            return sent.Heard(None, Message("tool", results=(ToolResult("", content or "", tool=name),)))
        case sent.User(content=content):
            return _of_user(content)
        case _:
            assert_never(message)


_MEMO: Final = Memo(lambda raw: _heard(_MESSAGE.decode(raw)))
"""Of messages in histories: each comes again with every request that goes on from there."""


def _turn(provider: str, request: Request, body: sent.Body | sent.Envelope, heard: list[Message | sent.Heard]) -> Turn:
    system, messages, odd = "", cast("Iterable[Message]", heard), sent.Heard in map(type, heard)
    if odd:
        system, messages = _sorted(heard)
    bare = _is_bare(body)
    return Turn(
        provider,
        request,
        body.model,
        bool(body.stream),
        system,
        tuple(messages),
        () if bare else tuple(_tools(body)),
        {} if bare else _params(body),
        body.metadata or {},
        retries(request),
        () if bare and not odd else tuple(_breaches(body, heard)),
        _PLAIN if bare else _asked(body),
    )


def _sorted(heard: list[Message | sent.Heard]) -> tuple[str, Iterable[Message]]:
    """The system's words, and the messages of the others."""
    told: list[str] = []
    messages: list[Message] = []
    for each in heard:
        if isinstance(each, Message):
            messages.append(each)
        elif each.message is not None:
            messages.append(each.message)
        else:
            told.append(each.system or "")
    return "\n".join(told), _joined(messages)


_NOTHING: Final = (None,) * 15


def _is_bare(body: sent.Options) -> bool:
    """Whether nothing is said but who asks whom for what, and whether as a stream."""
    said = (
        body.stream_options, body.tools, body.functions, body.tool_choice, body.function_call, body.temperature,
        body.top_p, body.max_tokens, body.max_completion_tokens, body.stop, body.seed, body.n, body.reasoning_effort,
        body.response_format, body.service_tier,
    )  # fmt: skip
    return said == _NOTHING


def _of_user(content: str | list[sent.UserPart]) -> Message:
    if isinstance(content, str):
        return Message("user", content)
    images, files = _attached(content)
    return Message("user", _text(content), images=images, files=files)


def _of_assistant(message: sent.Assistant) -> Message:
    said = (_text(message.content), message.refusal)
    thought = message.reasoning_content
    return Message(
        "assistant",
        "\n".join([text for text in said if text]),
        calls=tuple(_calls(message)) if message.tool_calls or message.function_call else (),
        thinking=thought if isinstance(thought, str) else "",
    )


def _joined(messages: list[Message]) -> Iterable[Message]:
    """The messages with results that follow each other made one."""
    before = ""
    for message in messages:
        if message.role == "tool" == before:
            return _grouped(messages)
        before = message.role
    return messages


def _grouped(messages: list[Message]) -> Iterator[Message]:
    for is_tool, group in groupby(messages, key=lambda message: message.role == "tool"):
        if is_tool:
            yield Message("tool", results=tuple(result for message in group for result in message.results))
        else:
            yield from group


def _text(content: str | Iterable[sent.Part] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    spoken = (
        p.text if isinstance(p, sent.TextPart) else p.refusal
        for p in content
        if isinstance(p, sent.TextPart | sent.RefusalPart)
    )
    return "\n".join(spoken)


def _attached(content: list[sent.UserPart]) -> tuple[int, int]:
    """How many images, and how many files and recordings."""
    images = sum(isinstance(part, sent.ImagePart) for part in content)
    return images, sum(isinstance(part, sent.FilePart | sent.AudioPart) for part in content)


def _calls(message: sent.Assistant) -> Iterator[ToolUse]:
    for call in message.tool_calls or ():
        match call:
            case sent.FunctionCall(id=id_, function=function):
                yield ToolUse(id_, function.name, function.arguments)
            case sent.CustomCall(id=id_, custom=custom):
                yield ToolUse(id_, custom.name, custom.input)
    if message.function_call is not None:
        # The old form has no ids: call and result find each other by being neighbours.
        yield ToolUse("", message.function_call.name, message.function_call.arguments)


def _tools(body: sent.Options) -> Iterator[Tool]:
    for tool in body.tools or ():
        match tool:
            case sent.FunctionTool(function=named):
                yield Tool(named.name, named.parameters)
            case sent.CustomTool(custom=named):
                yield Tool(named.name)
    for named in body.functions or ():
        yield Tool(named.name, named.parameters)


def _params(body: sent.Options) -> dict[str, Json]:
    params = {
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
    return {name: value for name, value in params.items() if value is not None}


_PLAIN: Final = sent.Asked()


def _asked(body: sent.Options) -> sent.Asked:
    if not (body.tools or body.functions or body.n or body.stream_options or body.service_tier):
        return _PLAIN
    return sent.Asked(
        custom=frozenset(tool.custom.name for tool in body.tools or () if isinstance(tool, sent.CustomTool)),
        legacy=bool(body.functions) and not body.tools,
        choices=body.n or 1,
        usage=bool(body.stream_options and body.stream_options.include_usage),
        tier=body.service_tier or "",
    )


_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _breaches(body: sent.Options, heard: list[Message | sent.Heard]) -> Iterator[str]:
    """What OpenAI refuses with a 400 although the body can be read."""
    if body.stream_options is not None and not body.stream:
        yield "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    if body.max_tokens is not None and body.max_completion_tokens is not None:
        yield "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
    if body.tool_choice is not None and not body.tools:
        yield "'tool_choice' is only allowed when 'tools' are specified."
    for where in _empty(body, heard):
        yield f"Invalid '{where}': empty array. Expected an array with minimum length 1."
    for n in [n for n, each in enumerate(heard) if isinstance(each, sent.Heard) and each.mute]:
        yield f"Invalid value for 'messages[{n}].content': expected a string, got null."
    for where, name in _declared(body) if body.tools or body.functions else ():
        if not _TOOL_NAME.fullmatch(name):
            yield f"Invalid '{where}.name': '{name}' does not match the pattern '^[a-zA-Z0-9_-]{{1,64}}$'."
    if body.response_format and body.response_format.get("type") == "json_object" and not _mentions_json(heard):
        yield "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
    if isinstance(body.stop, list) and len(body.stop) > 4:
        yield f"Invalid 'stop': array too long. Expected an array with maximum length 4, but got {len(body.stop)}."


def _empty(body: sent.Options, heard: list[Message | sent.Heard]) -> list[str]:
    lists = (("tools", body.tools), ("functions", body.functions))
    found = [name for name, given in lists if given is not None and not given]
    return found + [
        f"messages[{n}].tool_calls" for n, each in enumerate(heard) if isinstance(each, sent.Heard) and each.uncalled
    ]


def _mentions_json(heard: list[Message | sent.Heard]) -> bool:
    system, messages = _sorted(heard)
    said = [system, *(text for m in messages for text in (m.text, *(result.text for result in m.results)))]
    return any("json" in text.lower() for text in said)


def _declared(body: sent.Options) -> Iterator[tuple[str, str]]:
    for n, tool in enumerate(body.tools or ()):
        match tool:
            case sent.FunctionTool(function=named):
                yield f"tools[{n}].function", named.name
            case sent.CustomTool(custom=named):
                yield f"tools[{n}].custom", named.name
    for n, named in enumerate(body.functions or ()):
        yield f"functions[{n}]", named.name
