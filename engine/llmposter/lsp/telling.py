"""What is told of keys, facts, functions and names, as Markdown: the words of the reference, where they are needed."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from llmposter.lsp.cursor import Cursor
from llmposter.lsp.desk import Known
from llmposter.lsp.uses import Expression, expressions, named
from llmposter_dsl import reference, shapes
from llmposter_dsl.codes import CODES
from llmposter_dsl.expressions.functions import FUNCTIONS, Function
from llmposter_dsl.expressions.operators import OPERATORS
from llmposter_dsl.facts import Fact, Vocabulary
from llmposter_dsl.keys import Key
from llmposter_dsl.types import Type, of

_CODE: Final = re.compile(r"LP\d{3}")
_WORD: Final = re.compile(r"[\w-]+")


def kind(of: Type) -> str:
    """A type in words: `list of maps`."""
    return reference.type_words(of)


def counted(rules: Any) -> str:
    """How many rules a state has."""
    count = len(rules) if isinstance(rules, list) else 0
    return f"{count} rule{'' if count == 1 else 's'}"


def key(found: Key) -> str:
    """A key of a table."""
    default = "\n\nIt is required." if found.required else f"\n\nWithout it: {found.default}." if found.default else ""
    return f"`{found.name}`: {found.form.noun or found.form.words}\n\n{found.meaning}{default}"


def fact(found: Fact) -> str:
    """A fact."""
    return f"`{found.name}`: {kind(found.type)}\n\n{found.meaning}{reference.members(found.type)}"


def function(found: Function) -> str:
    """A function."""
    return f"`{found.signature}`: {kind(found.result)}\n\n{found.meaning}"


def variable(name: str, value: Any) -> str:
    """A variable with its first value."""
    return f"`{name}`: {kind(of(value))}, a variable\n\nIt begins as `{_short(value)}`."


def tool(name: str, schema: Any) -> str:
    """A tool with its parameters."""
    schema = schema if isinstance(schema, dict) else {}
    properties = schema.get("properties") if isinstance(schema.get("properties"), dict) else {}
    required = schema.get("required") if isinstance(schema.get("required"), list) else []
    rows = [f"- `{each}`{'' if each in required else ', optional'}" for each in properties]
    return "\n".join([f"`{name}`: a tool", "", str(schema.get("description", "")), "", *rows]).rstrip()


def state(name: str, rules: Any) -> str:
    """A state with its rules and where they go."""
    lines = [f"`{name}`: a state with {counted(rules)}", ""]
    for number, each in enumerate(rules if isinstance(rules, list) else (), 1):
        if isinstance(each, dict):
            goes = f" → `{each['goto']}`" if isinstance(each.get("goto"), str) else ""
            when = each.get("when", "always")
            lines.append(f"{number}. {each.get('name', '')} `{when}`{goes}".replace("  ", " "))
    return "\n".join(lines).rstrip()


def code(text: str, offset: int) -> str | None:
    """The page of the code that stands at an offset of a text, in a comment or wherever."""
    for found in _CODE.finditer(text, max(0, offset - 5), offset + 5):
        if found.start() <= offset <= found.end() and found[0] in CODES:
            from llmposter_dsl.documentation import of as documentation

            told = documentation(found[0])
            return f"**{told.code}: {told.meta.title}**\n\n{told.plain}"
    return None


def hover(at: Cursor, known: Known) -> str | None:
    """What is told where a cursor stands."""
    return _of_key(at, known) if at.key else _of_text(at, known)


def _of_key(at: Cursor, known: Known) -> str | None:
    spot = shapes.spot((*at.path, at.text))
    if spot.key is None:
        return None
    if not spot.beyond:
        return key(spot.key)
    match spot.key.name:
        case "states" if len(spot.beyond) == 1:
            return state(at.text, known.states.get(at.text))
        case "vars" | "set" if len(spot.beyond) == 1 and at.text in known.vars:
            return variable(at.text, known.vars[at.text])
        case "tools" if len(spot.beyond) == 1:
            return tool(at.text, known.tools.get(at.text))
        case _:
            return None


def _of_text(at: Cursor, known: Known) -> str | None:
    spot = shapes.spot(at.path)
    if spot.key is None:
        return None
    match named(spot):
        case "state" if at.text in known.states:
            return state(at.text, known.states[at.text])
        case "tool" if at.text in known.tools:
            return tool(at.text, known.tools[at.text])
        case _:
            for stretch in expressions(at.text, spot):
                if stretch.start <= at.at <= stretch.end:
                    return _word(at, stretch, shapes.vocabulary(spot.owner, spot.key.name), known) or key(spot.key)
            return key(spot.key) if not spot.beyond else None


def _word(at: Cursor, stretch: Expression, words: Vocabulary, known: Known) -> str | None:
    """What is told of the word of an expression at the cursor."""
    found = next((each for each in _WORD.finditer(at.text) if each.start() <= at.at <= each.end()), None)
    if found is None:
        return None
    name, after = found[0], at.text[found.end() : stretch.end].lstrip()
    if after.startswith("(") and name in words.functions:
        return function(FUNCTIONS[name])
    if name in known.tools and (stretch.call or at.text[found.start() - 1 : found.start()] in "\"'"):
        return tool(name, known.tools[name])
    if name in words.facts and at.text[found.start() - 1 : found.start()] != ".":
        return fact(words.facts[name])
    if name in known.vars:
        return variable(name, known.vars[name])
    if name in known.states and at.text[found.start() - 1 : found.start()] in ('"', "'"):
        return state(name, known.states[name])
    return next((f"{shown}\n\n{meaning}" for shown, meaning in OPERATORS if name in re.findall(r"\w+", shown)), None)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"
