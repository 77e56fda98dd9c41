"""Attempts: which client a request is of where several stand at one place, and answers that are asked for again."""

from __future__ import annotations

import pytest
from talking import Agent, StoppedClock, connection, fake_mock, script, spoken_text, turn, user

from llmposter.core import lanes
from llmposter.core.mock import Mock

TWICE = script(
    s0={"says": "attempt {attempt} of {id}", "goto": "s1", "errors": 2}, s1={"says": "next {attempt}", "errors": 1}
)


def send(mock: Mock, **door: object) -> str:
    """One opening, sent this way."""
    return spoken_text(mock.answer(turn(user("hi"), **door)).step)


# Each row: requests of one opening, as (client's connection, whether it is still open afterwards, count, system), and
# what each gets: the attempt that it is, by conversation.
A, B, C = "A", "B", "C"
ROWS = {
    "one client, no counts": [(A, None, "", "c1:1"), (A, None, "", "c1:2"), (A, None, "", "c1:3")],
    "one client, a connection each": [("a-", None, "", "c1:1"), ("b-", None, "", "c1:2"), ("c-", None, "", "c1:3")],
    "one client, SDK": [(A, 0, "", "c1:1"), (A, 1, "", "c1:2"), (A, 2, "", "c1:3")],
    "one client, SDK, a connection each": [("a-", 0, "", "c1:1"), ("b-", 1, "", "c1:2"), ("c-", 2, "", "c1:3")],
    "two clients, own connections": [
        (A, None, "", "c1:1"), (B, None, "", "c2:1"), (B, None, "", "c2:2"), (A, None, "", "c1:2"),
        (B, None, "", "c2:3"),
    ],
    "two clients, application retries": [
        (A, 0, "", "c1:1"), (B, 0, "", "c2:1"), (A, 0, "", "c1:2"), (B, 0, "", "c2:2"),
    ],
    "two clients, SDK counts on changing connections": [
        (A, 0, "", "c1:1"), (B, 0, "", "c2:1"), (B, 1, "", "c2:2"), (A, 2, "", "c2:3"), (C, 1, "", "c1:2"),
    ],
    "two clients by system prompt on one connection": [
        (A, 0, "plan", "c1:1"), (A, 0, "write", "c2:1"), (A, 1, "write", "c2:2"), (A, 1, "plan", "c1:2"),
    ],
    "a clock in the system prompt": [
        (A, None, "It is 12:01", "c1:1"), (A, None, "It is 12:02", "c1:2"), (A, None, "It is 13:00", "c1:3"),
    ],
    "a client that counts and one that does not": [
        ("a-", 0, "", "c1:1"), ("b-", None, "", "c2:1"), ("c-", 1, "", "c1:2"), ("d-", None, "", "c2:2"),
    ],
    "a first try while the other connection is open": [(A, None, "", "c1:1"), (B, None, "", "c2:1")],
    "a count that skipped one, same connection": [(A, 0, "", "c1:1"), (B, 0, "", "c2:1"), (A, 2, "", "c1:2")],
    "a count that skipped one, the only closed one": [(B, 0, "", "c1:1"), ("a-", 0, "", "c2:1"), (C, 2, "", "c2:2")],
    "a count that fits nobody": [(A, 0, "", "c1:1"), (B, 3, "", "c2:1")],
}  # fmt: skip


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_which_client_a_request_is_of(rows: list[tuple[str, int | None, str, str]]) -> None:
    """System prompts, then the SDK's count, then live connections tell clients apart that open alike."""
    mock = fake_mock(TWICE)
    doors = {name: connection() for name, *_ in rows}
    told = []
    for name, retry, system, _ in rows:
        entry = mock.answer(turn(user("hi"), on=doors[name], retry=retry, system=system)).entry
        doors[name].open = not name.endswith("-")
        told.append(f"{entry.conversation}:{entry.attempt}")
    assert [expected for *_, expected in rows] == told


def answered(mock: Mock, **door: object) -> str:
    """The opening's two errors and its answer, by an SDK."""
    assert [send(mock, retry=count, **door) for count in (0, 1)] == ["!overloaded"] * 2
    return send(mock, retry=2, **door)


def test_success_closes_a_lane() -> None:
    """The next conversation with the same opening starts afresh, on the same connection too."""
    mock, on = fake_mock(TWICE), connection()
    assert [answered(mock, on=on), answered(mock, on=on)] == ["attempt 3 of c1", "attempt 3 of c2"]


def test_an_sdks_retry_of_an_answered_request_gets_the_same_answer_at_once() -> None:
    """A count above 0 on the connection of a closed lane, or the next count on any, asks for a lost answer."""
    mock, on = fake_mock(TWICE), connection()
    first = answered(mock, on=on)
    again = [
        mock.answer(turn(user("hi"), on=on, retry=3)),
        mock.answer(turn(user("hi"), on=connection(), retry=4)),
        mock.answer(turn(user("hi"), on=connection(), retry=5)),
    ]
    assert [first] * 3 == [spoken_text(one.step) for one in again]
    assert [one.entry.outcome for one in again] == ["repeated"] * 3
    assert {0.0} == {one.step.latency for one in again}
    assert [(c["id"], c["requests"]) for c in mock.conversations()] == [("c1", 6)]


def test_a_first_try_of_an_answered_request_starts_afresh() -> None:
    """Count 0 is no retry of the SDK's own."""
    mock, on = fake_mock(TWICE), connection()
    answered(mock, on=on)
    assert send(mock, on=on, retry=0) == "!overloaded"


POOLED = script(s0={"says": "one", "goto": "s1"}, s1={"says": "attempt {attempt}", "errors": 3})


def test_a_client_that_takes_any_connection_of_its_pool_is_one() -> None:
    """After an answer, a retry without a count may come on any connection of the client, as Node's fetch does it."""
    first, second = connection(), connection()
    agent = Agent(fake_mock(POOLED), on=first)
    assert "one" == agent.ask("hi")
    assert ["!overloaded"] * 2 == [agent.ask("and?", on=second), agent.again(on=first)]
    assert ["!overloaded", "attempt 4"] == [agent.again(on=second), agent.again(on=first)]


def test_a_client_with_a_pool_leaves_another_alone_that_is_alike() -> None:
    """The other, with a connection of its own, sees its own attempts."""
    mock, first, second, other = fake_mock(POOLED), connection(), connection(), connection()
    pooled, alike = Agent(mock, on=first), Agent(mock, on=other)
    for agent in (pooled, alike):
        agent.ask("hi")
    assert "!overloaded" == pooled.ask("and?", on=second)
    assert "!overloaded" == alike.ask("and?")
    for on in (first, second):
        pooled.again(on=on)
        assert "!overloaded" == alike.again()
    assert "attempt 4" == alike.again()


def test_a_first_try_is_no_retry_on_another_connection_of_a_pool() -> None:
    """A client that counts says so, although another, alike and found at its position, failed there before it."""
    first, second = connection(), connection()
    mock = fake_mock(POOLED)
    one, other = Agent(mock, on=first), Agent(mock, on=second)
    one.ask("hi", retry=0)
    other.said = list(one.said)
    assert ["!overloaded"] * 2 == [other.ask("and?", retry=0), one.ask("and?", retry=0)]
    assert ["!overloaded"] * 2 == [one.again(retry=count) for count in (1, 2)]
    assert "!overloaded" == other.again(retry=1)
    assert ["attempt 4", "!overloaded"] == [one.again(retry=3), other.again(retry=2)]


def test_a_client_alone_may_retry_its_opening_on_another_connection() -> None:
    """As long as conversations come one after the other, and as fetch of Node does it.

    A new client comes on a new connection, and is another one.
    """
    mock, first, second = fake_mock(TWICE), connection(), connection()
    earlier = Agent(mock, on=first)
    assert ["!overloaded", "!overloaded", "attempt 3 of c1"] == [earlier.ask("hello"), earlier.again(), earlier.again()]
    assert ["!overloaded", "!overloaded"] == [send(mock, on=second), send(mock, on=first)]
    assert "attempt 3 of c2" == send(mock, on=second)
    assert ["!overloaded"] * 2 == [send(mock, on=connection()) for _ in range(2)]
    assert ["c1", "c2", "c3", "c4"] == [talk["id"] for talk in mock.conversations()]


@pytest.mark.parametrize("session, conversations", [("", 4), ("mine", 3)])
def test_where_conversations_go_on_by_turns_are_several_clients(session: str, conversations: int) -> None:
    """So a first try on any other connection is another's; but a session with a name is one client's."""
    mock, doors = fake_mock(TWICE), [connection(), connection()]
    agents = [Agent(mock, on=on, session=session) for on in doors]
    for _ in range(2):
        for agent, word in zip(agents, ("hello", "ho"), strict=True):
            agent.ask(word) if not agent.said else agent.again()
    for on in reversed(doors):
        assert "!overloaded" == send(mock, on=on, session=session)
    assert conversations == len(mock.conversations())


def test_without_counts_the_same_connection_asks_again() -> None:
    """Until the answer has come back in a history; another connection starts afresh."""
    mock = fake_mock(TWICE)
    agent = Agent(mock)
    assert [agent.ask("hi"), agent.ask(), agent.ask()][-1] == "attempt 3 of c1"
    assert agent.again() == "attempt 3 of c1"
    assert send(mock) == "!overloaded"
    agent.ask("on")
    assert send(mock, on=agent.door["on"]) == "!overloaded"


def test_a_closed_lane_keeps_its_answer_for_a_while() -> None:
    """After ten minutes of the clock a lost answer is no longer had."""
    clock = StoppedClock()
    mock, on = fake_mock(TWICE, clock=clock), connection()
    answered(mock, on=on)
    clock.advance(lanes.KEEPS_ANSWER)
    assert send(mock, on=on, retry=3) == "attempt 3 of c1"
    clock.advance(lanes.KEEPS_ANSWER + 1)
    assert send(mock, on=on, retry=4) == "!overloaded"


def test_kept_answers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more than are kept the first closed goes."""
    monkeypatch.setattr(lanes, "MOST_CLOSED", 3)
    mock = fake_mock(TWICE)
    doors = [connection() for _ in range(5)]
    for on in doors:
        answered(mock, on=on)
    assert len(mock._sessions._kept.lanes) == 3
    assert [send(mock, on=doors[0], retry=9), send(mock, on=doors[4], retry=3)] == ["!overloaded", "attempt 3 of c5"]


def test_a_hundred_alike_agents_each_see_their_own_attempts() -> None:
    """All open at once, each with its own connection, and every one sees both errors of both places."""
    mock = fake_mock(TWICE)
    agents = [Agent(mock) for _ in range(100)]
    for count in (0, 1, 2):
        told = [agent.ask(*(() if count else ("hi",)), retry=count) for agent in agents]
        expected = ["!overloaded"] * 100 if count < 2 else [f"attempt 3 of c{n}" for n in range(1, 101)]
        assert expected == told
    assert [agent.ask("on", retry=0) for agent in agents] == ["!overloaded"] * 100
    assert [agent.ask(retry=1) for agent in agents] == ["next 2"] * 100
    assert [len(mock.conversations()), max(c["requests"] for c in mock.conversations()) + 1] == [100, 6]


def test_alike_histories_keep_their_own_variables() -> None:
    """Clients whose visible histories are the same go on with what their own errors did."""
    play = script(s0={"says": "hello", "goto": "s1", "errors": 1, "keeps": True}, s1={"says": "{kept}", "keeps": True})

    mock = fake_mock(play)
    keen, calm = Agent(mock), Agent(mock)
    keen.ask("a"), keen.ask("b"), keen.ask()
    calm.ask("a"), calm.ask()
    calm.said, keen.said = [user("a"), calm.said[-1]], [user("a"), keen.said[-1]]
    assert calm.ask("on") == "<a><a><on>"


@pytest.mark.parametrize("clients", [10, 2000])
def test_a_place_with_many_lanes_answers_each(clients: int) -> None:
    """However many stand at one place, the one on its own connection is found."""
    mock = fake_mock(TWICE)
    agents = [Agent(mock) for _ in range(clients)]
    for agent in agents:
        agent.ask("hi", retry=0)
    last = agents[-1]
    assert ["!overloaded", f"attempt 3 of c{clients}"] == [last.ask(retry=1), last.ask(retry=2)]
