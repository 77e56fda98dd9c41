"""One scenario file, unchanged, gives the same conversation on every provider's API, whatever it says."""

from __future__ import annotations

import os
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from judging import Called, Heard, Used, evened, judges
from random_replies import compact
from random_scenarios import SCENARIOS, Said, texts, written
from serving import serving

from llmposter.wire import load

if TYPE_CHECKING:
    from llmposter.server import Running

WIRES = sorted(load().keys() & judges().keys())
SOAK = os.environ.get("LLMPOSTER_SOAK") == "1"
MANY = settings(
    max_examples=600 if SOAK else 8,
    # A smaller example takes long to find where each try starts a server.
    phases=tuple(each for each in Phase if SOAK or each is not Phase.shrink),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def expected(turns: list[Said], number: int, used: Used) -> Heard:
    """What is to be heard, but for ids."""
    turn = turns[number]
    return Heard(
        texts=texts(turns, number),
        thinking=turn.think or "",
        calls=tuple(Called("", tool, compact(arguments)) for tool, arguments in turn.calls),
        refusal=turn.refuse,
        finish="tool_calls" if turn.calls else "stop",
        raw="",
        used=used,
    )


def without_ids(heard: Heard) -> Heard:
    return evened(heard._replace(calls=tuple(call._replace(id="") for call in heard.calls)))


def play(server: Running, wire: str, turns: list[Said], session: str, *, stream: bool) -> list[Heard]:
    """What is heard of each turn; and `verify` is clean."""
    heard: list[Heard] = []
    with closing(judges()[wire].agent(server.session_url(session), stream=stream, retries=1)) as agent:
        for number, turn in enumerate(turns):
            calls = heard[-1].calls if heard else ()
            results = zip(calls, turns[number - 1].results, strict=False)
            heard.append(agent.result(*results) if calls else agent.say(turn.user))
    verdict = server.mock.verify(session)
    assert verdict.ok, (wire, stream, verdict)
    return heard


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random")


@MANY
@given(SCENARIOS)
def test_a_scenario_plays_alike_on_every_api(folder: Path, turns: list[Said]) -> None:
    """Plain and streamed, each SDK hears the texts, reasoning, calls and refusals that the file says; usage is one."""
    with serving(written(turns, folder / "random.yaml")) as server:
        # What is counted, one of them says for all.
        used = [heard.used for heard in play(server, "openai", turns, "first", stream=False)]
        whole = [expected(turns, number, used[number]) for number in range(len(turns))]
        for wire, stream in product(WIRES, (False, True)):
            told = [without_ids(judges()[wire].within(each)) for each in whole]
            heard = play(server, wire, turns, f"{wire}-{stream}", stream=stream)
            assert told == [without_ids(each) for each in heard], (wire, stream)
