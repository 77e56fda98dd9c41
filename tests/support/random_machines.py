"""Scenarios whose conditions overlap, cover and contradict each other, and walks through them (hypothesis)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import assume
from hypothesis import strategies as st
from machines import Talk

from llmposter.model import Message, Reply, ToolResult, ToolUse
from llmposter_dsl.compiler import compile_text

if TYPE_CHECKING:
    from llmposter.core.conversation import Moment, Step
    from llmposter.model import Turn
    from llmposter_dsl.program import Program

STATES = ("a", "b", "c")
WORDS = st.sampled_from(("a", "b", "ab", "a b", "AB", "hi", "hi ab", "b.", "", "ß", "\u017fs", "?"))
TEXTS = st.lists(WORDS, max_size=3).map(" ".join) | st.lists(WORDS, max_size=3).map("".join) | st.just("\ud800")
NUMBERS = st.sampled_from((-1, 0, 1, 2, 3, 1.5, 4))
_QUOTED = WORDS.map(json.dumps)
_PATTERNS = st.sampled_from(
    ("/a/", "/ab/i", "/^a/", "/b$/", "/^ab$/", "/a.b/", "/a|b/", r"/\bab\b/", "/[ab]+/", r"/\?/", "/(?P<x>hi)/", "/^$/")
)
_TEXT = st.sampled_from(("user", "lower(user)", "upper(user)", "model", 'headers["x-a"]', "v", 'result("t").text'))
_NUMBER = st.sampled_from(("attempt", "turn", "visits", "n", 'result("t").json.n', "len(results)", "len(user)"))
_ORDERED = st.sampled_from(("==", "!=", "<", "<=", ">", ">="))
_TEXTUAL = st.sampled_from(("==", "!=", "contains", "not contains", "mentions", "starts with", "ends with", "<", ">="))
_DURATION = st.sampled_from(("0s", "1s", "2s", "1500ms"))
_ATOM = st.one_of(
    st.builds("{} {} {}".format, _TEXT, _TEXTUAL, _QUOTED),
    st.builds("{} matches {}".format, _TEXT, _PATTERNS),
    st.builds("{} in [{}, {}]".format, _TEXT, _QUOTED, _QUOTED),
    st.builds("{} {} {}".format, _NUMBER, _ORDERED, NUMBERS),
    st.builds("{} in [{}, {}]".format, _NUMBER, NUMBERS, NUMBERS),
    st.builds("{} {} {}".format, st.sampled_from(("elapsed", "elapsed", "idle", "age")), _ORDERED, _DURATION),
    st.builds("{} exists".format, st.sampled_from(('result("t")', "result", 'headers["x-a"]', 'result("t").json.n'))),
    st.builds('result("t").json.n is {}'.format, st.sampled_from(("number", "text", "null"))),
    st.builds("last == {}".format, st.sampled_from(('"user"', '"tool"', '"assistant"'))),
    st.builds('fired("a#1") {} {}'.format, _ORDERED, NUMBERS),
    st.builds('state == "{}"'.format, st.sampled_from(STATES)),
    st.sampled_from(("stream", "true", "false", "chance(0.5)", 'result("t").error', 'tools contains "t"')),
)
CONDITIONS = st.recursive(
    _ATOM,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner),
    ),
    max_leaves=4,
)
_SET = ('"ab"', "user", 'headers["x-a"]', 'result("t").text')
_RULE = st.fixed_dictionaries(
    {},
    optional={
        "when": CONDITIONS,
        "times": st.integers(1, 2),
        "set": st.fixed_dictionaries({}, optional={"v": st.sampled_from(_SET), "n": NUMBERS | st.just("attempt")}),
        "goto": st.sampled_from(STATES),
        "outcome": st.sampled_from(({"reply": "x"}, {"error": 429}, {"call": "t()"}, {}, {"reply": "${v}"})),
    },
)
_LIMITED = st.builds(
    "{} {} {}".format,
    st.sampled_from(("turn", "turn", "visits", "attempt")),
    st.sampled_from(("==", "<", "<=", ">")),
    NUMBERS,
)
_TIMED = st.builds("{} {} {}".format, st.sampled_from(("elapsed", "idle", "age")), _ORDERED, _DURATION)
_FAILING = st.fixed_dictionaries(
    {},
    optional={
        "when": st.one_of(_LIMITED, _TIMED, st.builds("({} and {})".format, _LIMITED, CONDITIONS), CONDITIONS),
        "times": st.just(1),
        "set": st.fixed_dictionaries({}, optional={"n": NUMBERS}),
        "goto": st.sampled_from(STATES),
        "outcome": st.sampled_from(({"error": 429}, {"error": "overloaded"}, {"fault": "drop"}, {"reply": "x"})),
    },
)
_LEAVING = st.fixed_dictionaries(
    {"goto": st.sampled_from(STATES)},
    optional={"when": _TIMED | CONDITIONS, "outcome": st.sampled_from(({"reply": "x"}, {"error": 429}, {}))},
)


def _rule(drawn: dict[str, Any]) -> dict[str, Any]:
    outcome = drawn.get("outcome", {"reply": "y"})
    rest = {name: value for name, value in drawn.items() if name != "outcome"}
    return {**rest, **(outcome if outcome or "goto" in drawn else {"reply": "z"})}


def _failing(drawn: dict[str, Any]) -> dict[str, Any]:
    """It fails where nothing else is drawn."""
    return _rule({"outcome": {"error": 503}, **drawn})


_RULES = st.lists(_RULE.map(_rule), max_size=4)
_FIRST = st.lists(_RULE.map(_rule), min_size=1, max_size=5)
_FINAL = st.sampled_from((["a", "b", "c"], ["b", "c"], ["c"]))
SCENARIOS = st.fixed_dictionaries(
    {
        "scenario": st.fixed_dictionaries({"start": st.just("a"), "final": _FINAL}),
        "vars": st.just({"v": "", "n": 0}),
        "states": st.fixed_dictionaries({"a": _FIRST, "b": _RULES, "c": _RULES}),
    },
    optional={"always": st.lists(_RULE.map(_rule), max_size=1), "otherwise": _RULES},
)

_FAIL = st.lists(_FAILING.map(_failing), min_size=1, max_size=3)
_LAST = st.fixed_dictionaries({"reply": st.just("x")}, optional={"goto": st.sampled_from(STATES)})
_LEAVE = st.builds(lambda some, last: [*some, last], st.lists(_LEAVING.map(_rule), min_size=1, max_size=2), _LAST)


def _scenarios(rules: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "scenario": st.just({"start": "a"}),
            "vars": st.just({"v": "", "n": 0}),
            "states": st.fixed_dictionaries(dict.fromkeys(STATES, rules)),
        }
    )


FAILING = _scenarios(_FAIL | st.builds(lambda some, last: [*some, last], _FAIL, _LAST))
"""Scenarios in which most rules are errors."""
LEAVING = _scenarios(_LEAVE)
"""Scenarios in which most rules lead on, and many ask for times."""


class Asked(NamedTuple):
    """A request of a walk: what stays open of the last answer is answered with *result*."""

    user: str
    model: str
    header: str | None
    stream: bool
    tools: list[str]
    result: Any
    wait: float
    again: bool


WALKS = st.lists(
    st.builds(
        Asked,
        user=TEXTS,
        model=TEXTS,
        header=st.none() | TEXTS,
        stream=st.booleans(),
        tools=st.sampled_from(([], ["t"])),
        result=st.sampled_from(({"n": 1}, {"n": 2.5}, {"n": "ab"}, {"error": "x"}, "ab", "Error", 3, {})),
        wait=st.sampled_from((0.0, 0.5, 1.0, 3.0)),
        again=st.booleans(),
    ),
    min_size=1,
    max_size=10,
)


def compiled(written: dict[str, Any]) -> Program:
    """The program of a scenario that was drawn; an end that is none, or a cycle, makes none."""
    found = compile_text(json.dumps(written), "random.yaml", "yaml")
    assert {each.code for each in found.diagnostics if each.severity == "error"} <= {"LP303", "LP304"}
    assume(found.program is not None)
    assert found.program is not None
    return found.program


def walked(program: Program, walk: list[Asked]) -> list[Step]:
    """What the machine does on a walk."""
    return [step for _, _, step in asked(program, walk)]


def asked(program: Program, walk: list[Asked]) -> list[tuple[Turn, int, Step]]:
    """The requests of a walk, each with the number of its attempt and what the machine does."""
    talk = Heard(program)
    for number, each in enumerate(walk):
        more = {"model": each.model, "stream": each.stream, "tools": each.tools}
        if each.header is not None:
            more["headers"] = {"x-a": each.header}
        # A conversation begins with a request.
        talk.ask(*_said(talk, each), wait=each.wait if number else 0.0, **more)
    return list(zip(talk.turns, talk.attempts, talk.steps, strict=True))


class Heard(Talk):
    """A client whose requests are kept."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.turns: list[Turn] = []
        self.attempts: list[int] = []

    def moment(self, asked: Turn) -> Moment:
        """As of any client; it is asked for once with each request."""
        moment = super().moment(asked)
        self.turns.append(asked)
        self.attempts.append(moment.attempt)
        return moment


def _said(talk: Talk, asked: Asked) -> list[Message | str]:
    if asked.again and talk.steps and not isinstance(talk.steps[-1].outcome, Reply):
        return []
    last = talk.messages[-1] if talk.messages else None
    if last is not None and last.role == "assistant" and last.calls:
        results = tuple(ToolResult(call.id, _text(asked.result)) for call in last.calls)
        return [Message("tool", results=results), *([asked.user] if asked.again else [])]
    if asked.again and not talk.messages:
        given = Message("assistant", calls=(ToolUse("1", "t", "{}"),))
        return [asked.user, given, Message("tool", results=(ToolResult("1", _text(asked.result)),))]
    return [asked.user]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
