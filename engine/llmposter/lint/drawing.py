"""A scenario as a picture, in the language of Mermaid or of Graphviz, valid for whatever names and texts it holds.

Rules are lines: errors and broken answers are drawn apart, and rules that only pass on are dotted. With what examples
covered laid over it, the colours tell that, and the lines alone the kinds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from llmposter.core.machine import Machine
from llmposter_dsl.program import Fail, Made, Refuse, Say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.core.machine import Diagram, Edge
    from llmposter.lint.overlay import Overlay
    from llmposter_dsl.program import Program, Rule

LONGEST: Final = 48
"""Characters of a condition or of an answer in a label."""

_GREEN, _ORANGE, _RED, _PALE_GREEN, _PALE_RED = "#2e7d32", "#c77700", "#c62828", "#e2f2e3", "#fae1e1"
_COVERED: Final = {"covered": _GREEN, "partly": _ORANGE, "missing": _RED}

Kind: TypeAlias = Literal["answers", "passes on", "fails", "breaks"]
"""Of a rule: what its line looks like."""

_ODD: Final = re.compile(
    r"[^\w .,()=…→/'?!|@+-]"  # what Mermaid may take for something else
    r"|(?<![^\W_])_|_(?![^\W_])"  # what is emphasis in Markdown, which labels are
    r"|^[+-]|(?<=^\d)\.|(?<=^\d\d)\.|(?<=^\d)\)|(?<=^\d\d)\)"  # and what is a list
)


class Line(NamedTuple):
    """A rule as it is drawn; without a colour it is as its kind is."""

    source: str
    dest: str
    label: str
    kind: Kind
    colour: str = ""


def mermaid(program: Program, overlay: Overlay | None = None) -> str:
    """A `flowchart`, which has lines of several kinds."""
    diagram = Machine(program).diagram()
    ids = {state: f"s{number}" for number, state in enumerate(diagram.states)}
    lines = list(_lines(diagram, overlay))
    written = ["flowchart LR", '  start((" "))']
    written += [f'  {ids[state]}(["{_entities(state)}"])' for state in diagram.states]
    written += ['  stop(((" ")))'] if diagram.final else []
    written.append(f"  start --> {ids[diagram.start]}")
    for line in lines:
        arrow = "-.->" if line.kind == "passes on" else "-->"
        written.append(f'  {ids[line.source]} {arrow}|"{_entities(line.label)}"| {ids[line.dest]}')
    written += [f"  {ids[state]} --> stop" for state in diagram.states if state in diagram.final]
    return "\n".join([*written, *_mermaid_colours(lines), *_mermaid_states(ids, overlay)]) + "\n"


def _mermaid_colours(lines: list[Line]) -> Iterator[str]:
    styles: dict[str, list[int]] = {}
    dashes = {"fails": ",stroke-dasharray:8", "breaks": ",stroke-dasharray:8 3 2 3"}
    for number, line in enumerate(lines, 1):
        if colour := _colour(line):
            styles.setdefault(f"stroke:{colour},color:{colour}{dashes.get(line.kind, '')}", []).append(number)
    for style, numbers in styles.items():
        yield f"  linkStyle {','.join(map(str, numbers))} {style}"


def _mermaid_states(ids: dict[str, str], overlay: Overlay | None) -> Iterator[str]:
    if overlay is None:
        return
    for verdict, fill, stroke in (("covered", _PALE_GREEN, _GREEN), ("missing", _PALE_RED, _RED)):
        of = [name for state, name in ids.items() if overlay.of_state(state) == verdict]
        if of:
            yield f"  classDef {verdict} fill:{fill},stroke:{stroke},color:#222"
            yield f"  class {','.join(of)} {verdict}"


def dot(program: Program, overlay: Overlay | None = None) -> str:
    """A `digraph`."""
    diagram = Machine(program).diagram()
    written = [f"digraph {_quoted(program.name)} {{", "  rankdir=LR;"]
    written += ["  node [shape=box, style=rounded];", '  "" [shape=point];']
    # A leading character keeps a state's node apart from that of the start, whatever the state is called.
    for state in diagram.states:
        more = ", peripheries=2" if state in diagram.final else ""
        if overlay is not None:
            fill, edge = (_PALE_GREEN, _GREEN) if overlay.of_state(state) == "covered" else (_PALE_RED, _RED)
            more += f', style="rounded,filled", fillcolor="{fill}", color="{edge}"'
        written.append(f"  {_quoted(f'_{state}')} [label={_quoted(_plain(state))}{more}];")
    written.append(f'  "" -> {_quoted(f"_{diagram.start}")};')
    written += [f"  {_dot_line(line)}" for line in _lines(diagram, overlay)]
    return "\n".join([*written, "}"]) + "\n"


def _dot_line(line: Line) -> str:
    styles = {"passes on": ", style=dotted", "fails": ", style=dashed", "breaks": ", style=dashed, arrowhead=dot"}
    colour = _colour(line)
    more = styles.get(line.kind, "") + (f', color="{colour}", fontcolor="{colour}"' if colour else "")
    return f"{_quoted(f'_{line.source}')} -> {_quoted(f'_{line.dest}')} [label={_quoted(_plain(line.label))}{more}];"


# --- what is drawn ----------------------------------------------------------------------------------------------------


def _lines(diagram: Diagram, overlay: Overlay | None) -> Iterator[Line]:
    """All but rules of every state that say something and stay: they would hide the machine behind loops."""
    for edge in diagram.edges:
        if edge.rule.group in ("always", "otherwise") and edge.source == edge.dest:
            continue
        label, kind = _says(edge), _kind(edge.rule)
        if overlay is None:
            yield Line(edge.source, edge.dest, label, kind)
        else:
            verdict, words = overlay.of_rule(edge.rule.name, edge.source)
            yield Line(edge.source, edge.dest, f"{label}, {words}", kind, _COVERED[verdict])


def _kind(rule: Rule) -> Kind:
    if isinstance(rule.outcome, Fail):
        return "fails"
    if rule.faults:
        return "breaks"
    return "passes on" if rule.outcome is None else "answers"


def _colour(line: Line) -> str:
    return line.colour or {"fails": _RED, "breaks": _ORANGE}.get(line.kind, "")


def _says(edge: Edge) -> str:
    rule = edge.rule
    parts = [rule.name] if rule.named else []
    parts.append(_short(rule.when.text) if rule.when is not None else "else")
    if rule.times is not None:
        parts.append(f"at most {rule.times}x")
    parts.append(_does(rule))
    parts += [_short(fault.text) for fault in rule.faults]
    return ", ".join(part for part in parts if part)


def _does(rule: Rule) -> str:
    match rule.outcome:
        case None:
            return ""
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


def _entities(text: str) -> str:
    """Text that Mermaid takes for nothing but text: odd characters as its numbered entities."""
    return _ODD.sub(lambda found: f"#{ord(found[0])};", " ".join(text.split()))


def _plain(text: str) -> str:
    """Graphviz reads entities of HTML in labels, which `&` begins."""
    return text.replace("&", "&amp;")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "")
    return f'"{escaped}"'
