"""One scenario file, unchanged, gives the same conversation on every provider's API, whatever it says."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from judging import Called, Heard, Used, judges
from random_scenarios import SCENARIOS, Said, texts, written
from serving import serving

from llmposter.wire import load

if TYPE_CHECKING:
    from llmposter.server import Running

WIRES = sorted(load().keys() & judges().keys())
SOAK = os.environ.get("LLMPOSTER_SOAK") == "1"
MANY = settings(
    max_examples=600 if SOAK else 12,
    # A smaller example takes long to find where each try starts a server.
    phases=tuple(each for each in Phase if SOAK or each is not Phase.shrink),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def expected(turns: list[Said], number: int) -> Heard:
    """What is to be heard, but for ids and usage."""
    turn = turns[number]
    return Heard(
        texts=texts(turns, number),
        thinking=turn.think or "",
        calls=tuple(Called("", tool, json.dumps(arguments, sort_keys=True)) for tool, arguments in turn.calls),
        refusal=turn.refuse,
        finish="tool_calls" if turn.calls else "stop",
        raw="",
        used=None,
    )


def without_ids(heard: Heard) -> Heard:
    calls = [Called("", call.tool, json.dumps(json.loads(call.arguments), sort_keys=True)) for call in heard.calls]
    return heard._replace(calls=tuple(calls), raw="", used=None)


def play(server: Running, wire: str, turns: list[Said], *, stream: bool) -> list[Used | None]:
    """The usage of each answer, once all of them were what they should be."""
    session, used = f"{wire}-{stream}", []
    judge = judges()[wire]
    with closing(judge.agent(server.session_url(session), stream=stream, retries=1)) as agent:
        calls: tuple[Called, ...] = ()
        for number, turn in enumerate(turns):
            heard = (
                agent.result(*zip(calls, turns[number - 1].results, strict=False)) if calls else agent.say(turn.user)
            )
            assert without_ids(judge.within(expected(turns, number))) == without_ids(heard), (wire, stream, number)
            calls = heard.calls
            used.append(heard.used)
    verdict = server.mock.verify(session)
    assert verdict.ok, (wire, stream, verdict)
    return used


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random")


@MANY
@given(SCENARIOS)
def test_a_scenario_plays_alike_on_every_api(folder: Path, turns: list[Said]) -> None:
    """Plain and streamed, each SDK hears the texts, reasoning, calls and refusals that the file says; usage is one."""
    with serving(written(turns, folder / "random.yaml")) as server:
        used = {(wire, stream): play(server, wire, turns, stream=stream) for wire in WIRES for stream in (False, True)}
        assert [used[WIRES[0], False]] * len(used) == list(used.values()), used
