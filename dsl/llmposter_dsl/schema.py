"""The JSON Schema of a scenario, made from the tables of keys: for editors, and for whatever else checks JSON.

It never refuses what the checker lets through: it holds keys, types, words, phrases and bounds, and leaves what
depends on more than one value to the checker. `python -m llmposter_dsl.schema` writes the one that is packaged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from llmposter_dsl import delivery_forms, facts, fault_forms, keys, shapes
from llmposter_dsl.auth import AFTER
from llmposter_dsl.keys import Form, Key
from llmposter_dsl.oauth import ERRORS as OAUTH_ERRORS

FILE: Final = "scenario.schema.json"
"""The packaged file, in the folder of the grammar."""

Schema = dict[str, Any]

_DRAFT: Final = "http://json-schema.org/draft-07/schema#"
"""The newest that every editor's validator knows: Taplo's and yaml-language-server's among them."""

_NAMES: Final[Mapping[type, str]] = MappingProxyType(
    {
        str: "string",
        int: "integer",
        float: "number",
        bool: "boolean",
        list: "array",
        dict: "object",
        type(None): "null",
    }
)
# ECMA's `\w` is ASCII's, and names may have any letters.
_STRANGE: Final = r"\x00-,./:-@\[-^`{-\x7f"
_IDENTIFIER: Final = rf"^[^{_STRANGE}]+$"
_VARIABLE: Final = rf"^[^{_STRANGE}0-9-][^{_STRANGE}-]*$"

_BOUNDS: Final[Mapping[Form, Schema]] = MappingProxyType(
    {keys.RATE: {"minimum": 0, "maximum": 1}, keys.SHARE: {"minimum": 0, "exclusiveMaximum": 1}}
)
_STATUS: Final = {"minimum": 400, "maximum": 599}
_AT_LEAST_ONE: Final = (
    *(("rule", "times"), ("embedding", "times"), ("moderation", "times"), ("turn", "times")),
    *(("token", "uses"), ("limit", "requests"), ("limit", "tokens")),
)
_NUMBERS: Final[Mapping[tuple[str, str], Schema]] = MappingProxyType(
    {
        **{key: {"minimum": 1} for key in _AT_LEAST_ONE},
        **dict.fromkeys((("error", "status"), ("answer", "status")), _STATUS),
        **{("usage", name): {"minimum": 0} for name in keys.USAGE},
        ("oauth", "port"): {"minimum": 0, "maximum": 65535},
    }
)


def schema() -> Schema:
    """The schema as data."""
    made = {
        "$schema": _DRAFT,
        "title": "llmposter scenario",
        "description": "A scenario of llmposter, or a file that scenarios include.",
        **_table("document"),
        "definitions": {_anchor(name): _table(name) for name in shapes.TABLES if name != "document"},
    }
    made["definitions"]["fault"] = {"type": "string", "pattern": _faults(), "examples": _phrases()}
    return made


def text() -> str:
    """The schema as the packaged file has it."""
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


def _anchor(table: str) -> str:
    return table.replace(" ", "_")


def _table(name: str) -> Schema:
    table = shapes.TABLES[name]
    required = [key.name for key in table.values() if key.required]
    return {
        "type": "object",
        "additionalProperties": False,
        **({"required": required} if required else {}),
        "properties": {key.name: {"description": _told(key), **_key(name, key)} for key in table.values()},
    }


def _told(key: Key) -> str:
    noun = key.form.noun or key.form.words
    default = f"\n\nWithout it: {key.default}." if key.default else ""
    return f"{key.meaning}\n\nA value is {noun}.{default}"


# --- values ---------------------------------------------------------------------------------------------------------


def _key(table: str, key: Key) -> Schema:
    if key.form == keys.ANYTHING:
        return {}
    return _choice(_value(table, key, key.form))


def _value(table: str, key: Key, form: Form) -> list[Schema]:
    """The schemas of which a value fits one, a type each."""
    # A number may be whole.
    kinds = [kind for kind in _NAMES if kind in form.types and not (kind is int and float in form.types)]
    found = [{"type": _NAMES[kind], **_of(kind, table, key, form)} for kind in kinds]
    return [{"$ref": each["$ref"]} if "$ref" in each else each for each in found]


def _choice(schemas: list[Schema]) -> Schema:
    # Beside `$ref`, draft 7 looks at nothing; and the description stands beside it.
    one = len(schemas) == 1 and "$ref" not in schemas[0]
    return schemas[0] if one else {"anyOf": schemas}


def _of(kind: type, table: str, key: Key, form: Form) -> Schema:
    """What holds for values of one type under a key."""
    if kind is str:
        return _text(table, key, form)
    if kind is dict:
        return _inside(table, key)
    if kind is list:
        item = shapes.ITEMS.get(form)
        return {} if item is None else {"items": _choice(_value(table, key, item))}
    if kind in (int, float):
        return _number(table, key, form)
    return {}


def _number(table: str, key: Key, form: Form) -> Schema:
    if form in (keys.ERROR_VALUE, keys.UNMATCHED, keys.TOKEN_ANSWER_VALUE):
        return dict(_STATUS)
    return dict(_BOUNDS.get(form) or _NUMBERS.get((table, key.name), {}))


def _text(table: str, key: Key, form: Form) -> Schema:
    if form in (keys.FAULTS, shapes.ITEMS[keys.FAULTS]):
        return {"$ref": "#/definitions/fault"}
    if known := _words(table, key, form):
        return {"enum": list(known)}
    if form in _patterns():
        return {"pattern": _patterns()[form]}
    proposed = shapes.proposed(table, key.name)
    return {"examples": list(proposed)} if proposed else {}


def _words(table: str, key: Key, form: Form) -> tuple[str, ...]:
    if form == keys.ERROR_VALUE:
        return keys.ERRORS
    if form == keys.UNMATCHED:
        return ("explain", *keys.ERRORS)
    if form == keys.TOKEN_ANSWER_VALUE:
        return ("ok", *OAUTH_ERRORS)
    return shapes.words(table, key.name)


def _inside(table: str, key: Key) -> Schema:
    held = shapes.holds(table, key.name)
    if held.inside == "table":
        return {"$ref": f"#/definitions/{_anchor(held.table)}"}
    if (table, key.name) == ("document", "states"):
        rules = {"type": "array", "items": {"$ref": f"#/definitions/{_anchor(held.table)}"}}
        return {"propertyNames": {"pattern": _IDENTIFIER}, "additionalProperties": rules}
    if (table, key.name) in (("document", "vars"), ("rule", "set")):
        return {"propertyNames": {"pattern": _VARIABLE, "not": {"enum": _reserved()}}}
    if (table, key.name) == ("request", "params"):
        assert facts.PARAMS.fields is not None
        return {"propertyNames": {"enum": sorted(facts.PARAMS.fields)}}
    if key.name == "headers":
        return {"additionalProperties": {"type": "string"}}
    return {}


def _reserved() -> list[str]:
    every = {*facts.RULE.facts, *facts.ANSWER.facts, *facts.RULE.functions, *facts.ANSWER.functions, *facts.WORDS}
    return sorted(every)


# --- phrases --------------------------------------------------------------------------------------------------------


def _patterns() -> Mapping[Form, str]:
    forms = delivery_forms
    duration = _plain(forms.DURATION)
    return {
        keys.DURATION: _whole(duration),
        keys.RETRY: _whole(rf"{duration}(?:\s+as\s+date)?"),
        keys.LATENCY: _whole(_plain(forms.LATENCY)),
        keys.PACE: _whole(f"{duration}|{_plain(forms.RATE)}"),
        keys.JITTER: _whole(_plain(forms.JITTER)),
        keys.CHUNK: _whole(f"whole|{_plain(forms.CHUNK)}"),
        keys.TOKEN_END: _whole(f"expire|revoke|{_plain(AFTER)}"),
    }


def _plain(pattern: re.Pattern[str]) -> str:
    """A pattern as ECMA-262 reads it: no names of groups, no blanks for the eye."""
    written = re.sub(r"\s+", "", pattern.pattern) if pattern.flags & re.VERBOSE else pattern.pattern
    return re.sub(r"\(\?P<\w+>", "(?:", written)


def _whole(pattern: str) -> str:
    return rf"^\s*(?:{pattern})\s*$"


_HOLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "TIME": r"[0-9.]+(?:ms|s|m|h|d)",
        "COUNT": r"[0-9]+",
        "STATUS": r"[2-5][0-9][0-9]",
        "ERROR": f"(?:{'|'.join(keys.ERRORS)})",
        # A text may hold whatever is no quote of its own, and line ends.
        "TEXT": r"""(?:"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*')""",
        "MEDIA": r"[!-~]+/[ -~]+",
    }
)
_ONES: Final = {"chunks": "chunks?", "events": "events?", "bytes": "bytes?"}


def _faults() -> str:
    # Beside a quote no blank is needed.
    actions, points = "|".join(map(_words_of, fault_forms.ACTIONS)), "|".join(map(_words_of, fault_forms.POINTS))
    return _whole(rf"(?:{actions})(?:\s*\b(?:{points}))?|duplicate\s+every\s+event")


def _words_of(form: str) -> str:
    written = r"\s+".join(_HOLES.get(word) or _ONES.get(word, word) for word in form.split())
    text = _HOLES["TEXT"]
    return written.replace(rf"\s+{text}", rf"\s*{text}").replace(rf"{text}\s+", rf"{text}\s*")


def _phrases() -> list[str]:
    return ["drop halfway", "drop after 3 chunks", "stall 30s before the end", "error overloaded after 2 events"]


if __name__ == "__main__":
    from pathlib import Path

    import llmposter_grammar

    (Path(llmposter_grammar.__path__[0]) / FILE).write_text(text(), encoding="utf-8", newline="\n")
