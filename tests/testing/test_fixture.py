"""Fixtures in Python: the Rust program's builder, the keys of a fixture file, and places in the Python file."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from agents import Agent, posted
from program_shape import shape

from llmposter import Fixture, ScenarioError, Server
from llmposter.fixtures import keys
from llmposter.testing.sources import programs

HERE = Path(__file__)
EVERY = [
    Fixture()
    .match_user_message("weather")
    .match_model(re.compile("^gpt", re.IGNORECASE))
    .match_header("X-Team", "blue")
    .match_system_prompt("brief")
    .match_temperature_range(0.1, 0.9)
    .match_metadata("n", "2")
    .match_tool_schema("get_weather")
    .match_body_jsonpath("$.messages[0]")
    .for_provider("openai")
    .with_priority(3)
    .with_scenario("talk", required_state="", set_state="asked")
    .respond_with_content("not this")
    .respond_with_tool_calls(("get_weather", {"city": "Paris"}))
    .with_stop_reason("tool_calls")
    .with_finish_reason("stop")
    .with_streaming(latency=5, chunk_size=7)
    .with_failure(latency_ms=1, latency_jitter_ms=2, duplicate_frames=True, probability=0.5, chaos_seed=4),
    Fixture().match_temperature(0.5).respond_with_tool_calls(("x", {})).respond_with_content("Half"),
    Fixture().match_user_message("who").respond_with_template("You are {{ model }}"),
    Fixture().match_user_message("vector").respond_with_embedding([0.5, 1]),
    Fixture().match_user_message("no").respond_with_refusal("I will not"),
    Fixture().match_user_message("limit").with_error(429, "slow down").with_error_headers({"retry-after": "1"}),
    Fixture().match_user_message("cut").respond_with_content("a b c").with_failure(truncate_after_frames=1),
    Fixture().match_user_message("gone").respond_with_content("a").with_failure(disconnect_after_ms=1),
    Fixture().match_user_message("bad").respond_with_content("a").with_failure(corrupt_body=True),
    Fixture().as_catch_all().respond_with_content("Else"),
]
WRITTEN = """
fixtures:
  - match:
      user_message: weather
      model: { regex: "(?i)^gpt" }
      headers: { X-Team: blue }
      system_prompt: brief
      temperature: { min: 0.1, max: 0.9 }
      metadata: { n: "2" }
      tool_schema: get_weather
      body_jsonpath: "$.messages[0]"
    provider: openai
    priority: 3
    scenario: { name: talk, required_state: "", set_state: asked }
    response:
      tool_calls: [{ name: get_weather, arguments: { city: Paris } }]
      stop_reason: tool_calls
      finish_reason: stop
    streaming: { latency: 5, chunk_size: 7 }
    failure: { latency_ms: 1, latency_jitter_ms: 2, duplicate_frames: true, probability: 0.5, chaos_seed: 4 }
  - { match: { temperature: 0.5 }, response: { content: Half } }
  - { match: { user_message: who }, response: { content_template: "You are {{ model }}" } }
  - { match: { user_message: vector }, response: { embedding: [0.5, 1] } }
  - { match: { user_message: "no" }, refusal: { reason: I will not } }
  - match: { user_message: limit }
    error: { status: 429, message: slow down, headers: { retry-after: "1" } }
  - { match: { user_message: cut }, response: { content: a b c }, failure: { truncate_after_frames: 1 } }
  - { match: { user_message: gone }, response: { content: a }, failure: { disconnect_after_ms: 1 } }
  - { match: { user_message: bad }, response: { content: a }, failure: { corrupt_body: true } }
  - { catch_all: true, response: { content: Else } }
"""


def said(server: Server, text: str) -> str:
    return posted(server.openai_url, text).json()["choices"][0]["message"]["content"]


def names(value: Any) -> Any:
    """A shape with the rules' names of either file, and without what tells one object from another."""
    return re.sub(r"(fixtures\.yaml|test_fixture\.py)(?=#)| at 0x[0-9a-f]+", "", repr(value))


def test_what_is_built_is_what_a_file_has() -> None:
    """Every method and every key, one Program."""
    (written,), (built,) = programs([WRITTEN]), programs(EVERY)
    assert names(shape(written)) == names(shape(built))


TABLES = {
    "match": (keys.MATCH, set()),
    "response": (keys.RESPONSE, set()),
    "error": (keys.ERROR, set()),
    "refusal": (keys.REFUSAL, set()),
    "failure": (keys.FAILURE, {"truncate_after_chunks"}),
    "streaming": (keys.STREAMING, set()),
    "scenario": (keys.SCENARIO, set()),
}


@pytest.mark.parametrize("table", TABLES)
def test_no_key_of_a_fixture_is_forgotten(table: str) -> None:
    """Each can be built; older names of one key are none of their own."""
    known, older = TABLES[table]
    assert set(known) - older == {key for each in EVERY for key in each._data.get(table, {})}


def test_no_table_of_a_fixture_is_forgotten() -> None:
    """The same of a fixture's own keys; and `failure` names its keys as arguments."""
    assert set(keys.FIXTURE) == {key for each in EVERY for key in each._data}
    assert set(keys.FAILURE) - {"truncate_after_chunks"} == set(inspect.signature(Fixture.with_failure).parameters) - {
        "self"
    }


def test_fixtures_are_served() -> None:
    """Those of Python in their order, beside those of texts and beside scenarios."""
    scenario = '[scenario]\nserves = \'model == "other"\'\n[[states.talk]]\nreply = "Scenario"\n'
    with Server(
        *EVERY[4:], "fixtures:\n  - match: { user_message: text }\n    response: { content: Text }\n"
    ) as server:
        assert ("Else", "Text") == (said(server, "hello"), said(server, "text"))
        assert (429, "1") == (
            (limited := posted(server.openai_url, "limit")).status_code,
            limited.headers["retry-after"],
        )
        with pytest.raises(AssertionError, match=r"none of 3 matched requests does"):
            server.assert_matched("weather")
    with Server(scenario, Fixture().match_user_message("hi").respond_with_content("Fixture")) as server:
        assert "Fixture" == said(server, "hi")
        body = {"model": "other", "messages": [{"role": "user", "content": "hi"}]}
        answer = httpx.post(f"{server.openai_url}/chat/completions", json=body).json()
        assert "Scenario" == answer["choices"][0]["message"]["content"]


def test_fixture_files_are_served(tmp_path: Path) -> None:
    """A file and a folder of them."""
    (tmp_path / "a.yaml").write_text("fixtures:\n  - response: { content: A }\n")
    for source in (tmp_path, tmp_path / "a.yaml", str(tmp_path / "a.yaml")):
        with Server(source) as server:
            assert "A" == said(server, "hi")


def test_fixtures_are_put_in_place_of_others() -> None:
    """Validated first: a wrong one leaves those that are served."""
    with Server(Fixture().respond_with_content("old")) as server:
        with pytest.raises(ScenarioError, match="must not be empty"):
            server.set_scenarios(Fixture().match_user_message("").respond_with_content("new"))
        assert "old" == said(server, "hi")
        server.set_scenarios(Fixture().respond_with_content("new"))
        assert "new" == said(server, "hi")


def test_a_tool_loop_of_fixtures() -> None:
    """State by state, as the original's users write it; what the agent ran is asserted as anywhere."""
    with Server(
        Fixture()
        .match_user_message("weather")
        .with_scenario("loop", "", "called")
        .respond_with_tool_calls(("get_weather", {"city": "Paris"})),
        Fixture().match_user_message("weather").with_scenario("loop", "called", "done").respond_with_content("22"),
    ) as server:
        agent = Agent(server.openai_url)
        assert ("", None) == (server.scenario_state("loop"), server.scenario_state("other"))
        agent.say("weather in Paris")
        assert "called" == server.scenario_state("loop")
        assert "22" == agent.bring("22")["content"]
        server.assert_called("get_weather", city="Paris")


WRONG = {
    "empty": (lambda: Fixture().match_model("").respond_with_content("a"), '""', "LP606 match.model substring"),
    "status": (lambda: Fixture().with_error(200, "a"), "200", "LP603 error.status must be an error"),
    "keyword": (lambda: Fixture().respond_with_content("a").with_streaming(chunk_size=0), "0", "LP605"),
    "both": (lambda: Fixture().with_error(500, "a").respond_with_content("b"), "", "are mutually exclusive"),
    "nothing": (lambda: Fixture().with_priority(3), "", "LP602 Fixture must have either"),
    "header": (lambda: Fixture().match_header("a b", "x").respond_with_content("a"), "", "not a valid HTTP header"),
}


@pytest.mark.parametrize("name", WRONG)
def test_validate_names_the_argument(name: str) -> None:
    """With the original's sentence."""
    build, marked, expected = WRONG[name]
    with pytest.raises(ScenarioError) as caught:
        build().validate()
    place, text = caught.value.findings[0].place, HERE.read_text(encoding="utf-8")
    line = next(n for n, each in enumerate(text.splitlines(), 1) if each.startswith(f'    "{name}":'))
    assert expected in str(caught.value)
    assert f"{HERE.name}:{line}:" in str(caught.value)
    assert marked in ("", text[place.span.start : place.span.end])


def test_a_fixture_that_is_right_is_valid() -> None:
    """Nothing is raised."""
    for each in EVERY[1:]:
        each.validate()


def test_the_fixture_that_nearly_matched_is_told_where_that_is_asked_for() -> None:
    """As `--diagnostics` does."""
    fixture = Fixture().match_user_message("hello").match_model("other").respond_with_content("Hi")
    for diagnostics in (False, True):
        with Server(fixture, diagnostics=diagnostics) as server:
            server.set_scenarios(fixture)
            told = posted(server.openai_url, "hello").text
            assert diagnostics == ('{"field":"model","passed":false}' in told)
