"""A scenario as a picture, in the language of Mermaid or of Graphviz, valid for whatever names and texts it holds.

Errors are dashed and rules that only pass on are dotted; Mermaid has one kind of line, so there the label says it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from llmposter.core.machine import Machine
from llmposter_dsl.program import Fail, Made, Refuse, Say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.core.machine import Edge
    from llmposter_dsl.program import Program, Rule

LONGEST: Final = 48
"""Characters of a condition or of an answer in a label."""

_IN_NAME: Final = re.compile(r"[^\w .,()=…→*+/-]")
_IN_LABEL: Final = re.compile(r"""[^\w .,()=…→*+/"'?\\\[\]!|@-]""")
"""Characters that Mermaid may take for something else, between quotes and after a colon."""


def mermaid(program: Program) -> str:
    """A `stateDiagram-v2`."""
    diagram = Machine(program).diagram()
    ids = {state: f"s{number}" for number, state in enumerate(diagram.states)}
    lines = ["stateDiagram-v2", "  direction LR"]
    lines += [f'  state "{_entities(_IN_NAME, state)}" as {ids[state]}' for state in diagram.states]
    lines.append(f"  [*] --> {ids[diagram.start]}")
    lines += [f"  {ids[e.source]} --> {ids[e.dest]} : {_entities(_IN_LABEL, _label(e))}" for e in _edges(diagram.edges)]
    lines += [f"  {ids[state]} --> [*]" for state in diagram.states if state in diagram.final]
    return "\n".join(lines) + "\n"


def dot(program: Program) -> str:
    """A `digraph`."""
    diagram = Machine(program).diagram()
    lines = [f"digraph {_quoted(program.name)} {{", "  rankdir=LR;", "  node [shape=box, style=rounded];"]
    lines.append('  "" [shape=point];')
    # A leading character keeps a state's node apart from that of the start, whatever the state is called.
    for state in diagram.states:
        more = ", peripheries=2" if state in diagram.final else ""
        lines.append(f"  {_quoted(f'_{state}')} [label={_quoted(state)}{more}];")
    lines.append(f'  "" -> {_quoted(f"_{diagram.start}")};')
    lines += [f"  {_dot_edge(edge)}" for edge in _edges(diagram.edges)]
    return "\n".join([*lines, "}"]) + "\n"


def _dot_edge(edge: Edge) -> str:
    style = _style(edge.rule)
    more = f", style={style}" if style else ""
    ends = f"{_quoted(f'_{edge.source}')} -> {_quoted(f'_{edge.dest}')}"
    return f"{ends} [label={_quoted(_label(edge, marked=False))}{more}];"


def _edges(edges: Iterable[Edge]) -> Iterator[Edge]:
    """All but rules of every state that say something and stay: they would hide the machine behind loops."""
    for edge in edges:
        if edge.rule.group in ("always", "otherwise") and edge.source == edge.dest:
            continue
        yield edge


def _style(rule: Rule) -> str:
    if rule.outcome is None:
        return "dotted"
    return "dashed" if isinstance(rule.outcome, Fail) or rule.faults else ""


def _label(edge: Edge, *, marked: bool = True) -> str:
    rule = edge.rule
    parts = [rule.name] if rule.named else []
    parts.append(_short(rule.when.text) if rule.when is not None else "else")
    if rule.times is not None:
        parts.append(f"at most {rule.times}x")
    parts.append(_does(rule) if marked or rule.outcome is not None else "")
    parts += [_short(fault.text) for fault in rule.faults]
    return ", ".join(part for part in parts if part)


def _does(rule: Rule) -> str:
    match rule.outcome:
        case None:
            return "passes on"
        case Fail(name=name, status=status):
            return " ".join(("error", *([name] if name else []), *([str(status)] if status else [])))
        case Refuse():
            return "refusal"
        case Made():
            return "a text made from the request"
        case Say(calls=calls):
            return " and ".join(f"{call.tool}()" for call in calls)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _entities(odd: re.Pattern[str], text: str) -> str:
    """Text that Mermaid takes for nothing but text: odd characters as its numbered entities."""
    return odd.sub(lambda found: f"#{ord(found[0])};", " ".join(text.split()))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "")
    return f'"{escaped}"'
