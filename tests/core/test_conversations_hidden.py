"""Clients with hidden identities: an oracle follows each, and the mock must answer each as the oracle says."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace
from talking import Play, StoppedClock, connection, fake_mock, said, spoken_text, turn, user

from llmposter.core.conversation import Conversation, Moment
from llmposter.core.mock import Mock
from llmposter.model import Connection, Message, Turn
from llmposter_dsl.compiler import compile_text
from llmposter_dsl.program import Program

ROUNDS = 300 if os.environ.get("LLMPOSTER_SOAK") else 25
STATES = ("s0", "s1", "s2", "s3")


Table = dict[tuple[str, str], tuple[int, str, bool]]


def random_table(seed: int) -> Table:
    """By state and first letter of the user's text: errors that come first, the next state, whether it remembers."""
    rnd = random.Random(seed)
    kinds = (0, 0, 0, 1, 2)
    return {(s, w): (rnd.choice(kinds), rnd.choice(STATES), rnd.random() < 0.4) for s in STATES for w in "abc"}


def player(table: Table) -> Play:
    """The table as a function: the oracle, and the fake machine."""

    def play(conversation: Conversation, turn: Turn, moment: Moment) -> tuple[str, str, Conversation]:
        word = next(m.text for m in reversed(turn.messages) if m.role == "user")
        errors, goto, remembers = table[conversation.state, word[0]]
        kept = conversation.vars.get("kept", "")
        if moment.attempt <= errors:
            return "error", "overloaded", replace(conversation, vars={"kept": kept + "e," if remembers else kept})
        kept = f"{kept}{word}," if remembers else kept
        return "reply", f"{conversation.state}>{goto}:{kept}", replace(conversation, state=goto, vars={"kept": kept})

    return play


def compiled(text: str) -> Program:
    found = compile_text(text)
    assert found.program is not None, found.diagnostics
    return found.program


def scenario(table: Table) -> str:
    """The table as a scenario."""
    lines = ["vars.kept = ''"]
    for (state, word), (errors, goto, remembers) in table.items():
        if errors:
            lines += [f"[[states.{state}]]", f"when = 'user starts with \"{word}\" and attempt <= {errors}'"]
            lines += ["error = 'overloaded'", *(["set.kept = 'kept + \"e,\"'"] if remembers else [])]
        lines += [f"[[states.{state}]]", f"when = 'user starts with \"{word}\"'", f"goto = '{goto}'"]
        lines += [f"reply = '{state}>{goto}:${{kept}}'", *(["set.kept = 'kept + user + \",\"'"] if remembers else [])]
    return "\n".join(lines)


@dataclass
class Client:
    """An agent; `stands` is where the oracle knows it to be."""

    name: int
    mode: str
    stands: Conversation
    on: Connection = field(default_factory=connection)
    said: list[Message] = field(default_factory=list)
    attempt: int = 0
    pending: bool = False

    def ask(self, text: str) -> None:
        self.said.append(user(text))
        self.pending, self.attempt = True, 0

    def clone(self) -> Client:
        return Client(self.name, self.mode, self.stands, connection(), list(self.said), self.attempt, self.pending)


class World:
    """Clients of one mock, and how often an answer was not the oracle's."""

    def __init__(self, seed: int, modes: tuple[str, ...], *, real: bool = False, clients: int = 8) -> None:
        self.rnd = random.Random(seed)
        table = random_table(seed)
        self.play = player(table)
        self.program = compiled(scenario(table)) if real else None
        self.restart()
        start = Conversation("s0")
        self.clients = [Client(n, self.rnd.choice(modes), start) for n in range(clients)]
        self.wrong = self.total = 0

    def restart(self) -> None:
        self.mock = Mock([self.program], StoppedClock()) if self.program else fake_mock(self.play)

    def send(self, client: Client, time: int = 0) -> str:
        on, retry = self.door(client)
        got = self.mock.answer(turn(*client.said, on=on, retry=retry, system=f"It is {time}."))
        if client.mode == "fresh":
            on.open = False
        return spoken_text(got.step)

    def door(self, client: Client) -> tuple[Connection, int | None]:
        match client.mode:
            case "fresh":
                return connection(), None
            case "pool":
                return self.rnd.choice([c.on for c in self.clients if c.mode == "pool"]), client.attempt - 1
            case "app":
                return client.on, 0
            case "silent":
                return client.on, None
        return client.on, client.attempt - 1

    def step(self, client: Client, time: int) -> None:
        """One request, compared with what the oracle says; the client goes on with what it got."""
        client.attempt += 1
        kind, text, after = self.play(client.stands, turn(*client.said), Moment(0.0, client.attempt))
        got = self.send(client, time)
        self.count(got == (text if kind == "reply" else f"!{text}"))
        if got.startswith("!"):
            client.stands = after if kind == "error" else client.stands
        else:
            client.said.append(said(got))
            client.stands = after if kind == "reply" else client.stands
            client.pending = False

    def count(self, right: object) -> None:
        self.total += 1
        self.wrong += not right


@dataclass(frozen=True)
class Ways:
    """What happens to the clients beside their retries."""

    distinct: bool = False
    forks: bool = False
    restarts: bool = False
    lost: bool = False


def run(seed: int, *modes: str, real: bool = False, **ways: bool) -> World:
    world, how = World(seed, modes, real=real), Ways(**ways)
    for time in range(120):
        if how.restarts and world.rnd.random() < 0.02 and not any(c.pending for c in world.clients):
            world.restart()
        client = world.rnd.choice(world.clients)
        if not client.pending:
            client.ask(world.rnd.choice("abc") + (f" {client.name}" if how.distinct else ""))
            if how.forks and world.rnd.random() < 0.1:
                world.clients.append(client.clone())
                world.clients[-1].name = len(world.clients)
                world.clients[-1].said[-1] = user(client.said[-1].text + " fork")
        world.step(client, time)
        if how.lost and not client.pending and world.rnd.random() < 0.2:
            lose(world, client)
    return world


def lose(world: World, client: Client) -> None:
    """The answer was lost on the way: the client asks until it has one, and it must be the same."""
    lost = client.said.pop()
    client.attempt += 1
    again = world.send(client)
    while again.startswith("!"):
        client.attempt += 1
        again = world.send(client)
    world.count(again == lost.text)
    client.said.append(lost)


EXACT = {
    "distinct openings": ("silent", {"distinct": True}),
    "distinct openings, no keep-alive": ("fresh", {"distinct": True}),
    "distinct openings, shared pool": ("pool", {"distinct": True}),
    "lost answers, SDK": ("sdk", {"distinct": True, "lost": True}),
    "lost answers, no counts": ("silent", {"distinct": True, "lost": True}),
    "lost answers, application": ("app", {"distinct": True, "lost": True}),
    "forks": ("sdk", {"distinct": True, "forks": True}),
    "restarts": ("sdk", {"distinct": True, "restarts": True}),
    "alike, SDK retries on their own connection": ("sdk", {}),
    "alike, application retries, keep-alive": ("app", {}),
    "alike, no counts, keep-alive": ("silent", {}),
    "all at once, SDK": ("sdk", {"lost": True, "restarts": True, "forks": True}),
    "all at once, application": ("app", {"lost": True, "restarts": True, "forks": True}),
    "all at once but restarts, no counts": ("silent", {"lost": True, "forks": True}),
}


@pytest.mark.parametrize("mode, options", EXACT.values(), ids=EXACT)
def test_no_answer_from_anothers_state(mode: str, options: dict[str, bool]) -> None:
    """Every client is answered from its own state."""
    worlds = [run(seed, mode, **options) for seed in range(ROUNDS)]
    assert (sum(world.wrong for world in worlds), sum(world.total for world in worlds) > 100 * ROUNDS) == (0, True)


@pytest.mark.parametrize("mode, options", EXACT.values(), ids=EXACT)
def test_likewise_with_the_real_machine(mode: str, options: dict[str, bool]) -> None:
    """The same clients, on a scenario as a user writes it."""
    worlds = [run(1000 + seed, mode, real=True, **options) for seed in range(max(ROUNDS // 10, 2))]
    assert 0 == sum(world.wrong for world in worlds)
    assert all(world.total >= 120 for world in worlds)


SHARES = {
    "shared pool": (("pool",), {}, 0.035),
    "no keep-alive, no counts": (("fresh",), {}, 0.14),
    "all": (("sdk", "pool", "app", "fresh"), {}, 0.05),
    # A new server takes an alike client's first try for another's retry on a connection of its pool.
    "all at once, no counts": (("silent",), {"lost": True, "restarts": True, "forks": True}, 0.002),
}


@pytest.mark.parametrize("modes, options, most", SHARES.values(), ids=SHARES)
def test_what_cannot_be_told_apart_stays_within_its_share(
    modes: tuple[str, ...], options: dict[str, bool], most: float
) -> None:
    """Alike clients that nothing tells apart are mistaken no more often than was measured."""
    worlds = [run(seed, *modes, **options) for seed in range(max(ROUNDS, 100))]
    wrong, total = sum(world.wrong for world in worlds), sum(world.total for world in worlds)
    assert wrong / total <= most, f"{wrong} of {total}"
