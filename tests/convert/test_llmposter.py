"""Fixture files of llmposter 0.5: what they answer themselves, and what of them a scenario cannot say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from essence import ask
from serving import serving_fixtures

from llmposter.convert import Converted, convert

FILES = sorted((Path(__file__).parent / "llmposter").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_fixture_file_answers_as_its_conversion_does(path: Path) -> None:
    """Served as it is, each request of the recording that conversions are held to gets the essence of the answer."""
    exchanges = json.loads(path.with_suffix(".recorded.json").read_text(encoding="utf-8"))["exchanges"]
    assert exchanges
    with serving_fixtures(path.read_text(encoding="utf-8")) as server:
        answers = [ask(server.url, each["request"]) for each in exchanges]
    assert [each["answer"] for each in exchanges] == answers


def made(folder: Path, fixture: str) -> Converted:
    path = folder / "fixtures.yaml"
    path.write_text(f"fixtures:\n  - {fixture}\n", encoding="utf-8")
    found = convert(path)
    assert isinstance(found, Converted), found
    return found


TEMPLATES = {
    "Hello.": "Hello.",
    "{{ user_message }}!\n": "${user}!",
    "{{model|upper}} and {{ provider | lower | trim }}": "${upper(model)} and ${trim(lower(provider))}",
    "{{ request.messages[0]['content'] }} ${x}": '${body.messages[0]["content"]} $${x}',
    "{{ request.tools | length }}": "${len(body.tools)}",
}


@pytest.mark.parametrize("jinja", TEMPLATES, ids=range(len(TEMPLATES)))
def test_a_simple_template_becomes_one_of_the_language(jinja: str, tmp_path: Path) -> None:
    """What the request says, with the filters that are functions here."""
    found = made(tmp_path, f"response: {{content_template: {json.dumps(jinja)}}}")
    assert () == found.remarks
    assert TEMPLATES[jinja] == found.data["states"]["answer"][0]["reply"]


LOST = {
    "a loop": (
        'response: {content_template: "{% for m in request.messages %}x{% endfor %}"}',
        "lost: there is no template for `{% … %}`; the text is said as it is written",
    ),
    "a filter": (
        'response: {content_template: "{{ model | title }}"}',
        "lost: there is no template for `{{ model | title }}`; the text is said as it is written",
    ),
    "twice": (
        "response: {content: x}\n    failure: {duplicate_frames: true}",
        "lost: events that come twice all along a stream cannot be had; `duplicate after 2 chunks` says one",
    ),
    "a frame": (
        "response: {content: x}\n    failure: {truncate_after_chunks: 2}",
        "otherwise: a chunk is one of the text, a frame was any event; of a chat the first frame has none",
    ),
    "a seed": (
        "response: {content: x}\n    streaming: {latency: 5}\n    failure: {latency_jitter_ms: 5, chaos_seed: 3}",
        "otherwise: what is drawn is drawn from `scenario.seed`",
    ),
    "much jitter": (
        "response: {content: x}\n    streaming: {latency: 5}\n    failure: {latency_jitter_ms: 9}",
        "otherwise: jitter is at most the latency itself",
    ),
    "some jitter": (
        "response: {content: x}\n    streaming: {latency: 5}\n    failure: {latency_jitter_ms: 4, probability: 0.5}",
        "otherwise: every stream has the jitter, whatever the probability",
    ),
    "a vector of a state": (
        "response: {embedding: [1.0]}\n    scenario: {name: a, set_state: b}",
        "lost: `scenario` is not asked for where texts are embedded",
    ),
}


@pytest.mark.parametrize("case", LOST.values(), ids=LOST)
def test_what_a_fixture_loses_is_told(case: tuple[str, str], tmp_path: Path) -> None:
    """With its place."""
    fixture, told = case
    remarks = [str(each).partition(": ")[2] for each in made(tmp_path, fixture).remarks]
    assert told == remarks[-1]
    assert all("a request that comes again" in each for each in remarks[:-1])


def test_fixtures_that_are_wrong_are_told_as_ever(tmp_path: Path) -> None:
    """With the findings that loading them has."""
    path = tmp_path / "fixtures.yaml"
    path.write_text("fixtures:\n  - match: {}\n", encoding="utf-8")
    found = convert(path)
    assert isinstance(found, tuple)
    assert ["LP602"] == [each.code for each in found]


def test_states_of_a_conversation_need_no_key(tmp_path: Path) -> None:
    """Where the file says so, they are variables as any; names that are taken get others."""
    path = tmp_path / "fixtures.yaml"
    fixture = "  - response: {content: x}\n    scenario: {name: user, set_state: b}\n"
    path.write_text(f"state: conversation\nfixtures:\n{fixture}", encoding="utf-8")
    found = convert(path)
    assert isinstance(found, Converted)
    assert {"state_user": ""} == found.data["vars"]
    assert "scenario" not in found.data
