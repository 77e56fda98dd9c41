"""LiteLLM's SDK: one form of messages, spoken to OpenAI (Chat and Responses), Anthropic and Google."""

from __future__ import annotations

from typing import Any

import litellm
from litellm.exceptions import MidStreamFallbackError
from playing import LOOP, MODELS, PARAMETERS, Heard, Play, arguments, get_weather, run

FUNCTION = {"name": "get_weather", "description": "The weather.", "parameters": PARAMETERS}
TOOLS = [{"type": "function", "function": FUNCTION}]
RESPONSES_TOOLS = [{"type": "function", **FUNCTION}]


def completed(model: str, base: str) -> Play:
    def play(url: str, _: str, stream: bool) -> Heard:
        messages: list[Any] = [{"role": "user", "content": LOOP}]
        while True:
            try:
                message = said(messages, base.format(url=url), stream)
            except (litellm.RateLimitError, MidStreamFallbackError):
                # Its own retries end before the first chunk of a stream is asked for.
                assert stream
                continue
            messages.append(message)
            if not message.tool_calls:
                return {"text": message.content}
            for call in message.tool_calls:
                result = get_weather(**arguments(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})

    def said(messages: list[Any], base_url: str, stream: bool) -> Any:
        answer = litellm.completion(
            model=model, messages=messages, tools=TOOLS, stream=stream,
            api_base=base_url, api_key="any", num_retries=2,
        )  # fmt: skip
        return (litellm.stream_chunk_builder(list(answer)) if stream else answer).choices[0].message

    return play


def responses(url: str, _: str, stream: bool) -> Heard:
    inputs: list[Any] = [{"role": "user", "content": LOOP}]
    while True:
        answer = litellm.responses(
            model=f"openai/{MODELS['responses']}", input=inputs, tools=RESPONSES_TOOLS, stream=stream,
            api_base=f"{url}/v1", api_key="any", num_retries=2,
        )  # fmt: skip
        if stream:
            answer = [event for event in answer if event.type == "response.completed"][-1].response
        calls = [item for item in answer.output if item.type == "function_call"]
        if not calls:
            return {"text": answer.output[-1].content[0].text}
        inputs += [item.model_dump(exclude_none=True) for item in answer.output]
        inputs += [
            {
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": get_weather(**arguments(call.arguments)),
            }
            for call in calls
        ]


run(
    loop={
        "openai": completed(f"openai/{MODELS['openai']}", "{url}/v1"),
        "responses": responses,
        "anthropic": completed(f"anthropic/{MODELS['anthropic']}", "{url}"),
        "gemini": completed(f"gemini/{MODELS['gemini']}", "{url}/v1beta"),
    }
)
