"""Requests as each SDK really sends them, heard by a server of its wire: what the fuzzing starts from."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from judging import judges
from speaker import CONNECTION, speaking
from wire_cases import REPLIES

from llmposter.model import Request, Turn
from llmposter.wire import load


def small(wire: str, *, stream: bool) -> Request:
    """The judge's own small request."""
    target, headers, body = judges()[wire].request(stream=stream)
    path, _, query = target.partition("?")
    return Request("POST", path, dict(parse_qsl(query)), headers, body, CONNECTION)


@cache
def requests(wire: str) -> tuple[Request, ...]:
    """The small ones, plain and streamed, and one with a history of reasoning, texts, calls and results."""
    with speaking(load()[wire]) as speaker:
        speaker.say(REPLIES["everything"])
        with closing(judges()[wire].agent(speaker.url, stream=False, retries=0, system="be brief")) as agent:
            heard = agent.say("hi")
            agent.result(*((call, '{"temp": 22}') for call in heard.calls))
            agent.say("and now?")
        return small(wire, stream=False), small(wire, stream=True), speaker.turns[-1].request


@cache
def asked(wire: str, *, stream: bool) -> Turn:
    """The small request as it is read."""
    turn = load()[wire].read(small(wire, stream=stream))
    assert isinstance(turn, Turn), turn
    return turn


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
