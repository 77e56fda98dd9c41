"""Conversations on scenarios as users write them: no fake machine between."""

from __future__ import annotations

from talking import Agent, StoppedClock, connection, results, said, spoken_text, turn, user

from llmposter.core.mock import Mock
from llmposter.model import Failure, Miss
from llmposter_dsl.compiler import compile_text

SECRETS = """
[scenario]
name = "secrets"
final = ["told"]
[vars]
secret = ""
[[states.hello]]
reply = "What is your secret?"
goto = "ask"
[[states.ask]]
when = 'user matches /it is (?P<word>\\w+)/'
set = { secret = "word" }
call = 'keep(word: word)'
goto = "kept"
[[states.kept]]
when = 'result("keep") exists'
reply = "Kept, ${len(secret)} letters."
goto = "told"
[[states.told]]
when = 'user == "what was it?"'
reply = "It was ${secret}."
"""


def mock(*texts: str, **options: object) -> Mock:
    programs = []
    for text in texts:
        compiled = compile_text(text)
        assert compiled.program is not None, compiled.diagnostics
        programs.append(compiled.program)
    return Mock(programs, StoppedClock(), **options)


def tell(agent: Agent, secret: str) -> None:
    assert agent.ask(f"it is {secret}") == f'[keep {{"word":"{secret}"}}]'


def keep(agent: Agent, secret: str) -> None:
    assert agent.ask(results((agent.said[-1].calls[0].id, "ok"))) == f"Kept, {len(secret)} letters."


def recall(agent: Agent, secret: str) -> None:
    assert agent.ask("what was it?") == f"It was {secret}."


def test_alike_openings_over_one_connection_stay_apart_by_their_histories() -> None:
    """Agents that open alike on one shared connection are told apart from the first word that differs."""
    server, on = mock(SECRETS), connection()
    agents = {f"secret{n}": Agent(server, on=on) for n in range(30)}
    for agent in agents.values():
        assert agent.ask("hello") == "What is your secret?"
    for step in (tell, keep, recall):
        for secret, agent in agents.items():
            step(agent, secret)
    assert server.verify().ok
    assert [c["state"] for c in server.conversations()] == ["told"] * 30


def test_a_server_killed_in_the_middle_goes_on() -> None:
    """A new server takes up each conversation wherever the old one left it, alike openings included."""
    steps = (lambda agent, _: agent.ask("hello"), tell, keep, recall)
    first, second = mock(SECRETS), mock(SECRETS)
    agents = {f"secret{n}": Agent(first) for n in range(20)}
    for n, (secret, agent) in enumerate(agents.items()):
        for step in steps[: n % 4 + 1]:
            step(agent, secret)
    for n, (secret, agent) in enumerate(agents.items()):
        agent.mock = second
        for step in steps[n % 4 + 1 :]:
            step(agent, secret)
    assert second.violations() == []


def test_an_answer_that_a_replay_cannot_know_is_taken_as_it_is() -> None:
    """What `uuid()` filled in is not compared, so that the conversation is found again."""
    text = """
[[states.a]]
reply = "Your ticket is ${uuid()}."
goto = "b"
[[states.b]]
reply = "Closed."
"""
    agent = Agent(mock(text))
    agent.ask("hi")
    agent.mock = mock(text)
    assert agent.ask("close it") == "Closed."
    agent.said = [user("hi"), said("Your ticket was 7."), user("close it")]
    assert agent.ask().startswith("Your ticket is ")
    assert agent.mock.journal()["entries"][-1]["foreign_from"] == 1


CHANCE = """
[[states.a]]
when = "chance(0.5)"
error = "overloaded"
[[states.a]]
reply = "${random(0, 1000000)}"
"""


def test_the_same_run_gives_the_same_bytes_and_clients_do_not_all_fail_at_once() -> None:
    """Chance draws anew for each retry and each conversation with the same opening, and alike in each run."""
    runs = []
    for _ in range(2):
        server = mock(CHANCE)
        runs.append([Agent(server).ask("hi", retry=0) for _ in range(100)])
    assert runs[0] == runs[1]
    assert 30 <= sum(told == "!overloaded" for told in runs[0]) <= 70
    assert len(set(runs[0])) > 30


def test_a_retry_draws_anew_until_it_succeeds() -> None:
    """No client of an error by chance is locked in it."""
    server = mock(CHANCE)
    for n in range(20):
        agent = Agent(server)
        agent.ask(f"hi {n}")
        assert any(not agent.ask().startswith("!") for _ in range(20))


def test_a_miss_moves_nothing_and_explains_itself() -> None:
    """A request that no rule matches tells the rule that came closest; the right request still goes on."""
    server = mock(SECRETS)
    agent = Agent(server)
    agent.ask("hello")
    assert agent.ask("wrong") == "?"
    assert isinstance(agent.exchange.step.outcome, Miss)
    assert "ask#1" in server.journal()["entries"][-1]["detail"]
    agent.said.pop()
    tell(agent, "word")
    problem = server.verify().problems[0]
    assert (problem.kind, problem.number) == ("miss", 2)


def test_an_unmatched_request_is_a_miss_whatever_it_is_answered_with() -> None:
    """`scenario.unmatched` decides the answer; the journal and `verify` still say that no rule matched."""
    server = mock(SECRETS.replace("[vars]", 'unmatched = "overloaded"\n[vars]'))
    agent = Agent(server)
    agent.ask("hello")
    assert agent.ask("wrong") == "!overloaded"
    assert isinstance(agent.exchange.step.outcome, Failure)
    entry = server.journal()["entries"][-1]
    assert entry["outcome"] == "miss"
    assert "ask#1" in entry["detail"]


KEYED = """
scenario.conversation = 'headers["x-session-id"]'
scenario.foreign = "latest"
[[states.a]]
reply = "first"
goto = "b"
[[states.b]]
reply = "second"
goto = "c"
[[states.c]]
reply = "third, turn ${turn}"
"""


def test_a_compacted_history_under_a_key_goes_on() -> None:
    """With `latest`, a summary in place of the history stands where its key last stood; other keys begin."""
    server = mock(KEYED)
    one, two = (Agent(server, headers={"x-session-id": name}) for name in ("one", "two"))
    assert [one.ask("hi"), one.ask("on"), two.ask("hi")] == ["first", "second", "first"]
    one.said = []
    assert [one.ask("summary of all that was said"), two.ask("on")] == ["third, turn 3", "second"]
    assert [(c["key"], c["answers"], c["foreign_from"]) for c in server.conversations()] == [
        ("one", 3, 0),
        ("two", 2, None),
    ]


TWO = """
[scenario]
name = "{name}"
serves = 'system contains "{name}"'
[[states.ask]]
when = "attempt == 1"
error = "rate_limited"
[[states.ask]]
reply = "{name} here"
goto = "more"
[[states.more]]
reply = "still {name}"
"""

ONE = """
[vars]
who = ""
[[states.ask]]
when = "attempt == 1"
set = { who = "system" }
error = "rate_limited"
[[states.ask]]
reply = "hello"
goto = "more"
[[states.more]]
reply = "still ${who}"
"""


def test_the_same_words_with_different_system_prompts_do_not_mix() -> None:
    """Two agents in lockstep on one pool of connections, as two scenarios and as one."""
    for server, first in (
        (mock(TWO.format(name="planner"), TWO.format(name="writer")), "{} here"),
        (mock(ONE), "hello"),
    ):
        pool = [connection(), connection()]
        for _ in range(20):
            agents = {who: Agent(server, system=who) for who in ("planner", "writer")}
            for count in (0, 1):
                more = () if count else ("go",)
                told = [a.ask(*more, on=pool[i], retry=count) for i, a in enumerate(agents.values())]
            assert told == [first.format(who) for who in agents]
            told = [a.ask("go on", on=pool[1 - i], retry=0) for i, a in enumerate(agents.values())]
            assert told == [f"still {who}" for who in agents]


def test_no_scenario_serves_it() -> None:
    """A request that no scenario takes is told what each wants, and moves nothing."""
    server = mock(TWO.format(name="planner"), TWO.format(name="writer"))
    got = server.answer(turn(user("go"), system="cook"))
    assert spoken_text(got.step) == "?"
    assert got.entry.detail.startswith('no scenario serves this request: "planner" wants system contains "planner"; ')
    assert server.conversations() == []
    assert not server.verify().ok


def test_a_conversation_survives_the_rewriting_of_its_history() -> None:
    """An agent that compacts all before its last tool call goes on where that call was made, variables included."""
    agent = Agent(mock(SECRETS))
    agent.ask("hello")
    tell(agent, "plover")
    agent.said = [user("summary"), agent.said[-1]]
    keep(agent, "plover")
    recall(agent, "plover")
    assert agent.mock.verify().ok
