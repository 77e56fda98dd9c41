"""Whatever clients do, what is held is what the bounds allow, and nothing is held of what is gone."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from talking import KEY, Agent, StoppedClock, connection, fake_mock, results, script

from llmposter.core.mock import Mock

PLAY = script(
    s0={"says": "hello {attempt}", "goto": "s1", "errors": 1, "keeps": True},
    s1={"calls": "look", "goto": "s2", "keeps": True},
    s2={"says": "found", "goto": "s0", "errors": 1},
)


def wander(mock: Mock, rnd: random.Random, clock: StoppedClock) -> None:
    """Clients that begin, go on, retry, fork, edit, come back late and leave, over shared and own connections."""
    shared, agents = [connection() for _ in range(2)], []
    for _ in range(400):
        clock.advance(rnd.choice((0, 1, 300)))
        if not agents or rnd.random() < 0.15:
            door = {"session": rnd.choice("ab"), "on": rnd.choice((*shared, connection()))}
            agents.append(Agent(mock, **door, headers={"x-key": rnd.choice(("", "", "k", "l"))}))
        agent = rnd.choice(agents)
        retry = rnd.choice((None, 0, 1, 2))
        match rnd.randrange(10):
            case 0:
                agent.again(retry=retry) if agent.said else agent.ask("hi")
            case 1:
                agents.append(Agent(mock, **agent.door))
                agents[-1].said = list(agent.said)
            case 2 if agent.said:
                del agent.said[rnd.randrange(len(agent.said)) :]
            case 3:
                agent.door["on"].open = rnd.random() < 0.5
            case 4 if rnd.random() < 0.1:
                mock.reset(rnd.choice("ab"))
            case _:
                go_on(agent, rnd, retry)


def go_on(agent: Agent, rnd: random.Random, retry: int | None) -> None:
    last = agent.said[-1] if agent.said else None
    if last is not None and last.calls:
        agent.ask(results((last.calls[0].id, "ok")), retry=retry)
    elif last is not None and last.role != "assistant" and rnd.random() < 0.7:
        agent.ask(retry=retry)
    else:
        agent.ask(rnd.choice("xyz"), retry=retry)


def check(mock: Mock) -> None:
    """Every position, id, lane and kept answer is one of a conversation that is held, and the other way round."""
    kept = set()
    talks = 0
    for session in mock._sessions:
        assert session.talks or session.entries
        held = Counter((talk.space.program, talk.opening) for talk in session.talks.values() if talk.opening)
        counted = {(n, opening): held for n, each in session._openings.items() for opening, (_, held) in each.items()}
        assert held == counted
        assert {talk.space.key for talk in session.talks.values()} == {key for _, key in session.spaces}
        for space in session.spaces.values():
            mine = [talk for talk in session.talks.values() if talk.space is space]
            talks += len(mine)
            assert len(mine) == space.talks
            positions = [position for talk in mine for position in talk.positions]
            assert {position.print for position in positions} == set(space._at)
            for position in positions:
                standing = space.at(position.print, position.who, position.connection, position.provider, b"")
                assert standing is not None
                assert standing in positions
            assert set(space._ids.values()) <= set(positions)
            assert set(space.lanes._open) == {lane for talk in mine for lane in talk.open or ()}
            assert all(lane.answer is None for lane in space.lanes._open)
            closed = {position.closed for position in positions if position.closed is not None}
            assert set(space.lanes._closed) == closed
            assert all(lane.answer is not None and lane.gives.closed is lane for lane in closed)
            kept |= closed
    assert kept == set(mock._sessions._kept.lanes)
    recent = mock._sessions.recent
    assert talks == recent.size == len(set(recent._mentions)) <= mock._sessions.most
    assert Counter(recent._mentions) == {talk: talk.mentions for talk in recent._mentions}
    assert sum(len(session.entries) for session in mock._sessions) == len(mock._journal) <= mock._journal.most


@pytest.mark.parametrize("foreign", ["start", "latest", "reject", "state:s1"])
@pytest.mark.parametrize("most", [1, 3, 20])
def test_what_is_held_is_one_whole(foreign: str, most: int) -> None:
    """After any doings no trace of a dropped or reset conversation is left, and no bound is passed."""
    for seed in range(5):
        clock = StoppedClock()
        program = {"key": KEY, "foreign": foreign}
        mock = fake_mock(PLAY, clock=clock, most_conversations=most, journal_size=50, program=program)
        wander(mock, random.Random(seed), clock)
        check(mock)
        mock.verify()
        for session in "ab":
            mock.reset(session)
        assert ([], [], 0) == (mock.conversations(), mock.journal()["entries"], len(mock._sessions._kept.lanes))


def test_a_long_conversation_keeps_a_bounded_number_of_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more positions than are kept the oldest goes, and a history that ends there is replayed."""
    monkeypatch.setattr("llmposter.core.positions.MOST_POSITIONS", 3)
    mock = fake_mock(script(s0={"says": "{turn}"}))
    agent = Agent(mock)
    assert [agent.ask(f"m{n}") for n in range(10)] == [f"{n}" for n in range(1, 11)]
    (talk,) = mock._sessions.get("").talks.values()
    assert len(talk.positions) == 3
    agent.said = agent.said[:4]
    assert agent.ask("m2") == "3"


def test_reading_and_resetting_from_other_threads_harms_nothing() -> None:
    """Tests read and reset from a thread of their own while requests are answered in another."""
    mock, done = fake_mock(PLAY, most_conversations=20, journal_size=50), threading.Event()

    def others(rnd: random.Random) -> None:
        while not done.is_set():
            mock.journal(), mock.conversations(), mock.violations(), mock.verify()
            mock.reset(rnd.choice(("a", "b", None)))

    with ThreadPoolExecutor() as pool:
        readers = [pool.submit(others, random.Random(seed)) for seed in range(2)]
        try:
            for seed in range(3):
                wander(mock, random.Random(seed), StoppedClock())
        finally:
            done.set()
        assert [reader.result() for reader in readers] == [None, None]
    check(mock)
