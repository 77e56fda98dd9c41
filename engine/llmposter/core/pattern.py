"""What a replay cannot know of a reply, and whether a history shows a reply that it might have been.

A replay has its own clock and draws, so what a template fills from `now()`, `uuid()` or `age`, or from a variable that
was set from them, is left open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter.core.conversation import Pattern
from llmposter.core.facts import Watched
from llmposter.model import Refusal, Reply, Text, ToolCall
from llmposter_dsl.expressions.operations import text as written
from llmposter_dsl.program import Refuse, Say, Template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from llmposter.core.conversation import Pieces
    from llmposter.core.facts import Facts
    from llmposter_dsl.program import Call, Data, Expression, Value


def known(facts: Facts, source: Expression | Data, evaluate: Callable[[Any], Value]) -> tuple[Value, bool]:
    """The value of *source*, and whether a replay gets the same one."""
    if not isinstance(facts.vars, Watched):
        return evaluate(facts), not source.volatile
    facts.vars.read = False
    value = evaluate(facts)
    return value, not (source.volatile or facts.vars.read)


def pattern(said: Say | Refuse, reply: Reply, facts: Facts) -> Pattern | None:
    """What to compare *reply* by; None where all of it is known."""
    said_text, calls = (_text(said, reply, facts), _calls(said, reply, facts))
    return Pattern(said_text, calls) if None in said_text or any(None in call for call in calls) else None


def _text(said: Say | Refuse, reply: Reply, facts: Facts) -> Pieces:
    if isinstance(said, Refuse):
        return _pieces(said.text, facts)
    pieces: Pieces = () if said.reply is None else _pieces(said.reply, facts)
    for part in reply.parts:
        if isinstance(part, Text) and part.structured and said.json is not None:
            pieces = (*pieces, part.text if known(facts, said.json, said.json.build)[1] else None)
    return pieces


def _calls(said: Say | Refuse, reply: Reply, facts: Facts) -> tuple[Pieces, ...]:
    if isinstance(said, Refuse):
        return ()
    made = (part.arguments for part in reply.parts if isinstance(part, ToolCall))
    return tuple(_arguments(call, text, facts) for call, text in zip(said.calls, made, strict=True))


def _arguments(call: Call, made: str, facts: Facts) -> Pieces:
    if isinstance(call.arguments, Template):
        return _pieces(call.arguments, facts)
    return (made,) if known(facts, call.arguments, call.arguments.build)[1] else (None,)


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


def _between_unknowns(pieces: Iterable[str | None]) -> list[str]:
    literals = [""]
    for piece in pieces:
        if piece is None:
            literals.append("")
        else:
            literals[-1] += "".join(piece.split())
    return literals


def text_of(reply: Reply) -> str:
    """All that a client sees as the text of a reply."""
    return "\n".join(part.text for part in reply.parts if isinstance(part, Text | Refusal))
