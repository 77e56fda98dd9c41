"""The edge to jsonschema: the first thing that a value breaks of a schema, in words.

Nothing is fetched, and patterns are RE2's, so that no schema can hold the checker up.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from llmposter_dsl import words
from llmposter_dsl.program import Value


def first_breach(value: Value, schema: dict[str, Value]) -> str | None:
    """What *value* breaks, without its subject; None where it fits, or where a schema cannot tell without a network."""
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    if _has(schema, "patternProperties"):
        return None
    try:
        error = next(_validator()(schema, registry=Registry()).iter_errors(value), None)
    except (Unresolvable, RecursionError, OverflowError, ValueError):
        return None
    if error is None:
        return None
    if error.validator in ("anyOf", "oneOf"):
        return f"fits none of the choices of `{error.validator}` in the schema"
    inside = f"has `{'.'.join(map(str, error.absolute_path))}`, which " if error.absolute_path else ""
    return f"{inside}breaks `{error.validator}: {words.shown(error.validator_value).strip('`')}` of the schema"


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    return extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


def _pattern(_: Any, pattern: Value, instance: Value, __: Value) -> Iterator[Any]:
    import re2
    from jsonschema.exceptions import ValidationError

    options = re2.Options()
    options.log_errors = False
    try:
        fits = not isinstance(instance, str) or re2.search(pattern, instance, options)
    except re2.error:
        return
    if not fits:
        yield ValidationError(f"does not match {pattern}")


def _has(schema: Value, key: str) -> bool:
    """Whether a schema uses a keyword anywhere."""
    pending = [schema]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            if key in each:
                return True
            pending += each.values()
        elif isinstance(each, list):
            pending += each
    return False
