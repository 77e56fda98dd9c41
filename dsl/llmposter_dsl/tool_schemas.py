"""JSON Schemas of tools: whether they are schemas, and what call arguments break of them for certain.

Schemas of the usual shape are judged here; jsonschema, which costs 100 ms to import, is asked about the others only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from llmposter_dsl import words
from llmposter_dsl.bind import Report
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.expressions import Scope
from llmposter_dsl.place import Within
from llmposter_dsl.program import Value

TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_KINDS: Final = {
    "text": "string",
    "number": "number",
    "bool": "boolean",
    "duration": "string",
    "list": "array",
    "map": "object",
    "null": "null",
}
_NOTES: Final = frozenset(("title", "description", "default", "examples", "$comment", "deprecated"))


def check_schema(name: str, schema: Value, place: Within, report: Report) -> bool:
    """Whether a tool's parameters are described by a JSON Schema of an object; if not, it was reported."""
    if not isinstance(schema, dict):
        report(Diagnostic("LP111", f"the tool `{name}` is {words.kind(schema)}, expected a JSON Schema", place))
        return False
    if schema.get("type", "object") != "object":
        message = f"the parameters of `{name}` are {words.shown(schema['type'])}, a tool takes an `object`"
        report(Diagnostic("LP212", message, place.child("type")))
        return False
    if schema and not any(key in _KNOWN for key in schema):
        message = f"the parameters of `{name}` are no JSON Schema"
        help_ = f"write {words.shown(next(iter(schema)))} under `properties`"
        report(Diagnostic("LP212", message, place.key(next(iter(schema))), help_))
        return False
    return _usual(schema) or _judged(name, schema, place, report)


def _usual(schema: Value) -> bool:
    """Whether a schema has nothing but common keywords with values of the right shape."""
    if not isinstance(schema, dict):
        return isinstance(schema, bool)
    return all(key in _NOTES or (key in _SHAPES and _SHAPES[key](value)) for key, value in schema.items())


def _texts(value: Value) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value) and len(set(value)) == len(value)


def _schemas(value: Value) -> bool:
    return isinstance(value, dict) and all(_usual(each) for each in value.values())


_SHAPES: Final[Mapping[str, Callable[[Value], bool]]] = {
    "type": lambda value: isinstance(value, str) and value in TYPES,
    "properties": _schemas,
    "required": _texts,
    "additionalProperties": _usual,
    "items": _usual,
    "enum": lambda value: isinstance(value, list) and bool(value),
}
_KNOWN: Final = frozenset(
    (
        *_SHAPES,
        *_NOTES,
        "$schema",
        "$id",
        "$ref",
        "$defs",
        "definitions",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
    )
    + ("else", "dependentRequired", "dependentSchemas", "patternProperties", "propertyNames", "minProperties")
    + ("maxProperties", "unevaluatedProperties", "const", "strict", "$anchor", "$dynamicRef", "format")
)


def _judged(name: str, schema: dict[str, Value], place: Within, report: Report) -> bool:
    from jsonschema import Draft202012Validator

    try:
        error = next(Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema), None)
    except RecursionError:
        report(Diagnostic("LP212", f"the schema of `{name}` is nested too deeply", place))
        return False
    if error is None:
        return True
    at = place.child(*error.absolute_path)
    inside = f"`{'.'.join(map(str, error.absolute_path))}`" if error.absolute_path else "it"
    report(Diagnostic("LP212", f"the schema of `{name}` is no JSON Schema: {inside} {_wrong(error)}", at))
    return False


def _wrong(error: Any) -> str:
    if error.validator == "type":
        wanted = error.validator_value
        return f"is {words.kind(error.instance)}, expected {wanted if isinstance(wanted, str) else ' or '.join(wanted)}"
    if error.validator in ("enum", "anyOf") and isinstance(error.instance, str):
        return f"cannot be {words.shown(error.instance)}"
    return f"breaks `{error.validator}` of JSON Schema"


def check_expression(text: str, place: Within, schema: Mapping[str, Value], scope: Scope, report: Report) -> None:
    """Reports what the arguments of a call expression, which has been compiled, break of the schema for certain."""
    from llmposter_dsl.expressions.parse import parse
    from llmposter_dsl.expressions.syntax import ToolCall

    tree = parse(text, "tool_call")
    assert isinstance(tree, ToolCall)
    names = [pair.key for pair in tree.arguments]
    _missing(tree.tool, names, schema, place.stretch(tree.start or 0, tree.tool_end), report)
    for pair in tree.arguments:
        at = place.stretch(pair.start, pair.key_end)
        if _allowed(tree.tool, pair.key, schema, at, report):
            value = place.stretch(pair.value.start, pair.value.end)
            _check_node(tree.tool, pair.key, pair.value, _of(schema, pair.key), value, text, place, scope, report)


def check_table(tool: str, given: dict[str, Value], place: Within, schema: Mapping[str, Value], report: Report) -> None:
    """Reports what arguments given as data break of the schema for certain."""
    _missing(tool, list(given), schema, place, report)
    for name, value in given.items():
        if _allowed(tool, name, schema, place.key(name), report) and _constant(value):
            _check_value(tool, name, value, _of(schema, name), place.child(name), report)


def _of(schema: Mapping[str, Value], name: str) -> Value:
    return schema.get("properties", {}).get(name)


def _missing(tool: str, given: Iterable[str], schema: Mapping[str, Value], place: Within, report: Report) -> None:
    names = set(given)
    missing = [name for name in schema.get("required", []) if name not in names]
    if missing:
        message = f"the call of `{tool}` lacks {words.listed(missing, 'and')}"
        report(Diagnostic("LP210", message, place, "the tool's schema requires it" if len(missing) == 1 else None))


def _allowed(tool: str, name: str, schema: Mapping[str, Value], place: Within, report: Report) -> bool:
    known = list(schema.get("properties", {}))
    if name in known or schema.get("additionalProperties") is not False or "patternProperties" in schema:
        return True
    report(Diagnostic("LP210", f"`{tool}` takes no argument {words.shown(name)}", place, words.meant(name, known)))
    return False


def _check_node(
    tool: str, name: str, node: Any, schema: Value, at: Within, text: str, place: Within, scope: Scope, report: Report
) -> None:
    from llmposter_dsl.expressions.check import Text, check

    known, value = _literal(node)
    if known:
        _check_value(tool, name, value, schema, at, report)
        return
    found = check(node, Text(text, place), scope, lambda _: None, condition=False).types[id(node)]
    accepted = _types(schema)
    wanted = _KINDS.get(found.kind)
    if accepted is None or wanted is None or wanted in accepted or (wanted == "number" and "integer" in accepted):
        return
    if not (found.maybe and "null" in accepted):
        _refuse(tool, name, f"is a {found.kind}, the schema wants {' or '.join(accepted)}", at, report)


def _literal(node: Any) -> tuple[bool, Value]:
    """The value of a node that needs no request, and whether it is one."""
    from llmposter_dsl.expressions.syntax import ListOf, Literal, MapOf, Negative

    match node:
        case Literal(kind="duration"):
            return False, None
        case Literal():
            return True, node.value
        case Negative(operand=Literal(kind="number") as operand):
            return True, -operand.value  # type: ignore[operator]
        case ListOf():
            found = [_literal(each) for each in node.items]
            return all(known for known, _ in found), [value for _, value in found]
        case MapOf():
            pairs = [(pair.key, *_literal(pair.value)) for pair in node.pairs]
            return all(known for _, known, _ in pairs), {key: value for key, _, value in pairs}
        case _:
            return False, None


def _constant(value: Value) -> bool:
    match value:
        case str():
            return "${" not in value
        case list():
            return all(_constant(each) for each in value)
        case dict():
            return all(_constant(each) for each in value.values())
        case _:
            return True


def _types(schema: Value) -> list[str] | None:
    """The types that a schema names, or None where it names none."""
    found = schema.get("type") if isinstance(schema, dict) else None
    return [found] if isinstance(found, str) else found


def _check_value(tool: str, name: str, value: Value, schema: Value, place: Within, report: Report) -> None:
    if not isinstance(schema, dict) or not schema:
        return
    accepted = _types(schema)
    if accepted is not None and not any(_is(value, each) for each in accepted):
        _refuse(tool, name, f"is {words.kind(value)}, the schema wants {' or '.join(accepted)}", place, report)
    elif "enum" in schema and isinstance(value, str) and value not in schema["enum"]:
        known = [each for each in schema["enum"] if isinstance(each, str)]
        message = f"cannot be {words.shown(value)}"
        _refuse(tool, name, message, place, report, words.meant(value, known))
    elif any(key not in _NOTES and key not in ("type", "enum") for key in schema):
        _ask(tool, name, value, schema, place, report)


def _is(value: Value, type_: str) -> bool:
    if isinstance(value, bool):
        return type_ == "boolean"
    if type_ == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES[type_])


def _ask(tool: str, name: str, value: Value, schema: dict[str, Value], place: Within, report: Report) -> None:
    from llmposter_dsl.json_schema import first_breach

    found = first_breach(value, schema)
    if found is not None:
        _refuse(tool, name, found, place, report)


def _refuse(tool: str, name: str, message: str, place: Within, report: Report, help: str | None = None) -> None:  # noqa: A002
    report(Diagnostic("LP210", f"the argument `{name}` of `{tool}` {message}", place, help))
