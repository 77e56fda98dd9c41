"""Anthropic Messages as the official `anthropic` SDK sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, get_args

import anthropic
import httpx2
from anthropic._streaming import SSEDecoder
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, MessageParam, RawMessageStreamEvent, StopReason
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from anthropic.types.shared import ErrorResponse
from anthropic.types.shared.error_object import ErrorObject
from judging import NO_TLS, TOOLS, Called, Heard, Judge, Parsed, Used, strictly
from pydantic import BaseModel

from llmposter.model import Refusal, Reply, Text, Thinking, ToolCall
from llmposter.wire.finishes import meaning

DECLARED = [{"name": name, "input_schema": parameters} for name, parameters in TOOLS.items()]
# The API reference has errors for a 409 and a 413 beside those that the SDK has models for, and authors have their own.
KNOWN = {get_args(model.model_fields["type"].annotation)[0] for model in get_args(get_args(ErrorObject)[0])}
ASK: dict[str, Any] = {"model": "claude-sonnet-5", "max_tokens": 1024}
DETAILS = ("details",)
"""Of an error: no model has it, and the SDK reads the cause there (`anthropic._exceptions.extract_error_code`)."""


class Ping(BaseModel):
    """The SDK has no model for it, and leaves it out."""

    type: str


class Joined:
    """The events put together by the SDK's own accumulation, and the inputs as they came."""

    def __init__(self) -> None:
        self.message: Any = None
        self.inputs: dict[int, str] = {}
        self._buffers: dict[int, bytes] = {}

    def take(self, event: Any) -> None:
        # Of an input that is no JSON the accumulation raises; the events show it all the same.
        with suppress(ValueError):
            self.message = accumulate_event(
                event=event, current_snapshot=self.message, json_bufs=self._buffers, output_format=anthropic.NOT_GIVEN
            )
        if event.type == "content_block_delta" and event.delta.type == "input_json_delta":
            self.inputs[event.index] = self.inputs.get(event.index, "") + event.delta.partial_json


class AnthropicAgent:
    def __init__(self, url: str, *, stream: bool, retries: int, system: str) -> None:
        self.client = anthropic.Anthropic(
            base_url=url, api_key="any", max_retries=retries, http_client=anthropic.DefaultHttpxClient(verify=NO_TLS)
        )
        self.stream = stream
        self.ask = {**ASK, "system": system} if system else ASK
        self.messages: list[Any] = []
        self.calls: tuple[Iterable[Called], Iterable[Any]] = (), ()

    def say(self, text: str) -> Heard:
        return self._ask({"role": "user", "content": text})

    def result(self, *results: tuple[Called, str]) -> Heard:
        sent = {call.id: block.id for call, block in zip(*self.calls, strict=True)}
        blocks = [{"type": "tool_result", "tool_use_id": sent[call.id], "content": text} for call, text in results]
        return self._ask({"role": "user", "content": blocks})

    def again(self) -> Heard:
        while self.messages[-1]["role"] == "assistant":
            self.messages.pop()
        return self._ask()

    def parsed(self, text: str, kind: type[Parsed]) -> Parsed:
        self.messages.append({"role": "user", "content": text})
        asked = {**self.ask, "messages": self.messages, "output_format": kind}
        if self.stream:
            with self.client.messages.stream(**asked) as stream:
                message = stream.get_final_message()
        else:
            message = self.client.messages.parse(**asked)
        self.messages.append(message.to_param())
        return message.parsed_output

    def close(self) -> None:
        self.client.close()

    def _ask(self, *messages: Mapping[str, Any]) -> Heard:
        self.messages += messages
        asked: dict[str, Any] = {**self.ask, "messages": self.messages, "tools": DECLARED}
        if self.stream:
            joined = Joined()
            for event in self.client.messages.create(**asked, stream=True):
                joined.take(event)
            found, inputs = joined.message, joined.inputs
        else:
            found, inputs = self.client.messages.create(**asked), {}
        said = heard(found, inputs)
        self.calls = said.calls, [block for block in found.content if block.type == "tool_use"]
        self.messages.append(kept(found, inputs).to_param())
        return said


def heard(message: Any, inputs: Mapping[int, str] = {}) -> Heard:
    details = message.stop_details
    refusal = details.explanation if details else None
    usage = message.usage
    texts = [block.text for block in message.content if block.type == "text"]
    return Heard(
        texts=tuple(texts[: _refused(texts, refusal)]),
        thinking="".join(block.thinking for block in message.content if block.type == "thinking"),
        calls=tuple(called(message, inputs)),
        refusal=refusal,
        finish=meaning(message.stop_reason) or message.stop_reason,
        raw=message.stop_reason,
        used=Used(
            usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens,
            usage.output_tokens,
            usage.cache_read_input_tokens,
            usage.output_tokens_details.thinking_tokens,
        ),
    )


def _refused(texts: list[str], refusal: str | None) -> int:
    """Where the texts begin that say again what the refusal explains."""
    return next((n for n in range(len(texts)) if "\n".join(texts[n:]) == refusal), len(texts))


def called(message: Any, inputs: Mapping[int, str]) -> Iterator[Called]:
    for index, block in enumerate(message.content):
        if block.type == "tool_use":
            # The server's own ids have Anthropic's prefix here, and end alike everywhere (docs/providers/anthropic.md).
            id_ = re.sub(r"toolu_(?:01)?([0-9a-f]{24})", r"call_\1", block.id)
            yield Called(id_, block.name, inputs.get(index) or _text(block.input))


def _text(given: Mapping[str, Any]) -> str:
    # As Anthropic's guide has clients keep an input that is no JSON object.
    return given.get("INVALID_JSON") or json.dumps(given, separators=(",", ":"), ensure_ascii=False)


def kept(message: Any, inputs: Mapping[int, str]) -> Any:
    """The message as it goes into a history: an input that is no JSON object wrapped, as Anthropic's guide has it."""
    for index, text in inputs.items():
        try:
            whole = isinstance(json.loads(text or "{}"), dict)
        except ValueError:
            whole = False
        if not whole:
            message.content[index].input = {"INVALID_JSON": text}
    return message


def events(body: bytes) -> Iterator[Any]:
    """Each event, strictly validated, under its own name."""
    for event in SSEDecoder().iter_bytes(iter([body])):
        found = strictly(Ping if event.event == "ping" else RawMessageStreamEvent, event.data)
        assert event.event == found.type
        yield found


def joined(found: Iterable[Any]) -> Joined:
    """The order of events is that of the API, and the SDK makes a message of them."""
    together = Joined()
    order = []
    for event in found:
        order.append(event.type)
        if event.type != "ping":
            together.take(event)
    assert ["message_start", "message_delta", "message_stop"] == [order[0], *order[-2:]]
    assert 1 == order.count("ping")
    return together


@cache
def _client() -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="any")


class AnthropicJudge(Judge):
    wire = "anthropic"
    body, history = MessageCreateParamsNonStreaming, ("messages", MessageParam)
    words = get_args(StopReason)
    # A spent balance is a 400, which no SDK sends again.
    retried = ("rate_limited", "server_error", "overloaded", "timeout")

    def request(self, *, stream: bool) -> tuple[str, dict[str, str], bytes]:
        body = {**ASK, "messages": [{"role": "user", "content": "hi"}], "tools": DECLARED}
        headers = {"content-type": "application/json", "x-api-key": "any", "anthropic-version": "2023-06-01"}
        return "/v1/messages", headers, json.dumps({**body, **({"stream": True} if stream else {})}).encode()

    def whole(self, body: bytes) -> Heard:
        return heard(strictly(Message, body))

    def streamed(self, body: bytes) -> Heard:
        found = joined(events(body))
        return heard(found.message, found.inputs)

    def failed(self, status: int, headers: Mapping[str, str], body: bytes) -> str:
        error = json.loads(body)
        if error["error"]["type"] in KNOWN:
            strictly(ErrorResponse, body, DETAILS)
        answer = httpx2.Response(
            status, headers=dict(headers), content=body, request=httpx2.Request("POST", "http://x")
        )
        raised = _client()._make_status_error_from_response(answer)
        assert (error["request_id"], error["error"]["type"]) == (raised.request_id, raised.type)
        return type(raised).__name__

    def agent(self, url: str, *, stream: bool, retries: int = 2, system: str = "") -> AnthropicAgent:
        return AnthropicAgent(url, stream=stream, retries=retries, system=system)

    def within(self, said: Heard) -> Heard:
        """A refusal is a reason to stop of its own; an input is an object."""
        calls = tuple(call._replace(arguments=call.arguments or "{}") for call in said.calls)
        return said._replace(calls=calls, finish="content_filter" if said.refusal is not None else said.finish)

    def takes_back(self, reply: Reply) -> bool:
        """No message without content, and no text of white space alone."""
        texts = [part.text for part in reply.parts if isinstance(part, Text | Refusal) and part.text]
        others = any(isinstance(part, Thinking | ToolCall) for part in reply.parts)
        return all(map(str.strip, texts)) and bool(texts or others)


JUDGE = AnthropicJudge()
