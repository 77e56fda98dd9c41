"""Many agents on one server: every one is answered from its own state, whatever the others do."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from serving import serving

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

PATIENCE = """
[scenario]
name = "patience"
final = ["done"]

[[states.ask]]
when = "attempt <= 2"
error = { name = "rate_limited", retry_after = "5ms" }

[[states.ask]]
reply = "attempt ${attempt}"
goto = "again"

[[states.again]]
when = "attempt == 1"
error = { name = "overloaded", retry_after = "5ms" }

[[states.again]]
reply = "attempt ${attempt} of the second"
goto = "done"
"""

KEEP = {"type": "function", "function": {"name": "keep", "parameters": {"type": "object", "properties": {}}}}


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def client(base_url: str, **more: object) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=base_url, api_key="any", **more)


class Agent:
    """One client of the scenario of secrets, that remembers what it was told."""

    def __init__(self, openai: AsyncOpenAI, opening: str, secret: str, system: Callable[[], str] | None = None) -> None:
        self.openai, self.opening, self.secret, self.system = openai, opening, secret, system
        self.messages: list[dict] = []
        self.asked: list[tuple[list[dict], dict]] = []

    async def send(self, *more: dict) -> dict:
        self.messages += more
        got = await self.post(list(self.messages))
        self.asked.append((list(self.messages), got))
        self.messages.append(got)
        return got

    async def post(self, messages: list[dict]) -> dict:
        head = [{"role": "system", "content": self.system()}] if self.system else []
        answer = await self.openai.chat.completions.create(model="m", messages=head + messages, tools=[KEEP])
        return answer.choices[0].message.model_dump(exclude_none=True)

    async def open(self) -> None:
        assert (await self.send({"role": "user", "content": self.opening}))["content"] == "What is your secret?"

    async def tell(self) -> None:
        got = await self.send({"role": "user", "content": f"it is {self.secret}"})
        (call,) = got["tool_calls"]
        assert json.loads(call["function"]["arguments"]) == {"word": self.secret}

    async def keep(self) -> None:
        call = self.messages[-1]["tool_calls"][0]["id"]
        got = await self.send({"role": "tool", "tool_call_id": call, "content": "ok"})
        assert got["content"] == f"Kept, {len(self.secret)} letters."

    async def ask(self) -> None:
        got = await self.send({"role": "user", "content": "what was it?"})
        assert got["content"] == f"It was {self.secret}."

    async def run(self) -> None:
        for step in (self.open, self.tell, self.keep, self.ask):
            await step()
            await asyncio.sleep(0)

    async def repeat(self, turns: list[int]) -> None:
        """Earlier turns asked once more, each answered as its history says."""
        for turn in turns:
            messages, before = self.asked[turn]
            again = await self.post(messages)
            assert spoken(before) == spoken(again)


def spoken(message: dict) -> tuple[object, ...]:
    calls = [call["function"] for call in message.get("tool_calls", ())]
    return message.get("content"), [(call["name"], call["arguments"]) for call in calls]


async def all_at_most(count: int, jobs: list[Callable[[], Awaitable[None]]]) -> None:
    gate = asyncio.Semaphore(count)

    async def one(job: Callable[[], Awaitable[None]]) -> None:
        async with gate:
            await job()

    await asyncio.gather(*(one(job) for job in jobs))


def word(number: int) -> str:
    return f"w{number:x}" + "y" * (number % 7)


def test_a_thousand_alike_conversations_each_under_its_own_path(tmp_path: Path) -> None:
    """1,000 conversations with the same opening, 50 at a time, each under its own `/@ID`, stay apart."""

    async def go(url: Callable[[str], str]) -> None:
        async with DefaultAsyncHttpxClient() as http:
            agents = [Agent(client(url(f"test-{n}") + "/v1", http_client=http), "hello", word(n)) for n in range(1000)]
            await all_at_most(50, [agent.run for agent in agents])

    with serving(write(tmp_path, "secrets.toml", SECRETS)) as server:
        asyncio.run(go(server.session_url))
        assert [] == server.mock.violations()
        assert server.mock.verify().ok


def test_five_hundred_conversations_by_history_alone(tmp_path: Path) -> None:
    """500 conversations without an id stay apart; turns re-sent out of order are answered as their history says."""

    async def go(url: str) -> None:
        rnd = random.Random(7)
        async with client(url) as openai:
            agents = [
                Agent(openai, f"hello from {n}", word(n), lambda: f"You help. It is {time.time_ns()} now.")
                for n in range(500)
            ]
            await all_at_most(50, [agent.run for agent in agents])
            late = [lambda agent=agent: agent.repeat(rnd.sample(range(4), 2)) for agent in agents]
            await all_at_most(50, late)

    with serving(write(tmp_path, "secrets.toml", SECRETS)) as server:
        asyncio.run(go(server.openai_url))


def test_a_hundred_alike_agents_each_see_their_own_attempts(tmp_path: Path) -> None:
    """100 agents that open alike at once, each with its own SDK client, each get two 429s and a 529 of their own."""

    async def one(url: str, start: asyncio.Event) -> None:
        async with client(url, max_retries=4) as openai:
            await start.wait()
            said: list[dict] = [{"role": "user", "content": "hi"}]
            first = await openai.chat.completions.with_raw_response.create(model="m", messages=said)
            assert first.retries_taken == 2
            assert first.parse().choices[0].message.content == "attempt 3"
            said += [{"role": "assistant", "content": "attempt 3"}, {"role": "user", "content": "go on"}]
            second = await openai.chat.completions.with_raw_response.create(model="m", messages=said)
            assert second.retries_taken == 1
            assert second.parse().choices[0].message.content == "attempt 2 of the second"

    async def go(url: str) -> None:
        start = asyncio.Event()
        agents = [asyncio.create_task(one(url, start)) for _ in range(100)]
        await asyncio.sleep(0.2)
        start.set()
        await asyncio.gather(*agents)

    with serving(write(tmp_path, "patience.toml", PATIENCE)) as server:
        asyncio.run(go(server.openai_url))
        assert len(server.mock.conversations()) == 100
        assert server.mock.verify().ok


TWO = """
[scenario]
name = "{name}"
serves = 'system contains "{name}"'

[[states.ask]]
when = "attempt == 1"
error = {{ name = "rate_limited", retry_after = "1ms" }}

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
set = { who = 'system' }
error = { name = "rate_limited", retry_after = "1ms" }

[[states.ask]]
reply = "hello"
goto = "more"

[[states.more]]
reply = "still ${who}"
"""


@pytest.mark.parametrize("files", [1, 2])
def test_same_words_and_different_system_prompts_do_not_mix(tmp_path: Path, files: int) -> None:
    """Two agents with equal user text and different system prompts, in parallel, as one scenario and as two."""

    async def one(openai: AsyncOpenAI, who: str, texts: tuple[str, str]) -> None:
        said: list[dict] = [{"role": "system", "content": who}, {"role": "user", "content": "go"}]
        for text in texts:
            answer = await openai.chat.completions.create(model="m", messages=said)
            assert answer.choices[0].message.content == text
            said += [{"role": "assistant", "content": text}, {"role": "user", "content": "go on"}]

    async def go(url: str) -> None:
        async with client(url, max_retries=4) as openai:
            for _ in range(20):
                await asyncio.gather(
                    *(
                        one(openai, who, (f"{who} here" if files == 2 else "hello", f"still {who}"))
                        for who in ("planner", "writer")
                    )
                )

    if files == 2:
        paths = [write(tmp_path, f"{n}.toml", TWO.format(name=n)) for n in ("planner", "writer")]
    else:
        paths = [write(tmp_path, "both.toml", ONE)]
    with serving(*paths) as server:
        asyncio.run(go(server.openai_url))


def test_a_forked_history_goes_both_ways(tmp_path: Path) -> None:
    """A client that forks its history forks the conversation, and each branch keeps its own variables."""

    async def go(url: str) -> None:
        async with client(url) as openai:
            trunk = Agent(openai, "hello", "none")
            await trunk.open()
            branches = [Agent(openai, "hello", secret) for secret in ("left", "right")]
            for branch in branches:
                branch.messages = list(trunk.messages)
            for step in ("tell", "keep", "ask"):
                for branch in branches:
                    await getattr(branch, step)()

    with serving(write(tmp_path, "secrets.toml", SECRETS)) as server:
        asyncio.run(go(server.openai_url))


def test_an_answered_request_sent_again_gets_the_same_answer(tmp_path: Path) -> None:
    """An SDK that lost the answer after a scripted 429 gets the same answer at once, and nothing else moves."""

    async def go(url: str) -> None:
        async with client(url, max_retries=0) as openai:
            said = [{"role": "user", "content": "hi"}]

            async def send(count: int) -> dict:
                headers = {"x-stainless-retry-count": str(count)}
                raw = await openai.chat.completions.with_raw_response.create(
                    model="m", messages=said, extra_headers=headers
                )
                return json.loads(raw.text)

            for count in (0, 1):
                with pytest.raises(Exception, match="429"):
                    await send(count)
            first, again = await send(2), await send(3)
            assert first == again

    with serving(write(tmp_path, "patience.toml", PATIENCE)) as server:
        asyncio.run(go(server.openai_url))
        (conversation,) = server.mock.conversations()
        assert conversation["state"] == "again"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """`llmposter run` as a user starts it, until it says that it listens."""

    def __init__(self, port: int, path: Path) -> None:
        command = [sys.executable, "-m", "llmposter", "run", str(path), "--port", str(port)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if line.startswith("llmposter listening on "):
                break

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        code = self.process.wait(10)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


def test_a_killed_server_goes_on_where_it_was(tmp_path: Path) -> None:
    """The server is killed and started again in the middle of 100 conversations; every one goes on where it was."""
    path, port = write(tmp_path, "secrets.toml", SECRETS), free_port()
    url = f"http://127.0.0.1:{port}/v1"

    async def run(agents: list[Agent], steps: Callable[[int], tuple[str, ...]]) -> None:
        async def one(number: int, agent: Agent) -> None:
            for step in steps(number):
                await getattr(agent, step)()

        await asyncio.gather(*(one(number, agent) for number, agent in enumerate(agents)))

    async def go(agents: list[Agent], steps: Callable[[int], tuple[str, ...]]) -> None:
        async with client(url) as openai:
            for agent in agents:
                agent.openai = openai
            await run(agents, steps)

    every = ("open", "tell", "keep", "ask")
    agents = [Agent(None, f"hello {n % 50}", word(n)) for n in range(100)]
    first = Process(port, path)
    asyncio.run(go(agents, lambda n: every[: n % 4 + 1]))
    first.end(signal.SIGKILL)
    second = Process(port, path)
    asyncio.run(go(agents, lambda n: every[n % 4 + 1 :]))
    assert second.end(signal.SIGTERM) == 0
