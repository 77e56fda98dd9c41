"""The `google-genai` SDK as it comes, which does not retry, and told to retry; whole and streamed."""

from __future__ import annotations

import json
from typing import Any

from google import genai
from google.genai import types
from troubled import MODELS, PARAMETERS, Asked, Heard, once, run

PROPERTIES = {name: {"type": "STRING"} for name in PARAMETERS["properties"]}
DECLARED = {
    "name": "get_weather",
    "description": "The weather.",
    "parameters": {"type": "OBJECT", "properties": PROPERTIES, "required": PARAMETERS["required"]},
}
ATTRIBUTES = ("code", "message", "status", "details.error.details", "response.headers.retry-after")


@once
def connect(url: str, key: str, timeout: float | None, attempts: int | None) -> genai.Client:
    patience = attempts and types.HttpRetryOptions(attempts=attempts)
    milliseconds = timeout and int(1000 * timeout)
    options = types.HttpOptions(base_url=url, retry_options=patience, timeout=milliseconds)
    return genai.Client(api_key=key, http_options=options)


def request(asked: Asked) -> dict[str, Any]:
    config = {
        "tools": [{"function_declarations": [DECLARED]}],
        "automatic_function_calling": {"disable": True},
        "http_options": {"headers": asked.headers},
    }
    return {"model": MODELS["gemini"], "contents": asked.says, "config": config}


def texts(answer: Any) -> list[str]:
    contents = [candidate.content for candidate in answer.candidates or () if candidate.content]
    parts = [part for content in contents for part in content.parts or ()]
    return [json.dumps(part.function_call.args) if part.function_call else part.text or "" for part in parts]


def plays(attempts: int | None, told: str) -> dict[str, Any]:
    def client(asked: Asked) -> genai.Client:
        return connect(*asked.client, attempts)

    def whole(asked: Asked, heard: Heard) -> None:
        heard += texts(client(asked).models.generate_content(**request(asked)))

    async def whole_async(asked: Asked, heard: Heard) -> None:
        heard += texts(await client(asked).aio.models.generate_content(**request(asked)))

    def streamed(asked: Asked, heard: Heard) -> None:
        for chunk in client(asked).models.generate_content_stream(**request(asked)):
            heard += texts(chunk)

    async def streamed_async(asked: Asked, heard: Heard) -> None:
        async for chunk in await client(asked).aio.models.generate_content_stream(**request(asked)):
            heard += texts(chunk)

    return {
        f"whole{told}": whole,
        f"whole async{told}": whole_async,
        f"streamed{told}": streamed,
        f"streamed async{told}": streamed_async,
    }


run({"gemini": {**plays(None, ""), **plays(3, ", told to retry")}}, ATTRIBUTES)
