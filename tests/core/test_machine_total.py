"""Whatever a client sends, the machine answers, and explains itself."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from machines import scenario, turn

from llmposter.core.answer import same
from llmposter.core.conformance import findings
from llmposter.core.conversation import Conversation, Moment, read, written
from llmposter.core.explain import shown
from llmposter.core.facts import Facts
from llmposter.core.machine import Machine
from llmposter.model import Message, Miss, ToolResult, ToolUse, Unpaired
from llmposter_dsl.program import Duration

EVERYTHING = """
[scenario]
serves = 'not (system contains "no")'
conversation = 'default(headers["x-id"], text(body.id))'
expect = ['not any(results, it.error)', 'len(messages) > 0']
[vars]
n = 0
seen = []
last_result = ""
since = "0s"
[[always]]
when = 'user starts with "/" and fired("slash") < 2'
name = "slash"
times = 3
set = { seen = "seen + [user]", n = "n + 1" }
error = { status = 429, message = "${user} ${attempt} ${age}", retry_after = "1s" }
goto = "b"
[[states.a]]
when = 'last == "tool" and (result.json.n * 2 > 1 or result exists)'
set = { last_result = "result.text", n = "result.json.n" }
reply = "${result.json} ${last_result} ${json(messages)}"
think = "${params.temperature} ${tokens} ${images + files}"
goto = "b"
[[states.a]]
when = 'user matches /(?P<word>\\w+)|(?P<rest>.)/s and chance(0.7)'
call = ['get(word: word, rest: rest, n: n, id: uuid())', { tool = "raw", arguments = "{${word}" }]
latency = "lognormal(1s, 2)"
[[states.a]]
when = 'visits > 1 or idle >= 1s'
goto = "b"
[[states.b]]
when = 'body.messages[0].content is text or visits % 2 == 0 or chance(0.3)'
json = { words = "${words(user)}", all = "${results}", now = "${now()}", r = "${random(1, 6)}" }
headers = { x-n = "${n}" }
goto = "a"
[[states.b]]
when = 'count(messages, it.role == "user" and it.text != "") > 0'
refuse = '${upper(assistant)}${elapsed}${jsonpath("$..id")}'
"""

WORDS = st.text(max_size=6) | st.sampled_from(("/x", "weather in Paris", "\ud800", "", "0"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(("n", "error", "id")), inner, max_size=2)
    ),
    max_leaves=4,
)
JSON = VALUES.map(json.dumps) | WORDS
USES = st.builds(ToolUse, WORDS, WORDS, JSON)
RESULTS = st.builds(ToolResult, WORDS, JSON, WORDS, st.none() | st.booleans())
MESSAGES = st.builds(
    Message,
    st.sampled_from(("user", "assistant", "tool", "system")),
    WORDS,
    st.lists(USES, max_size=2).map(tuple),
    st.lists(RESULTS, max_size=2).map(tuple),
    st.integers(0, 2),
)
TURNS = st.builds(
    lambda messages, **more: turn(*messages, **more),
    st.lists(MESSAGES, max_size=4),
    system=WORDS,
    tools=st.lists(WORDS, max_size=2),
    params=st.dictionaries(st.sampled_from(("temperature", "stop", "n")), VALUES, max_size=2),
    metadata=st.dictionaries(WORDS, VALUES, max_size=1),
    headers=st.dictionaries(st.sampled_from(("x-id", "authorization")), WORDS, max_size=2),
    body=JSON.map(lambda text: text.encode("utf-8", "surrogatepass")),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(TURNS, min_size=1, max_size=5), st.booleans())
def test_any_request_gets_a_step(turns, replayed) -> None:
    """No request makes the machine raise; every step is comparable, every conversation can be written and read."""
    machine = MACHINE
    stands: Conversation = machine.begin(0.0)
    for number, asked in enumerate(turns):
        assert isinstance(machine.serves(asked), bool)
        assert machine.key(asked) is None or isinstance(machine.key(asked), str)
        step = machine.advance(stands, asked, Moment(float(number), 1 + number % 2, replayed=replayed))
        assert isinstance(step.outcome, Miss) or step.rule is not None
        assert bool(step.missed) is (isinstance(step.outcome, Miss) and not replayed)
        assert step.latency >= 0
        for message in asked.messages:
            assert same(step, message) in (True, False)
        assert all(isinstance(each, str | Unpaired) for each in findings(asked))
        stands = step.after
        if not any("\ud800" in str(value) for value in stands.vars.values()):
            assert read(written(stands)) == stands


MACHINE = Machine(scenario(EVERYTHING))


@given(VALUES | st.builds(Duration, st.floats(0, 1e9)), TURNS)
def test_any_value_can_be_shown(value: object, asked) -> None:
    """An explanation shows any value, in at most 120 characters."""
    facts = Facts(asked, MACHINE.begin(0.0), None)
    assert len(shown(value, facts)) <= 120
