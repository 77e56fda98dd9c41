"""Replies and errors as rules word them, and whether a history shows the reply that a replay gives."""

from __future__ import annotations

import pytest
from machines import Talk, calls, replayed, said, scenario, text, turn, use
from msgspec.structs import replace

from llmposter.core.answer import same
from llmposter.core.conversation import Moment
from llmposter.core.machine import Machine
from llmposter.model import Failure, Refusal, Reply, Text, Thinking, Tokens, ToolCall


def reply(rule: str, *messages: str, head: str = "", **request: object) -> Reply:
    outcome = Talk(scenario(f"{head}\n[[states.ask]]\n{rule}"), **request).ask(*messages or ("hi",)).outcome
    assert isinstance(outcome, Reply)
    return outcome


def test_parts_stand_in_order() -> None:
    """Reasoning, text, structured output and calls come in this order, whatever the order in the file."""
    parts = reply("call = 'a(x: 1)'\njson = { n = 1 }\nreply = 'two'\nthink = 'one'").parts
    assert parts[:3] == (Thinking("one"), Text("two"), Text('{"n":1}', structured=True))
    assert [(part.tool, part.arguments) for part in parts[3:]] == [("a", '{"x":1}')]


def test_a_refusal_is_the_provider_s_own() -> None:
    """A refusal has its own kind of part."""
    assert reply("refuse = 'no, ${user}'").parts == (Refusal("no, hi"),)


@pytest.mark.parametrize(
    "rule, finish",
    [
        ("reply = 'x'", "stop"),
        ("call = 'a()'", "tool_calls"),
        ("reply = 'x'\ncall = 'a()'", "tool_calls"),
        ("refuse = 'x'", "stop"),
        ("reply = 'x'\nfinish = 'length'", "length"),
        ("call = 'a()'\nfinish = 'stop'", "stop"),
    ],
)
def test_finish(rule: str, finish: str) -> None:
    """The finish reason follows from the parts, unless the rule says it."""
    assert finish == reply(rule).finish


def test_values_keep_their_types() -> None:
    """In `json` and arguments a string that is one expression keeps its type; a text of arguments is sent as it is."""
    head = "[vars]\nn = 3\ncart = ['a']"
    made = reply("json = { n = '${n}', t = 'n: ${n}', cart = '${cart}', none = '${body.x}' }", head=head)
    assert made.parts == (Text('{"n":3,"t":"n: 3","cart":["a"],"none":null}', structured=True),)
    broken = reply("call = { tool = 'a', arguments = '{\"n\": ${n}' }", head=head).parts[0]
    assert isinstance(broken, ToolCall)
    assert broken.arguments == '{"n": 3'


def test_ids() -> None:
    """Ids are made from the place in the conversation: equal for the same, distinct for all else; the author's wins."""
    program = scenario("[[states.ask]]\ncall = ['a()', 'b()', { tool = 'c', arguments = {}, id = 'mine-${turn}' }]")
    one, again, other = Talk(program), Talk(program), Talk(program, number=1)
    asked = [talk.ask("hi").outcome for talk in (one, again, other)]
    assert asked[0] == asked[1]
    first, second = ([part.id for part in each.parts] + [each.id] for each in (asked[0], asked[2]))
    assert first[2] == second[2] == "mine-1"
    ids = [first[0], first[1], first[3], second[0], second[1], second[3]]
    assert len(set(ids)) == len(ids)
    assert all(id_.startswith("call_") for id_ in (*first[:2], *second[:2]))
    assert all(len(id_.removeprefix("call_")) == 24 and id_.removeprefix("call_").isalnum() for id_ in ids)


def test_usage() -> None:
    """Tokens are estimated from request and parts; what the rule says replaces the estimate, the rest stays."""
    assert reply("reply = '12345678'", "1234").tokens == Tokens(input=5, output=2)
    assert reply("reply = '1234'\nthink = '12345'", "1234").tokens == Tokens(input=5, output=3, reasoning=2)
    given = reply("reply = '1234'\nusage = { input = 900, cached = 100 }", "1234").tokens
    assert given == Tokens(input=900, output=1, cached=100)


def test_a_long_history_costs_more() -> None:
    """The estimate counts system prompt, tools, calls and results."""
    rule = "reply = 'x'"
    plain, rich = reply(rule, "hi"), reply(rule, "hi", system="be brief", tools=("get_weather",))
    assert rich.tokens.input > plain.tokens.input


def test_headers_and_latency() -> None:
    """Headers are rendered; the delay is drawn with the step."""
    talk = Talk(scenario("[[states.ask]]\nreply = 'x'\nheaders = { x-turn = '${turn}' }\nlatency = '250ms'"))
    step = talk.ask("hi")
    assert isinstance(step.outcome, Reply)
    assert step.outcome.headers == (("x-turn", "1"),)
    assert step.latency == 0.25


@pytest.mark.parametrize(
    "rule, failure",
    [
        ("error = 429", Failure(status=429)),
        ("error = 'overloaded'", Failure(name="overloaded")),
        (
            """
            [states.ask.error]
            name = 'rate_limited'
            status = 503
            type = 't'
            code = 'c'
            message = 'slow, ${user}'
            headers = { x-a = '${attempt}' }
            retry_after = '20ms'
            """,
            Failure("rate_limited", 503, "t", "c", "slow, hi", headers=(("x-a", "1"),), retry_after=0.02),
        ),
        ("error = 500\nheaders = { x-b = 'b' }", Failure(status=500, headers=(("x-b", "b"),))),
    ],
)
def test_errors(rule: str, failure: Failure) -> None:
    """An error is as the rule words it, templates filled in."""
    assert failure == Talk(scenario(f"[[states.ask]]\n{rule}")).ask("hi").outcome


# --- replay


def given_in_replay(rule: str, message, *, head: str = "", **moment: object) -> bool:
    """Whether a replay at another time takes *message* for the rule's answer."""
    machine = Machine(scenario(f"{head}\n[[states.ask]]\n{rule}"))
    step = replayed(machine, turn("hi"), machine.begin(0.0), **moment)
    return same(step, message)


WEATHER = "reply = 'Let me look.'\ncall = 'get(city: \"Paris\", days: [1, 2])'"
PARIS = use("other", "get", '{ "days": [1, 2.0], "city": "Paris" }')


@pytest.mark.parametrize(
    "rule, message, taken",
    [
        ("reply = 'hello'", said("hello"), True),
        ("reply = 'hello'", said("  hello\n"), True),
        ("reply = 'hello'", said("hullo"), False),
        ("reply = 'hello'", said(""), False),
        ("reply = 'hello'\nthink = 'hm'", replace(said("hello"), thinking="other"), True),
        ("refuse = 'no'", said("no"), True),
        ("json = { a = 1, b = 2 }", said('{"a":1, "b":2}'), True),
        ("json = { a = 1 }", said('{"a":2}'), False),
        (WEATHER, said("Let me look.", PARIS), True),
        (WEATHER, said("", PARIS), True),
        (WEATHER, said("Something else.", PARIS), False),
        (WEATHER, said("Let me look."), False),
        (WEATHER, said("Let me look.", PARIS, PARIS), False),
        (WEATHER, said("Let me look.", use("1", "put", PARIS.arguments)), False),
        (WEATHER, said("Let me look.", use("1", "get", {"city": "Rome", "days": [1, 2]})), False),
        ("call = 'a()'", said("", use("1", "a", "")), True),
        ("call = { tool = 'a', arguments = '{broken' }", said("", use("1", "a", " {broken ")), True),
        ("call = { tool = 'a', arguments = '{broken' }", said("", use("1", "a", "{other")), False),
        ("error = 500", said("hello"), False),
        ("reply = 'It is ${now()} now.'", said("It is 2026-11-24T10:00:00Z now."), True),
        ("reply = 'It is ${now()} now.'", said("It is 2026-11-24T10:00:00Z then."), False),
        ("reply = '${uuid()} and ${user}'", said("x and hi"), True),
        ("reply = '${uuid()} and ${user}'", said("x and ho"), False),
        ("reply = '${user}${age}${user}'", said("hi"), False),
        ("reply = '${user}${age}${user}'", said("hi5shi"), True),
        ("call = 'a(id: uuid(), city: user)'", said("", use("1", "a", {"city": "hi", "id": "7"})), True),
        ("call = 'a(id: uuid(), city: user)'", said("", use("1", "a", {"city": "ho", "id": "7"})), False),
        ("call = 'a(id: uuid(), city: user)'", said("", use("1", "a", {"city": "hi"})), False),
        ("call = 'a(x: [uuid(), 2])'", said("", use("1", "a", {"x": ["7", 3]})), False),
        ("call = { tool = 'a', arguments = '{${uuid()} ${user}' }", said("", use("1", "a", "{7 hi")), True),
        ("call = { tool = 'a', arguments = '{${uuid()} ${user}' }", said("", use("1", "a", "{7 ho")), False),
        ("json = { id = '${uuid()}' }", said('{"id": "7"}'), True),
    ],
)
def test_a_history_shows_this_answer(rule: str, message, taken: bool) -> None:
    """White space, ids, key order and reasoning do not count, nor text left out beside calls; what a replay cannot
    know matches anything."""
    assert taken is given_in_replay(rule, message)


def test_a_variable_carries_what_a_replay_cannot_know() -> None:
    """A variable set from `uuid()` stays open in a replay, through other variables and steps, until it is set anew."""
    program = scenario("""
        [vars]
        id = ""
        copy = ""
        [[states.ask]]
        when = 'user == "one"'
        set = { id = "uuid()", copy = "id + user" }
        reply = "go"
        [[states.ask]]
        when = 'user == "three"'
        set = { copy = "user" }
        reply = "${copy} ${id}"
        [[states.ask]]
        reply = "${copy} and ${user}"
        """)
    machine, stands = Machine(program), Machine(program).begin(0.0)
    for user, message, taken in (
        ("one", "go", True),
        ("two", "anything and two", True),
        ("two", "anything and three", False),
        ("three", "three anything", True),
        ("three", "four anything", False),
        ("four", "three and four", True),
        ("four", "anything and four", False),
    ):
        step = replayed(machine, turn(user), stands)
        assert taken is same(step, said(message)), message
        stands = step.after if taken else stands
    assert stands.loose == ("id",)
    live = machine.advance(stands, turn("one"), Moment(1.0)).after
    assert live.loose == ()


def test_a_live_step_compares_as_it_is() -> None:
    """Outside a replay nothing is left open."""
    step = Talk(scenario("[[states.ask]]\nreply = '${uuid()}'")).ask("hi")
    assert step.pattern is None
    assert same(step, said(text(step)))
    assert not same(step, said("other"))
    assert calls(step) == []
