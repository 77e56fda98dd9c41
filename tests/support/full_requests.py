"""One request that holds all there is, sent with the SDK of every provider as its users would write it.

A system prompt; a few-shot pair; an answer with text and a call; its result; then a question about an
image and a document; both tools, and every parameter that the provider has.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import anthropic
import openai
from google import genai
from google.genai import types
from judges import anthropic as of_anthropic
from judges import gemini as of_gemini
from judges import openai as of_openai
from judges import responses as of_responses
from judging import NO_TLS

if TYPE_CHECKING:
    from collections.abc import Callable

PNG, PDF = b"\x89PNG\r\n\x1a\n", b"%PDF-1.4"
IMAGE, DOCUMENT = (base64.b64encode(each).decode() for each in (PNG, PDF))
CITY, FOUND = {"city": "Oslö"}, '{"temp":-3}'
ARGUMENTS = json.dumps(CITY, ensure_ascii=False, separators=(",", ":"))
SAMPLED = {"temperature": 0.5, "top_p": 0.75}


def chat(url: str) -> str:
    call = {"name": "get_weather", "arguments": ARGUMENTS}
    with openai.OpenAI(
        base_url=f"{url}/v1", api_key="any", max_retries=0, http_client=openai.DefaultHttpxClient(verify=NO_TLS)
    ) as client:
        found = client.chat.completions.create(
            model="some-model",
            messages=[
                {"role": "developer", "content": "be brief"},
                {"role": "user", "content": "2+2?"},
                {"role": "assistant", "content": "4"},
                {"role": "user", "content": [{"type": "text", "text": "look"}, {"type": "text", "text": "there"}]},
                {
                    "role": "assistant",
                    "content": "Let me look.",
                    "tool_calls": [{"id": "call_x1", "type": "function", "function": call}],
                },
                {"role": "tool", "tool_call_id": "call_x1", "content": FOUND},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "what is on it?"},
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}"}},
                        {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:;base64,{DOCUMENT}"}},
                    ],
                },
            ],
            tools=of_openai.DECLARED,
            tool_choice={"type": "function", "function": {"name": "now"}},
            max_completion_tokens=64,
            stop=["END"],
            reasoning_effort="low",
            **SAMPLED,
        )
    return found.choices[0].message.content


def responses(url: str) -> str:
    call = {"name": "get_weather", "arguments": ARGUMENTS}
    with openai.OpenAI(
        base_url=f"{url}/v1", api_key="any", max_retries=0, http_client=openai.DefaultHttpxClient(verify=NO_TLS)
    ) as client:
        found = client.responses.create(
            model="some-model",
            instructions="be brief",
            input=[
                {"role": "user", "content": "2+2?"},
                {"role": "assistant", "content": "4"},
                {
                    "role": "user",
                    "content": [{"type": "input_text", "text": "look"}, {"type": "input_text", "text": "there"}],
                },
                {"role": "assistant", "content": "Let me look."},
                {"type": "function_call", "call_id": "call_x1", **call},
                {"type": "function_call_output", "call_id": "call_x1", "output": FOUND},
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "what is on it?"},
                        {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{IMAGE}"},
                        {"type": "input_file", "filename": "a.pdf", "file_data": f"data:;base64,{DOCUMENT}"},
                    ],
                },
            ],
            tools=of_responses.DECLARED,
            tool_choice={"type": "function", "name": "now"},
            max_output_tokens=64,
            reasoning={"effort": "low"},
            **SAMPLED,
        )
    return found.output_text


def messages(url: str) -> str:
    source: dict[str, Any] = {"type": "base64"}
    with anthropic.Anthropic(
        base_url=url, api_key="any", max_retries=0, http_client=anthropic.DefaultHttpxClient(verify=NO_TLS)
    ) as client:
        found = client.messages.create(
            model="some-model",
            system="be brief",
            messages=[
                {"role": "user", "content": "2+2?"},
                {"role": "assistant", "content": "4"},
                {"role": "user", "content": [{"type": "text", "text": "look"}, {"type": "text", "text": "there"}]},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "Let me look."},
                        {"type": "tool_use", "id": "call_x1", "name": "get_weather", "input": CITY},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "call_x1", "content": FOUND},
                        {"type": "text", "text": "what is on it?"},
                        {"type": "image", "source": {**source, "media_type": "image/png", "data": IMAGE}},
                        {"type": "document", "source": {**source, "media_type": "application/pdf", "data": DOCUMENT}},
                    ],
                },
            ],
            tools=of_anthropic.DECLARED,
            tool_choice={"type": "tool", "name": "now"},
            max_tokens=64,
            stop_sequences=["END"],
            output_config={"effort": "low"},
            # Of this version the SDK has no names for them.
            extra_body=SAMPLED,
        )
    return found.content[0].text


def generated(url: str) -> str:
    options = {
        "base_url": url,
        "client_args": {"verify": NO_TLS},
        "async_client_args": {"verify": NO_TLS, "ssl": NO_TLS},
    }
    client = genai.Client(api_key="any", http_options=types.HttpOptions.model_validate(options))
    call = types.FunctionCall(id="call_x1", name="get_weather", args=CITY)
    answered = types.FunctionResponse(id="call_x1", name="get_weather", response=json.loads(FOUND))
    found = client.models.generate_content(
        model="some-model",
        contents=[
            types.UserContent("2+2?"),
            types.ModelContent("4"),
            types.UserContent(["look", "there"]),
            types.ModelContent([types.Part(text="Let me look."), types.Part(function_call=call)]),
            types.UserContent([types.Part(function_response=answered)]),
            types.UserContent(
                [
                    "what is on it?",
                    types.Part.from_bytes(data=PNG, mime_type="image/png"),
                    types.Part.from_bytes(data=PDF, mime_type="application/pdf"),
                ]
            ),
        ],
        config={
            "system_instruction": "be brief",
            "tools": of_gemini.DECLARED,
            "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["now"]}},
            "automatic_function_calling": {"disable": True},
            "max_output_tokens": 64,
            "stop_sequences": ["END"],
            "thinking_config": {"thinking_level": "low"},
            **SAMPLED,
        },
    )
    client.close()
    return found.text


SEND: dict[str, Callable[[str], str]] = {
    "openai": chat,
    "responses": responses,
    "anthropic": messages,
    "gemini": generated,
}
"""For each wire: sends it to the server at this URL, and gives the text of the answer."""
