"""The wires and delivery behind the real server: what a scenario says arrives, chunked as it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import openai
import pytest
from serving import serving

if TYPE_CHECKING:
    from llmposter.server import Running

SCENARIO = """
[scenario]
name = "chunks"

[[states.ask]]
when = 'user == "later"'
error = { name = "overloaded", message = "Not now.", retry_after = "30ms" }

[[states.ask]]
when = 'user == "words"'
reply = "one two three"
stream = { chunk = "1 word" }

[[states.ask]]
when = 'user == "all"'
think = "Hm."
reply = "Both."
call = ['f(a: "x y")', 'g(b: [1, 2])']
stream = { chunk = "1 token" }

[[states.ask]]
when = 'user == "no"'
refuse = "I will not."

[[states.ask]]
when = 'user == "images"'
reply = "${images} and ${files}"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(SCENARIO) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.openai_url, api_key="any", max_retries=0) as found:
        yield found


def ask(text: str, **more: object) -> dict[str, object]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **more}


def test_a_stream_is_cut_as_the_rule_says(client: openai.OpenAI) -> None:
    """One word in each chunk, with the white space before it."""
    chunks = list(client.chat.completions.create(**ask("words"), stream=True))
    said = [chunk.choices[0].delta.content for chunk in chunks]
    assert ["", "one", " two", " three", None] == said


def test_reasoning_text_and_calls_arrive(client: openai.OpenAI) -> None:
    """Whole and through the SDK's streaming helper, the same message."""
    plain = client.chat.completions.create(**ask("all"))
    with client.chat.completions.stream(**ask("all"), stream_options={"include_usage": True}) as stream:
        streamed = stream.get_final_completion()
    for found in (plain, streamed):
        message = found.choices[0].message
        calls = [(call.function.name, call.function.arguments) for call in message.tool_calls]
        assert ("Both.", "Hm.") == (message.content, message.reasoning_content)
        assert [("f", '{"a":"x y"}'), ("g", '{"b":[1,2]}')] == calls
        assert found.choices[0].finish_reason == "tool_calls"
        assert found.usage.completion_tokens_details.reasoning_tokens == 1


@pytest.mark.parametrize("n", [1, 3])
def test_a_refusal_arrives_in_every_choice(client: openai.OpenAI, n: int) -> None:
    """As OpenAI's own refusal, without content."""
    found = client.chat.completions.create(**ask("no"), n=n)
    assert [(None, "I will not.")] * n == [(c.message.content, c.message.refusal) for c in found.choices]


def test_attachments_are_counted(client: openai.OpenAI) -> None:
    """Images, and files with recordings."""
    parts = [
        {"type": "text", "text": "images"},
        {"type": "image_url", "image_url": {"url": "https://example.invalid/a.png"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]
    found = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": parts}])
    assert found.choices[0].message.content == "1 and 2"


def test_an_error_arrives_with_its_headers(client: openai.OpenAI) -> None:
    """The author's message, the provider's status and the time to wait."""
    with pytest.raises(openai.InternalServerError, match="Not now") as raised:
        client.chat.completions.create(**ask("later"), stream=True)
    headers = raised.value.response.headers
    assert (503, "30", "1") == (raised.value.status_code, headers["retry-after-ms"], headers["retry-after"])


def test_a_miss_and_a_bad_body_arrive(client: openai.OpenAI) -> None:
    """Each as an error that the SDK understands; the miss says what was asked for."""
    with pytest.raises(openai.NotFoundError, match="chunks") as missed:
        client.chat.completions.create(**ask("what else"))
    assert missed.value.code == "no_rule_matched"
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**ask("words"), extra_body={"messages": [{"role": "bot"}]})
    assert ("messages[0].role", "invalid_value") == (refused.value.param, refused.value.code)
