"""Each converted file, served on a real socket, answers what the other mock answered, or as its rules say it would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from anthropic import Anthropic
from essence import ask
from openai import OpenAI
from serving import serving

from llmposter.convert import Converted, convert, text_of
from llmposter.lint import check

HERE = Path(__file__).parent
RECORDED = sorted(HERE.glob("*/*.recorded.json"))
FILES = [
    path
    for recorded in RECORDED
    for path in recorded.parent.glob(f"{recorded.name.partition('.')[0]}.*")
    if path != recorded
]


@pytest.mark.parametrize("kind", ["toml", "yaml"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_converted_file_answers_as_its_format_says(path: Path, kind: Any, tmp_path: Path) -> None:
    """The written scenario is clean, and each request of the recording gets the essence of the recorded answer."""
    made = convert(path)
    assert isinstance(made, Converted)
    scenario = tmp_path / f"{path.stem}.{kind}"
    scenario.write_text(text_of(made, kind), encoding="utf-8")
    assert () == check([scenario]).diagnostics
    exchanges = json.loads(path.with_suffix(".recorded.json").read_text(encoding="utf-8"))["exchanges"]
    assert exchanges
    with serving(scenario) as server:
        answers = [ask(server.url, each["request"]) for each in exchanges]
    assert [each["answer"] for each in exchanges] == list(map(_as_far, answers, exchanges))


def _as_far(answer: dict[str, Any], exchange: dict[str, Any]) -> dict[str, Any]:
    """The answer, but for what the other format does not say."""
    recorded = exchange["answer"]
    if "error" in answer:
        # Where nothing is said of an error, each provider's own is sent.
        answer |= {"error": {name: answer["error"].get(name) for name in recorded.get("error", {})}}
    if answer.get("cut") and answer.get("text", "").startswith(recorded.get("text", "")):
        # How much of what it wrote last gets through before a reset is chance there.
        answer |= {name: recorded[name] for name in ("text",) if name in recorded}
    return answer


def test_counters_move_with_every_request_of_an_sdk(tmp_path: Path) -> None:
    """Though it says the same again: OpenAI's and Anthropic's tell a first try from a retry."""
    made = convert(HERE / "fakellm" / "turns.yaml")
    assert isinstance(made, Converted)
    (tmp_path / "turns.toml").write_text(text_of(made), encoding="utf-8")
    told = ["Go on.", "Go on.", "We have talked for a while.", "We have talked for a while.", "Go on."]
    with serving(tmp_path / "turns.toml") as server:
        openai = OpenAI(base_url=server.openai_url, api_key="any")
        anthropic = Anthropic(base_url=server.url, api_key="any")
        with openai, anthropic:
            asked = [
                openai.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}]) for _ in told
            ]
            assert told == [answer.choices[0].message.content for answer in asked]
            said = [
                anthropic.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "ho"}])
                for _ in told
            ]
            assert told == [answer.content[0].text for answer in said]  # type: ignore[union-attr]


def test_there_are_several_files_of_each_format() -> None:
    """Each with a recording that says what it was recorded from."""
    formats = [path.parent.name for path in FILES]
    assert {"aimock", "fakellm", "llmposter", "mock-llm"} == set(formats)
    assert all(formats.count(each) >= 2 for each in set(formats))
    assert all(json.loads(path.read_text(encoding="utf-8"))["recorded_from"] for path in RECORDED)
