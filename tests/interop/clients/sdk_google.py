"""The `google-genai` SDK."""

from __future__ import annotations

import asyncio
from typing import Any

from google import genai
from google.genai import errors, types
from playing import LOOP, MODELS, PARAMETERS, PATIENCE, Heard, beside, failed, get_weather, run, said

PROPERTIES = {name: {"type": "STRING"} for name in PARAMETERS["properties"]}
DECLARED = {
    "name": "get_weather",
    "description": "The weather.",
    "parameters": {"type": "OBJECT", "properties": PROPERTIES, "required": PARAMETERS["required"]},
}
TOOLS = [{"function_declarations": [DECLARED]}]


def connect(url: str, retries: int = 0) -> genai.Client:
    patience = types.HttpRetryOptions(**{**PATIENCE, "attempts": 1 + retries})
    return genai.Client(api_key="any", http_options=types.HttpOptions(base_url=url, retry_options=patience))


def case(url: str, name: str, stream: bool) -> Heard:
    config: dict[str, Any] = {"tools": TOOLS, "automatic_function_calling": {"disable": True}}
    if name.startswith("reasoning"):
        config["thinking_config"] = {"include_thoughts": True}
    if name == "structured":
        config = {"response_mime_type": "application/json"}
    request = {"model": MODELS["gemini"], "contents": name, "config": config}
    client = connect(url)
    try:
        if not stream:
            return told([client.models.generate_content(**request)])
        return told(list(client.models.generate_content_stream(**request)))
    except errors.APIError as error:
        return failed(error, error.code, error.status)


def told(answers: list[Any]) -> Heard:
    """Of one answer, or of the chunks of one."""
    parts = [
        part
        for answer in answers
        for candidate in answer.candidates or ()
        if candidate.content
        for part in candidate.content.parts or ()
    ]
    blocked = [answer.prompt_feedback for answer in answers if answer.prompt_feedback]
    ends = [c.finish_reason for answer in answers for c in answer.candidates or () if c.finish_reason]
    usage = answers[-1].usage_metadata
    return said(
        text="".join(part.text for part in parts if part.text and not part.thought),
        thinking="".join(part.text for part in parts if part.text and part.thought),
        calls=[(part.function_call.name, part.function_call.args) for part in parts if part.function_call],
        refusal="".join(each.block_reason_message for each in blocked),
        finish=(blocked[-1].block_reason if blocked else ends[-1]).value,
        usage=(
            usage.prompt_token_count,
            (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
            usage.cached_content_token_count,
        ),
    )


def loop(url: str, name: str, stream: bool) -> Heard:
    """By hand with the history; or by a chat that calls functions itself, asynchronously, if the case says so."""
    client = connect(url, retries=2)
    if name == "automatic":
        return asyncio.run(automatic(client, stream))
    contents: list[Any] = [types.Content(role="user", parts=[types.Part(text=LOOP)])]
    config = {"tools": TOOLS, "automatic_function_calling": {"disable": True}}
    while True:
        request = {"model": MODELS["gemini"], "contents": contents, "config": config}
        content = turn(client, request, stream)
        contents.append(content)
        calls = [part.function_call for part in content.parts if part.function_call]
        if not calls:
            return {"text": "".join(part.text for part in content.parts if part.text)}
        results = [
            types.Part(
                function_response=types.FunctionResponse(
                    id=call.id, name=call.name, response={"result": get_weather(**call.args)}
                )
            )
            for call in calls
        ]
        contents.append(types.Content(role="user", parts=results))


def turn(client: genai.Client, request: dict[str, Any], stream: bool) -> types.Content:
    if not stream:
        return client.models.generate_content(**request).candidates[0].content
    chunks = client.models.generate_content_stream(**request)
    contents = [chunk.candidates[0].content for chunk in chunks]
    parts = [part for content in contents if content for part in content.parts or ()]
    return types.Content(role="model", parts=parts)


async def automatic(client: genai.Client, stream: bool) -> Heard:
    chat = client.aio.chats.create(model=MODELS["gemini"], config={"tools": [get_weather]})
    if not stream:
        return {"text": (await chat.send_message(LOOP)).text}
    chunks = [chunk async for chunk in await chat.send_message_stream(LOOP)]
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    return {"text": "".join(part.text for part in parts if part.text and not part.thought)}


def others(url: str, _: str, _stream: bool) -> Heard:
    client = connect(url)
    made = client.models.embed_content(model="gemini-embedding-001", contents=["cat", "a dog"])
    return beside(
        models=[model.name for model in client.models.list()],
        vectors=[each.values for each in made.embeddings],
        tokens=client.models.count_tokens(model=MODELS["gemini"], contents="hello").total_tokens,
    )


run(case={"gemini": case}, loop={"gemini": loop}, beside={"gemini": others})
