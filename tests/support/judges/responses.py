"""OpenAI Responses as the official `openai` SDK sees it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import openai
from judging import Called, Heard, Used
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from judging import Agent

PATH = "/v1/responses"
TOOLS = [
    {"type": "function", "name": "get_weather", "parameters": {"type": "object"}, "strict": False},
    {"type": "function", "name": "now", "parameters": {"type": "object"}, "strict": False},
]
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
FINISHES = {"max_output_tokens": "length", "content_filter": "content_filter"}
# What the API is known to send although the SDK's types do not have it.
BESIDES = {"store"}


def strict(found: Any) -> Any:
    """A model of the SDK that holds nothing the SDK does not know."""
    for name, value in found:
        for each in value if isinstance(value, list) else [value]:
            if hasattr(each, "model_fields"):
                strict(each)
        assert name in type(found).model_fields or name in BESIDES, f"{type(found).__name__} has no {name}"
    return found


def heard(response: Any) -> Heard:
    """What a Response says."""
    contents = [part for item in response.output if item.type == "message" for part in item.content]
    refusals = [part.refusal for part in contents if part.type == "refusal"]
    calls = [call for item in response.output if (call := called(item)) is not None]
    thoughts = [part.text for item in response.output if item.type == "reasoning" for part in item.summary]
    reason = response.incomplete_details.reason if response.incomplete_details else None
    used = response.usage
    return Heard(
        texts=tuple(part.text for part in contents if part.type == "output_text"),
        thinking="".join(thoughts),
        calls=tuple(calls),
        refusal="".join(refusals) if refusals else None,
        finish=FINISHES[reason] if reason else "tool_calls" if calls else "stop",
        raw=reason or response.status,
        used=used
        and Used(
            used.input_tokens,
            used.output_tokens,
            used.input_tokens_details.cached_tokens,
            used.output_tokens_details.reasoning_tokens,
        ),
    )


def called(item: Any) -> Called | None:
    match item.type:
        case "function_call":
            return Called(item.call_id, item.name, item.arguments)
        case "custom_tool_call":
            return Called(item.call_id, item.name, item.input)
        case _:
            return None


def events(body: bytes) -> Iterator[Any]:
    """The events of a stream, each named by its type, numbered in order, and valid."""
    for number, block in enumerate(body.decode().split("\n\n")[:-1]):
        name, data = block.split("\n")
        found = strict(EVENT.validate_json(data.removeprefix("data: "), strict=True))
        assert name == f"event: {found.type}"
        assert number == found.sequence_number
        yield found


class OpenAIResponses:
    """The judge."""

    wire = "responses"

    def request(self, *, stream: bool) -> tuple[str, dict[str, str], bytes]:
        body = {"model": "gpt-4o", "input": "hi", "tools": TOOLS, "stream": stream}
        return PATH, {"content-type": "application/json", "authorization": "Bearer any"}, json.dumps(body).encode()

    def whole(self, body: bytes) -> Heard:
        return heard(strict(Response.model_validate_json(body, strict=True)))

    def streamed(self, body: bytes) -> Heard:
        """The last event repeats all that the SDK puts together from those before."""
        state = ResponseStreamState(input_tools=openai.omit, text_format=openai.omit)
        ended = last = None
        for event in events(body):
            state.handle_event(event)
            last = event
            snapshot = state._ResponseStreamState__current_snapshot
            ended = snapshot.output if snapshot is not None else ended
        assert last is not None, "a stream has events"
        said = heard(last.response)
        if ended is not None:
            assert said.texts == heard(last.response.model_copy(update={"output": ended})).texts
            assert said.calls == heard(last.response.model_copy(update={"output": ended})).calls
        return said

    def failed(self, status: int, headers: Mapping[str, str], body: bytes) -> str:
        error = json.loads(body)["error"]
        assert set(error) == {"message", "type", "param", "code"}
        client = openai.OpenAI(base_url="http://localhost/v1", api_key="any")
        request = httpx2.Request("POST", f"http://localhost{PATH}")
        response = httpx2.Response(status, headers=dict(headers), content=body, request=request)
        found = client._make_status_error_from_response(response)
        assert error["message"] == found.body["message"]
        return type(found).__name__

    def agent(self, url: str, *, stream: bool, retries: int = 2) -> Agent:
        return _Agent(url, stream=stream, retries=retries)


class _Agent:
    """A client that sends its history back as the SDK gave it."""

    def __init__(self, url: str, *, stream: bool, retries: int) -> None:
        self.client = openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=retries)
        self.stream = stream
        self.input: list[Any] = []
        self.output: list[Any] = []

    def say(self, text: str) -> Heard:
        return self._go_on({"role": "user", "content": text})

    def result(self, *results: tuple[Called, str]) -> Heard:
        return self._go_on(*[
            {"type": "function_call_output", "call_id": call.id, "output": text} for call, text in results
        ])

    def _go_on(self, *items: Any) -> Heard:
        self.input = [*self.input, *self.output, *items]
        self.output = []
        return self.again()

    def again(self) -> Heard:
        asked = {"model": "gpt-4o", "input": self.input, "tools": TOOLS}
        if self.stream:
            with self.client.responses.stream(**asked) as stream:
                last = [event for event in stream][-1]
            response = last.response
        else:
            response = self.client.responses.create(**asked)
        self.output = response.output
        return heard(response)

    def close(self) -> None:
        self.client.close()


JUDGE = OpenAIResponses()
