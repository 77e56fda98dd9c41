"""Examples: from tables of known keys to transcripts that can be played."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from llmposter_dsl import bind, expressions, facts, keys, names, words
from llmposter_dsl.answers import duration
from llmposter_dsl.bind import Table
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.expressions import Scope, wording
from llmposter_dsl.names import States
from llmposter_dsl.place import Within
from llmposter_dsl.program import Auth, Condition, Example, ExampleTurn, Value
from llmposter_dsl.rules import positive

Kind = Literal["user", "tool", "results", "retry", "messages", "wait"]
_KINDS: tuple[Kind, ...] = ("user", "tool", "results", "retry", "messages")


class Examples:
    """Compiles the examples of one scenario."""

    def __init__(
        self, scope: Scope, states: States, tools: Mapping[str, Value], auth: Auth | None, report: bind.Report
    ) -> None:
        self.auth = auth
        self.scope = scope
        self.states = states
        self.tools = tools
        self.report = report

    def compile(self, value: list[Value], place: Within) -> tuple[Example, ...]:
        """The examples of a file."""
        tables = bind.tables(value, place, keys.EXAMPLE, "an example", self.report)
        return tuple(self._example(table, number) for number, table in enumerate(tables, 1))

    def _example(self, table: Table, number: int) -> Example:
        turns: list[ExampleTurn] = []
        request: Mapping[str, Value] = {}
        for turn in bind.tables(table.get("turns", []), table.at("turns"), keys.TURN, "a turn", self.report):
            request = {**request, **self._request(turn)}
            turns.append(self._turn(turn, request))
        if table.get("turns") == []:
            table.refuse("LP114", "an example has at least one turn", "turns")
        _begins(turns, self.report)
        return Example(table.get("name") or f"example {number}", table.place, tuple(turns), self._providers(table))

    def _providers(self, table: Table) -> tuple[str, ...]:
        given = bind.texts(table.get("providers", []), table.at("providers"), "a provider", self.report)
        return tuple(name for name, place in given if one_of(name, keys.PROVIDERS, "provider", place, self.report))

    def _turn(self, turn: Table, request: Mapping[str, Value]) -> ExampleTurn:
        kind = self._kind(turn)
        wait = duration(turn, "wait")
        state = turn.get("state")
        if state is not None:
            self.states.check(state, turn.at("state"))
        return ExampleTurn(
            place=turn.place,
            kind=kind,
            user=turn.get("user", ""),
            results=self._results(turn, kind),
            messages=self._messages(turn),
            request=request,
            wait=float(wait or 0),
            times=positive(turn, "times") or 1,
            expect=self._conditions(turn),
            state=state,
            state_place=None if state is None else turn.at("state"),
        )

    def _kind(self, turn: Table) -> Kind:
        given = [name for name in _KINDS if name in turn.written]
        if len(given) > 1:
            first, second = sorted(given[:2], key=list(turn.written).index)
            turn.refuse_key("LP113", f"`{second}` cannot stand beside `{first}`", second, "make two turns of it", first)
        elif not given and "wait" not in turn.written:
            turn.refuse("LP112", "this turn sends nothing", cure=f"a turn has {words.listed((*_KINDS, 'wait'))}")
        elif not given:
            for name in ("expect", "state", "times"):
                if name in turn.written:
                    why = "a `wait` alone sends no request"
                    turn.refuse_useless(f"`{name}` does nothing beside a `wait` alone", name, why, "wait")
        if turn.get("retry") is False:
            turn.refuse("LP114", "`retry` is false", "retry", cure="take it out, or write `true`")
        return given[0] if given else "wait"

    def _results(self, turn: Table, kind: Kind) -> tuple[tuple[str, Value, bool], ...]:
        if kind == "results":
            place = turn.at("results")
            tables = bind.tables(turn.get("results", []), place, keys.RESULT, "a result", self.report)
            return tuple(("", *self._result(table)) for table in tables)
        if kind == "tool":
            tool = turn.get("tool", "")
            names.tool(tool, self.tools, turn.at("tool"), self.report)
            return ((tool, *self._result(turn)),)
        for name in ("result", "error"):
            if name in turn.written:
                turn.refuse_key("LP113", f"`{name}` belongs to a tool", name, "write `tool`, with its name, beside it")
        return ()

    def _result(self, table: Table) -> tuple[Value, bool]:
        if "result" in table.written and "error" in table.written:
            table.refuse_key("LP113", "`error` cannot stand beside `result`", "error", None, "result")
        elif "result" not in table.written and "error" not in table.written:
            table.refuse("LP112", "a tool gives a `result` or an `error`")
        return (table.get("error"), True) if "error" in table else (table.get("result"), False)

    def _messages(self, turn: Table) -> tuple[Mapping[str, Value], ...]:
        place = turn.at("messages")
        tables = bind.tables(turn.get("messages", []), place, keys.MESSAGE, "a message", self.report)
        for table in tables:
            self._message(table)
        return tuple(table.values for table in tables)

    def _message(self, table: Table) -> None:
        role = table.get("role")
        if role is not None:
            one_of(role, keys.ROLES, "role", table.at("role"), self.report)
        for name, owner in (("calls", "assistant"), ("results", "tool")):
            if name in table and role in keys.ROLES and role != owner:
                table.refuse_key("LP113", f"`{name}` belongs to a message of role `{owner}`", name, None, "role")
        calls = bind.tables(table.get("calls", []), table.at("calls"), keys.MESSAGE_CALL, "a call", self.report)
        for call in calls:
            if "tool" in call:
                names.tool(call.get("tool"), self.tools, call.at("tool"), self.report)
        place = table.at("results")
        for result in bind.tables(table.get("results", []), place, keys.MESSAGE_RESULT, "a result", self.report):
            self._result(result)

    def _request(self, turn: Table) -> dict[str, Any]:
        if "request" not in turn:
            return {}
        request = bind.table(turn.get("request"), turn.at("request"), keys.REQUEST, self.report)
        if "provider" in request:
            one_of(request.get("provider"), keys.PROVIDERS, "provider", request.at("provider"), self.report)
        for name, value in request.get("headers", {}).items():
            if not isinstance(value, str):
                message = f"the header {words.shown(name)} is {words.kind(value)}, expected a text"
                request.refuse("LP111", message, "headers", name)
        for name in request.get("params", {}):
            assert facts.PARAMS.fields is not None
            one_of(name, tuple(facts.PARAMS.fields), "parameter", request.place.key("params", name), self.report)
        form = keys.Form(frozenset((str, dict)), "a name, or a table with `name` and `parameters`")
        for tool, place in bind.items(request.get("tools", []), request.at("tools"), form, "a tool", self.report):
            if isinstance(tool, dict):
                bind.table(tool, place, keys.REQUEST_TOOL, self.report)
        if "token" in request:
            self._token(request)
        return request.values

    def _token(self, request: Table) -> None:
        given: str | int = request.get("token")
        if self.auth is None:
            report = Diagnostic("LP503", "requests need no credential here", request.key_at("token"), wording.AUTH)
            self.report(report)
        elif isinstance(given, str):
            known = tuple(token.name for token in self.auth.tokens)
            if known:
                one_of(given, known, "token", request.at("token"), self.report)
            else:
                message, cure = f"no token is called {words.shown(given)}", "the first access token of `oauth` is `1`"
                request.refuse("LP114", message, "token", cure=cure)
        elif self.auth.oauth is None:
            cure = "only `auth.oauth` gives tokens that are counted: write the name of a token"
            request.refuse("LP114", f"no OAuth server gives the token {given} here", "token", cure=cure)
        elif given < 1:
            request.refuse("LP114", f"`token` is {words.shown(given)}, expected 1 or more", "token")

    def _conditions(self, turn: Table) -> tuple[Condition, ...]:
        value, place = turn.get("expect", []), turn.at("expect")
        given = [(value, place)] if isinstance(value, str) else bind.texts(value, place, "a condition", self.report)
        found = [expressions.condition(text, at, self.scope, self.report) for text, at in given]
        return tuple(each for each in found if each is not None)


def one_of(value: str, known: tuple[str, ...], noun: str, place: Within, report: bind.Report) -> bool:
    """Whether a word is one of those that there are; if not, it was reported."""
    if value in known:
        return True
    from llmposter_dsl import fixing

    message, fixes = f"unknown {noun} {words.shown(value)}", fixing.meant(place, value, known)
    report(Diagnostic("LP114", message, place, words.meant(value, known), (), fixes))
    return False


def _begins(turns: list[ExampleTurn], report: bind.Report) -> None:
    """Reports a first request that goes on from one before it."""
    first = next((turn for turn in turns if turn.kind != "wait"), None)
    if first is not None and first.kind not in ("user", "messages"):
        place = first.place.child(first.kind) if isinstance(first.place, Within) else first.place
        message = f"`{first.kind}` needs a turn before it"
        report(Diagnostic("LP114", message, place, "begin with `user` or `messages`"))
