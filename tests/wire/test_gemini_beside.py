"""What Gemini has beside conversations: counts, vectors, and paths that are none of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import types
from raw_http import Raw
from serving import serving

from llmposter.server import Running

MODEL = "gemini-2.5-flash"
PLAIN = """
[[states.talk]]
reply = "hello"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(PLAIN) as running:
        yield running


@pytest.fixture(scope="module", params=["v1beta", "v1"])
def client(server: Running, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=server.url, api_version=request.param)
    with genai.Client(api_key="any", http_options=options) as found:
        yield found


def test_tokens_are_counted_as_usage_counts_them(client: genai.Client) -> None:
    """Of the same contents."""
    counted = client.models.count_tokens(model=MODEL, contents="hello")
    answered = client.models.generate_content(model=MODEL, contents="hello")
    assert counted.total_tokens == answered.usage_metadata.prompt_token_count > 0
    longer = client.models.count_tokens(model=MODEL, contents=["hello", "and a good deal more of it"])
    assert longer.total_tokens > counted.total_tokens


@pytest.mark.parametrize("model, size", [("gemini-embedding-001", 3072), ("text-embedding-004", 768)])
def test_contents_are_embedded(client: genai.Client, model: str, size: int) -> None:
    """A unit vector for each, of the model's size or of the one that was asked for."""
    found = client.models.embed_content(model=model, contents=["one", "two", "one"])
    one, two, again = (each.values for each in found.embeddings)
    assert (size, 1.0) == (len(one), pytest.approx(math.hypot(*one), abs=1e-6))
    assert one == again != two
    small = client.models.embed_content(model=model, contents="one", config={"output_dimensionality": 8})
    assert [8] == [len(each.values) for each in small.embeddings]


@pytest.mark.parametrize(
    "model, size, counted",
    [
        ("text-embedding-005", 768, (False, 1)),
        ("gemini-embedding-001", 3072, (None, None)),
        ("gemini-embedding-2-preview", 3072, (None, None)),
    ],
)
def test_vertex_ai_embeds_too(server: Running, model: str, size: int, counted: Any) -> None:
    """By each of the three methods that the SDK has for its models."""
    options = types.HttpOptions(base_url=server.url)
    with genai.Client(vertexai=True, api_key="any", http_options=options) as client:
        (one,) = client.models.embed_content(model=model, contents="one").embeddings
        (small,) = client.models.embed_content(
            model=model, contents="one", config={"output_dimensionality": 8}
        ).embeddings
    assert (size, 8) == (len(one.values), len(small.values))
    assert counted == (one.statistics.truncated, one.statistics.token_count)


def test_one_content_is_embedded_by_its_own_method(server: Running) -> None:
    """Which the SDK does not use."""
    with Raw(server.url) as raw:
        path = "/v1beta/models/gemini-embedding-001:embedContent"
        body = {"content": {"parts": [{"text": "one"}]}, "outputDimensionality": 4}
        answer = raw.ask("POST", path, body)
        assert (200, 4) == (answer.status, len(answer.json["embedding"]["values"]))
        whole = {
            "generateContentRequest": {
                "contents": [{"parts": [{"text": "hi"}]}],
                "systemInstruction": {"parts": [{"text": "be brief, please"}]},
            }
        }
        counted = [
            raw.ask("POST", "/v1beta/models/m:countTokens", each).json["totalTokens"]
            for each in ({"contents": whole["generateContentRequest"]["contents"]}, whole)
        ]
        assert 0 < counted[0] < counted[1]


OF_GEMINI = "type.googleapis.com/google.ai.generativelanguage.v1beta"
WANTED = (
    "a model can be asked for generateContent, streamGenerateContent, countTokens, embedContent, batchEmbedContents"
)
NAMED = "a model's name begins with models/, so that the path is"
BATCH = "* BatchEmbedContentsRequest.requests"
TEXT = {"content": {"parts": [{"text": "x"}]}}
WRONG: list[tuple[str, Any, int, str]] = [
    # path, body, status, what is said
    ("models/m:embedContent", {}, 400, "* EmbedContentRequest.content: contents is not specified\n"),
    ("models/m:embedContent", {"content": "x"}, 400, f"Invalid value at 'content' ({OF_GEMINI}.Content), \"x\""),
    ("models/m:embedContent", b"{", 400, "Invalid JSON payload received. Unexpected token."),
    ("models/m:batchEmbedContents", {}, 400, f"{BATCH}: requests is not specified\n"),
    (
        "models/m:batchEmbedContents", {"requests": [TEXT] * 101}, 400,
        f"{BATCH}: at most 100 requests can be in one batch\n",
    ),
    (
        "models/m:batchEmbedContents", {"requests": [TEXT, {}]}, 400,
        f"{BATCH}[1].content: contents is not specified\n",
    ),
    (
        "models/m:batchEmbedContents", {"requests": [{**TEXT, "outputDimensionality": 4000}]}, 400,
        f"{BATCH}[0].output_dimensionality: output_dimensionality must be in the range [1, 3072].",
    ),
    ("models/m:predict", {}, 400, "* PredictRequest.instances: instances is not specified\n"),
    (
        "models/m:predict", {"instances": [{"content": 7}]}, 400,
        "Invalid value at 'instances[0].content' (TYPE_STRING), 7",
    ),
    (
        "models/m:predict", {"instances": [{"content": "x"}], "parameters": {"outputDimensionality": -1}}, 400,
        "* PredictRequest.parameters.output_dimensionality: output_dimensionality must be in the range [1, 3072].",
    ),
    (
        "models/m:predict", {"instances": [{"content": "x"}], "parameters": {"outputDimensionality": 0}}, 400,
        "* PredictRequest.parameters.output_dimensionality: output_dimensionality must be in the range [1, 3072].",
    ),
    ("models/m:countTokens", {}, 400, "* CountTokensRequest.contents: contents is not specified\n"),
    ("models/m:countTokens", {"contents": 7}, 400, f"Invalid value at 'contents' ({OF_GEMINI}.Content), 7"),
    (
        "models/m:countTokens", {"generateContentRequest": {"contents": [{"parts": [7]}]}}, 400,
        f"Invalid value at 'generate_content_request.contents[0].parts[0]' ({OF_GEMINI}.Part), 7",
    ),
    (
        "models/m:sing", {}, 404,
        f'/v1beta/models/m:sing is not found: {WANTED}; "sing" is none of them',
    ),
    (
        "models/m", {}, 404,
        f"/v1beta/models/m is not found: {WANTED}; one of them follows the model's name and a colon",
    ),
    (
        "m:generateContent", {}, 404,
        f"/v1beta/m:generateContent is not found: {NAMED} /v1beta/models/m:generateContent",
    ),
]  # fmt: skip


@pytest.mark.parametrize("path, body, status, message", WRONG)
def test_what_is_no_request_is_refused_in_googles_form(
    server: Running, path: str, body: Any, status: int, message: str
) -> None:
    """With the place, or what would be right; and the journal has it."""
    with Raw(server.url) as raw:
        answer = raw.ask("POST", f"/v1beta/{path}", body)
    assert (status, message, status) == (answer.status, answer.message, answer.json["error"]["code"])
    assert "refused" == server.mock.journal()["entries"][-1]["outcome"]
