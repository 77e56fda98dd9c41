"""Wires are found by being in the package, or by an entry point; each says what it cannot."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from llmposter import wire as wires
from llmposter.model import Route
from llmposter_dsl.place import At
from llmposter_dsl.program import Rule
from llmposter_dsl.source import Source, Span

PLACE = At(Source("fake.toml", "fake"), Span(0, 4))
OTHER = SimpleNamespace(name="other")


@pytest.fixture
def fresh(monkeypatch):
    """`load` as if it was never called, with the entry points of the test."""

    def found(*entries: EntryPoint):
        monkeypatch.setattr(wires, "entry_points", lambda group: [e for e in entries if e.group == group])
        return wires.load.__wrapped__()

    return found


def test_the_wires_of_the_package_are_found() -> None:
    """By their names, each with its routes; the same ones each time."""
    assert {"openai"} <= set(wires.load())
    assert all(name == wire.name for name, wire in wires.load().items())
    assert wires.load()["openai"].routes == (Route("POST", "/v1/chat/completions"),)
    assert wires.load() is wires.load()


def test_nobody_can_change_what_was_found() -> None:
    """The mapping is read-only."""
    with pytest.raises(TypeError):
        wires.load()["mine"] = OTHER


def test_a_wire_of_another_package_is_found(fresh) -> None:
    """An entry point of the group names a wire."""
    found = fresh(EntryPoint("other", f"{__name__}:OTHER", wires.GROUP), EntryPoint("no", "no:no", "other.group"))
    assert {*wires.load(), "other"} == set(found)


def test_two_wires_of_one_name_are_refused(fresh) -> None:
    """The message says which name."""
    with pytest.raises(ValueError, match='two wires are called "openai"'):
        fresh(EntryPoint("again", "llmposter.wire.openai_chat:WIRE", wires.GROUP))


def rule(**more: object) -> Rule:
    return Rule("ask#1", "ask", PLACE, **more)


@pytest.mark.parametrize("finish", [None, "stop", "length", "tool_calls", "content_filter", "function_call"])
def test_openai_can_finish_with_its_own_words(finish: str | None) -> None:
    """Nothing is reported."""
    assert [] == list(wires.load()["openai"].cannot(rule(finish=finish)))


@pytest.mark.parametrize("finish", ["pause", "end_turn", "MAX_TOKENS"])
def test_openai_cannot_finish_with_other_words(finish: str) -> None:
    """The sentence names the word and those that OpenAI has."""
    (told,) = wires.load()["openai"].cannot(rule(finish=finish))
    assert f'OpenAI Chat has no finish reason "{finish}"' in told
    assert '"content_filter"' in told
