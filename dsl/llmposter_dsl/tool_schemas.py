"""JSON Schemas of tools: whether they are schemas, and what call arguments break of them for certain.

Schemas of the usual shape are judged here; jsonschema, which costs 100 ms to import, is asked about the others only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from llmposter_dsl import fixing, words
from llmposter_dsl.bind import Report
from llmposter_dsl.diagnostic import Diagnostic, Fix
from llmposter_dsl.place import Place, Within
from llmposter_dsl.program import Call, Data, Value

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
_CHOICES: Final = _NOTES | {"type", "enum"}
_OBJECTS: Final = _NOTES | {"type", "properties", "required", "additionalProperties"}
_MOST_REFERENCES: Final = 8
_NOWHERE: Final[Any] = None
"""What a value that asks nothing can be asked about."""


def check_schema(name: str, schema: Value, place: Within, report: Report) -> bool:
    """Whether a tool's parameters are described by a JSON Schema of an object; if not, it was reported."""
    if not isinstance(schema, dict):
        report(Diagnostic("LP111", f"the tool `{name}` is {words.kind(schema)}, expected a JSON Schema", place))
        return False
    if schema.get("type", "object") != "object":
        message = f"the parameters of `{name}` are {words.shown(schema['type'])}, a tool takes an `object`"
        report(Diagnostic("LP212", message, place.child("type")))
        return False
    if schema and not set(schema) & (_OTHERS | _NOTES | set(_SHAPES)):
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
    "anyOf": lambda value: isinstance(value, list) and bool(value) and all(_usual(each) for each in value),
    "const": lambda _: True,
    "format": lambda value: isinstance(value, str),
    "$ref": lambda value: isinstance(value, str) and value.startswith("#/$defs/"),
    "$defs": _schemas,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), lambda value: _is(value, "number")),
    **dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems"), lambda value: type(value) is int and value >= 0
    ),
    "properties": _schemas,
    "required": _texts,
    "additionalProperties": _usual,
    "items": _usual,
    "enum": lambda value: isinstance(value, list) and bool(value),
}
_OTHERS: Final = frozenset(
    (
        *("$schema", "$id", "$ref", "$defs", "$anchor", "$dynamicRef", "definitions", "allOf", "anyOf", "oneOf", "not"),
        *("if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties", "propertyNames"),
        *("minProperties", "maxProperties", "unevaluatedProperties", "const", "strict", "format"),
    )
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


def check_call(call: Call, at: Within, schema: Mapping[str, Value], report: Report) -> None:
    """Reports what the arguments of a call break of the schema for certain; *at* is where the tool is named."""
    if isinstance(call.arguments, Data) and call.arguments.members is not None:
        Arguments(call.tool, schema, report).members(call.arguments.members, schema, at, ())


class Arguments:
    """The check of one call's arguments."""

    def __init__(self, tool: str, schema: Mapping[str, Value], report: Report) -> None:
        self.tool = tool
        self.defs = schema.get("$defs", {})
        self.report = report

    def members(self, given: Mapping[str, Data], schema: Mapping[str, Value], at: Place, path: tuple[str, ...]) -> None:
        """Reports what the members of the arguments, or of a map among them, break."""
        known = schema.get("properties", {})
        missing = [name for name in schema.get("required", []) if name not in given]
        if missing:
            whole = f"the argument {self._name(path)} of `{self.tool}`" if path else f"the call of `{self.tool}`"
            self.report(Diagnostic("LP210", f"{whole} lacks {words.listed(missing, 'and')}", at))
        closed = schema.get("additionalProperties") is False and "patternProperties" not in schema
        for name, value in given.items():
            if name in known:
                self.value(value, known[name], (*path, name))
            elif closed:
                message = f"`{self.tool}` takes no argument {self._name((*path, name))}"
                at, fixes = value.key or value.place, fixing.meant(value.key, name, known) if value.key else ()
                self.report(Diagnostic("LP210", message, at, words.meant(name, list(known)), (), fixes))

    def value(self, given: Data, schema: Value, path: tuple[str, ...]) -> None:
        """Reports what one argument, or a value inside it, breaks."""
        schema = self._meant(schema)
        if given.members is not None and _types(schema) in (None, ["object"]) and set(schema) <= _OBJECTS:
            self.members(given.members, schema, given.place, path)
        elif given.constant:
            self.constant(given.build(_NOWHERE), given.place, schema, path)
        else:
            self.typed(given, schema, path)

    def _meant(self, schema: Value) -> dict[str, Value]:
        """The schema that a reference into `$defs` means; one that accepts anything where it cannot be told."""
        for _ in range(_MOST_REFERENCES):
            if not isinstance(schema, dict) or "$ref" not in schema:
                break
            schema = self.defs.get(str(schema["$ref"]).removeprefix("#/$defs/"))
        return schema if isinstance(schema, dict) and "$ref" not in schema else {}

    def typed(self, given: Data, schema: dict[str, Value], path: tuple[str, ...]) -> None:
        """Reports a value whose type is known and wrong, though the value is not known."""
        accepted, found = _types(schema), _KINDS.get(given.type)
        if accepted is None or found is None or found in accepted or "null" in accepted:
            return
        if not (found == "number" and "integer" in accepted):
            self._refuse(path, f"is a {given.type}, the schema wants {words.listed(accepted)}", given.place)

    def constant(self, value: Value, place: Place, schema: dict[str, Value], path: tuple[str, ...]) -> None:
        """Reports a value that is known and does not fit."""
        accepted = _types(schema)
        if accepted is not None and not any(_is(value, each) for each in accepted):
            self._refuse(path, f"is {words.kind(value)}, the schema wants {words.listed(accepted)}", place)
        elif isinstance(value, str) and value not in schema.get("enum", [value]):
            known = [each for each in schema["enum"] if isinstance(each, str)]
            fixes = fixing.meant(place, value, known)
            self._refuse(path, f"cannot be {words.shown(value)}", place, words.meant(value, known), fixes)
        elif not set(schema) <= _NOTES | {"type"} and not (isinstance(value, str) and set(schema) <= _CHOICES):
            self._asked(value, place, schema, path)

    def _asked(self, value: Value, place: Place, schema: dict[str, Value], path: tuple[str, ...]) -> None:
        from llmposter_dsl.json_schema import first_breach

        found = first_breach(value, {**schema, "$defs": self.defs} if self.defs else schema)
        if found is not None:
            self._refuse(path, found, place)

    def _refuse(
        self, path: tuple[str, ...], message: str, place: Place, cure: str | None = None, fixes: tuple[Fix, ...] = ()
    ) -> None:
        said = f"the argument {self._name(path)} of `{self.tool}` {message}"
        self.report(Diagnostic("LP210", said, place, cure, (), fixes))

    def _name(self, path: tuple[str, ...]) -> str:
        return words.shown(".".join(path))


def _types(schema: Value) -> list[str] | None:
    """The types that a schema names, or None where it names none."""
    found = schema.get("type") if isinstance(schema, dict) else None
    return [found] if isinstance(found, str) else found


def _is(value: Value, type_: str) -> bool:
    if isinstance(value, bool):
        return type_ == "boolean"
    if type_ == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES[type_])
