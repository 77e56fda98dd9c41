"""OpenAI's embeddings: what its SDK reads back over a real socket, and what is refused, in its words."""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_http import Raw
from serving import serving

from llmposter.core.clock import ManualClock
from llmposter.core.mock import Mock
from llmposter.model import BadRequest, Connection, Request, Response
from llmposter.server import Running
from llmposter.wire import endpoints

PLAIN = """
[[states.talk]]
reply = "hello"
"""
SMALL = "text-embedding-3-small"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(PLAIN) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.openai_url, api_key="any", max_retries=0) as found:
        yield found


def test_the_sdk_reads_vectors(client: openai.OpenAI) -> None:
    """As numbers, and in base64, which it asks for by itself; the object is what its types want."""
    coded = client.embeddings.create(model=SMALL, input="hello world")
    plain = client.embeddings.create(model=SMALL, input="hello world", encoding_format="float")
    assert 1536 == len(plain.data[0].embedding)
    assert plain.data[0].embedding == pytest.approx(coded.data[0].embedding, abs=1e-7)
    assert math.hypot(*coded.data[0].embedding) == pytest.approx(1, abs=1e-6)
    openai.types.CreateEmbeddingResponse.model_validate(plain.to_dict(), strict=True)
    assert (SMALL, 3, 3) == (plain.model, plain.usage.prompt_tokens, plain.usage.total_tokens)


@pytest.mark.parametrize(
    "given, count, tokens",
    [
        ("one", 1, 1),
        (["one", "two two", "three"], 3, 5),
        ([1, 2, 3], 1, 3),
        ([[1, 2], [3], [4, 5, 6]], 3, 6),
        (["x"] * 2048, 2048, 2048),
    ],
)
def test_every_input_has_a_vector(client: openai.OpenAI, given: Any, count: int, tokens: int) -> None:
    """In the order of the inputs, texts and tokens alike; tokens that are given are counted as they are."""
    made = client.embeddings.create(model=SMALL, input=given, dimensions=8)
    assert list(range(count)) == [each.index for each in made.data]
    assert {8} == {len(each.embedding) for each in made.data}
    assert tokens == made.usage.prompt_tokens


def test_an_input_has_its_vector_wherever_it_stands(client: openai.OpenAI) -> None:
    """The same text has the same one, alone or among others."""
    alone = client.embeddings.create(model=SMALL, input="the second", dimensions=16)
    among = client.embeddings.create(model=SMALL, input=["the first", "the second"], dimensions=16)
    assert alone.data[0].embedding == among.data[1].embedding != among.data[0].embedding


@pytest.mark.parametrize(
    "model, size", [(SMALL, 1536), ("text-embedding-3-large", 3072), ("text-embedding-ada-002", 1536), ("mine", 1536)]
)
def test_a_model_has_its_dimensions(client: openai.OpenAI, model: str, size: int) -> None:
    """Where the request does not say how many."""
    assert size == len(client.embeddings.create(model=model, input="x").data[0].embedding)


def test_base64_is_of_numbers_of_32_bits(server: Running) -> None:
    """The lowest byte first, in no other form."""
    body = {"model": SMALL, "input": "x", "dimensions": 3, "encoding_format": "base64"}
    with Raw(server.url) as raw:
        told = raw.ask("POST", "/v1/embeddings", body).json
        plain = raw.ask("POST", "/v1/embeddings", {**body, "encoding_format": "float"}).json
    numbers = struct.unpack("<3f", base64.b64decode(told["data"][0]["embedding"]))
    assert plain["data"][0]["embedding"] == pytest.approx(numbers, abs=1e-7)


EMPTY = "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
RULES = """
[[states.talk]]
when = 'model == "gpt-x"'
reply = "hello"

[[embeddings]]
when = 'text contains "cat"'
vector = [1, 0, 0]

[[embeddings]]
when = 'text == "busy"'
times = 1
error = { name = "rate_limited", retry_after = "10ms" }
"""


def test_rules_say_vectors_and_errors() -> None:
    """Each input has its own; an error is the whole answer, which the SDK tries again; no state hears of it."""
    with serving(RULES) as running, openai.OpenAI(base_url=running.openai_url, api_key="any") as client:
        made = client.embeddings.create(model=SMALL, input=["a cat", "busy", "a dog"], dimensions=3)
        assert [1.0, 0.0, 0.0] == made.data[0].embedding
        assert [3, 3, 3] == [len(each.embedding) for each in made.data]
        first, second = running.mock.journal()["entries"]
        assert [("endpoint", 429), ("endpoint", 200)] == [(each["outcome"], each["status"]) for each in (first, second)]
        assert [SMALL, SMALL] == [first["model"], second["model"]]
        assert first["detail"].startswith("embeddings#1 (")
        assert "embeddings#2 (" in first["detail"]
        assert "embeddings#2" not in second["detail"]
        assert [] == running.mock.conversations()
        assert running.mock.verify().ok
        assert ["gpt-x"] == [model.id for model in client.models.list()]


@pytest.mark.parametrize(
    "body, message, param",
    [
        ("no json", "We could not parse the JSON body of your request.", None),
        ("[]", "Invalid type: expected an object, but got an array instead.", None),
        ({"input": "x"}, "you must provide a model parameter", None),
        ({"model": "", "input": "x"}, "you must provide a model parameter", None),
        ({"model": SMALL}, "Missing required parameter: 'input'.", "input"),
        ({"model": SMALL, "input": None}, "Invalid type for 'input':", "input"),
        ({"model": SMALL, "input": 7}, "Invalid type for 'input':", "input"),
        ({"model": SMALL, "input": ""}, f"{EMPTY} (input is empty.)", None),
        ({"model": SMALL, "input": []}, f"{EMPTY} (input is empty.)", None),
        ({"model": SMALL, "input": ["a", ""]}, f"{EMPTY} (input[1] is empty.)", None),
        ({"model": SMALL, "input": [[1], []]}, f"{EMPTY} (input[1] is empty.)", None),
        ({"model": SMALL, "input": ["a", 1]}, "Invalid 'input': expected a string, or an array of token ids.", "input"),
        ({"model": SMALL, "input": [-1]}, "Invalid 'input': expected a string, or an array of token ids.", "input"),
        ({"model": SMALL, "input": [True]}, "Invalid type for 'input[0]':", "input[0]"),
        ({"model": SMALL, "input": ["x"] * 2049}, "Invalid 'input': array too long.", "input"),
        ({"model": SMALL, "input": "x", "dimensions": 0}, "Invalid 'dimensions': integer below minimum", "dimensions"),
        ({"model": SMALL, "input": "x", "dimensions": "8"}, "Invalid type for 'dimensions':", "dimensions"),
        (
            {"model": SMALL, "input": "x", "dimensions": 1537},
            "Invalid value for 'dimensions' = 1537. Must be less than or equal to 1536.",
            "dimensions",
        ),
        (
            {"model": "text-embedding-ada-002", "input": "x", "dimensions": 8},
            "This model does not support specifying dimensions.",
            None,
        ),
        (
            {"model": SMALL, "input": "x", "encoding_format": "hex"},
            "Invalid value: 'hex'. Supported values are: 'float' and 'base64'.",
            "encoding_format",
        ),
    ],
)
def test_what_openai_refuses_is_refused(server: Running, body: Any, message: str, param: str | None) -> None:
    """In its words, and the journal says so."""
    with Raw(server.url) as raw:
        answer = raw.ask("POST", "/@refused/v1/embeddings", body.encode() if isinstance(body, str) else body)
    assert 400 == answer.status
    assert answer.message.startswith(message)
    assert param == answer.json["error"]["param"]
    entry = server.mock.journal("refused")["entries"][-1]
    assert ("refused", "openai", answer.message) == (entry["outcome"], entry["provider"], entry["detail"])


TOKENS = [1] * 8192
LONG = "This model's maximum context length is 8192 tokens, however you requested {0} tokens ({0} in your prompt;"


@pytest.mark.parametrize(
    "given, message, code",
    [
        ([1] * 8193, LONG.format(8193), None),
        (["a", "b" * 65_544], LONG.format(16_386), None),
        ([TOKENS] * 37, "Requested 303104 tokens, max 300000 tokens per request", "max_tokens_per_request"),
        (["c" * 32_000] * 80, "Requested 640000 tokens, max 300000 tokens per request", "max_tokens_per_request"),
    ],
)
def test_more_than_openai_takes_is_told(client: openai.OpenAI, given: Any, message: str, code: str | None) -> None:
    """In one input and in all; a count that is only estimated has to be twice as high."""
    with pytest.raises(openai.BadRequestError) as raised:
        client.embeddings.create(model=SMALL, input=given, dimensions=1)
    assert raised.value.body["message"].startswith(message)
    assert code == raised.value.code


@pytest.mark.parametrize(
    "model, given",
    [(SMALL, TOKENS), (SMALL, [TOKENS] * 36), (SMALL, "b" * 65_000), ("mine", [[1] * 9000] * 40)],
)
def test_as_much_as_openai_takes_is_taken(client: openai.OpenAI, model: str, given: Any) -> None:
    """And any amount for a model that is not OpenAI's."""
    assert client.embeddings.create(model=model, input=given, dimensions=1).data


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**20) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.one_of(
    st.binary(),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("model", "input", "dimensions", "encoding_format"), NESTED)).map(
        lambda body: json.dumps(body).encode()
    ),
    st.builds(lambda given: json.dumps({"model": "m", "input": given, "dimensions": 2}).encode(), NESTED),
)


@settings(deadline=None)
@given(BODIES, st.sampled_from(["/v1/embeddings", "/v1/moderations"]))
def test_any_body_has_an_answer(body: bytes, path: str) -> None:
    """A response or a refusal, never an exception."""
    (endpoint,) = (each for each in endpoints() if path in [route.path for route in each.routes])
    request = Request("POST", path, {}, {}, body, Connection(1))
    told = endpoint.answer(request, Mock([], ManualClock()).desk(request))
    assert isinstance(told, BadRequest) or (isinstance(told, Response) and json.loads(told.body))
