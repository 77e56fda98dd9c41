"""What a replay cannot know of a reply, and whether a history shows a reply that it might have been.

A replay has its own clock and draws, so what a template fills from `now()`, `uuid()` or `age`, or from a variable that
was set from them, is left open.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from llmposter.core.conversation import Pattern, Shape, Unknown
from llmposter.core.facts import Watched
from llmposter.model import Refusal, Reply, Text
from llmposter_dsl.expressions.operations import text as written
from llmposter_dsl.program import Refuse, Say, Template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from llmposter.core.conversation import Pieces
    from llmposter.core.facts import Facts
    from llmposter_dsl.program import Data, Expression, Value


def known(facts: Facts, source: Expression | Data, evaluate: Callable[[Any], Value]) -> tuple[Value, bool]:
    """The value of *source*, and whether a replay gets the same one."""
    if not isinstance(facts.vars, Watched):
        return evaluate(facts), not source.volatile
    facts.vars.read = False
    value = evaluate(facts)
    return value, not (source.volatile or facts.vars.read)


def pattern(said: Say | Refuse, reply: Reply, facts: Facts) -> Pattern | None:
    """What to compare *reply* by; None where all of it is known."""
    text, calls = _text(said, reply, facts), _calls(said, facts)
    known_calls = all(isinstance(call, tuple) and None not in call for call in calls)
    return None if known_calls and None not in text else Pattern(text, calls)


def _text(said: Say | Refuse, reply: Reply, facts: Facts) -> Pieces:
    if isinstance(said, Refuse):
        return _pieces(said.text, facts)
    pieces: Pieces = () if said.reply is None else _pieces(said.reply, facts)
    for part in reply.parts:
        if isinstance(part, Text) and part.structured and said.json is not None:
            pieces = (*pieces, part.text if known(facts, said.json, said.json.build)[1] else None)
    return pieces


def _calls(said: Say | Refuse, facts: Facts) -> tuple[Pieces | Shape, ...]:
    return () if isinstance(said, Refuse) else tuple(_arguments(call.arguments, facts) for call in said.calls)


def _arguments(arguments: Data | Template, facts: Facts) -> Pieces | Shape:
    if isinstance(arguments, Template):
        return _pieces(arguments, facts)
    value, certain = known(facts, arguments, arguments.build)
    return (json_text(value),) if certain else Shape(_shape(arguments, facts))


def _shape(data: Data, facts: Facts) -> Value:
    """The value of *data*, with `Unknown` for each member or item that the replay does not know."""
    value, certain = known(facts, data, data.build)
    if certain:
        return value
    if data.members is not None:
        return {name: _shape(member, facts) for name, member in data.members.items()}
    return [_shape(item, facts) for item in data.items] if data.items is not None else Unknown()


def _pieces(template: Template, facts: Facts) -> Pieces:
    return tuple(piece if isinstance(piece, str) else _piece(piece, facts) for piece in template.pieces)


def _piece(piece: Expression, facts: Facts) -> str | None:
    value, certain = known(facts, piece, piece.evaluate)
    return written(value) if certain else None


def fits(pieces: Iterable[str | None], text: str) -> bool:
    """Whether *text* has the known pieces in their order, with anything where one is unknown; white space aside."""
    literals = _between_unknowns(pieces)
    text = "".join(text.split())
    first, last = literals[0], literals[-1]
    if len(literals) == 1:
        return text == first
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for literal in literals[1:-1]:
        found = text.find(literal, at, end)
        if found < 0:
            return False
        at = found + len(literal)
    return True


def resembles(value: Value, shown: Value) -> bool:
    """Whether *shown* is *value*, with anything where that is unknown."""
    match value:
        case Unknown():
            return True
        case dict():
            return (
                isinstance(shown, dict)
                and value.keys() == shown.keys()
                and all(resembles(member, shown[name]) for name, member in value.items())
            )
        case list():
            return isinstance(shown, list) and len(value) == len(shown) and all(map(resembles, value, shown))
        case _:
            return bool(value == shown)


def _between_unknowns(pieces: Iterable[str | None]) -> list[str]:
    literals = [""]
    for piece in pieces:
        if piece is None:
            literals.append("")
        else:
            literals[-1] += "".join(piece.split())
    return literals


def json_text(value: Value) -> str:
    """JSON text of a plain value."""
    try:
        return msgspec.json.encode(value, enc_hook=str).decode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can escape and UTF-8 cannot hold
        return json.dumps(value, default=str, separators=(",", ":"))


def text_of(reply: Reply) -> str:
    """All that a client sees as the text of a reply."""
    return "\n".join(part.text for part in reply.parts if isinstance(part, Text | Refusal))
