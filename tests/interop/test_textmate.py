"""Expressions are coloured in TOML and YAML by the engine of VS Code, on the grammars that it has for both."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from clients import INTEROP, environment, node

import llmposter_grammar
from llmposter_dsl import textmate

GRAMMARS = Path(llmposter_grammar.__path__[0])
HOSTS = INTEROP / "js/node_modules/tm-grammars/grammars"

TOML = r"""
[[states.ask]]  # when = 'user'
when = 'user mentions "refund" and attempt < 3 or elapsed > 30s'
reply = "Hello ${lower(user)}, that is $${no} when = 'user'"
call = "get_weather(city: result.text)"
think = '''${
it + name}'''
expect = ['user exists', "last == 'user'"]
goto = "ask"
"""
YAML = r"""
states:
  ask:
    - when: 'user matches /in (?P<where>\w+)/i'
      reply: Hello ${where}, user
      goto: ask  # when: 'user'
    - reply: "In ${default(city, null)}"
      expect: ['not stream', "turn == 1"]
"""


def scopes(kind: str, text: str, home: Path) -> list[tuple[str, str, set[str]]]:
    """Each token with its line and with what ours is of its scopes."""
    every = [str(HOSTS / f"{kind}.json"), *(str(GRAMMARS / textmate.file(name)) for name in textmate.FILES)]
    asked = json.dumps({"host": f"source.{kind}", "grammars": every, "text": text})
    command = [*node(), str(INTEROP / "js/colours.mjs")]
    ran = subprocess.run(
        command, input=asked, capture_output=True, text=True, check=False, timeout=60, env=environment(home)
    )
    assert ran.returncode == 0, ran.stderr
    lines = zip(text.split("\n"), json.loads(ran.stdout), strict=True)
    return [
        (line, token.strip(), {scope.removesuffix(".llmposter") for scope in found if scope.endswith(".llmposter")})
        for line, tokens in lines
        for token, found in tokens
    ]


@pytest.mark.parametrize("name", textmate.FILES)
def test_the_packaged_grammars_are_not_stale(name: str) -> None:
    """`python -m llmposter_dsl.textmate` would change nothing."""
    assert textmate.text(name) == llmposter_grammar.text(textmate.file(name))


COLOURED = [
    ("toml", "when = 'user mentions", "user", "support.variable"),
    ("toml", "when = 'user mentions", "mentions", "keyword.operator.word"),
    ("toml", "when = 'user mentions", '"refund"', "string.quoted"),
    ("toml", "when = 'user mentions", "3", "constant.numeric"),
    ("toml", "when = 'user mentions", "30s", "constant.numeric.duration"),
    ("toml", "reply = ", "lower", "support.function"),
    ("toml", "reply = ", "$${", "constant.character.escape"),
    ("toml", "call = ", "get_weather", "entity.name.function.tool"),
    ("toml", "call = ", "city", "variable.parameter"),
    ("toml", "call = ", "text", "variable.other.member"),
    ("toml", "it + name", "name", "variable.other"),
    ("toml", "expect = ", "exists", "keyword.operator.word"),
    ("toml", "expect = ", "'user'", "string.quoted"),
    ("yaml", "- when: ", "user", "support.variable"),
    ("yaml", "- when: ", r"/in (?P<where>\w+)/i", "string.regexp"),
    ("yaml", "reply: Hello", "where", "variable.other"),
    ("yaml", "- reply: ", "null", "constant.language"),
    ("yaml", "- reply: ", "default", "support.function"),
    ("yaml", "expect: ", "stream", "support.variable"),
    ("yaml", "expect: ", "1", "constant.numeric"),
]
PLAIN = [
    ("toml", "[[states.ask]]", "user"),
    ("toml", "reply = ", "user'"),
    ("toml", "goto = ", "ask"),
    ("yaml", "reply: Hello", ", user"),
    ("yaml", "goto: ask", "user"),
]


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[str, str, set[str]]]]:
    home = tmp_path_factory.mktemp("home")
    return {"toml": scopes("toml", TOML, home), "yaml": scopes("yaml", YAML, home)}


def test_the_parts_of_an_expression_have_their_colours(
    tokens: dict[str, list[tuple[str, str, set[str]]]],
) -> None:
    """Facts, functions, words, texts, patterns, numbers and durations, in strings, lists and templates of both."""
    for kind, begins, token, scope in COLOURED:
        found = [each for line, text, each in tokens[kind] if line.strip().startswith(begins) and text == token]
        assert (begins, token, True) == (begins, token, any(scope in each for each in found)), found


def test_what_is_no_expression_has_none(tokens: dict[str, list[tuple[str, str, set[str]]]]) -> None:
    """Comments, plain text around templates, names of states, and the lines after a string."""
    for kind, begins, word in PLAIN:
        found = [each for line, text, each in tokens[kind] if line.strip().startswith(begins) and word in text]
        assert (begins, word, [set()] * len(found)) == (begins, word, found)
        assert found
