"""A request, and where its conversation stands, for which a condition holds: made from its tests, then tried.

What is made is a guess; only what the compiled condition itself says yes to is given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from llmposter.core.chance import Chance
from llmposter.core.conversation import Conversation, Moment
from llmposter.core.facts import Facts
from llmposter.core.pattern import json_text
from llmposter.model import Connection, Message, Request, Tool, ToolResult, ToolUse, Turn
from llmposter_dsl.analysis import theory
from llmposter_dsl.analysis.theory import Known, Tests
from llmposter_dsl.analysis.values import texts, values
from llmposter_dsl.expressions import operations
from llmposter_dsl.expressions.syntax import Apply, Item, Literal, Member, Name, Node
from llmposter_dsl.program import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llmposter.model import Json
    from llmposter_dsl.analysis import Clause
    from llmposter_dsl.program import Program, Rule, Value

_NOW: Final = 1_767_225_600.0
_PLAIN: Final = ("user", "system", "assistant", "model", "path", "provider", "stream", "images", "files")
_COUNTED: Final = ("turn", "attempt", "visits")
_TIMES: Final = ("elapsed", "idle", "age")
_MAPS: Final = ("headers", "query", "metadata", "params")
_MOST: Final = 8
"""Requests that are tried for one clause."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A request, the conversation that it belongs to, and both in the words of the language: a condition."""

    stands: Conversation
    turn: Turn
    moment: Moment
    shown: str

    @property
    def where(self) -> str:
        """For which request, as the end of a sentence."""
        return f"where `{self.shown}`" if self.shown else "for a request that is like any other"

    def facts(self, program: Program) -> Facts:
        """What conditions see of it."""
        return Facts(self.turn, self.stands, Chance(program.seed, self.moment, program.name))


@dataclass(frozen=True, slots=True)
class Wanted:
    """For what a request is wanted: a rule, or any at all, tried in a state, with what is known there."""

    program: Program
    state: str
    rule: Rule | None
    known: Known

    def fits(self, made: Witness) -> bool:
        """Whether the rule, if it is tried, takes it."""
        rule = self.rule
        if rule is None:
            return True
        if rule.times is not None and made.stands.fired.get(rule.name, 0) >= rule.times:
            return False
        return rule.when is None or rule.when.holds(made.facts(self.program))


def witnesses(wanted: Wanted, clause: Clause, used_up: Mapping[str, int]) -> Iterator[Witness]:
    """Requests that the rule takes as *clause* says, if it is tried; *used_up* counts rules that fired before."""
    gathered = theory.gathered(clause)
    inner = {above for subject in gathered for above in _above(subject)}
    roots = [root for root in dict.fromkeys(_root(subject) for subject in gathered) if root not in inner]
    choices = {root: _choices(root, gathered, wanted.known) for root in roots}
    chosen: dict[Node, Value] = {}
    for number in range(_MOST):
        fresh = {root: value for root, each in choices.items() for value in islice(each, 1)}
        if not fresh and number:
            return
        chosen |= fresh
        draft = _Draft(wanted.state)
        draft.fired.update(used_up)
        if len(chosen) < len(roots) or not all(draft.set(root, value) for root, value in chosen.items()):
            return
        if draft.possible and wanted.fits(made := draft.made(wanted.program)):
            yield made


def _above(subject: Node) -> Iterator[Node]:
    """What the subject is a part of, which is made with it."""
    while isinstance(subject, Member | Item):
        subject = subject.of
        yield subject


def _root(subject: Node) -> Node:
    """The text of which the subject is another form."""
    while isinstance(subject, Apply) and subject.function in theory.LETTERS:
        subject = subject.arguments[0]
    return subject


def _choices(root: Node, gathered: theory.Gathered, known: Known) -> Iterator[Value]:
    """Values of *root* with which its tests, and those of its other forms, come out as they are to."""
    forms = {subject: tests for subject, tests in gathered.items() if _root(subject) == root and subject != root}
    own = gathered.get(root, Tests())
    if not forms:
        # A request does well without these, where nothing asks for one.
        if isinstance(root, Name) and root.name in ("system", "assistant") and own.met(""):
            yield ""
        yield from values(root, own, known, _MOST)
        return
    asked = [each for tests in forms.values() for each in tests.passing]
    given = [value for each in asked if each.test in ("==", "in") for value in _constants(each.test, each.value)]
    for value in (*given, *texts([*own.passing, *asked]), *values(root, own, known, _MOST)):
        if own.met(value) and all(tests.met(_form(subject, value)) for subject, tests in forms.items()):
            yield value


def _constants(test: str, given: tuple[Any, ...]) -> list[Value]:
    return [given[1]] if test == "==" else [value for _, value in given]


def _form(subject: Node, value: Value) -> Value:
    if not isinstance(subject, Apply) or subject.function not in theory.LETTERS:
        return value
    inner = _form(subject.arguments[0], value)
    return theory.LETTERS[subject.function](inner) if isinstance(inner, str) else None


@dataclass(slots=True)
class _Draft:
    """A request in the making: by name what the facts are to be."""

    state: str
    facts: dict[str, Value] = field(default_factory=dict)
    maps: dict[str, dict[str, Value]] = field(default_factory=dict)
    vars: dict[str, Value] = field(default_factory=dict)
    fired: dict[str, int] = field(default_factory=dict)
    results: dict[str, dict[str, Value]] = field(default_factory=dict)
    body: Json = None

    @property
    def possible(self) -> bool:
        """Whether there is such a request: behind what an assistant says there are no results yet."""
        return not self.results or self.facts.get("last") != "assistant"

    def set(self, subject: Node, value: Value) -> bool:
        """Whether the subject could be given the value."""
        base, keys = _path(subject)
        match base:
            case Name(name=name) if name in _MAPS and keys:
                return value is None or self._put(self.maps.setdefault(name, {}), keys, value)
            case Name(name="result"):
                return self._result(next(iter(self.results), "lookup"), keys, value)
            case Name(name="body"):
                self.body = {} if self.body is None else self.body
                return bool(keys) and (value is None or self._put(self.body, keys, value))
            case Name(name=name) if not keys:
                return self._fact(name, value)
            case Apply(function="result", arguments=(Literal(value=str(tool)),)):
                return self._result(tool, keys, value)
            case Apply(function="fired", arguments=(Literal(value=str(rule)),)) if not keys:
                self.fired[rule] = value
                return True
            case _:
                return False

    def _fact(self, name: str, value: Value) -> bool:
        if name == "state" or name.startswith("drawn "):
            return True
        if name in _PLAIN or name in _COUNTED or name in _TIMES or name in ("last", "tools"):
            self.facts[name] = value
            return True
        self.vars[name] = value
        return True

    def _result(self, tool: str, keys: tuple[str | int, ...], value: Value) -> bool:
        if value is None:
            return True
        result = self.results.setdefault(tool, {})
        return not keys or self._put(result, keys, value)

    def _put(self, into: Json, keys: tuple[str | int, ...], value: Value) -> bool:
        for key, after in zip(keys, (*keys[1:], None), strict=True):
            filled = value if after is None else [] if isinstance(after, int) else {}
            if isinstance(into, dict) and isinstance(key, str):
                into[key] = filled if after is None else into.get(key, filled)
            elif isinstance(into, list) and isinstance(key, int) and 0 <= key <= len(into):
                into[key : key + 1] = [filled if after is None or key == len(into) else into[key]]
            else:
                return False
            into = into[key]
        return True

    def made(self, program: Program) -> Witness:
        """The request, and where its conversation stands."""
        times = {name: float(self.facts.get(name, 0.0)) for name in _TIMES}
        visits = int(self.facts.get("visits", 1)) - 1
        answers = max(int(self.facts.get("turn", 1)) - 1, visits)
        stands = Conversation(
            self.state,
            {**program.vars, **self.vars},
            {self.state: visits} if visits else {},
            {name: count for name, count in self.fired.items() if count},
            answers,
            _NOW - max(times.values()),
            _NOW - times["elapsed"],
            _NOW - times["idle"],
        )
        moment = Moment(_NOW, attempt=int(self.facts.get("attempt", 1)))
        return Witness(stands, self._turn(), moment, self._shown())

    def _turn(self) -> Turn:
        body = json_text({} if self.body is None else self.body).encode("utf-8", "replace")
        headers = {name.lower(): str(value) for name, value in self.maps.get("headers", {}).items()}
        path = self.facts.get("path", "/v1/chat/completions")
        query = self.maps.get("query", {})
        request = Request("POST", path, query, headers, body, Connection(1))
        return Turn(
            provider=self.facts.get("provider", "openai"),
            request=request,
            model=self.facts.get("model", "example-model"),
            stream=self.facts.get("stream", False),
            system=self.facts.get("system", ""),
            messages=tuple(self._messages()),
            tools=tuple(Tool(name) for name in self.facts.get("tools", ())),
            params={name: value for name, value in self.maps.get("params", {}).items() if value is not None},
            metadata=self.maps.get("metadata", {}),
        )

    def _messages(self) -> Iterator[Message]:
        said, last = self.facts.get("assistant", ""), self.facts.get("last")
        images, files = int(self.facts.get("images", 0)), int(self.facts.get("files", 0))
        user = Message("user", self.facts.get("user", "hello"), images=images, files=files)
        if self.results or last == "tool":
            yield user
            given = self.results or {"lookup": {}}
            calls = tuple(_call(number, tool, result) for number, (tool, result) in enumerate(given.items()))
            yield Message("assistant", said, calls)
            made = zip(calls, given.values(), strict=True)
            yield Message("tool", results=tuple(_answer(call, result) for call, result in made))
            if last == "user":
                yield user
            return
        if said and last != "assistant":
            yield Message("user", "hello")
            yield Message("assistant", said)
        yield user
        if last == "assistant":
            yield Message("assistant", said)

    def _shown(self) -> str:
        """The request as a condition that holds for it, as far as it is more than any request."""
        parts = [f"{name} == {written(value)}" for name, value in sorted(self.facts.items(), key=_order)]
        for name, given in self.maps.items():
            parts += [f"{name}[{written(key)}] == {written(value)}" for key, value in given.items()]
        for tool, result in self.results.items():
            # What was to be its JSON is not in it where it is another text.
            told = {name: value for name, value in result.items() if name != "json" or "text" not in result}
            members = [f".{name} == {written(value)}" for name, value in told.items() if name != "tool"]
            parts += [f"result({written(tool)}){each}" for each in members or [" exists"]]
        if isinstance(self.body, dict):
            parts += [f"body[{written(key)}] == {written(value)}" for key, value in self.body.items()]
        parts += [f"{name} == {written(value)}" for name, value in self.vars.items()]
        parts += [f"fired({written(name)}) == {count}" for name, count in self.fired.items() if count]
        return " and ".join(parts)


def _order(fact: tuple[str, Value]) -> int:
    names = ("user", "last", *_PLAIN, "tools", *_COUNTED, *_TIMES)
    return names.index(fact[0])


def _path(subject: Node) -> tuple[Node, tuple[str | int, ...]]:
    keys: tuple[str | int, ...] = ()
    while True:
        match subject:
            case Member(of=of, name=name):
                subject, keys = of, (name, *keys)
            case Item(of=of, index=Literal(value=str() | int() as index)) if not isinstance(index, bool):
                subject, keys = of, (index, *keys)
            case _:
                return subject, keys


def _call(number: int, tool: str, result: Mapping[str, Value]) -> ToolUse:
    return ToolUse(result.get("id", f"call_{number}"), result.get("tool", tool), _text(result.get("arguments", {})))


def _answer(call: ToolUse, result: Mapping[str, Value]) -> ToolResult:
    text = result.get("text", _text(result["json"]) if "json" in result else "done")
    return ToolResult(call.id, text, call.tool, result.get("error"))


def _text(value: Value) -> str:
    return json_text(operations.jsonable(value))


def written(value: Value) -> str:
    """A value as the language writes it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Duration() | int() | float():
            return str(value)
        case dict():
            return "{" + ", ".join(f"{written(name)}: {written(each)}" for name, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
        case _:
            return json_text(str(value))
