"""Whose request is this, and where does it stand: every sentence of the language's section on conversations."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from talking import (
    KEY,
    Agent,
    FakeMachine,
    connection,
    fake_mock,
    program,
    results,
    said,
    script,
    spoken_text,
    turn,
    user,
)

from llmposter.core.conversation import Conversation
from llmposter.core.mock import Mock
from llmposter.model import ToolCall, Turn

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


# --- sessions and keys ------------------------------------------------------------------------------------------------


def test_a_session_isolates() -> None:
    """The same requests in two sessions, on one connection, see each their own attempts."""
    mock, on = fake_mock(TRIES), connection()
    one, two = Agent(mock, on=on, session="one"), Agent(mock, on=on, session="two")
    assert [one.ask("hi"), two.ask("hi")] == ["!overloaded"] * 2
    assert [one.ask(), two.ask()] == ["attempt 2 kept <hi><hi>"] * 2
    assert [[c["id"] for c in mock.conversations(name)] for name in ("one", "two", "three")] == [["c1"], ["c1"], []]


def test_resetting_a_session_touches_that_session_only() -> None:
    """After the reset of one session the other goes on, and the first begins anew; resetting all forgets all."""
    mock = fake_mock(TRIES)
    one, two = Agent(mock, session="one"), Agent(mock, session="two")
    one.ask("hi"), two.ask("hi")
    mock.reset("one")
    assert (mock.conversations("one"), [e["session"] for e in mock.journal()["entries"]]) == ([], ["two"])
    assert [one.again(), two.again()] == ["!overloaded", "attempt 2 kept <hi><hi>"]
    mock.reset()
    assert (mock.conversations(), mock.journal()["entries"]) == ([], [])


def keyed(**fields: object) -> Mock:
    return fake_mock(TRIES, program={"key": KEY, **fields})


def test_a_key_tells_conversations_apart() -> None:
    """Two keys on one connection are two conversations; requests without a key go by their history."""
    mock, on = keyed(), connection()
    agents = [Agent(mock, on=on, headers={"x-key": key}) for key in ("a", "b", "")]
    assert [agent.ask("hi") for agent in agents] == ["!overloaded"] * 3
    assert [agent.ask() for agent in agents] == ["attempt 2 kept <hi><hi>"] * 3
    assert [c["key"] for c in mock.conversations()] == ["a", "b", None]


def test_under_a_key_all_requests_at_a_position_are_one_clients() -> None:
    """Neither connection, system prompt nor retry count makes another client under a key."""
    mock = keyed()
    doors = ({"system": "a"}, {"system": "b", "retry": 0}, {"retry": 5}, {})
    told = [
        spoken_text(mock.answer(turn(user("hi"), on=connection(), headers={"x-key": "k"}, **door)).step)
        for door in doors[:2]
    ]
    assert told == ["!overloaded", "attempt 2 kept <hi><hi>"]
    again = [
        spoken_text(mock.answer(turn(user("hi"), on=connection(), headers={"x-key": "k"}, **door)).step)
        for door in doors[2:]
    ]
    assert again == ["attempt 2 kept <hi><hi>"] * 2
    assert [c["id"] for c in mock.conversations()] == ["c1"]


@pytest.mark.parametrize(
    "foreign, answer, conversations",
    [
        ("start", "begun, kept <a summary>", 2),
        ("latest", "!overloaded", 1),
        ("state:other", "other", 2),
        ("reject", "!bad_request", 1),
    ],
)
def test_a_history_without_answers_whose_key_stood_somewhere_is_foreign(
    foreign: str, answer: str, conversations: int
) -> None:
    """A key that stood somewhere before and comes without a history goes where `scenario.foreign` says."""
    play = script(
        s0={"says": "begun, kept {kept}", "goto": "more", "keeps": True},
        more={"says": "more, kept {kept}", "errors": 1, "keeps": True},
        other={"says": "other"},
    )
    mock = fake_mock(play, program={"key": KEY, "foreign": foreign})
    first, second = Agent(mock, headers={"x-key": "k"}), Agent(mock, headers={"x-key": "k"})
    assert ["begun, kept <hi>", answer] == [first.ask("hi"), second.ask("a summary")]
    assert conversations == len(mock.conversations())
    assert mock.journal()["entries"][-1]["foreign_from"] == 0
    if foreign == "latest":
        assert second.ask() == "more, kept <hi><a summary><a summary>"


# --- positions --------------------------------------------------------------------------------------------------------


def test_each_answer_moves_on_to_a_new_position() -> None:
    """Clients with different openings stand each where their own history leads, whatever the order."""
    mock = fake_mock(TALK)
    agents = [Agent(mock) for _ in range(3)]
    assert [agent.ask(f"hi {n}") for n, agent in enumerate(agents)] == ["hello"] * 3
    assert [agents[n].ask(f"a{n}") for n in (0, 1)] == ["kept <a0> turn 2", "kept <a1> turn 2"]
    assert agents[0].ask("b0") == "kept <a0><b0> turn 3"
    assert [agents[2].ask("a2"), agents[1].ask("b1")] == ["kept <a2> turn 2", "kept <a1><b1> turn 3"]
    assert [agent.conversation for agent in agents] == ["c1", "c2", "c3"]


def test_a_request_sent_again_gets_the_same_answer() -> None:
    """An old turn asked once more, on any connection, is answered as its history says, and no fork is told."""
    mock = fake_mock(TALK)
    agent = Agent(mock)
    first = [agent.ask(text) for text in ("hi", "a", "b")]
    history = list(agent.said)
    again = [spoken_text(mock.answer(turn(*history[: 2 * n + 1], retry=0)).step) for n in (2, 1)]
    assert first[2:0:-1] == again
    assert [entry["forked_from"] for entry in mock.journal()["entries"]] == [None] * 5
    assert agent.ask("c") == "kept <a><b><c> turn 4"
    assert {"c1"} == {c["id"] for c in mock.conversations()}


def test_an_old_turn_asked_again_does_not_move_the_conversation_back() -> None:
    """The conversation stands where its furthest answer left it."""
    states = {f"s{n}": {"says": f"{n}", "goto": f"s{n + 1}"} for n in range(3)}
    mock = fake_mock(script(**states))
    agent = Agent(mock)
    agent.ask("hi"), agent.ask("on"), agent.ask("and on")
    assert spoken_text(mock.answer(turn(*agent.said[:3], retry=0)).step) == "1"
    assert [c["state"] for c in mock.conversations()] == ["s3"]


def test_input_that_extends_a_refused_one_goes_on_from_it() -> None:
    """What a refused opening did is kept when more is added to it, and attempts begin again."""
    mock = fake_mock(TRIES)
    agent = Agent(mock)
    assert [agent.ask("hi"), agent.ask("and this")] == ["!overloaded", "!overloaded"]
    assert agent.ask() == "attempt 2 kept <hi><and this><and this>"
    assert [c["id"] for c in mock.conversations()] == ["c1"]


def test_after_the_first_answer_input_may_replace_a_refused_one() -> None:
    """A refused input that is replaced goes on from it; a replaced opening is another conversation."""
    mock = fake_mock(TRIES)
    agent = Agent(mock)
    agent.ask("hi"), agent.ask()
    assert agent.ask("a") == "!overloaded"
    agent.said.pop()
    assert agent.ask("b") == "!overloaded"
    assert agent.ask() == "attempt 2 kept <hi><hi><a><b><b>"
    other = Agent(mock)
    other.ask("one")
    other.said.clear()
    other.ask("two")
    assert other.ask() == "attempt 2 kept <two><two>"
    assert len(mock.conversations()) == 3


def test_a_replaced_input_asked_again_is_no_fork() -> None:
    """What a position went on with is the input that was answered, not the one that it replaced."""
    mock = fake_mock(TRIES)
    agent = Agent(mock)
    agent.ask("hi"), agent.ask(), agent.ask("a")
    agent.said.pop()
    agent.ask("b"), agent.ask(), agent.ask("c")
    mock.answer(turn(*agent.said[:3], retry=0))
    assert [c["id"] for c in mock.conversations()] == ["c1"]


def test_an_old_turn_that_goes_on_otherwise_is_a_fork() -> None:
    """Asking an old turn again does not make its answer new: what follows it differently is another conversation."""
    agent = Agent(fake_mock(TALK))
    agent.ask("hi"), agent.ask("a"), agent.ask("b")
    agent.said = agent.said[:3]
    assert agent.ask(retry=0) == "kept <a> turn 2"
    assert agent.ask("z") == "kept <a><z> turn 3"
    assert [(c["id"], c["forked_from"]) for c in agent.mock.conversations()] == [("c1", None), ("c2", "c1")]


def test_of_one_request_run_again_the_latest_answer_is_kept_until_it_comes_back() -> None:
    """Neither answer of a request that ran twice is kept once the client shows one."""
    mock = fake_mock(TALK)
    agent = Agent(mock)
    agent.ask("hi"), agent.ask("a")
    agent.said.pop()
    agent.ask(on=connection())
    assert len(mock._sessions._kept.lanes) == 1
    agent.ask("b")
    agent.said.append(user("c"))
    mock.answer(turn(*agent.said))
    assert len(mock._sessions._kept.lanes) == 1


def test_alike_agents_of_two_providers_do_not_cross() -> None:
    """Each goes on from an answer of its own API, on whatever connection; one may go over to another API."""
    mock = fake_mock(script(s0={"says": "hello", "goto": "more"}, more={"says": "{number} {attempt}", "errors": 1}))
    agents = [Agent(mock, provider=name) for name in ("openai", "anthropic", "gemini")]
    assert ["hello"] * 3 == [agent.ask("hi", on=connection()) for agent in agents]
    first, second, third = agents
    assert ["0 2", "1 2"] == [_after_an_error(agent) for agent in (first, second)]
    assert "!overloaded" == third.ask("more", on=(its := connection()))
    assert "2 2" == third.again(on=its, provider="openai")


def _after_an_error(agent: Agent) -> str:
    own = connection()
    assert "!overloaded" == agent.ask("more", on=own)
    return agent.again(on=own)


def test_alike_conversations_on_one_connection_go_on_each_by_itself() -> None:
    """Of alike positions one that has not gone on yet is taken before one that has, and no fork is told."""
    mock, on = fake_mock(TALK), connection()
    agents = [Agent(mock, on=on) for _ in range(3)]
    for agent in agents:
        agent.ask("hi", retry=0)
    told = [agent.ask(f"a{n}", retry=0) for n, agent in enumerate(agents)]
    assert told == [f"kept <a{n}> turn 2" for n in range(3)]
    assert sorted((agent.conversation, agent.exchange.entry.forked_from) for agent in agents) == [
        ("c1", None),
        ("c2", None),
        ("c3", None),
    ]


def test_more_tool_results_extend_a_refused_request() -> None:
    """A second tool result beside the first goes on from the refused request."""
    play = script(s0={"calls": "look", "goto": "found"}, found={"says": "found {attempt}", "errors": 1})
    agent = Agent(fake_mock(play))
    agent.ask("hi")
    (use,) = agent.said[-1].calls
    assert agent.ask(results((use.id, "1"))) == "!overloaded"
    agent.said.pop()
    assert [agent.ask(results((use.id, "1"), (use.id, "2"))), agent.ask()] == ["!overloaded", "found 2"]


def test_a_client_that_forks_a_history_forks_the_conversation() -> None:
    """Both branches go on with what they said, and the journal tells the fork."""
    mock = fake_mock(TALK)
    left = Agent(mock)
    left.ask("hi")
    right = Agent(mock)
    right.said = list(left.said)
    assert [left.ask("l1"), right.ask("r1")] == ["kept <l1> turn 2", "kept <r1> turn 2"]
    assert [left.ask("l2"), right.ask("r2")] == ["kept <l1><l2> turn 3", "kept <r1><r2> turn 3"]
    assert [(c["id"], c["forked_from"]) for c in mock.conversations()] == [("c1", None), ("c2", "c1")]


def test_an_echoed_id_names_the_position() -> None:
    """Two alike clients on one connection, told apart by the ids of their tool calls alone."""
    mock, on = fake_mock(TOOLS), connection()
    one, two = Agent(mock, on=on), Agent(mock, on=on)
    for agent in (one, two):
        assert agent.ask("hi") == '[tool {"n": "look"}]'
    for agent, text in ((one, "1"), (two, "2")):
        assert agent.ask(results((agent.said[-1].calls[0].id, text))).replace(text, "") == "found <>"
    assert [one.conversation, two.conversation] == ["c1", "c2"]


def test_attempts_at_a_position_that_an_id_names_are_one_clients() -> None:
    """Alike clients on one connection, with the same result of the same tool, each see their own attempts."""
    play = script(s0={"calls": "look", "goto": "found"}, found={"says": "attempt {attempt}", "errors": 1})
    mock, on = fake_mock(play), connection()
    agents = [Agent(mock, on=on) for _ in range(3)]
    for agent in agents:
        agent.ask("hi", retry=0)
    assert ["!overloaded"] * 3 == [agent.ask(results((agent.said[-1].calls[0].id, "1")), retry=0) for agent in agents]
    assert ["attempt 2"] * 3 == [agent.ask(retry=0) for agent in agents]


@pytest.mark.parametrize("retry", [None, 0])
def test_an_echoed_id_names_the_client_whatever_connection_it_is_on(retry: int | None) -> None:
    """Of two alike clients that share a pool, and send no count or none that tells, each sees its own attempts."""
    play = script(s0={"calls": "look", "goto": "found"}, found={"says": "attempt {attempt}", "errors": 2})
    mock, pool = fake_mock(play), [connection() for _ in range(3)]
    agents = [Agent(mock) for _ in range(2)]
    for agent, on in zip(agents, pool, strict=False):
        agent.ask("hi", retry=retry, on=on)
    for agent in agents:
        agent.ask(results((agent.said[-1].calls[0].id, "1")), retry=retry, on=pool[0])
    assert ["!overloaded"] * 2 == [agent.again(retry=retry, on=pool[1]) for agent in agents]
    assert ["attempt 3"] * 2 == [agent.again(retry=retry, on=pool[2]) for agent in agents]
    assert ["c1", "c2"] == [agent.conversation for agent in agents]


def test_an_echoed_id_survives_a_rewritten_history() -> None:
    """An agent that compacts all before its last tool call still stands where that call was made."""
    agent = Agent(fake_mock(TOOLS))
    agent.ask("hi")
    called = agent.said[-1]
    agent.said = [user("a summary of it all"), called]
    assert agent.ask(results((called.calls[0].id, "22"))) == "found <>"
    assert agent.ask("thanks") == "done in 3"
    assert agent.conversation == "c1"


def test_a_short_or_authored_id_names_nothing() -> None:
    """An id that comes in many conversations does not mix them up."""

    def play(conversation: Conversation, turn: Turn, _moment: object) -> tuple[str, str, Conversation]:
        return "reply", f"{turn.messages[0].text}", conversation

    class Fixed(FakeMachine):
        def advance(self, conversation, turn, moment):
            step = super().advance(conversation, turn, moment)
            told = ToolCall("call_1", "tool", step.outcome.parts[0].text)
            return replace(step, outcome=replace(step.outcome, parts=(told,)))

    only = program()
    mock = fake_mock([(only, Fixed(only, play))])
    agents = [Agent(mock) for _ in range(2)]
    for n, agent in enumerate(agents):
        agent.ask(f'{{"n": {n}}}')
    for agent in agents:
        agent.ask(results(("call_1", "ok")))
    assert [agent.conversation for agent in agents] == ["c1", "c2"]
    assert [c["answers"] for c in mock.conversations()] == [2, 2]


@pytest.mark.parametrize(
    "told",
    [
        said("kept <a> turn 2 \n"),
        replace(said("kept <a> turn 2"), thinking="hm"),
    ],
    ids=["white space", "thinking"],
)
def test_a_client_may_change_these_on_the_way(told: object) -> None:
    """White space at the ends and reasoning do not lose the position."""
    agent = Agent(fake_mock(TALK))
    agent.ask("hi"), agent.ask("a")
    agent.said[-1] = told
    assert agent.ask("b", system="It is 12:04 on Monday") == "kept <a><b> turn 3"
    assert agent.conversation == "c1"


# --- replay and foreign histories -------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [1, 2, 3])
def test_a_restarted_server_replays_the_history(answers: int) -> None:
    """A server that never saw the conversation finds where it stands, stepping over errors, and goes on exactly."""
    texts = ("hi", "a", "b", "c")
    agent = Agent(fake_mock(TALK))
    whole = [agent.ask(text) for text in texts]
    resumed = Agent(fake_mock(TALK))
    resumed.said = agent.said[: 2 * answers]
    assert whole[answers:] == [resumed.ask(text) for text in texts[answers:]]


def test_a_replay_steps_over_errors() -> None:
    """Errors before an answer, which a history cannot show, are played again with what they do."""
    agent = Agent(fake_mock(TRIES))
    assert [agent.ask("hi"), agent.ask()] == ["!overloaded", "attempt 2 kept <hi><hi>"]
    resumed = Agent(fake_mock(TRIES))
    resumed.said = agent.said
    assert [resumed.ask("a"), resumed.ask()] == ["!overloaded", "attempt 2 kept <hi><hi><a><a>"]


def test_a_replayed_tool_loop_is_found_by_its_ids_afterwards() -> None:
    """Attempts after a replay are one client's, whichever way its position is found."""
    play = script(s0={"calls": "look", "goto": "found"}, found={"says": "attempt {attempt}", "errors": 2})
    agent = Agent(fake_mock(play))
    agent.ask("hi")
    resumed = Agent(fake_mock(play))
    resumed.said = agent.said
    use = agent.said[-1].calls[0].id
    assert [resumed.ask(results((use, "1"))), resumed.ask(), resumed.ask()] == [
        "!overloaded",
        "!overloaded",
        "attempt 3",
    ]


def test_a_machine_that_errs_without_end_is_not_replayed_without_end() -> None:
    """A history that the machine only answers with errors is foreign after a bounded number of them."""
    agent = Agent(fake_mock(script(s0={"says": "x", "errors": 10**9})))
    agent.said = [user("hi"), said("x")]
    assert agent.ask("on") == "!overloaded"


def test_words_that_the_client_begins_an_answer_with_are_no_answer() -> None:
    """The conversation stands before them, and goes on from both as one message; an answer of its own is continued."""
    mock = fake_mock(TALK)
    begun = replace(turn(user("hi"), said("oh, ")), continues=True)
    assert "hello" == spoken_text(mock.answer(begun).step)
    then = turn(user("hi"), said("oh, hello"), user("a"))
    assert "kept <a> turn 2" == spoken_text(mock.answer(then).step)
    on = replace(turn(user("hi"), said("oh, hello")), continues=True)
    assert "kept <oh, hello> turn 2" == spoken_text(mock.answer(on).step)
    assert [] == [entry for entry in mock.journal()["entries"] if entry["foreign_from"] is not None]


FEW_SHOT = (user("2+2?"), said("4"), user("3+3?"), said("6"))


@pytest.mark.parametrize(
    "foreign, answer",
    [("start", "hello"), ("latest", "hello"), ("state:more", "kept <hi> turn 1"), ("reject", "!bad_request")],
)
def test_few_shot_prompts_are_foreign(foreign: str, answer: str) -> None:
    """A history that the machine cannot have made stands where `scenario.foreign` says; its messages count no turn."""
    mock = fake_mock(TALK, program={"foreign": foreign})
    agent = Agent(mock)
    assert answer == agent.ask(*FEW_SHOT, "hi")
    assert mock.journal()["entries"][-1]["foreign_from"] == 1
    if foreign == "start":
        assert [agent.ask("a"), agent.ask("b")] == ["kept <a> turn 2", "kept <a><b> turn 3"]


def test_clients_with_the_same_few_shot_prompts_begin_each_their_own_conversation() -> None:
    """The end of a foreign prefix is an opening: what one client's refused input did is not another's."""
    mock, on = fake_mock(TRIES), connection()
    one, two = Agent(mock, on=on), Agent(mock, on=on)
    assert [one.ask(*FEW_SHOT, "a"), two.ask(*FEW_SHOT, "b")] == ["!overloaded"] * 2
    assert [two.ask(), one.ask()] == ["attempt 2 kept <b><b>", "attempt 2 kept <a><a>"]
    assert [one.ask("c"), one.ask()] == ["!overloaded", "attempt 2 kept <a><a><c><c>"]
    assert [c["id"] for c in mock.conversations()] == ["c1", "c2"]


def test_a_restarted_server_finds_a_conversation_after_few_shot_prompts() -> None:
    """Answers that follow a foreign prefix are replayed from where it left the conversation."""
    agent = Agent(fake_mock(TALK))
    agent.ask(*FEW_SHOT, "hi"), agent.ask("a")
    resumed = Agent(fake_mock(TALK))
    resumed.said = agent.said
    assert resumed.ask("b") == "kept <a><b> turn 3"


def test_an_edited_answer_makes_the_rest_foreign() -> None:
    """From an answer on that the client changed, the history is foreign, and the journal says from which message."""
    mock = fake_mock(TALK)
    agent = Agent(mock)
    agent.ask("hi"), agent.ask("a")
    agent.said[3] = said("something else")
    assert agent.ask("b") == "hello"
    assert mock.journal()["entries"][-1]["foreign_from"] == 3


def test_a_compacted_history_goes_on_where_the_session_stood() -> None:
    """With `latest` an unknown history goes on where its session last stood."""
    mock = fake_mock(TALK, program={"foreign": "latest"})
    agent = Agent(mock, session="one")
    agent.ask("hi"), agent.ask("a")
    agent.said = [user("summary"), said("understood")]
    assert [agent.ask("b"), agent.ask("c")] == ["kept <a><b> turn 3", "kept <a><b><c> turn 4"]
    assert [(c["id"], c["foreign_from"]) for c in mock.conversations("one")] == [("c1", 1)]


def test_a_replay_is_numbered_zero_and_a_conversation_by_its_opening() -> None:
    """Conversations with the same opening are numbered in their order, in each session from 0."""
    mock = fake_mock(script(s0={"says": "{number} {id}"}))
    told = [asked(mock, text, retry=0, session=name)[0] for name, text in ((n, t) for n in "ab" for t in "xyxx")]
    assert told == ["0 c1", "0 c2", "1 c3", "2 c4"] * 2
