"""A document that is one string, for tests of what stands inside strings: inner offsets are offsets in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from llmposter_dsl import expressions, facts, types
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.expressions import Scope
from llmposter_dsl.place import Within
from llmposter_dsl.source import Source, Span

VARIABLES = {
    "city": types.TEXT,
    "n": types.NUMBER,
    "ready": types.BOOL,
    "wait": types.DURATION,
    "cart": types.LIST,
    "order": types.MAP,
    "x": types.JSON,
}


@dataclass(frozen=True)
class Paper:
    """The document."""

    text: str

    @property
    def source(self) -> Source:
        return Source("paper.toml", self.text)

    def source_of(self, path: Any) -> Source:
        return self.source

    def value_span(self, path: Any) -> Span:
        return Span(0, len(self.text))

    key_span = value_span

    def inner_span(self, path: Any, start: int, end: int) -> Span:
        assert 0 <= start <= end <= len(self.text), (start, end, self.text)
        return Span(start, end)


@dataclass
class Bench:
    """Compiles texts in one scope and collects what is reported."""

    vocabulary: facts.Vocabulary = facts.RULE
    tools: dict[str, Any] | None = None
    rules: frozenset[str] | None = None
    groups: tuple[str, ...] = ()
    found: list[Diagnostic] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scope = Scope(self.vocabulary, VARIABLES, self.tools, self.rules, self.groups)

    def at(self, text: str) -> Within:
        return Within(Paper(text), ("states", "ask", 0, "when"))

    def value(self, text: str) -> Any:
        return expressions.value(text, self.at(text), self.scope, self.found.append)

    def condition(self, text: str) -> Any:
        return expressions.condition(text, self.at(text), self.scope, self.found.append)

    def template(self, text: str) -> Any:
        return expressions.template(text, self.at(text), self.scope, self.found.append)

    def call(self, text: str) -> Any:
        return expressions.call(text, self.at(text), self.scope, self.found.append)

    def told(self) -> list[tuple[str, str, str, str | None]]:
        """Code, quoted stretch, message and help of every finding."""
        stretches = [(each, each.place.span) for each in self.found]
        return [
            (each.code, each.place.source.text[span.start : span.end], each.message, each.help)
            for each, span in stretches
        ]
