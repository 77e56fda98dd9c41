"""Base URLs that are not ours word for word: those of clouds and gateways, with the SDKs that use them."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import openai
import pytest
from google import genai
from google.genai import types
from raw_http import Raw, chat, text
from serving import serving

from llmposter.server import Running
from llmposter.server.gateways import with_model

SCENARIO = """
[[states.talk]]
when = 'path != ""'
reply = "${model} on ${path}"
"""

pytestmark = pytest.mark.usefixtures("transport")


@pytest.fixture(scope="module")
def server(transport: str) -> Iterator[Running]:
    with serving(SCENARIO) as running:
        yield running


@pytest.fixture(scope="module")
def azure(server: Running) -> Iterator[openai.AzureOpenAI]:
    with openai.AzureOpenAI(
        azure_endpoint=server.url, api_key="any", api_version="2025-04-01", max_retries=0
    ) as client:
        yield client


def test_the_sdk_for_azure_is_answered(azure: openai.AzureOpenAI) -> None:
    """Conversations, whole and streamed, vectors and models."""
    ask = {"model": "my-deployment", "messages": [{"role": "user", "content": "hi"}]}
    expected = "my-deployment on /v1/chat/completions"
    assert expected == azure.chat.completions.create(**ask).choices[0].message.content
    stream = azure.chat.completions.create(stream=True, **ask)
    assert expected == "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert "mine on /v1/responses" == azure.responses.create(model="mine", input="hi").output_text
    assert 1536 == len(azure.embeddings.create(model="text-embedding-3-small", input="hi").data[0].embedding)
    assert "gpt-4o" in [model.id for model in azure.models.list()]


def test_azures_path_names_the_model(server: Running) -> None:
    """Where the body does not."""
    path = "/openai/deployments/my%20model/chat/completions?api-version=2025-04-01"
    body = chat("hi")
    with Raw(server.url) as raw:
        assert "m on /v1/chat/completions" == text(raw.ask("POST", path, body))
        body = chat("who are you?")
        del body["model"]
        assert "my model on /v1/chat/completions" == text(raw.ask("POST", path, body))


@pytest.mark.parametrize(
    "body, expected",
    [
        (b'{"a":1}', b'{"model":"m","a":1}'),
        (b"{}", b'{"model":"m"}'),
        (b'{ "model" : "own" }', b'{ "model" : "own" }'),
        (b'{"model":null}', b'{"model":null}'),
        (b"[]", b"[]"),
        (b"{", b"{"),
        (b"", b""),
        (b"\xff", b"\xff"),
    ],
)
def test_a_body_gets_a_model_if_it_has_none(body: bytes, expected: bytes) -> None:
    """What is no object, or names one, stays as it is."""
    assert expected == with_model(body, "m")


def test_the_sdks_for_vertex_are_answered(server: Running) -> None:
    """Google's and Anthropic's, whole and streamed; the latter names its model in the path alone."""
    options = types.HttpOptions(base_url=server.url)
    google = genai.Client(vertexai=True, api_key="any", http_options=options)
    assert "x on /v1/models/x:generateContent" == google.models.generate_content(model="x", contents="hi").text
    with anthropic.AnthropicVertex(
        base_url=f"{server.url}/v1", region="global", project_id="p", access_token="any", max_retries=0
    ) as client:
        ask = {"model": "claude-x@20250101", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
        expected = "claude-x@20250101 on /v1/messages"
        assert expected == client.messages.create(**ask).content[0].text
        with client.messages.stream(**ask) as stream:
            assert expected == stream.get_final_text()
        assert client.messages.count_tokens(model="claude-x", messages=ask["messages"]).input_tokens > 0


@pytest.mark.parametrize("base", ["", "/v1", "/openai", "/openai/v1", "/api/v1", "/v1beta/openai", "/v1/"])
def test_the_sdk_of_openai_finds_its_way(server: Running, base: str) -> None:
    """With any of these base URLs."""
    with openai.OpenAI(base_url=f"{server.url}{base}", api_key="any", max_retries=0) as client:
        assert "x on /v1/responses" == client.responses.create(model="x", input="hi").output_text
        assert client.models.retrieve("gpt-4o").id == "gpt-4o"


@pytest.mark.parametrize("base", ["", "/", "/anthropic", "/anthropic/"])
def test_the_sdk_of_anthropic_finds_its_way(server: Running, base: str) -> None:
    """Likewise."""
    with anthropic.Anthropic(base_url=f"{server.url}{base}", api_key="any", max_retries=0) as client:
        made = client.messages.create(model="x", max_tokens=9, messages=[{"role": "user", "content": "hi"}])
        assert "x on /v1/messages" == made.content[0].text
        assert client.models.list().data


@pytest.mark.parametrize("base", ["", "/gemini", "/google"])
def test_the_sdk_of_google_finds_its_way(server: Running, base: str) -> None:
    """Likewise."""
    client = genai.Client(api_key="any", http_options=types.HttpOptions(base_url=f"{server.url}{base}"))
    made = client.models.generate_content(model="x", contents="hi")
    assert made.text is not None
    assert made.text.startswith("x on /v1")
    assert client.models.get(model="gemini-2.5-flash").name == "models/gemini-2.5-flash"
