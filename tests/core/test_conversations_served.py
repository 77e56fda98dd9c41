"""Which scenario a conversation is of, what its history breaks, and how many of them are held."""

from __future__ import annotations

import pytest
from talking import (
    Agent,
    FakeMachine,
    StoppedClock,
    call,
    fake_mock,
    program,
    results,
    said,
    script,
    turn,
    user,
)

from llmposter.core.mock import Mock
from llmposter.model import Reply

FEW_SHOT = (user("2+2?"), said("4"), user("3+3?"), said("6"))
TALK = script(
    s0={"says": "hello", "goto": "more"},
    more={"says": "kept {kept} turn {turn}", "keeps": True},
)
TRIES = script(
    s0={"says": "attempt {attempt} kept {kept}", "goto": "more", "errors": 1, "keeps": True},
    more={"says": "attempt {attempt} kept {kept}", "errors": 1, "keeps": True},
)
TOOLS = script(
    s0={"calls": "look", "goto": "found"},
    found={"says": "found {kept}", "goto": "done", "keeps": True},
    done={"says": "done in {turn}"},
)


def asked(mock: Mock, *texts: str, **door: object) -> list[str]:
    agent = Agent(mock, **door)
    return [agent.ask(text) for text in texts]


# --- several scenarios ------------------------------------------------------------------------------------------------


def several(**plays: object) -> Mock:
    """Scenarios that serve requests whose system prompt has their name, and one that ends in `_any` serves all."""
    machines = []
    for name, play in plays.items():
        own = program(name=name, serves=None if name.endswith("any") else Serves(name))
        machines.append((own, FakeMachine(own, play, lambda turn, name=name: name in turn.system)))
    return fake_mock(machines)


class Serves:
    def __init__(self, name: str) -> None:
        self.text = f'system contains "{name}"'


def test_an_opening_goes_to_the_first_scenario_that_serves_it() -> None:
    """In the order given, and a request that none serves is a miss that says what each wants."""
    mock = several(writer=TALK, planner=TRIES)
    assert asked(mock, "go", system="writer") == ["hello"]
    assert asked(mock, "go", system="planner") == ["!overloaded"]
    assert asked(mock, "go", system="planner and writer") == ["hello"]
    missed = mock.answer(turn(user("go"), system="cook"))
    assert missed.program is None
    assert missed.step.outcome.message == (
        'no scenario serves this request: "writer" wants system contains "writer"; '
        '"planner" wants system contains "planner"'
    )


def test_scenarios_share_no_positions() -> None:
    """Alike histories in two scenarios stand each in its own."""
    mock = several(
        planner=script(s0={"says": "hello", "goto": "s1"}, s1={"says": "plan"}),
        writer=script(s0={"says": "hello", "goto": "s1"}, s1={"says": "text"}),
    )
    agents = [Agent(mock, system=name) for name in ("writer", "planner")]
    assert [agent.ask("go") for agent in agents] == ["hello", "hello"]
    assert [agent.ask("go on") for agent in agents] == ["text", "plan"]


def test_a_known_history_stays_in_its_scenario() -> None:
    """A later request goes to the scenario that knows its history, even if it serves such requests no more."""
    mock = several(writer=TALK, other_any=script(s0={"says": "other"}))
    agent = Agent(mock, system="writer")
    agent.ask("go")
    assert agent.ask("a", system="changed") == "kept <a> turn 2"
    fresh = Agent(several(writer=TALK, other_any=script(s0={"says": "other"})), system="changed")
    fresh.said = list(agent.said)
    assert fresh.ask("b") == "kept <a><b> turn 3"


def test_a_record_of_a_history_goes_before_a_replay() -> None:
    """A history that one scenario has seen stays there, though an earlier one could have made it too."""
    hello = {"says": "hello", "goto": "s1"}
    mock = several(planner=script(s0=hello, s1={"says": "plan"}), writer=script(s0=hello, s1={"says": "text"}))
    agent = Agent(mock, system="writer")
    assert [agent.ask("go"), agent.ask("go on", system="planner and writer")] == ["hello", "text"]


def test_an_unknown_history_is_foreign_in_the_first_scenario_that_serves_it() -> None:
    """A history that no scenario knows goes to the first that serves it."""
    mock = several(writer=TALK, other_any=script(s0={"says": "other"}))
    agent = Agent(mock)
    assert agent.ask(*FEW_SHOT, "hi") == "other"
    assert agent.ask("more") == "other"
    assert [entry["scenario"] for entry in mock.journal()["entries"]] == ["other_any"] * 2


# --- conformance ------------------------------------------------------------------------------------------------------

ORPHAN = (user("hi"), results(("call_none", "22")))


@pytest.mark.parametrize(
    "conformance, answer, violations", [("report", "hello", 1), ("reject", "!bad_request", 1), ("off", "hello", 0)]
)
def test_a_broken_protocol_is_reported_refused_or_let_be(conformance: str, answer: str, violations: int) -> None:
    """`scenario.conformance` decides what a history gets that breaks the provider's protocol."""
    mock = fake_mock(TALK, program={"conformance": conformance})
    agent = Agent(mock)
    assert answer == agent.ask(*ORPHAN)
    found = mock.violations()
    assert violations == len(found)
    assert all("call_none" in violation["message"] and violation["kind"] == "conformance" for violation in found)


def test_a_miss_tells_what_the_history_breaks() -> None:
    """Often no rule matches because of it; it is told as often as the miss is."""
    agent = Agent(fake_mock(script(s0={})))
    for _ in range(2):
        assert agent.ask(*ORPHAN).startswith("?")
        outcome = agent.exchange.step.outcome
        why = 'the tool result "call_none" answers no call of the assistant message before it'
        assert f"nothing in s0. The history breaks the protocol: {why}" == outcome.message


def test_a_breach_is_reported_once_for_a_conversation() -> None:
    """What stays in the history is not reported again with every request."""
    mock = fake_mock(TALK)
    agent = Agent(mock)
    agent.ask(*ORPHAN), agent.ask("a"), agent.ask("b")
    assert len(mock.violations()) == 1


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_idle_conversations_are_dropped_and_the_journal_says_so() -> None:
    """Of more conversations than may be held the one asked longest ago goes; it is replayed when it comes back."""
    clock = StoppedClock()
    mock = fake_mock(TALK, clock=clock, most_conversations=2)
    agents = [Agent(mock) for _ in range(3)]
    for n, agent in enumerate(agents):
        agent.ask(f"hi {n}")
        clock.advance(10)
        if n == 1:
            agents[0].ask("still here")
    assert [c["id"] for c in mock.conversations()] == ["c1", "c3"]
    (event,) = (e for e in mock.journal()["entries"] if e["outcome"] == "event")
    assert (event["conversation"], event["detail"]) == ("c2", "dropped, idle for 10 s: more than 2 conversations")
    assert agents[1].ask("back") == "kept <back> turn 2"


def test_nothing_of_a_dropped_conversation_is_held() -> None:
    """Positions, ids, lanes and kept answers go with their conversation."""
    mock = fake_mock(TOOLS, most_conversations=1)
    for n in range(50):
        agent = Agent(mock, headers={"x-key": str(n)})
        agent.ask(f"hi {n}")
        agent.ask(results((agent.said[-1].calls[0].id, "1")))
    session = mock._sessions.get("")
    (space,) = session.spaces.values()
    assert (len(session.talks), len(space._at), len(space._ids), len(mock._sessions._kept.lanes)) == (1, 2, 1, 1)
    assert [len(space.lanes._closed), len(space.lanes._open)] == [1, 0]


def test_sessions_without_conversations_and_entries_are_not_held() -> None:
    """A thousand sessions on a small server leave as many as its bounds allow; none that is gone is clean."""
    mock = fake_mock(TALK, most_conversations=10, journal_size=10)
    for n in range(1000):
        asked(mock, "hi", session=f"s{n}")
    assert len(list(mock._sessions)) <= 20
    assert not mock.verify("s5").ok
    assert mock.verify("s5").problems[0].kind == "dropped"


def test_a_machine_is_asked_once_for_a_known_history() -> None:
    """A request costs one step of the machine, however long its history and however many conversations are held."""
    steps = []

    def play(conversation, turn, moment):
        steps.append(moment)
        return TALK(conversation, turn, moment)

    mock = fake_mock(play)
    for n in range(50):
        asked(mock, "hi", "a", "b", "c", retry=0, system=str(n))
    assert len(steps) == 200
    assert not any(moment.replayed for moment in steps)


def test_an_answer_is_the_machines_reply() -> None:
    """An exchange has the step, the program and the entry, written already."""
    mock = fake_mock(TALK)
    got = mock.answer(turn(user("hi"), body=b'{"x": 1}'))
    assert isinstance(got.step.outcome, Reply)
    assert (got.program.name, got.entry.number, got.entry.how) == ("fake", 1, "pending")
    assert call("a", "b", x=1).arguments == '{"x": 1}'
