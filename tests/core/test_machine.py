"""Transcripts of the machine: what each kind of rule does to a conversation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from machines import Talk, calls, got, replayed, result, said, scenario, text, turn, use
from msgspec.structs import replace

from llmposter.core.conversation import Conversation, Moment, read, written
from llmposter.core.machine import Machine
from llmposter.model import Failure, Miss, Reply
from llmposter_dsl.program import Duration

TOOLS = """
[scenario]
final = ["done"]
[vars]
city = ""
[[states.ask]]
when = 'user matches /weather in (?P<place>\\w+)/i'
set  = { city = "place" }
call = 'get_weather(city: city, unit: "celsius")'
goto = "lookup"
[[states.ask]]
reply = "I only do weather."
[[states.lookup]]
when  = "attempt == 1"
error = { name = "rate_limited", retry_after = "20ms" }
[[states.lookup]]
when   = 'result("get_weather") exists'
reply  = "It is ${result.json.temp}°C in ${city}."
goto   = "done"
"""

TRANSCRIPTS = {
    "rules are tried in order, and one without `when` always matches": (
        """
        [[states.a]]
        when = 'user == "x"'
        reply = "first"
        [[states.a]]
        when = 'user contains "x"'
        reply = "second"
        [[states.a]]
        reply = "last"
        """,
        [("x", "first", "a"), ("xx", "second", "a"), ("y", "last", "a")],
    ),
    "`always` comes before the rules of every state, `otherwise` after them": (
        """
        [[always]]
        when = 'user == "stop"'
        reply = "stopped"
        goto = "b"
        [[otherwise]]
        reply = "pardon?"
        [[states.a]]
        when = 'user in ["go", "stop"]'
        reply = "a"
        goto = "b"
        [[states.b]]
        when = 'user == "go"'
        reply = "b"
        """,
        [("stop", "stopped", "b"), ("hm", "pardon?", "b"), ("go", "b", "b")],
    ),
    "`times` is counted in one conversation": (
        """
        [[states.a]]
        times = 2
        reply = "twice"
        [[states.a]]
        reply = "then"
        """,
        [("1", "twice", "a"), ("2", "twice", "a"), ("3", "then", "a"), ("4", "then", "a")],
    ),
    "errors count for `times` and `fired`, and are seen by `attempt`": (
        """
        [[states.a]]
        name = "limit"
        times = 2
        error = 429
        [[states.a]]
        reply = "attempt ${attempt} after ${fired('limit')}"
        """,
        [
            ("1", "Failure 429", "a"),
            (None, "Failure 429", "a"),
            (None, "attempt 3 after 2", "a"),
            ("2", "attempt 1 after 2", "a"),
        ],
    ),
    "`set` values are evaluated in order and each sees those before it; what is no text is itself": (
        """
        [vars]
        a = 1
        b = 1
        list = []
        [[states.s]]
        set = { a = "a + 1", b = "a * 10", list = ["a", 2] }
        reply = "${a} ${b} ${list}"
        """,
        [("", '2 20 ["a",2]', "s"), ("", '3 30 ["a",2]', "s")],
    ),
    "variables, `goto` and counts are kept through errors": (
        """
        [vars]
        n = 0
        [[states.a]]
        set = { n = "n + 1" }
        error = "overloaded"
        goto = "b"
        [[states.b]]
        reply = "${n} ${state} ${fired('a#1')}"
        """,
        [("x", "Failure overloaded", "b"), (None, "1 b 1", "b")],
    ),
    "named groups are names in the rule and hide variables; a group that took no part is null": (
        """
        [vars]
        x = "variable"
        [[states.a]]
        when = 'user matches /^a(?P<x>\\d)|b(?P<y>\\d)/'
        reply = "x=${x} y=${y}"
        [[states.a]]
        reply = "x=${x}"
        """,
        [("a1", "x=1 y=", "a"), ("b2", "x= y=2", "a"), ("c", "x=variable", "a")],
    ),
    "groups of a rule that did not fire are not seen": (
        """
        [vars]
        x = "variable"
        [[states.a]]
        when = 'user matches /(?P<x>\\d)/ and user == "no"'
        reply = "no"
        [[states.a]]
        when = 'user == "8" or user matches /(?P<x>z)/'
        reply = "x=${x}"
        [[states.a]]
        when = 'user matches /(?P<y>\\d)/'
        reply = "${x}${y}"
        """,
        [("7", "variable7", "a"), ("8", "x=", "a")],
    ),
    "a rule without an outcome passes the same request on to the new state's rules": (
        """
        [vars]
        seen = 0
        [[states.route]]
        when = 'user contains "bill"'
        set = { seen = "seen + 1" }
        goto = "billing"
        [[states.route]]
        reply = "routing"
        [[states.billing]]
        when = 'user contains "back"'
        goto = "route"
        times = 1
        [[states.billing]]
        reply = "${state} ${seen} ${visits} ${elapsed} ${user}"
        """,
        [("hi", "routing", "route"), ("bill", "billing 1 1 0ms bill", "billing"), ("back", "routing", "route")],
    ),
    "`visits` counts the answers in a state, this one included, errors not": (
        """
        [[states.a]]
        when = 'attempt == 1'
        error = 500
        [[states.a]]
        reply = "${visits}/${turn}"
        [[states.a]]
        when = 'false'
        reply = "never"
        goto = "b"
        [[states.b]]
        reply = "b"
        """,
        [("x", "Failure 500", "a"), (None, "1/1", "a"), ("y", "Failure 500", "a"), (None, "2/2", "a")],
    ),
    "`fired` counts what a rule did before this time": (
        """
        [[states.a]]
        name = "me"
        reply = "${fired('me')}"
        """,
        [("", "0", "a"), ("", "1", "a"), ("", "2", "a")],
    ),
    "a tool loop: groups, a variable, an error, a result": (
        TOOLS,
        [
            ("hello", "I only do weather.", "ask"),
            ("What's the WEATHER in Paris?", "", "lookup"),
            ({"temp": 22}, "Failure rate_limited", "lookup"),
            (None, "It is 22°C in Paris.", "done"),
        ],
    ),
    "states may have any name, also one that an object of Python has": (
        """
        [[states.state]]
        reply = "1"
        goto = "trigger"
        [[states.trigger]]
        reply = "2"
        goto = "__init__"
        [[states.__init__]]
        reply = "3"
        goto = "to_state"
        [[states.to_state]]
        goto = "is_fire-x"
        [[states.is_fire-x]]
        reply = "4"
        """,
        [("", "1", "trigger"), ("", "2", "__init__"), ("", "3", "to_state"), ("", "4", "is_fire-x")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", TRANSCRIPTS)
def test_transcript(sentence: str) -> None:
    """Each sentence of the table, as one client's requests, what it hears, and the state after."""
    file, turns = TRANSCRIPTS[sentence]
    talk = Talk(scenario(file))
    for more, heard, state in turns:
        step = talk.ask(*([talk.answer(more)] if isinstance(more, dict) else [] if more is None else [more]))
        assert (heard, state) == (text(step), step.after.state)


def test_a_call_is_built_from_the_rule() -> None:
    """Calls see variables that the same rule has set."""
    step = Talk(scenario(TOOLS)).ask("weather in Rome")
    assert calls(step) == [("get_weather", {"city": "Rome", "unit": "celsius"})]


def test_time() -> None:
    """`elapsed` counts from entering the state, again from a `goto` to the same one; `idle` and `age` go on."""
    talk = Talk(
        scenario("""
        [[states.a]]
        when = 'elapsed >= 30s'
        reply = "late ${elapsed} ${idle} ${age}"
        [[states.a]]
        when = 'user == "again"'
        reply = "again"
        goto = "a"
        [[states.a]]
        reply = "${elapsed} ${idle} ${age}"
        """)
    )
    assert text(talk.ask("x")) == "0ms 0ms 0ms"
    assert text(talk.ask("x", wait=10)) == "10s 10s 10s"
    assert text(talk.ask("x", wait=5)) == "15s 5s 15s"
    assert text(talk.ask("again", wait=5)) == "again"
    assert text(talk.ask("x", wait=20)) == "20s 20s 40s"
    assert text(talk.ask("x", wait=10)) == "late 30s 10s 50s"


def test_a_miss_moves_nothing() -> None:
    """Where no rule matches nothing changes but the time of the last request, whatever pass-through rules did."""
    talk = Talk(
        scenario("""
        [vars]
        n = 0
        [[states.a]]
        set = { n = "n + 1" }
        goto = "b"
        [[states.b]]
        when = 'user == "x"'
        reply = "x"
        """)
    )
    before = talk.stands
    step = talk.ask("y", wait=5)
    assert isinstance(step.outcome, Miss)
    assert step.outcome.message == step.missed
    assert [rule.name for rule in step.passed] == ["a#1"]
    assert replace(before, last=1005.0) == step.after


def test_a_cycle_of_pass_through_rules_is_a_miss() -> None:
    """Rules that pass a request round and round are stopped, and the explanation names them."""
    talk = Talk(
        scenario("""
        [[states.a]]
        when = 'user != "out"'
        goto = "b"
        [[states.a]]
        reply = "out"
        [[states.b]]
        when = 'user != "out"'
        goto = "a"
        [[states.b]]
        reply = "b"
        """)
    )
    step = talk.ask("x")
    assert isinstance(step.outcome, Miss)
    assert '"b#1" → "a#1"' in step.missed or '"a#1" → "b#1"' in step.missed
    assert step.after.state == "a"
    assert text(talk.ask("out")) == "out"


def test_a_pass_through_loop_that_ends_is_no_cycle() -> None:
    """A rule may pass as often as it changes what ends it."""
    talk = Talk(
        scenario("""
        [vars]
        n = 0
        [[states.a]]
        when = 'n < 50'
        set = { n = "n + 1" }
        goto = "a"
        [[states.a]]
        reply = "${n}"
        """)
    )
    step = talk.ask("x")
    assert (text(step), len(step.passed)) == ("50", 50)


def test_unmatched_as_an_error() -> None:
    """`scenario.unmatched` gives the error that a miss gets; the explanation is kept beside it."""
    step = Talk(scenario("[scenario]\nunmatched = 'not_found'\n[[states.a]]\nwhen = 'user == \"x\"'\nreply = 'x'")).ask(
        "y"
    )
    assert step.outcome == Failure(name="not_found")
    assert 'user is "y"' in step.missed
    assert step.rule is None


def test_serves_and_key() -> None:
    """`serves` and `conversation` are asked of the request alone; an empty or absent key is none."""
    file = """[scenario]
serves = 'system contains "clerk"'
conversation = 'headers["x-id"]'
[[states.a]]
reply = "x"
"""
    machine = Machine(scenario(file))
    assert machine.serves(turn("hi", system="You are a clerk."))
    assert not machine.serves(turn("hi", system="You are a cook."))
    assert machine.key(turn("hi", headers={"x-id": "7"})) == "7"
    assert machine.key(turn("hi", headers={"x-id": ""})) is None
    assert machine.key(turn("hi")) is None
    plain = Machine(scenario("[[states.a]]\nreply = 'x'"))
    assert plain.serves(turn())
    assert plain.key(turn()) is None


def test_a_key_of_another_type_is_text() -> None:
    """A key from the body may be a number; it is kept as text."""
    machine = Machine(scenario("[scenario]\nconversation = 'metadata.run'\n[[states.a]]\nreply = 'x'"))
    assert machine.key(turn("hi", metadata={"run": 7})) == "7"
    assert machine.key(turn("hi", metadata={"run": None})) is None


def test_a_retry_draws_anew_and_a_repeat_draws_the_same() -> None:
    """Chance depends on seed, session, history, attempt and number, and on nothing else."""
    program = scenario("[[states.a]]\nwhen = 'chance(0.5)'\nerror = 500\n[[states.a]]\nreply = '${uuid()}'")
    again = [[text(Talk(program, number=n).ask("hi")) for n in range(60)] for _ in range(2)]
    assert again[0] == again[1]
    assert 10 < again[0].count("Failure 500") < 50
    talk = Talk(program, number=next(n for n, heard in enumerate(again[0]) if heard.startswith("Failure")))
    heard = [text(talk.ask("hi")), *(text(talk.ask()) for _ in range(30))]
    assert any(not each.startswith("Failure") for each in heard)


def test_a_conversation_survives_json() -> None:
    """Where a client stands is plain data: written and read back it goes on as it was."""
    talk = Talk(scenario(TOOLS))
    talk.ask("weather in Paris")
    assert read(written(talk.stands)) == talk.stands
    step = talk.ask(talk.answer({"temp": 1}))
    talk.stands = read(written(step.after))
    assert text(talk.ask()) == "It is 1°C in Paris."


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text() | st.builds(Duration, st.floats(0, 1e6)),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )
)
def test_any_variable_survives_json(value: object) -> None:
    """A variable of any type reads back as it was, durations as durations."""
    stands = Conversation("a", {"x": value}, {"a": 1}, {"a#1": 2}, 1, 5.0, 6.5, 7.0, ("x",))
    back = read(written(stands))
    assert back == stands
    assert repr(back.vars) == repr(stands.vars)


def test_input_is_left_as_it_was() -> None:
    """A step changes neither the conversation, nor the turn, nor the program's first values."""
    program = scenario(
        "[vars]\nn = 0\ncart = []\n[[states.a]]\nset = { n = 'n + 1', cart = 'cart + [n]' }\nreply = '${cart}'"
    )
    machine = Machine(program)
    stands, asked = machine.begin(0.0), turn("x")
    before = repr((stands, asked, program.vars))
    steps = [machine.advance(stands, asked, Moment(1.0, fingerprint="f")) for _ in range(3)]
    assert before == repr((stands, asked, program.vars))
    assert steps[0] == steps[1] == steps[2]
    assert text(steps[0]) == "[1]"


def test_a_replay_tells_nothing() -> None:
    """A replayed step has the outcome, but neither violations nor an explanation, which nobody would read."""
    machine = Machine(scenario("[scenario]\nexpect = 'stream'\n[[states.a]]\nwhen = 'user == \"x\"'\ncall = 'get()'"))
    begin = machine.begin(0.0)
    hit = replayed(machine, turn("x", tools=("put",)), begin)
    miss = replayed(machine, turn("y"), begin)
    assert isinstance(hit.outcome, Reply)
    assert (hit.violations, miss.violations, miss.missed, miss.outcome) == ((), (), "", Miss(""))


def test_two_thousand_rules_in_a_state() -> None:
    """The last of 2,000 rules is reached."""
    rules = "".join(f"[[states.a]]\nwhen = 'user == \"{n}\"'\nreply = 'r{n}'\n" for n in range(2000))
    talk = Talk(scenario(rules))
    assert text(talk.ask("0")) == "r0"
    assert text(talk.ask("1999")) == "r1999"


def test_the_diagram() -> None:
    """States in the order of the file, and each rule as an edge from each state in which it stands."""
    diagram = Machine(
        scenario(TOOLS + "[[always]]\nwhen = 'user == \"quit\"'\nreply = 'bye'\ngoto = 'done'\n")
    ).diagram()
    assert (diagram.states, diagram.start, diagram.final) == (("ask", "lookup", "done"), "ask", {"done"})
    assert [(edge.source, edge.rule.name, edge.dest) for edge in diagram.edges] == [
        ("ask", "always#1", "done"),
        ("ask", "ask#1", "lookup"),
        ("ask", "ask#2", "ask"),
        ("lookup", "always#1", "done"),
        ("lookup", "lookup#1", "lookup"),
        ("lookup", "lookup#2", "done"),
        ("done", "always#1", "done"),
    ]


def test_few_shot_messages_do_not_count() -> None:
    """`turn` counts answers of this mock, not assistant messages of the history."""
    talk = Talk(scenario("[[states.a]]\nreply = '${turn} of ${len(messages)}'"))
    assert text(talk.ask("example", said("sample"), "hi")) == "1 of 3"
    assert text(talk.ask(said("x", use("1", "t")), got(result("1", "y")))) == "2 of 6"
