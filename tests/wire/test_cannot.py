"""What a provider cannot say is a finding of the checker, and what is sent then is what the finding and the page say.

Nothing here knows a provider: its own words are those of its SDK's types.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from captured import asked
from judging import Heard, judges
from serving import program
from wire_cases import PARIS, reply

from llmposter import lint
from llmposter.core.delivery import pieces
from llmposter.model import Reply, Text, ToolCall
from llmposter.wire import load
from llmposter.wire.finishes import MEANING
from llmposter_dsl.codes import CODES
from llmposter_dsl.place import At
from llmposter_dsl.program import Chunk, Rule
from llmposter_dsl.report import text
from llmposter_dsl.source import Source, Span

WIRES = sorted(load())
PLACE = At(Source("fake.toml", "fake"), Span(0, 4))
OWN = [(wire, word) for wire in WIRES for word in judges()[wire].words]
WORDS = [(wire, word) for wire in WIRES for word in MEANING]


def findings(wire: str, rule: Rule) -> list[str]:
    return list(load()[wire].cannot(rule))


def ending(word: str) -> tuple[Rule, Reply]:
    """A rule and its reply that end with this word."""
    part = PARIS if MEANING.get(word) == "tool_calls" else Text("It is so.")
    return Rule("ask#1", "ask", PLACE, finish=word), reply(part, finish=word)


def sent(wire: str, said: Reply) -> tuple[Heard, Heard]:
    """What is heard of a reply, whole and streamed."""
    whole = load()[wire].whole(asked(wire, stream=False), said).body
    frames = load()[wire].stream(asked(wire, stream=True), said, pieces(said, Chunk(1, "words")))
    return judges()[wire].whole(whole), judges()[wire].streamed(b"".join(frame.data for frame in frames))


@pytest.mark.parametrize("wire, word", OWN)
def test_a_providers_own_word_goes_out_as_it_is(wire: str, word: str) -> None:
    """Every finish reason of the SDK's types can be had, with nothing for the checker to report."""
    rule, said = ending(word)
    assert [] == findings(wire, rule)
    whole, streamed = sent(wire, said)
    assert [word, word] == [whole.raw, streamed.raw]


@pytest.mark.parametrize("wire, word", WORDS)
def test_any_providers_word_means_the_same_on_all(wire: str, word: str) -> None:
    """It is sent as the word that means the same, or the checker says that there is none."""
    rule, said = ending(word)
    whole, streamed = sent(wire, said)
    assert whole.finish == streamed.finish
    assert (whole.finish != MEANING[word]) == bool(findings(wire, rule)), whole


@pytest.mark.parametrize("wire", WIRES)
def test_a_word_that_nobody_knows_is_reported(wire: str) -> None:
    """The sentence quotes it, and tells words that the provider has."""
    (told,) = findings(wire, Rule("ask#1", "ask", PLACE, finish="done"))
    assert re.search('no (finish|stop) reason "done"', told)
    assert any(f'"{word}"' in told for word in judges()[wire].words)


# --- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", ["{}", '{"city": "Par', "ls -l", "[1]", "null", '"Paris"', ""])
@pytest.mark.parametrize("wire", WIRES)
def test_arguments_that_a_provider_cannot_send_are_reported(wire: str, arguments: str) -> None:
    """What is heard, whole and streamed, is the text as the rule gives it, or the checker says that it cannot be."""
    (rule,) = program(CALLING.format(arguments=arguments)).states["ask"]
    whole, streamed = sent(wire, reply(ToolCall("call_1", "get_weather", arguments)))
    assert whole.calls == streamed.calls
    told = [call.arguments for call in whole.calls]
    # No arguments at all are an empty object to those that have objects.
    assert (told in ([arguments], [arguments or "{}"])) == (not findings(wire, rule)), (whole, findings(wire, rule))


CALLING = """
[[states.ask]]
call = {{ tool = "get_weather", arguments = '{arguments}' }}
"""


# --- as the checker tells it ------------------------------------------------------------------------------------------

SCENARIO = """
[[states.ask]]
reply  = "One moment."
finish = "pause"

[[otherwise]]
call = { tool = "get_weather", arguments = "{" }
"""


def test_the_checker_tells_each_with_its_place_and_its_provider(tmp_path: Path) -> None:
    """One finding for each provider that cannot say it, at the key that says it."""
    path = tmp_path / "a.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    checked = lint.check([path])
    found = [text(each).removeprefix(f"{path}:") for each in checked.diagnostics if each.code == "LP401"]
    assert {"4:10-4:17": {"Gemini", "OpenAI Chat", "OpenAI Responses"}, "6:1-6:14": {"Gemini"}} == {
        place: {told.split(" LP401 ")[1].split(" has no ")[0] for told in found if told.startswith(place)}
        for place in {told.split()[0] for told in found}
    }


MEANT = [
    # what the scenario serves, what the rule wants; who is still asked for "pause"
    ("", "", {"Gemini", "OpenAI Chat", "OpenAI Responses"}),
    ("", 'provider == "anthropic"', set()),
    ("", 'provider in ["anthropic", "gemini"] and user == "x"', {"Gemini"}),
    ("", 'provider == "anthropic" or user == "x"', {"Gemini", "OpenAI Chat", "OpenAI Responses"}),
    ("", 'provider != "gemini" and not (provider == "openai")', {"OpenAI Responses"}),
    ('provider == "gemini"', "", {"Gemini"}),
    ('provider == "gemini" or provider == "anthropic"', "provider matches /^a/", set()),
]


@pytest.mark.parametrize("serves, when, asked_", MEANT)
def test_only_those_are_asked_that_a_rule_is_for(tmp_path: Path, serves: str, when: str, asked_: set[str]) -> None:
    """What conditions say of `provider` alone keeps the others out."""
    path = tmp_path / "a.toml"
    conditions = [f"serves = '{serves}'" if serves else "", "[[states.ask]]", f"when = '{when}'" if when else ""]
    path.write_text("\n".join(["[scenario]", *conditions, "reply = 'x'", "finish = 'pause'"]), encoding="utf-8")
    found = [each for each in lint.check([path]).diagnostics if each.code == "LP401"]
    assert asked_ == {each.message.split(" has no ")[0] for each in found}
    assert all(CODES[each.code].severity == "warning" for each in found)
