"""What a fixture of llmposter 0.5 matches, as conditions; its scenarios as variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from llmposter.convert.spelling import literal, regex

if TYPE_CHECKING:
    from llmposter.convert.draft import Entry
    from llmposter.fixtures.model import Fixture, Pattern, Temperature


class States:
    """The machines that `scenario` blocks name, each a variable."""

    def __init__(self, fixtures: Iterable[Fixture]) -> None:
        self.names: dict[str, str] = {}
        for fixture in fixtures:
            if fixture.state is not None and fixture.state.name not in self.names:
                self.names[fixture.state.name] = self._variable(fixture.state.name)

    def _variable(self, name: str) -> str:
        from llmposter_dsl.facts import reserved

        plain = re.sub(r"\W", "_", name) or "_"
        found = plain if not plain[0].isdigit() and reserved(plain) is None else f"state_{plain}"
        while found in self.names.values():
            found += "_"
        return found

    def move(self, fixture: Fixture) -> dict[str, str]:
        """Where a fixture moves its machine."""
        state = fixture.state
        return {} if state is None or state.set is None else {self.names[state.name]: literal(state.set)}

    def required(self, fixture: Fixture) -> Iterator[str]:
        """The state that it needs."""
        if (state := fixture.state) is not None and state.required is not None:
            yield f"{self.names[state.name]} == {literal(state.required)}"


def conditions(entry: Entry, fixture: Fixture, states: States) -> list[str]:
    """All that a fixture asks for."""
    asked = {} if fixture.provider is None else {"provider": f"provider == {literal(fixture.provider)}"}
    found = [*asked.values(), *states.required(fixture)]
    for name, condition in _of_match(fixture):
        if _is_known(condition):
            found.append(condition)
        else:
            entry.lost(f"`match.{name}` cannot be said, so this fixture never answers", "match", name)
            found.append("false")
    return found


def _of_match(fixture: Fixture) -> Iterator[tuple[str, str]]:
    match = fixture.match
    for name, fact, pattern in (
        ("user_message", "user", match.user_message),
        ("model", "model", match.model),
        ("system_prompt", "system", match.system_prompt),
    ):
        if pattern is not None:
            yield name, _found(fact, pattern)
    for name, pattern in match.headers.items():
        yield "headers", _found(f"headers[{literal(name)}]", pattern)
    if match.temperature is not None:
        yield from (("temperature", condition) for condition in _temperature(match.temperature))
    for name, pattern in match.metadata.items():
        yield "metadata", _found(f"text(metadata[{literal(name)}])", pattern)
    if match.tool_schema is not None:
        yield "tool_schema", f"any(tools, {_found('it', match.tool_schema)})"
    if match.body_jsonpath is not None:
        yield "body_jsonpath", f"any(jsonpath({literal(match.body_jsonpath)}), it exists)"


def _found(value: str, pattern: Pattern) -> str:
    return f"{value} matches {regex(pattern.text)}" if pattern.regex else f"{value} contains {literal(pattern.text)}"


def _temperature(wanted: Temperature) -> Iterator[str]:
    for sign, value in (("==", wanted.exact), (">=", wanted.low), ("<=", wanted.high)):
        if value is not None:
            yield f"params.temperature {sign} {value!r}"


def _is_known(condition: str) -> bool:
    """Whether the language can say it: Rust's regular expressions are not quite RE2's."""
    from llmposter_dsl import compile_text
    from llmposter_dsl.writing import write

    return compile_text(write({"states": {"a": [{"when": condition, "reply": ""}, {"reply": ""}]}})).program is not None


def of_input(entry: Entry, fixture: Fixture) -> Iterator[str]:
    """Conditions over a text to embed."""
    match = fixture.match
    if match.user_message is not None:
        yield _found("text", match.user_message)
    if match.model is not None:
        yield _found("model", match.model)
    for name, pattern in match.headers.items():
        yield _found(f"headers[{literal(name)}]", pattern)
    for name, value in (
        ("system_prompt", match.system_prompt),
        ("temperature", match.temperature),
        ("metadata", match.metadata or None),
        ("tool_schema", match.tool_schema),
        ("body_jsonpath", match.body_jsonpath),
    ):
        if value is not None:
            entry.lost(f"`match.{name}` is not asked for where texts are embedded", "match", name)
    if fixture.state is not None:
        entry.lost("`scenario` is not asked for where texts are embedded", "scenario")
