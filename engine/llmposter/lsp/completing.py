"""What may be written where a cursor stands: keys, names, words, phrases, and the parts of expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from llmposter.lsp import telling
from llmposter.lsp.cursor import Cursor
from llmposter.lsp.desk import Known
from llmposter.lsp.uses import expressions, named
from llmposter_dsl import facts, fault_forms, keys, shapes
from llmposter_dsl.expressions.functions import FUNCTIONS
from llmposter_dsl.types import Type, of

What: TypeAlias = Literal["key", "state", "variable", "fact", "function", "word", "tool", "rule", "value"]


class Proposal(NamedTuple):
    """One thing that may be written.

    Attributes:
        detail: a few words beside it. told: Markdown.
        insert: what is written, if it is not the label.
    """

    label: str
    what: What
    detail: str = ""
    told: str = ""
    insert: str | None = None


_GROUP: Final = re.compile(r"\(\?P<(\w+)>")
_QUOTED: Final = re.compile(
    r"""(?:(?P<function>\w+)\(\s*|(?P<name>\w+)\s*(?:==|!=|in\s*\[[^\]]*)\s*)["'](?P<typed>[^"']*)$"""
)
_INSIDE: Final = re.compile(r"""^(?:[^"']|"[^"]*"|'[^']*')*["'][^"']*$""")
_CHAIN: Final = re.compile(r"""(?P<of>(?:\w+|\w+\("[^"]*"\))(?:\[[^\]]*\]|\.\w+)*)\.\w*$""")
_FILLED: Final[Mapping[str, tuple[str, ...]]] = {
    "TIME": ("30s", "250ms"),
    "COUNT": ("3",),
    "STATUS": ("500", "503"),
    "ERROR": keys.ERRORS,
    "TEXT": ("'…'",),
    "MEDIA": ("text/html", "application/json"),
}
_TYPES: Final = ("text", "number", "bool", "duration", "list", "map", "null")
_WORDS: Final = (
    "and",
    "or",
    "not",
    "in",
    "contains",
    "mentions",
    "matches",
    "starts with",
    "ends with",
    "is",
    "exists",
)
_SPOKEN: Final[Mapping[str, tuple[str, ...]]] = {"last": keys.ROLES, "provider": keys.PROVIDERS}


def complete(at: Cursor, known: Known, kind: str) -> list[Proposal]:
    """All that may stand there, in no order; the editor sorts and filters."""
    found = _keys(at, known, kind) if at.key else _texts(at, known, kind)
    return list({each.label: each for each in found}.values())


# --- keys -----------------------------------------------------------------------------------------------------------


def _keys(at: Cursor, known: Known, kind: str) -> Iterator[Proposal]:
    spot = shapes.spot(at.path)
    there = _lookup(at.data, at.path)
    there = there if isinstance(there, dict) else {}
    if spot.table is not None and not _is_list(spot, at.path):
        for key in shapes.TABLES[spot.table].values():
            if key.name not in there or key.name == at.text:
                yield _key(key, kind, bare=at.bare)
    elif spot.key is not None:
        for name, told in _free(spot, at, known):
            yield Proposal(name, "variable" if told else "key", told, insert=_assigned(name, kind, bare=at.bare))


def _is_list(spot: shapes.Spot, path: tuple[str | int, ...]) -> bool:
    """Whether a table can only stand in a list here, where the path ends before it."""
    return spot.form is not None and dict not in spot.form.types and not isinstance(path[-1], int)


def _key(key: keys.Key, kind: str, *, bare: bool) -> Proposal:
    return Proposal(
        key.name, "key", key.form.noun or key.form.words, telling.key(key), _assigned(key.name, kind, bare=bare)
    )


def _assigned(name: str, kind: str, *, bare: bool) -> str | None:
    return None if not bare else f"{name} = " if kind == "toml" else f"{name}: "


def _free(spot: shapes.Spot, at: Cursor, known: Known) -> Iterator[tuple[str, str]]:
    """Names of a table whose keys are free, with what is told of them."""
    assert spot.key is not None
    match spot.owner, spot.key.name:
        case "rule", "set":
            yield from ((name, telling.kind(of(value))) for name, value in known.vars.items())
        case "request", "params":
            yield from ((name, "") for name in facts.PARAMS.fields or ())
        case (("call" | "message call"), "arguments"):
            call = _lookup(at.data, at.path[:-1])
            yield from ((name, "") for name in _parameters(known, call.get("tool") if isinstance(call, dict) else None))
        case _:
            return


def _parameters(known: Known, tool: Any) -> Iterable[str]:
    schema = known.tools.get(tool) if isinstance(tool, str) else None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return properties if isinstance(properties, dict) else ()


# --- texts ----------------------------------------------------------------------------------------------------------


def _texts(at: Cursor, known: Known, kind: str) -> Iterator[Proposal]:
    spot = shapes.spot(at.path)
    if spot.key is None:
        return
    before = at.text[: at.at]
    name = named(spot)
    inside = next((each for each in expressions(at.text, spot) if each.start <= at.at <= each.end), None)
    if spot.form is not None and str not in spot.form.types and dict in spot.form.types:
        # A word where a table has to be is its first key.
        yield from _keys(at._replace(key=True, bare=True), known, kind)
    elif spot.key.form == keys.FAULTS:
        yield from _phrases(before)
    elif name is not None and name != "rule":
        yield from _named(name, known)
        yield from _proposed(spot)
    elif inside is not None and inside.call:
        yield from _call(before, at, spot, known)
    elif inside is not None:
        yield from _expression(at.text[inside.start : at.at], at, spot, known)
    elif (spot.owner, spot.key.name) == ("request", "token"):
        yield from (Proposal(token, "value", "a token of `auth`") for token in known.tokens)
    else:
        yield from _proposed(spot)


def _proposed(spot: shapes.Spot) -> Iterator[Proposal]:
    assert spot.key is not None
    if bool in spot.key.form.types and str not in spot.key.form.types:
        yield from (Proposal(word, "value") for word in ("true", "false"))
    if spot.form in (keys.ERROR_VALUE, keys.UNMATCHED):
        yield from (Proposal(name, "value", "the provider's own error") for name in keys.ERRORS)
    if spot.form == keys.UNMATCHED:
        yield Proposal("explain", "value", "a 404 that tells why")
    yield from (Proposal(word, "value") for word in shapes.proposed(spot.owner, spot.key.name))


def _named(kind: str, known: Known) -> Iterator[Proposal]:
    match kind:
        case "state":
            for name, rules in known.states.items():
                yield Proposal(name, "state", telling.counted(rules))
        case "tool":
            for name, schema in known.tools.items():
                yield Proposal(name, "tool", "tool", telling.tool(name, schema))
        case _:
            yield from (Proposal(name, "rule", "rule") for name in known.rules)


def _phrases(before: str) -> Iterator[Proposal]:
    """The words that may come next in a fault; a hole with what may fill it."""
    whole = re.sub(r"[\w.]+$", "", before)
    for word in fault_forms.following(whole):
        for each in _FILLED.get(word, (word,)):
            yield Proposal(each, "word")


def _call(before: str, at: Cursor, spot: shapes.Spot, known: Known) -> Iterator[Proposal]:
    tool, bracket, inside = before.partition("(")
    if not bracket:
        yield from _named("tool", known)
        return
    # A name begins after the bracket or a comma, and an expression after the colon.
    if re.search(r"(?:^|,)\s*\w*$", inside):
        yield from (Proposal(name, "key", insert=f"{name}: ") for name in _parameters(known, tool.strip()))
    else:
        yield from _expression(inside, at, spot, known)


# --- expressions ----------------------------------------------------------------------------------------------------


def _expression(before: str, at: Cursor, spot: shapes.Spot, known: Known) -> Iterator[Proposal]:
    assert spot.key is not None
    words = shapes.vocabulary(spot.owner, spot.key.name)
    quoted = _QUOTED.search(before)
    if quoted is not None:
        yield from _literal(quoted, known)
    elif _INSIDE.match(before):
        return
    elif (chain := _CHAIN.search(before)) is not None:
        fields = _type(chain["of"], words, known).fields or {}
        yield from (Proposal(name, "fact", telling.kind(each)) for name, each in fields.items())
    elif re.search(r"\bis\s+\w*$", before):
        yield from (Proposal(word, "word", "a type") for word in _TYPES)
    else:
        yield from _names(words, spot, at, known)
        yield from (Proposal(word, "word", insert=f"{word} ") for word in _WORDS)


def _names(words: facts.Vocabulary, spot: shapes.Spot, at: Cursor, known: Known) -> Iterator[Proposal]:
    for fact in words.facts.values():
        yield Proposal(fact.name, "fact", telling.kind(fact.type), telling.fact(fact))
    for name in sorted(words.functions):
        function = FUNCTIONS[name]
        yield Proposal(name, "function", function.signature, telling.function(function), f"{name}(")
    if words is facts.RULE or words is facts.ANSWER:
        for name, value in known.vars.items():
            yield Proposal(name, "variable", telling.kind(of(value)), telling.variable(name, value))
    for name in _groups(at, spot):
        yield Proposal(name, "variable", "text or null", "A named group of this rule's condition.")


def _groups(at: Cursor, spot: shapes.Spot) -> list[str]:
    if spot.owner not in ("rule", "call") or spot.key is None or spot.key.name == "when":
        return []
    for length in range(len(at.path), 0, -1):
        rule = _lookup(at.data, at.path[:length])
        if isinstance(rule, dict) and isinstance(rule.get("when"), str):
            return _GROUP.findall(rule["when"])
    return []


def _literal(found: re.Match[str], known: Known) -> Iterator[Proposal]:
    function, name = found["function"], found["name"]
    if function in ("result", "call"):
        yield from _named("tool", known)
    elif function == "fired":
        yield from _named("rule", known)
    elif name == "state":
        yield from _named("state", known)
    elif name in _SPOKEN:
        yield from (Proposal(word, "value") for word in _SPOKEN[name])


def _type(chain: str, words: facts.Vocabulary, known: Known) -> Type:
    """The type of a chain of members; json where that is not known."""
    head, *steps = re.findall(r"\w+(?=\()|\w+|\[", re.sub(r'\("[^"]*"\)', "()", re.sub(r"\[[^\]]*\]", "[", chain)))
    if f"{head}(" in chain and head in FUNCTIONS:
        found = FUNCTIONS[head].result
    elif head in words.facts:
        found = words.facts[head].type
    else:
        return of(known.vars.get(head))
    for step in steps:
        found = found.items if step == "[" else (found.fields or {}).get(step, Type("json"))
    return found


def _lookup(data: Any, path: Iterable[str | int]) -> Any:
    for step in path:
        match data, step:
            case (dict(), str()):
                data = data.get(step)
            case (list(), int()) if step < len(data):
                data = data[step]
            case _:
                return None
    return data
