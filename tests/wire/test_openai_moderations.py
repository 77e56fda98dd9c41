"""OpenAI's moderations: what its SDK reads back over a real socket, and what is refused, in its words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import openai
import pytest
from openai.types.moderation import Categories, CategoryAppliedInputTypes, Moderation
from raw_http import Raw
from serving import serving

from llmposter.server import Running
from llmposter.wire.openai_moderations import CATEGORIES
from llmposter_dsl import keys

PLAIN = """
[[states.talk]]
reply = "hello"
"""
RULES = """
[[states.talk]]
reply = "hello"

[[moderations]]
when = 'text mentions "kill"'
flags = ["violence", "harassment/threatening"]

[[moderations]]
when = 'text ends with "cat.png"'
flags = ["sexual"]

[[moderations]]
when = 'text == "busy"'
times = 1
error = { name = "rate_limited", retry_after = "10ms" }
"""
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
TEXT = {"type": "text", "text": "hi"}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(PLAIN) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.openai_url, api_key="any", max_retries=0) as found:
        yield found


@pytest.fixture
def scripted() -> Iterator[openai.OpenAI]:
    with serving(RULES) as running, openai.OpenAI(base_url=running.openai_url, api_key="any", max_retries=0) as found:
        yield found


def test_the_categories_are_those_of_the_sdk() -> None:
    """By their names, and by what each looks at."""
    fields = CategoryAppliedInputTypes.model_fields
    assert {field.alias or name for name, field in Categories.model_fields.items()} == set(CATEGORIES)
    assert {
        field.alias or name: get_args(get_args(field.annotation)[0]) for name, field in fields.items()
    } == CATEGORIES
    assert tuple(CATEGORIES) == keys.CATEGORIES


@pytest.mark.parametrize(
    "given, count, kinds",
    [
        ("hi", 1, ["text"]),
        ("", 1, ["text"]),
        (["a", "b", "c"], 3, ["text"]),
        ([TEXT], 1, ["text"]),
        ([IMAGE], 1, ["image"]),
        ([TEXT, IMAGE], 1, ["text", "image"]),
    ],
)
def test_the_sdk_reads_results(client: openai.OpenAI, given: Any, count: int, kinds: list[str]) -> None:
    """One for each text, one for a list of texts and images; without a rule nothing is flagged."""
    told = client.moderations.create(input=given)
    assert "omni-moderation-latest" == told.model
    assert count == len(told.results)
    for result in told.results:
        Moderation.model_validate(result.to_dict(), strict=True)
        assert (False, {False}) == (result.flagged, set(result.categories.to_dict().values()))
        assert kinds == result.category_applied_input_types.violence
        assert [kind for kind in kinds if kind == "text"] == result.category_applied_input_types.hate
        assert max(result.category_scores.to_dict().values()) < 0.01


def test_a_model_is_echoed(client: openai.OpenAI) -> None:
    """As it was asked for; and the same request has the same id."""
    first, second = (client.moderations.create(input="x", model="text-moderation-stable") for _ in range(2))
    assert ("text-moderation-stable", first.id) == (first.model, second.id)
    assert first.id.startswith("modr-")


@pytest.mark.parametrize(
    "body, message",
    [
        (b"\xff", "We could not parse the JSON body of your request."),
        ({}, "Missing required parameter: 'input'."),
        ({"input": 1}, "Invalid type for 'input':"),
        ({"input": []}, "Invalid 'input': empty array."),
        ({"input": [1]}, "Invalid type for 'input[0]':"),
        ({"input": [{"type": "audio"}]}, "Invalid value: 'audio'. Supported values are: 'text' and 'image_url'."),
        ({"input": [{"type": "text"}]}, "Missing required parameter: 'input[0].text'."),
        ({"input": ["a", TEXT]}, "Invalid 'input': expected an array of strings or an array of objects, got both."),
    ],
)
def test_what_openai_refuses_is_refused(server: Running, body: Any, message: str) -> None:
    """In its words."""
    with Raw(server.url) as raw:
        answer = raw.ask("POST", "/v1/moderations", body)
    assert 400 == answer.status
    assert answer.message.startswith(message)


def test_a_rule_flags_a_text(scripted: openai.OpenAI) -> None:
    """Its categories and no others, with high scores, for this input and no other."""
    flagged, clean = scripted.moderations.create(input=["I will kill you", "I like you"]).results
    assert (True, False) == (flagged.flagged, clean.flagged)
    assert {"violence", "harassment/threatening"} == {
        name for name, is_flagged in flagged.categories.to_dict().items() if is_flagged
    }
    scores = flagged.category_scores
    assert min(scores.violence, scores.harassment_threatening) > 0.9 > 0.01 > max(scores.hate, scores.sexual)


def test_a_rule_flags_an_image_by_its_url(scripted: openai.OpenAI) -> None:
    """One result tells what was flagged of all of its parts."""
    (result,) = scripted.moderations.create(input=[TEXT, IMAGE]).results
    assert (True, True, False) == (result.flagged, result.categories.sexual, result.categories.violence)


def test_a_rule_fails_the_request(scripted: openai.OpenAI) -> None:
    """With OpenAI's own error, as often as it says."""
    with pytest.raises(openai.RateLimitError):
        scripted.moderations.create(input=["fine", "busy"])
    assert 2 == len(scripted.moderations.create(input=["fine", "busy"]).results)
