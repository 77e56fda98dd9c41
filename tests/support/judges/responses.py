"""OpenAI Responses as the official `openai` SDK sees it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

import openai
from judging import NO_TLS, TOOLS, Called, Heard, Judge, Parsed, Used, strictly
from openai._streaming import SSEDecoder
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseInputItemParam, ResponseStreamEvent
from openai.types.responses.response import IncompleteDetails
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming

from judges.openai import raised
from llmposter.wire.finishes import meaning

# The API reference shows it in every example; the SDK's types do not have it (docs/providers/openai-responses.md).
KNOWN = ("store",)
DECLARED = [
    {"type": "function", "name": name, "parameters": parameters, "strict": False} for name, parameters in TOOLS.items()
]
SHOWN = {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}
ENDS = ("response.completed", "response.incomplete")


class ResponsesAgent:
    """Sends the whole history with each request, the output items as the SDK gave them."""

    def __init__(self, url: str, *, stream: bool, retries: int, system: str) -> None:
        self.client = openai.OpenAI(
            base_url=f"{url}/v1",
            api_key="any",
            max_retries=retries,
            http_client=openai.DefaultHttpxClient(verify=NO_TLS),
        )
        self.stream, self.system = stream, system
        self.input: list[Any] = []
        self.sent = 0

    def say(self, text: str) -> Heard:
        return self._ask({"role": "user", "content": text})

    def result(self, *results: tuple[Called, str]) -> Heard:
        return self._ask(
            *({"type": "function_call_output", "call_id": call.id, "output": text} for call, text in results)
        )

    def again(self) -> Heard:
        del self.input[self.sent :]
        return self._ask()

    def parsed(self, text: str, kind: type[Parsed]) -> Parsed:
        self.input.append({"role": "user", "content": text})
        asked: dict[str, Any] = {**self._always(), "input": self.input, "text_format": kind}
        if self.stream:
            with self.client.responses.stream(**asked) as stream:
                response = stream.get_final_response()
        else:
            response = self.client.responses.parse(**asked)
        self.input += response.output
        return response.output_parsed

    def close(self) -> None:
        self.client.close()

    def _always(self) -> dict[str, Any]:
        return {"model": "gpt-4o", **({"instructions": self.system} if self.system else {})}

    def _ask(self, *items: Mapping[str, Any]) -> Heard:
        self.input += items
        self.sent = len(self.input)
        asked: dict[str, Any] = {**self._always(), "input": self.input, "tools": DECLARED, **SHOWN}
        if self.stream:
            found = joined(self.client.responses.create(**asked, stream=True))
        else:
            found = self.client.responses.create(**asked)
        self.input += found.output
        return heard(found)


def joined(events: Iterable[Any]) -> Any:
    """The last event's Response, which repeats what the SDK puts together of the events before."""
    state = ResponseStreamState(input_tools=openai.omit, text_format=openai.omit)
    texts: dict[tuple[int, int], str] = {}
    done: list[Any] = []
    last = None
    for number, event in enumerate(events):
        assert number == event.sequence_number
        state.handle_event(event)
        if event.type in ("response.output_text.delta", "response.refusal.delta"):
            texts[event.output_index, event.content_index] += event.delta
        elif event.type == "response.content_part.added":
            texts[event.output_index, event.content_index] = ""
        elif event.type == "response.content_part.done":
            said = event.part.refusal if event.part.type == "refusal" else event.part.text
            assert said == texts[event.output_index, event.content_index]
        elif event.type == "response.output_item.done":
            done.append(event.item)
        last = event
    assert last is not None
    assert last.type in ENDS
    assert done == last.response.output
    return last.response


def heard(response: Any) -> Heard:
    contents = [part for item in response.output if item.type == "message" for part in item.content]
    refusals = [part.refusal for part in contents if part.type == "refusal"]
    calls = tuple(Called(c.call_id, c.name, c.arguments) for c in response.output if c.type == "function_call")
    reason = response.incomplete_details.reason if response.incomplete_details else None
    used = response.usage
    return Heard(
        texts=tuple(part.text for part in contents if part.type == "output_text" and part.text),
        thinking="".join(part.text for item in response.output if item.type == "reasoning" for part in item.summary),
        calls=calls,
        refusal="\n".join(refusals) if refusals else None,
        finish=(reason and meaning(reason)) or ("tool_calls" if calls else "stop"),
        raw=reason or response.status,
        used=Used(
            used.input_tokens,
            used.output_tokens,
            used.input_tokens_details.cached_tokens,
            used.output_tokens_details.reasoning_tokens,
        ),
    )


def events(body: bytes) -> Iterator[Any]:
    """The events of a stream, each of them named by its type."""
    for event in SSEDecoder().iter_bytes(iter([body])):
        found = strictly(ResponseStreamEvent, event.data, KNOWN)
        assert event.event == found.type
        yield found


class ResponsesJudge(Judge):
    wire = "responses"
    body, history = ResponseCreateParamsNonStreaming, ("input", ResponseInputItemParam)
    words = get_args(get_args(IncompleteDetails.model_fields["reason"].annotation)[0])

    def request(self, *, stream: bool) -> tuple[str, dict[str, str], bytes]:
        body = {"model": "gpt-4o", "input": "hi", "tools": DECLARED, "stream": stream, **SHOWN}
        headers = {"content-type": "application/json", "authorization": "Bearer any"}
        return "/v1/responses", headers, json.dumps(body).encode()

    def whole(self, body: bytes) -> Heard:
        return heard(strictly(Response, body, KNOWN))

    def streamed(self, body: bytes) -> Heard:
        return heard(joined(events(body)))

    def failed(self, status: int, headers: Mapping[str, str], body: bytes) -> str:
        return raised(status, headers, body)

    def agent(self, url: str, *, stream: bool, retries: int = 2, system: str = "") -> ResponsesAgent:
        return ResponsesAgent(url, stream=stream, retries=retries, system=system)

    def within(self, said: Heard) -> Heard:
        """An answer is complete, with calls or without, or it is not and says why."""
        if said.finish in ("length", "content_filter"):
            return said
        return said._replace(finish="tool_calls" if said.calls else "stop")


JUDGE = ResponsesJudge()
