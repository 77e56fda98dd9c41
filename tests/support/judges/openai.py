"""OpenAI Chat Completions as the official `openai` SDK sees it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, get_args

import httpx2
import openai
from judging import NO_TLS, TOOLS, Called, Heard, Judge, Parsed, Used, strictly
from openai._streaming import SSEDecoder
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessageParam
from openai.types.chat.chat_completion import Choice
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.shared import ErrorObject

from llmposter.wire.finishes import meaning

# Servers that speak this format send it, and clients read it (docs/providers/openai-chat.md).
KNOWN = ("reasoning_content",)
DECLARED = [
    {"type": "function", "function": {"name": name, "parameters": parameters}} for name, parameters in TOOLS.items()
]
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}


class OpenAIAgent:
    def __init__(self, url: str, *, stream: bool, retries: int, system: str) -> None:
        self.client = openai.OpenAI(
            base_url=f"{url}/v1",
            api_key="any",
            max_retries=retries,
            http_client=openai.DefaultHttpxClient(verify=NO_TLS),
        )
        self.stream = stream
        self.messages: list[Any] = [{"role": "system", "content": system}] if system else []

    def say(self, text: str) -> Heard:
        return self._ask({"role": "user", "content": text})

    def result(self, *results: tuple[Called, str]) -> Heard:
        return self._ask(
            *({"role": "tool", "tool_call_id": call.id, "content": content} for call, content in results),
        )

    def again(self) -> Heard:
        while getattr(self.messages[-1], "role", "") == "assistant":
            self.messages.pop()
        return self._ask()

    def parsed(self, text: str, kind: type[Parsed]) -> Parsed:
        self.messages.append({"role": "user", "content": text})
        asked = {"model": "gpt-4o", "messages": self.messages, "response_format": kind}
        if self.stream:
            with self.client.chat.completions.stream(**asked) as stream:
                completion = stream.get_final_completion()
        else:
            completion = self.client.chat.completions.parse(**asked)
        message = completion.choices[0].message
        self.messages.append(message)
        return message.parsed

    def close(self) -> None:
        self.client.close()

    def _ask(self, *messages: Mapping[str, Any]) -> Heard:
        self.messages += messages
        asked: dict[str, Any] = {"model": "gpt-4o", "messages": self.messages, "tools": DECLARED}
        if self.stream:
            found = joined(self.client.chat.completions.create(**asked, **STREAMED))
        else:
            found = self.client.chat.completions.create(**asked)
        self.messages.append(found.choices[0].message)
        return heard(found)


def joined(chunks: Iterable[ChatCompletionChunk]) -> Any:
    """The chunks put together by the SDK's own accumulation."""
    state = ChatCompletionStreamState()
    for chunk in chunks:
        state.handle_chunk(chunk)
    return state.current_completion_snapshot


def heard(completion: Any) -> Heard:
    (choice,) = completion.choices
    message, usage = choice.message, completion.usage
    return Heard(
        texts=(message.content,) if message.content else (),
        thinking=getattr(message, "reasoning_content", None) or "",
        calls=tuple(Called(c.id, c.function.name, c.function.arguments) for c in message.tool_calls or ()),
        refusal=message.refusal,
        finish=meaning(choice.finish_reason) or choice.finish_reason,
        raw=choice.finish_reason,
        used=Used(
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.prompt_tokens_details.cached_tokens,
            usage.completion_tokens_details.reasoning_tokens,
        ),
    )


def raised(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """The exception that the SDK makes of an error, which is the same on all of OpenAI's endpoints."""
    (error,) = json.loads(body).values()
    strictly(ErrorObject, json.dumps(error))
    answer = httpx2.Response(status, headers=dict(headers), content=body, request=httpx2.Request("POST", "http://x"))
    return type(_client()._make_status_error_from_response(answer)).__name__


@cache
def _client() -> openai.OpenAI:
    return openai.OpenAI(api_key="any")


class OpenAIJudge(Judge):
    wire = "openai"
    body, history = CompletionCreateParamsNonStreaming, ("messages", ChatCompletionMessageParam)
    words = get_args(Choice.model_fields["finish_reason"].annotation)

    def request(self, *, stream: bool) -> tuple[str, dict[str, str], bytes]:
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "tools": DECLARED}
        headers = {"content-type": "application/json", "authorization": "Bearer any"}
        return "/v1/chat/completions", headers, json.dumps({**body, **(STREAMED if stream else {})}).encode()

    def whole(self, body: bytes) -> Heard:
        return heard(strictly(ChatCompletion, body, KNOWN))

    def streamed(self, body: bytes) -> Heard:
        *events, done = (event.data for event in SSEDecoder().iter_bytes(iter([body])))
        assert done == "[DONE]"
        return heard(joined(strictly(ChatCompletionChunk, event, KNOWN) for event in events))

    def failed(self, status: int, headers: Mapping[str, str], body: bytes) -> str:
        return raised(status, headers, body)

    def agent(self, url: str, *, stream: bool, retries: int = 2, system: str = "") -> OpenAIAgent:
        return OpenAIAgent(url, stream=stream, retries=retries, system=system)

    def within(self, said: Heard) -> Heard:
        """A message has one text, and an answer cannot pause."""
        texts = ("\n".join(said.texts),) if said.texts else ()
        return said._replace(texts=texts, finish="stop" if said.finish == "pause" else said.finish)


JUDGE = OpenAIJudge()
