"""The `google-genai` SDK as it comes, which does not retry, and told to retry; whole and streamed."""

from __future__ import annotations

import sys
from typing import Any

from google import genai
from google.genai import types
from troubled import MODELS, PARAMETERS, Heard, run

PROPERTIES = {name: {"type": "STRING"} for name in PARAMETERS["properties"]}
DECLARED = {
    "name": "get_weather",
    "description": "The weather.",
    "parameters": {"type": "OBJECT", "properties": PROPERTIES, "required": PARAMETERS["required"]},
}
ATTRIBUTES = ("code", "message", "status", "details.error.details", "response.headers.retry-after")


def connect(patience: types.HttpRetryOptions | None) -> genai.Client:
    return genai.Client(api_key="any", http_options=types.HttpOptions(base_url=sys.argv[1], retry_options=patience))


def request(headers: dict[str, str], says: str) -> dict[str, Any]:
    config = {
        "tools": [{"function_declarations": [DECLARED]}],
        "automatic_function_calling": {"disable": True},
        "http_options": {"headers": headers},
    }
    return {"model": MODELS["gemini"], "contents": says, "config": config}


def texts(answer: Any) -> list[str]:
    contents = [candidate.content for candidate in answer.candidates or () if candidate.content]
    return [part.text for content in contents for part in content.parts or () if part.text]


def plays(client: genai.Client, told: str) -> dict[str, Any]:
    def whole(headers: dict[str, str], says: str, heard: Heard) -> None:
        heard += texts(client.models.generate_content(**request(headers, says)))

    async def whole_async(headers: dict[str, str], says: str, heard: Heard) -> None:
        heard += texts(await client.aio.models.generate_content(**request(headers, says)))

    def streamed(headers: dict[str, str], says: str, heard: Heard) -> None:
        for chunk in client.models.generate_content_stream(**request(headers, says)):
            heard += texts(chunk)

    async def streamed_async(headers: dict[str, str], says: str, heard: Heard) -> None:
        async for chunk in await client.aio.models.generate_content_stream(**request(headers, says)):
            heard += texts(chunk)

    return {
        f"whole{told}": whole,
        f"whole async{told}": whole_async,
        f"streamed{told}": streamed,
        f"streamed async{told}": streamed_async,
    }


# The clients are kept here: one that nobody holds closes its connections.
PLAIN, PATIENT = connect(None), connect(types.HttpRetryOptions(attempts=3))
run({"gemini": {**plays(PLAIN, ""), **plays(PATIENT, ", told to retry")}}, ATTRIBUTES)
