"""The `anthropic` SDK."""

from __future__ import annotations

from typing import Any

import anthropic
from playing import LOOP, MODELS, PARAMETERS, Heard, beside, failed, get_weather, run, said

TOOLS = [{"name": "get_weather", "description": "The weather.", "input_schema": PARAMETERS}]
THINKING = {"type": "enabled", "budget_tokens": 1024}
REQUEST = {"model": MODELS["anthropic"], "max_tokens": 4096, "tools": TOOLS}


def connect(url: str, retries: int = 0) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=url, api_key="any", max_retries=retries)


def case(url: str, name: str, stream: bool) -> Heard:
    request = {**REQUEST, "messages": [{"role": "user", "content": name}]}
    if name.startswith("reasoning"):
        request["thinking"] = THINKING
    with connect(url) as client:
        try:
            return told(client.messages.create(**request)) if not stream else told(streamed(client, request))
        except anthropic.APIStatusError as error:
            body = error.body if isinstance(error.body, dict) else {}
            return failed(error, error.status_code, body.get("error", {}).get("type"))


def streamed(client: anthropic.Anthropic, request: dict[str, Any]) -> Any:
    """What the helper puts together; its texts are those of the events."""
    texts = ""
    with client.messages.stream(**request) as events:
        for event in events:
            if event.type == "text":
                texts += event.text
        message = events.get_final_message()
    assert texts == "".join(block.text for block in message.content if block.type == "text")
    return message


def told(message: Any) -> Heard:
    usage = message.usage
    return said(
        text="".join(block.text for block in message.content if block.type == "text"),
        thinking="".join(block.thinking for block in message.content if block.type == "thinking"),
        calls=[(block.name, block.input) for block in message.content if block.type == "tool_use"],
        finish=message.stop_reason,
        usage=(usage.input_tokens + usage.cache_read_input_tokens, usage.output_tokens, usage.cache_read_input_tokens),
    )


def loop(url: str, name: str, stream: bool) -> Heard:
    messages: list[Any] = [{"role": "user", "content": LOOP}]
    thinking = {"thinking": THINKING} if name == "reasoning" else {}
    with connect(url, retries=2) as client:
        while True:
            request = {**REQUEST, **thinking, "messages": messages}
            message = streamed(client, request) if stream else client.messages.create(**request)
            messages.append({"role": "assistant", "content": message.content})
            calls = [block for block in message.content if block.type == "tool_use"]
            if not calls:
                return {"text": "".join(block.text for block in message.content if block.type == "text")}
            results = [
                {"type": "tool_result", "tool_use_id": call.id, "content": get_weather(**call.input)} for call in calls
            ]
            messages.append({"role": "user", "content": results})


def others(url: str, _: str, _stream: bool) -> Heard:
    with connect(url) as client:
        counted = client.messages.count_tokens(
            model=MODELS["anthropic"], messages=[{"role": "user", "content": "hello"}]
        )
        return beside(models=[model.id for model in client.models.list()], tokens=counted.input_tokens)


run(case={"anthropic": case}, loop={"anthropic": loop}, beside={"anthropic": others})
