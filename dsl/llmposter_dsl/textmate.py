"""Grammars for editors that colour as TextMate does: expressions in the strings of TOML and YAML, made from the code.

The words, facts and functions are those of the language, and the keys those of its tables; a test holds the packaged
files to what is made here. `python -m llmposter_dsl.textmate` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from llmposter_dsl import facts, keys, shapes
from llmposter_dsl.expressions.functions import FUNCTIONS

FILES: Final = ("expression", "keys", "templates")
"""One is the language, and two put it into the strings of others; each in a file of its name."""

_LANGUAGE: Final = "source.llmposter.expression"
_HOSTS: Final = ("source.toml", "source.yaml")
_OPERATORS: Final = facts.WORDS - {"true", "false", "null", "it"}
_WHOLE: Final = (keys.CONDITION, keys.CONDITIONS, keys.EXPRESSION, keys.CALLS)


def file(name: str) -> str:
    """What a packaged file of a grammar is called."""
    return f"llmposter-{name}.tmLanguage.json"


def text(name: str) -> str:
    """The grammar of a name, as its packaged file has it."""
    made = {"expression": _expression, "keys": _keys, "templates": _templates}[name]()
    return json.dumps(made, ensure_ascii=False, indent=2) + "\n"


def _expression() -> dict[str, Any]:
    known = {*facts.RULE.facts, *facts.ANSWER.facts, *facts.INPUT.facts}
    return {
        "name": "llmposter expression",
        "scopeName": _LANGUAGE,
        "patterns": [
            # What the host escapes is escaped once more.
            _as("string.quoted.double", r'\\?"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\''),
            {
                "match": r"\b(matches)\s*(/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\[])+/[ims]*)",
                "captures": {"1": {"name": _scope("keyword.operator.word")}, "2": {"name": _scope("string.regexp")}},
            },
            _as("constant.numeric.duration", r"\b[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d)\b"),
            _as("constant.numeric", r"\b[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\b"),
            _as("constant.language", _word(("true", "false", "null"))),
            _as("variable.language", _word(("it",))),
            _as("variable.other.member", r"(?<=\.)[^\W\d]\w*"),
            _as("support.function", rf"{_word(FUNCTIONS)}(?=\s*\()"),
            _as("entity.name.function.tool", r"\b\w[\w.-]*(?=\()"),
            _as("variable.parameter", r"\b[^\W\d][\w-]*(?=\s*:)"),
            _as("keyword.operator.word", _word(_OPERATORS)),
            _as("support.variable", _word(known)),
            _as("variable.other", r"\b[^\W\d]\w*\b"),
            _as("keyword.operator", r"==|!=|<=|>=|[<>+\-*/%]"),
        ],
    }


def _keys() -> dict[str, Any]:
    """The strings of keys that hold an expression, or a call, or a list of them."""
    key = rf"(?<![\w.-])({'|'.join(_names())})(\s*[=:]\s*)"
    strings = [_string(quote) for quote in ("'''", '"""', "'", '"')]
    return {
        "name": "llmposter expressions under their keys",
        "scopeName": "source.llmposter.keys",
        "injectionSelector": ", ".join(f"L:{host} -comment -string" for host in _HOSTS),
        "patterns": [
            *(_string(quote, key) for quote in ("'''", '"""', "'", '"')),
            {
                "begin": rf"{key}(\[)",
                "beginCaptures": {"1": {"name": _scope("keyword.other.key")}, "3": {"name": "punctuation"}},
                "end": r"\]",
                "endCaptures": {"0": {"name": "punctuation"}},
                "patterns": strings,
            },
        ],
    }


def _string(quote: str, key: str = "") -> dict[str, Any]:
    form = "double" if quote[0] == '"' else "single"
    escaped = [{"match": r"\\.", "name": "constant.character.escape"}] if quote == '"' else []
    return {
        "begin": f"{key}({quote})",
        "beginCaptures": {
            **({"1": {"name": _scope("keyword.other.key")}} if key else {}),
            "3" if key else "1": {"name": "punctuation.definition.string.begin"},
        },
        "end": f"({quote})" if len(quote) > 1 else f"({quote})|$",
        "endCaptures": {"1": {"name": "punctuation.definition.string.end"}},
        "name": _scope(f"meta.embedded.{form}"),
        "patterns": [_unquoted(quote), *escaped, {"include": _LANGUAGE}],
    }


def _unquoted(quote: str) -> dict[str, Any]:
    """The other kind of string inside of one, and of its own kind only what is escaped: the end is the host's."""
    inside = r"\"(?:\\.|[^\"\\])*\"" if quote[0] == "'" else r"'(?:\\.|[^'\\])*'|\\\"(?:[^\"\\])*\\\""
    return {"match": inside, "name": _scope("string.quoted")}


def _templates() -> dict[str, Any]:
    """`${…}` in any string, and `$${`, which is none."""
    return {
        "name": "llmposter templates",
        "scopeName": "source.llmposter.templates",
        "injectionSelector": ", ".join(f"L:{host} string" for host in _HOSTS),
        "patterns": [
            _as("constant.character.escape", r"\$\$\{"),
            {
                "begin": r"\$\{",
                "beginCaptures": {"0": {"name": _scope("punctuation.section.embedded.begin")}},
                "end": r"\}",
                "endCaptures": {"0": {"name": _scope("punctuation.section.embedded.end")}},
                "name": _scope("meta.embedded.template"),
                "patterns": [{"include": _LANGUAGE}],
            },
        ],
    }


def _names() -> list[str]:
    every = (key for table in shapes.TABLES.values() for key in table.values())
    return sorted({key.name for key in every if key.form in _WHOLE})


def _as(scope: str, pattern: str) -> dict[str, str]:
    return {"match": pattern, "name": _scope(scope)}


def _scope(name: str) -> str:
    return f"{name}.llmposter"


def _word(words: Iterable[str]) -> str:
    return rf"\b(?:{'|'.join(sorted(words))})\b"


if __name__ == "__main__":
    from pathlib import Path

    import llmposter_grammar

    for each in FILES:
        (Path(llmposter_grammar.__path__[0]) / file(each)).write_text(text(each), encoding="utf-8", newline="\n")
