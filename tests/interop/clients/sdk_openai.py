"""The `openai` SDK, on Chat Completions and Responses."""

from __future__ import annotations

from typing import Any

import openai
from playing import LOOP, MODELS, PARAMETERS, Heard, arguments, beside, failed, get_weather, run, said
from pydantic import BaseModel

FUNCTION = {"name": "get_weather", "description": "The weather.", "parameters": PARAMETERS, "strict": True}
CHAT_TOOLS = [{"type": "function", "function": FUNCTION}]
TOOLS = [{"type": "function", **FUNCTION}]


class Report(BaseModel):
    city: str
    temps: list[float | None]


def connect(url: str, retries: int = 0) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=retries)


def case(ask: Any) -> Any:
    """As a play: an error is told by its class, status and code."""

    def play(url: str, name: str, stream: bool) -> Heard:
        with connect(url) as client:
            try:
                return ask(client, name, stream)
            except openai.APIStatusError as error:
                return failed(error, error.status_code, error.code or error.type)

    return play


# --- Chat Completions -------------------------------------------------------------------------------------------


def chat(client: openai.OpenAI, name: str, stream: bool) -> Heard:
    request = {
        "model": MODELS["openai"],
        "messages": [{"role": "user", "content": name}],
        "tools": CHAT_TOOLS,
    }
    if name == "structured" and not stream:
        answer = client.chat.completions.parse(**request, response_format=Report)
        assert answer.choices[0].message.parsed == Report.model_validate_json(answer.choices[0].message.content)
        return told(answer)
    if not stream:
        return told(client.chat.completions.create(**request))
    options = {"stream": True, "stream_options": {"include_usage": True}}
    return joined(client.chat.completions.create(**request, **options))


def told(answer: Any) -> Heard:
    choice, usage = answer.choices[0], answer.usage
    message = choice.message
    return said(
        text=message.content,
        thinking=getattr(message, "reasoning_content", None),
        calls=[(call.function.name, arguments(call.function.arguments)) for call in message.tool_calls or ()],
        refusal=message.refusal,
        finish=choice.finish_reason,
        usage=(usage.prompt_tokens, usage.completion_tokens, usage.prompt_tokens_details.cached_tokens),
    )


def joined(chunks: Any) -> Heard:
    text, thinking, refusal, finish, usage = "", "", "", None, None
    calls: dict[int, list[str]] = {}
    for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            finish = choice.finish_reason or finish
            text += choice.delta.content or ""
            thinking += getattr(choice.delta, "reasoning_content", None) or ""
            refusal += choice.delta.refusal or ""
            for call in choice.delta.tool_calls or ():
                known = calls.setdefault(call.index, ["", ""])
                known[0] += call.function.name or ""
                known[1] += call.function.arguments or ""
    return said(
        text=text,
        thinking=thinking,
        calls=[(tool, arguments(given)) for tool, given in calls.values()],
        refusal=refusal,
        finish=finish,
        usage=(usage.prompt_tokens, usage.completion_tokens, usage.prompt_tokens_details.cached_tokens),
    )


def chat_loop(url: str, _: str, stream: bool) -> Heard:
    """The helper of `stream` where it streams, as its users write it."""
    messages: list[Any] = [{"role": "user", "content": LOOP}]
    with connect(url, retries=2) as client:
        while True:
            request = {"model": MODELS["openai"], "messages": messages, "tools": CHAT_TOOLS}
            if stream:
                with client.chat.completions.stream(**request) as events:
                    for _event in events:
                        pass
                    message = events.get_final_completion().choices[0].message
            else:
                message = client.chat.completions.create(**request).choices[0].message
            messages.append(message)
            if not message.tool_calls:
                return {"text": message.content}
            for call in message.tool_calls:
                result = get_weather(**arguments(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


# --- Responses --------------------------------------------------------------------------------------------------


def respond(client: openai.OpenAI, name: str, stream: bool) -> Heard:
    request = {"model": MODELS["responses"], "input": name, "tools": TOOLS}
    if name == "structured" and not stream:
        answer = client.responses.parse(**request, text_format=Report)
        assert answer.output_parsed == Report.model_validate_json(answer.output_text)
        return responded(answer)
    if not stream:
        return responded(client.responses.create(**request))
    last = None
    texts, given = "", ""
    for event in client.responses.create(**request, stream=True):
        match event.type:
            case "response.output_text.delta":
                texts += event.delta
            case "response.function_call_arguments.delta":
                given += event.delta
            case "response.completed" | "response.incomplete" | "response.failed":
                last = event.response
    assert last is not None, "the stream ended early"
    assert texts == last.output_text
    assert given == "".join(item.arguments for item in last.output if item.type == "function_call")
    return responded(last)


def responded(answer: Any) -> Heard:
    parts = [part for item in answer.output if item.type == "message" for part in item.content]
    why = answer.incomplete_details
    return said(
        text=answer.output_text,
        thinking="\n".join(
            part.text for item in answer.output if item.type == "reasoning" for part in item.summary or item.content
        ),
        calls=[(item.name, arguments(item.arguments)) for item in answer.output if item.type == "function_call"],
        refusal="".join(part.refusal for part in parts if part.type == "refusal"),
        finish=why.reason if why else answer.status,
        usage=(
            answer.usage.input_tokens,
            answer.usage.output_tokens,
            answer.usage.input_tokens_details.cached_tokens,
        ),
    )


def respond_loop(url: str, name: str, stream: bool) -> Heard:
    """By history; or by `previous_response_id`, if the case says so."""
    inputs: list[Any] = [{"role": "user", "content": LOOP}]
    previous = None
    with connect(url, retries=2) as client:
        while True:
            request = {"model": MODELS["responses"], "input": inputs, "tools": TOOLS}
            if previous:
                request["previous_response_id"] = previous
            if stream:
                with client.responses.stream(**request) as events:
                    for _event in events:
                        pass
                    answer = events.get_final_response()
            else:
                answer = client.responses.create(**request)
            calls = [item for item in answer.output if item.type == "function_call"]
            if not calls:
                return {"text": answer.output_text}
            results = [
                {
                    "type": "function_call_output",
                    "call_id": call.call_id,
                    "output": get_weather(**arguments(call.arguments)),
                }
                for call in calls
            ]
            if name == "by id":
                inputs, previous = results, answer.id
            else:
                inputs += [*answer.output, *results]


# --- beside the conversations -----------------------------------------------------------------------------------


def others(url: str, _: str, _stream: bool) -> Heard:
    with connect(url) as client:
        made = client.embeddings.create(model="text-embedding-3-small", input=["cat", "a dog"])
        judged = client.moderations.create(input="I could kill for a coffee").results[0]
        return beside(
            models=[model.id for model in client.models.list()],
            vectors=[each.embedding for each in made.data],
            flagged=[name for name, yes in judged.categories.to_dict().items() if yes],
        )


run(
    case={"openai": case(chat), "responses": case(respond)},
    loop={"openai": chat_loop, "responses": respond_loop},
    beside={"openai": others},
)
