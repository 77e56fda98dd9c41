"""A request to Anthropic Messages, read into a `Turn`: any bytes give one or a `BadRequest`."""

from __future__ import annotations

from itertools import chain, groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final, cast

import msgspec

from llmposter.model import BadRequest, Failure, Message, Tool, Turn
from llmposter.wire import anthropic_body as sent
from llmposter.wire.anthropic_breaches import breaches
from llmposter.wire.anthropic_content import KNOWN, Unreadable, anything, decoded, read_message, text_of
from llmposter.wire.anthropic_ids import ANSWER
from llmposter.wire.anthropic_wording import not_json, refusal
from llmposter.wire.headers import retries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.model import Json, Request

_DECODER: Final = msgspec.json.Decoder(sent.Body)
_ENVELOPE: Final = msgspec.json.Decoder(sent.Envelope)
_ROLE: Final = b'"role"'


def read(provider: str, request: Request) -> Turn | BadRequest:
    """The request in our words; any bytes give one or the other."""
    data = request.body
    body: sent.Body | sent.Envelope
    try:
        # As text where it may not be: the decoder leaves bytes alone that no field wants, and Anthropic does not.
        text = data if data.isascii() else data.decode("utf-8")
        if data.find(_ROLE, data.find(_ROLE) + 1) >= 0:
            body = _ENVELOPE.decode(text)
            heard = KNOWN.all(list(map(bytes, body.messages)))
        else:
            # A history that just begins has no message that came before.
            body = _DECODER.decode(text)
            heard = list(map(read_message, body.messages))
    except (Unreadable, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _carefully(provider, request)
    return _checked(provider, request, body, heard)


def _carefully(provider: str, request: Request) -> Turn | BadRequest:
    """What `read` stumbled over, message by message: with a block that is not read, or what is wrong and where."""
    data = request.body
    heard: list[Message | sent.Heard] = []
    try:
        body = _ENVELOPE.decode(data.decode("utf-8"))
        for raw in body.messages:
            heard.append(read_message(decoded(bytes(raw))))  # noqa: PERF401 - how many were read is the place of the next
    except Unreadable as error:
        return refusal(error.told, error.data, ("messages", str(len(heard))))
    except msgspec.ValidationError as error:
        return refusal(str(error), anything(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return not_json(data, str(error))
    return _checked(provider, request, body, heard)


def _checked(
    provider: str, request: Request, body: sent.Options, heard: list[Message | sent.Heard]
) -> Turn | BadRequest:
    if not heard and not _previous(body):
        return BadRequest("messages: at least one message is required")
    return _turn(provider, request, body, heard)


def _turn(provider: str, request: Request, body: sent.Options, heard: list[Message | sent.Heard]) -> Turn:
    odd = [each for each in heard if type(each) is sent.Heard] if sent.Heard in map(type, heard) else []
    messages = tuple(_joined(heard)) if odd else cast("tuple[Message, ...]", tuple(heard))
    system = body.system if isinstance(body.system, str) and not odd else _system(body, odd)
    bare = bool(_OPTIONS(body) == _NOTHING)
    clean = bare and not odd and _is_clean(request, body, messages)
    previous = _previous(body)
    return Turn(
        provider,
        request,
        body.model,
        bool(body.stream),
        system,
        messages,
        () if bare else tuple([Tool(tool.name, tool.input_schema) for tool in body.tools or () if tool.name]),
        {"max_tokens": body.max_tokens} if clean else _params(body),
        body.metadata or {},
        retries(request),
        () if clean else tuple(breaches(request, body, heard, messages)),
        _PLAIN if bare else _asked(body),
        previous.removeprefix(ANSWER),
        keep=body.thread is not None,
        lost=_LOST if previous else None,
        carried="" if body.thread is None else system,
        inherits=bool(previous),
        echoes=body.thinking is not None and body.thinking.type != "disabled",
        continues=bool(messages) and messages[-1].role == "assistant" and not messages[-1].calls,
    )


def _is_clean(request: Request, body: sent.Options, messages: tuple[Message, ...]) -> bool:
    """Whether nothing can be wrong, where no option is set and each message is fine by itself."""
    return (
        messages[0].role == messages[-1].role == "user"
        and body.max_tokens is not None
        and not isinstance(body.system, list)
        and "anthropic-version" in request.headers
    )


_USUAL: Final = ("model", "max_tokens", "stream", "system", "top_k", "metadata")
_SAID: Final = tuple(name for name in sent.Options.__struct_fields__ if name not in _USUAL)
_OPTIONS: Final = attrgetter(*_SAID)
_NOTHING: Final = (None,) * len(_SAID)
_LOST: Final = Failure(
    "not_found", code="thread_not_found", message="No usable Thread state was found for `previous_message_id`."
)
"""The SDK sends the whole conversation when it hears this."""


def _previous(body: sent.Options) -> str:
    """The id of the answer from which a thread goes on, or ""."""
    return body.thread.previous_message_id if body.thread is not None and body.thread.type == "continue" else ""


def _system(body: sent.Options, odd: list[sent.Heard]) -> str:
    told = [] if body.system is None else [text_of(body.system)]
    return "\n".join(told + [each.system for each in odd if each.system is not None])


def _joined(heard: list[Message | sent.Heard]) -> Iterator[Message]:
    """All messages, those with results that follow each other made one."""
    said = chain.from_iterable([each.said if isinstance(each, sent.Heard) else (each,) for each in heard])
    for is_tool, group in groupby(said, key=lambda message: message.role == "tool"):
        if is_tool:
            first, *more = group
            results = [result for each in more for result in each.results]
            yield Message("tool", results=(*first.results, *results)) if results else first
        else:
            yield from group


def _params(body: sent.Options) -> dict[str, Json]:
    config = body.output_config or _NO_CONFIG
    thinking = None if body.thinking is None else msgspec.to_builtins(body.thinking)
    params = {
        "temperature": body.temperature,
        "top_p": body.top_p,
        "max_tokens": body.max_tokens,
        "stop": body.stop_sequences,
        "reasoning": thinking if config.effort is None else config.effort,
        "response_format": body.output_format if config.format is None else config.format,
        "tool_choice": None if body.tool_choice is None else msgspec.to_builtins(body.tool_choice),
    }
    return {name: value for name, value in params.items() if value is not None}


_NO_CONFIG: Final = sent.OutputConfig()
_PLAIN: Final = sent.Asked()


def _asked(body: sent.Options) -> sent.Asked:
    silent = body.thinking is not None and body.thinking.display == "omitted"
    stop = body.stop_sequences[0] if body.stop_sequences else None
    return sent.Asked(silent, stop) if silent or stop is not None else _PLAIN
