"""The functions of the language: what they take and give, once, for checker, compiler and reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from llmposter_dsl import facts
from llmposter_dsl.types import BOOL, JSON, NUMBER, TEXT, Kind, Type, list_of

ANY: tuple[Kind, ...] = ("text", "number", "bool", "duration", "list", "map", "null", "json")

Form: TypeAlias = Literal["plain", "each", "named", "query", "seeded"]
"""How it is called: with values; with a list and a condition over `it`; with a literal name; with a literal JSONPath;
or with its own place before the values, so that chance can be seeded."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What an argument may be. A json value may always stand in, and is looked at when the request is there."""

    name: str
    kinds: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    Attributes:
        result: its type; null besides where an argument may be null or json, unless `certain`.
        operation: the name in `operations`, or the method of `Env`, that answers it.
        volatile: a replayed history may give another value. chance: it draws.
    """

    name: str
    parameters: tuple[Parameter, ...]
    result: Type
    meaning: str
    operation: str
    form: Form = "plain"
    certain: bool = False
    volatile: bool = False
    chance: bool = False

    @property
    def signature(self) -> str:
        """``default(a, b)``."""
        return f"{self.name}({', '.join(parameter.name for parameter in self.parameters)})"


def _takes(name: str, *kinds: Kind) -> Parameter:
    return Parameter(name, kinds or ANY)


_TEXT = _takes("text", "text", "null")
_LIST = _takes("list", "list", "null")
_EACH = _takes("condition", "bool", "null")
_NAME = _takes('"name"', "text")

_ALL = (
    Function("lower", (_TEXT,), TEXT, "The text in lower case.", "lower"),
    Function("upper", (_TEXT,), TEXT, "The text in upper case.", "upper"),
    Function("trim", (_TEXT,), TEXT, "The text without white space at its ends.", "trim"),
    Function("words", (_TEXT,), list_of(TEXT), "The words of a text, without the punctuation around them.", "words"),
    Function(
        "len",
        (_takes("value", "text", "list", "map", "null"),),
        NUMBER,
        "How many characters, items or keys.",
        "length",
    ),
    Function("text", (_takes("value"),), TEXT, "The value as a template writes it.", "text", certain=True),
    Function(
        "number",
        (_takes("value", "text", "number", "duration", "null"),),
        NUMBER.optional(),
        "The number that a text spells, or the seconds of a duration; null if it is none.",
        "number",
    ),
    Function("json", (_takes("value"),), TEXT, "The value as JSON.", "json_text", certain=True),
    Function("default", (_takes("a"), _takes("b")), JSON, "`a`, or `b` where `a` is null.", "default"),
    Function(
        "any",
        (_LIST, _EACH),
        BOOL,
        "Whether the condition holds for some item, called `it`.",
        "any_of",
        "each",
        certain=True,
    ),
    Function(
        "all",
        (_LIST, _EACH),
        BOOL,
        "Whether the condition holds for every item, called `it`; true for an empty list.",
        "all_of",
        "each",
        certain=True,
    ),
    Function(
        "count", (_LIST, _EACH), NUMBER, "For how many items, called `it`, the condition holds.", "count_of", "each"
    ),
    Function(
        "result",
        (_NAME,),
        facts.RESULT.optional(),
        "The last of `results` of that tool, or null.",
        "result_of",
        "named",
    ),
    Function("call", (_NAME,), JSON, "The arguments of the answer's call of that tool, or null.", "call_of", "named"),
    Function(
        "fired", (_NAME,), NUMBER, "How often that rule fired in this conversation.", "fired", "named", certain=True
    ),
    Function(
        "jsonpath",
        (_takes('"$…"', "text"),),
        list_of(JSON),
        "What a JSONPath query (RFC 9535) finds in `body`.",
        "find",
        "query",
        certain=True,
    ),
    Function(
        "chance",
        (_takes("p", "number", "null"),),
        BOOL,
        "True with this probability, drawn anew for each request and repeated in every run.",
        "draws",
        "seeded",
        certain=True,
        chance=True,
    ),
    Function(
        "random",
        (_takes("low", "number", "null"), _takes("high", "number", "null")),
        NUMBER.optional(),
        "A number: whole, ends included, between whole numbers; else from `low` to below `high`.",
        "draw",
        "seeded",
        chance=True,
    ),
    Function("uuid", (), TEXT, "A random UUID, the same in every run.", "uuid", "seeded", certain=True, volatile=True),
    Function("now", (), TEXT, "The time of the server's clock, ISO 8601 in UTC.", "now", certain=True, volatile=True),
)

FUNCTIONS: Mapping[str, Function] = MappingProxyType({function.name: function for function in _ALL})
