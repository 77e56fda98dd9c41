"""Scenarios swapped while conversations go on: who goes on, with what, and who is told to stand nowhere."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import programs
from talking import KEY, Agent, StoppedClock, turn

from llmposter.core.admission import Admission
from llmposter.core.credentials import Issued
from llmposter.core.mock import Mock
from llmposter.core.swap import Ended, Swap
from llmposter.model import Connection, Failure, Request
from llmposter_dsl.compiler import compile_text
from llmposter_dsl.program import Program, TokenEnd, Value

SOAK = bool(os.environ.get("LLMPOSTER_SOAK"))
BEFORE = """
[scenario]
name = "trip"
final = ["done"]
[vars]
city = "nowhere"
[[states.ask]]
when = 'user contains "to"'
set = { city = "user" }
reply = "when?"
goto = "day"
[[states.day]]
when = 'user == "flaky"'
error = "overloaded"
[[states.day]]
reply = "booked ${city}"
goto = "done"
[[states.done]]
reply = "bye"
"""


def mock(*texts: str, **options: Any) -> Mock:
    return Mock(programs(*texts), StoppedClock(), **options)


def asked(server: Mock, *texts: str, **door: Any) -> Agent:
    """An agent that has asked so much already."""
    agent = Agent(server, **door)
    for text in texts:
        agent.ask(text)
    return agent


def test_a_conversation_goes_on_in_its_state_with_what_it_knows() -> None:
    """The next answer is the new scenario's, in the state and with the variables that the old one left."""
    server = mock(BEFORE)
    agent, other = asked(server, "to Rome"), asked(server, "to Oslo", session="other")
    after = BEFORE.replace("booked ${city}", "sold out: ${city}, answer ${turn}")
    assert Swap(going_on=2) == server.replace(programs(after))
    assert ["sold out: to Rome, answer 2", "bye"] == [agent.ask("Monday"), agent.ask("thanks")]
    assert "sold out: to Oslo, answer 2" == other.ask("Monday")
    assert ["reply"] * 3 == [each["outcome"] for each in server.journal("")["entries"]]
    assert [("trip", "done"), ("trip", "done")] == [(c["scenario"], c["state"]) for c in server.conversations()]


def test_an_attempt_goes_on_where_it_was() -> None:
    """An error before the swap was the first attempt; the one after it is the second, in the same conversation."""
    server = mock(BEFORE)
    agent = asked(server, "to Rome", "flaky")
    server.replace(
        programs(
            BEFORE.replace('"booked ${city}"', '"attempt ${attempt}"').replace("user ==", "attempt == 1 and user ==")
        )
    )
    assert "attempt 2" == agent.again()
    assert ["c1", "c1", "c1"] == [each["conversation"] for each in server.journal()["entries"]]


@pytest.mark.parametrize(
    "after, why",
    [
        (
            BEFORE.replace("states.day", "states.hour").replace('"day"', '"hour"'),
            'the scenario "trip" has no state "day" any more',
        ),
        (BEFORE.replace('"trip"', '"journey"'), 'no scenario "trip" is served any more'),
        (
            BEFORE.replace("[scenario]", "[scenario]\nconversation = 'headers[\"x-key\"]'"),
            'the scenario "trip" tells its conversations apart otherwise than before',
        ),
    ],
    ids=["state", "scenario", "key"],
)
def test_a_conversation_that_stands_nowhere_is_named_and_forgotten(after: str, why: str) -> None:
    """It comes back as an event in its session's journal and in what the swap tells; a history that fits leads on."""
    server = mock(BEFORE)
    agent = asked(server, "to Rome", session="one")
    asked(server, "to Oslo", "Monday")
    swapped = server.replace(programs(after))
    assert (Ended("one", "trip", "c1", "day", why),) == swapped.ended
    (event,) = [each for each in server.journal("one")["entries"] if each["outcome"] == "event"]
    assert ("trip", "c1", "day", f"ended, {why}") == tuple(
        event[name] for name in ("scenario", "conversation", "before", "detail")
    )
    assert [] == server.conversations("one")
    assert "booked to Rome" == agent.ask("Monday")


def test_a_history_that_the_new_scenario_would_not_give_is_foreign() -> None:
    """Whoever stands nowhere any more begins anew."""
    server = mock(BEFORE)
    agent = asked(server, "to Rome")
    server.replace(programs(BEFORE.replace('"trip"', '"journey"').replace("when?", "which day?")))
    assert "which day?" == agent.ask("to Paris")
    assert agent.exchange is not None
    assert 1 == agent.exchange.entry.foreign


def test_those_that_came_to_an_end_are_not_missed() -> None:
    """A conversation in a final state is forgotten without a word where its state is gone."""
    server = mock(BEFORE)
    asked(server, "to Rome", "Monday")
    assert Swap() == server.replace(programs(BEFORE.replace('"trip"', '"journey"')))
    assert [] == server.conversations()
    assert "event" not in [each["outcome"] for each in server.journal()["entries"]]


def test_only_what_stood_in_a_lost_state_is_lost_of_a_conversation() -> None:
    """A fork from a place whose state is still there goes on; one from a place that is gone is foreign."""
    server = mock(BEFORE)
    agent = asked(server, "to Rome", "Monday")
    early, late = list(agent.said[:2]), list(agent.said)
    after = """
[scenario]
name = "trip"
[vars]
city = "nowhere"
[[states.new]]
reply = "new"
[[states.done]]
reply = "still done"
goto = "new"
"""
    assert Swap() == server.replace(programs(after))
    agent.said = late
    assert "still done" == agent.ask("thanks")
    agent.said = early
    assert "new" == agent.ask("Tuesday")


@pytest.mark.parametrize(
    "before, after, kept",
    [
        ('x = "a"', 'x = "b"', "set"),
        ('x = "a"', "x = 3", 3),
        ("x = 1", "x = 2.5", 7),
        ("x = 1", 'x = "7"', "7"),
        ("x = 1", "x = null", 7),
        ("x = null", "x = 1", 7),
        ("x = null", "x = true", True),
        ("x = [1]", "x = {}", {}),
        ("y = 1", "x = 2", 2),
    ],
)
def test_variables_are_kept_where_their_type_is_the_same(before: str, after: str, kept: Value) -> None:
    """Else they have the first value of the new scenario; those that it has not are gone."""
    text = "scenario: {{name: v}}\nvars: {{{}}}\nstates:\n  a:\n    - {{reply: hi, set: {{{}}}}}\n"

    def made(given: str, value: str) -> Program:
        name, _, first = given.partition(" = ")
        said = f"{name}: {value}" if value else ""
        program = compile_text(text.format(f"{name}: {first}", said), "v.yaml", "yaml").program
        assert program is not None
        return program

    server = Mock([made(before, {'"': "'\"set\"'", "[": "'[7]'"}.get(before[4], "'7'"))], StoppedClock())
    asked(server, "hello")
    server.replace([made(after, "")])
    (conversation,) = server.conversations()
    assert {"x": kept} == conversation["vars"]


@pytest.mark.parametrize(
    "after, heard",
    [
        ("", ["two", "two"]),
        ('[[states.a]]\nwhen = \'user == "new"\'\ntimes = 1\nreply = "zero"\n', ["zero", "two"]),
    ],
    ids=["as before", "another rule before it"],
)
def test_a_rule_that_has_fired_has_fired(after: str, heard: list[str]) -> None:
    """The count of a rule without a name goes with what it wants, not with its number."""
    rules = '[[states.a]]\ntimes = 1\nreply = "one"\n[[states.a]]\nreply = "two"\n'
    server = mock('scenario.name = "n"\n' + rules)
    agent = asked(server, "hello")
    server.replace(programs('scenario.name = "n"\n' + after + rules))
    assert heard == [agent.ask("new"), agent.ask("old")]


def test_scenarios_change_places() -> None:
    """Each conversation stays with its scenario, whatever stands before that now."""
    first = 'scenario.name = "a"\nscenario.serves = \'user contains "apple"\'\n[[states.s]]\nreply = "A${turn}"\n'
    second = 'scenario.name = "b"\n[[states.s]]\nreply = "B${turn}"\n'
    third = 'scenario.name = "c"\nscenario.serves = \'user contains "cherry"\'\n[[states.s]]\nreply = "C${turn}"\n'
    server = mock(first, second)
    apples, others = asked(server, "apple"), asked(server, "pear")
    server.replace(programs(third, second, first))
    assert ["A2", "B2", "C1"] == [apples.ask("more"), others.ask("more"), Agent(server).ask("cherry")]
    server.replace(programs(first))
    assert ["A3", "A1"] == [apples.ask("more"), Agent(server).ask("apple")]
    assert ["a", "a"] == [each["scenario"] for each in server.conversations()]


def test_conversations_under_a_key_go_on() -> None:
    """A key names the same conversation before and after."""
    text = 'scenario.name = "k"\nscenario.conversation = \'headers["x-key"]\'\n[[states.s]]\nreply = "${turn}"\n'
    server = mock(text)
    asked(server, "a", headers={"x-key": "1"})
    server.replace(
        programs('scenario.name = "other"\n[[states.s]]\nreply = "o"\n', text.replace("${turn}", "n${turn}"))
    )
    agent = Agent(server, headers={"x-key": "1"})
    agent.said = [*turn().messages]
    assert KEY.text == text.split("'")[1]
    assert "o" == Agent(server).ask("b")


TOKENS = '[auth]\ntokens = [{}]\n[[states.s]]\nreply = "in"\n'


def door(server: Mock, *keys: str) -> list[str]:
    """What becomes of requests with these keys, one after the other."""
    heard = []
    for key in keys:
        request = Request("POST", "/v1/x", {}, {}, b"", Connection(1), "")
        admitted = server.admission.admit(request, [(True, key)], server.clock.now())
        heard.append(getattr(admitted, "why", "in"))
    return heard


@pytest.mark.parametrize(
    "after, heard",
    [
        ('{ name = "a", uses = 3 }', ["in", "spent", "unknown"]),
        ('{ name = "a", uses = 2 }', ["spent", "spent", "unknown"]),
        ('{ name = "a", uses = 4 }, { name = "b" }', ["in", "in", "in"]),
        ('{ name = "a", lifetime = "5s" }', ["expired", "expired", "unknown"]),
        ('{ name = "b" }', ["unknown", "unknown", "in"]),
    ],
)
def test_tokens_are_the_new_ones_and_uses_the_old(after: str, heard: list[str]) -> None:
    """A token that is still there keeps its uses and its age, whatever its new bounds are."""
    server = mock(TOKENS.format('{ name = "a", uses = 3 }'))
    assert ["in", "in"] == door(server, "a", "a")
    server.clock.advance(10)  # type: ignore[attr-defined]
    server.replace(programs(TOKENS.format(after)))
    assert heard == door(server, "a", "a", "b")


def test_what_was_issued_beside_the_scenarios_stays() -> None:
    """Tokens of the admin API and of the command line, revoked ones too, outlive a swap; a gate may come and go."""
    made = programs(TOKENS.format('{ name = "a" }'))
    server = Mock(made, StoppedClock(), admission=Admission(made, 0.0, [Issued("flag", "flag")]))
    server.admission.credentials.issue(Issued("made", "made"), 0.0)
    server.admission.credentials.end_named("flag", TokenEnd("revoke"), 0.0)
    server.replace(programs('[[states.s]]\nreply = "in"\n'))
    assert ["unknown", "revoked", "in"] == door(server, "a", "flag", "made")
    free = mock('[[states.s]]\nreply = "in"\n')
    assert free.admission.free
    free.replace(programs(TOKENS.format('{ name = "a" }')))
    assert not free.admission.free
    assert ["in", "unknown"] == door(free, "a", "b")
    free.replace(programs('[[states.s]]\nreply = "in"\n'))
    assert free.admission.free


@pytest.mark.parametrize(
    "after, waits",
    [
        ("{ requests = 2, per = '60s' }", True),
        ("{ requests = 3, per = '60s' }", False),
        ("{ requests = 2, per = '60s' }, { requests = 100, per = '1h' }", True),
    ],
)
def test_a_limit_that_is_still_there_stays_used(after: str, waits: bool) -> None:
    """A new one begins full."""
    text = "limits = [{}]\n[[states.s]]\nreply = 'in'\n"
    server = mock(text.format("{ requests = 2, per = '60s' }"))
    assert [None, None] == [server.limited(turn()) for _ in range(2)]
    server.replace(programs(text.format(after)))
    assert waits is (server.limited(turn()) is not None)


def test_rules_for_inputs_keep_their_counts() -> None:
    """An error that was to come once has come."""
    text = '[[embeddings]]\ntimes = 1\nerror = "overloaded"\n[[states.s]]\nreply = "x"\n'
    server = mock(text)
    request = Request("POST", "/v1/embeddings", {}, {}, b"", Connection(1), "")
    assert isinstance(server.desk(request).vector("a", "m", 3), Failure)
    server.replace(programs(text))
    assert not isinstance(server.desk(request).vector("a", "m", 3), Failure)


def test_nothing_of_an_ended_conversation_is_held() -> None:
    """Bounds hold after a swap, and a session of which nothing is left is not there any more."""
    server = mock(BEFORE, most_conversations=20, journal_size=5)
    for number in range(15):
        asked(server, f"to {number}", "flaky")
    ended = server.replace(programs(BEFORE.replace('"trip"', '"journey"'))).ended
    assert [f"c{number}" for number in range(1, 16)] == [each.conversation for each in ended]
    assert 0 == len(server._sessions)
    for number in range(50):
        asked(server, f"to {number}")
    assert 20 >= len(server.conversations()) > 0


def test_threads_see_the_old_or_the_new() -> None:
    """Swapped all the while from one thread, every answer of another is wholly of one scenario."""
    texts = [
        f'scenario.name = "n"\n[vars]\nmark = "{n}"\n[[states.s]]\nset.mark = \'"{n}"\'\nreply = "{n} ${{mark}}"\n'
        for n in range(2)
    ]
    made = [programs(text) for text in texts]
    server, end = Mock(made[0], StoppedClock()), threading.Event()

    def swapping() -> None:
        number = 0
        while not end.is_set():
            number += 1
            server.replace(made[number % 2])

    thread = threading.Thread(target=swapping)
    thread.start()
    try:
        agent = Agent(server)
        heard = {agent.ask("x") for _ in range(300)} | {Agent(server).ask("x") for _ in range(300)}
    finally:
        end.set()
        thread.join()
    assert {"0 0", "1 1"} >= heard


OTHER = 'scenario.name = "other"\nscenario.serves = \'user == "never"\'\n[[states.s]]\nreply = "other"\n'
SAYS = st.sampled_from(["to Rome", "Monday", "flaky", "thanks", "again", "fork"])


@settings(max_examples=2_000 if SOAK else 60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), SAYS, st.sampled_from(["", "same", "before", "after"])), max_size=12))
def test_a_swap_for_the_same_is_not_heard(steps: list[tuple[int, str, str]]) -> None:
    """Agents hear what they hear without one, whenever it comes and whatever scenarios come and go beside theirs."""
    plain, swapped = mock(BEFORE), mock(BEFORE)
    sides = [[Agent(server) for _ in range(3)] for server in (plain, swapped)]
    for number, says, swap in steps:
        if swap:
            around = {"same": [BEFORE], "before": [OTHER, BEFORE], "after": [BEFORE, OTHER]}[swap]
            assert () == swapped.replace(programs(*around)).ended
        heard = [_asks(side[number], says) for side in sides]
        assert heard[0] == heard[1]
    assert plain.conversations() == swapped.conversations()


def _asks(agent: Agent, says: str) -> str:
    if says == "again" and agent.said:
        return agent.again()
    if says == "fork":
        agent.said = agent.said[: len(agent.said) // 2 * 2 - 2]
    return agent.ask(says)
