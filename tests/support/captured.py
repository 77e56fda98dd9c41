"""Requests as each SDK really sends them, heard by a server of its wire: what the fuzzing starts from."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from typing import Any

from judging import judges
from speaker import CONNECTION, speaking
from wire_cases import REPLIES

from llmposter.model import Request
from llmposter.wire import load


@cache
def requests(wire: str) -> tuple[Request, ...]:
    """The judge's own small ones, plain and streamed, and one with a history of reasoning, texts, calls and results."""
    judge = judges()[wire]
    small = [Request("POST", *_located(judge.request(stream=stream)), CONNECTION) for stream in (False, True)]
    with speaking(load()[wire]) as speaker:
        speaker.say(REPLIES["everything"])
        with closing(judge.agent(speaker.url, stream=False, retries=0, system="be brief")) as agent:
            heard = agent.say("hi")
            agent.result(*((call, '{"temp": 22}') for call in heard.calls))
            agent.say("and now?")
        return (*small, speaker.turns[-1].request)


def _located(asked: tuple[str, dict[str, str], bytes]) -> tuple[str, dict[str, str], dict[str, str], bytes]:
    target, headers, body = asked
    path, _, query = target.partition("?")
    return path, dict(each.split("=", 1) for each in query.split("&") if each), headers, body


Path = tuple[Any, ...]


def paths(value: Any, path: Path = ()) -> list[Path]:
    """Where every value of a JSON document stands, the document itself first."""
    match value:
        case dict():
            return [path, *(found for key, inner in value.items() for found in paths(inner, (*path, key)))]
        case list():
            return [path, *(found for n, inner in enumerate(value) for found in paths(inner, (*path, n)))]
        case _:
            return [path]


def words(value: Any) -> set[str]:
    """Every name and every text in a JSON document."""
    match value:
        case dict():
            return {*value, *(word for inner in value.values() for word in words(inner))}
        case list():
            return {word for inner in value for word in words(inner)}
        case str():
            return {value}
        case _:
            return set()
