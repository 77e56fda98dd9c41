"""What users write, with the types that they get; mypy, pyright and ty read it, and all of it is right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, assert_type

from llmposter import Fixture, Scenario, ScenarioError, Server, Session, rule
from llmposter.core.resilience import Verdict
from llmposter.core.swap import Swap
from llmposter.model import Message
from llmposter.oauth.desk import Grant
from llmposter.testing.built import Rule
from llmposter.testing.handles import Clock, OAuth, Tokens
from llmposter.testing.records import Answer, Call, Conversation, Request, Token, ToolCall, Violation
from llmposter.testing.unittest import LLMPosterTestCase
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.program import Program


def built() -> Scenario:
    scenario = Scenario(
        name="weather",
        final=["done"],
        vars={"city": "", "n": 0, "seen": [1, {"a": None}]},
        tools={"get_weather": {"type": "object", "properties": {"city": {"type": "string"}}}},
        defaults={"latency": "20ms", "stream": {"chunk": "2 words", "burst": 0.5}},
        auth={"tokens": [{"name": "first", "uses": 3}], "oauth": {"refresh": "keep", "user": {"sub": "a"}}},
        limits=[{"requests": 10, "per": "1m"}],
        chaos={"rate": 0.1, "faults": ["drop"], "errors": ["overloaded", 503, {"status": 500, "message": "no"}]},
        embeddings=[{"when": 'text == "a"', "vector": [0.1, 1]}],
        moderations=[{"flags": ["hate"]}],
        unmatched="explain",
        foreign="latest",
        conformance="reject",
        always=[rule(when='user == "stop"', goto="done")],
        examples=[{"turns": [{"user": "hi", "request": {"provider": "gemini", "tools": ["a", {"name": "b"}]}}]}],
    )
    answer = rule(
        name="answer",
        when='result("get_weather") exists',
        times=2,
        expect=["a", "b"],
        set={"n": "n + 1"},
        json={"temp": [22, None, True, "x"]},
        finish="stop",
        usage={"input": 3, "output": 4},
        headers={"x-a": "b"},
        latency="1s",
        stream={"pace": "50 tokens/s"},
        fault=["stall 1s"],
        token="expire",
        goto="done",
    )
    assert_type(answer, Rule)
    assert_type(rule(error="rate_limited", finish="a word of the provider"), Rule)
    assert_type(rule(error=503, call={"tool": "a", "arguments": {"x": 1}}, json=None), Rule)
    assert_type(rule(error={"name": "overloaded", "retry_after": "1s"}, call=["a()", {"tool": "b"}]), Rule)
    assert_type(scenario.state("ask", rule(call="get_weather()", goto="answer")).state("answer", answer), Scenario)
    assert_type(Scenario.from_file(Path("a.toml")), Scenario)
    assert_type(Scenario.from_text("a: b", name="a.yaml", kind="yaml"), Scenario)
    assert_type(scenario.to_toml(), str)
    try:
        assert_type(scenario.program(), Program)
    except ScenarioError as error:
        assert_type(error.findings, tuple[Diagnostic, ...])
    return scenario


def fixture() -> Fixture:
    made = Fixture().match_user_message("weather").match_model(re.compile("gpt")).match_header("x", "y")
    made.match_temperature_range(max=0.5).for_provider("gemini").with_scenario("a", set_state="b").as_catch_all()
    assert_type(made.respond_with_tool_calls(("a", {"x": 1}), ("b", {})), Fixture)
    assert_type(made.respond_with_embedding([1, 0.5]).with_failure(latency_ms=3, corrupt_body=True), Fixture)
    made.validate()
    return made


def looks(session: Session) -> None:
    assert_type(session.requests, tuple[Request, ...])
    assert_type(session.matched, tuple[Request, ...])
    assert_type(session.calls, tuple[Call, ...])
    assert_type(session.conversations, tuple[Conversation, ...])
    assert_type(session.violations, tuple[Violation, ...])
    request = session.requests[0]
    assert_type(request.answer, Answer | None)
    assert_type(request.headers, Mapping[str, str])
    assert_type(request.messages, tuple[Message, ...])
    assert_type(request.status, int | None)
    assert_type(request.body, Any)
    if request.outcome == "limited" or request.answer is None:
        return
    assert_type(request.answer.calls, tuple[ToolCall, ...])
    assert_type(session.conversation(scenario="weather").vars, Mapping[str, Any])
    assert_type(session.state("c1"), str)
    assert_type(session.scenario_state("a"), str | None)
    assert_type(session.assert_called("get_weather", city="Paris").result, str | None)
    session.assert_path(["ask", "done"])
    assert_type(session.verdict(), Verdict)
    assert_type(session.verdict().bad[0].message, str)
    session.assert_path(("ask", "done"), conversation="c1")


def moves(server: Server) -> None:
    assert_type(server.clock, Clock)
    assert_type(server.clock.advance("15m"), float)
    assert_type(server.clock.advance(timedelta(minutes=1)), float)
    assert_type(server.tokens, Tokens)
    assert_type(server.tokens.issue("a", uses=3), str)
    assert_type(server.tokens.list(), tuple[Token, ...])
    assert_type(server.oauth_url, str)
    assert_type(server.oauth, OAuth)
    assert_type(server.oauth.grants, tuple[Grant, ...])
    server.oauth.script(503, "invalid_grant", {"expires_in": False, "delay": "1s"})
    server.set_chaos(0.5, faults="drop", errors=["overloaded", 500])
    assert_type(server.set_scenarios("a.toml", Scenario()), Swap)


def serves() -> None:
    with Server(
        "a.toml", Path("folder"), built(), fixture(), port=0, clock="manual", seed=3, tokens=["a:uses=1"], oauth=True
    ) as server:
        assert_type(server, Server)
        assert_type(server.url + server.openai_url + server.anthropic_url + server.gemini_url, str)
        assert_type(server.port, int)
        assert_type(server.session(), Session)
        assert_type(server.session("name").server, Server)
        moves(server)


async def serves_in_the_loop() -> None:
    async with Server("a.toml") as server:
        assert_type(server, Server)


class ATest(LLMPosterTestCase):
    scenario = "a.toml"
    clock = "manual"

    def test_it(self) -> None:
        assert_type(self.llmposter, Session)
        assert_type(self.llmposter_server, Server)


class Another(LLMPosterTestCase):
    scenario = (Path("a.toml"), "b.toml", Scenario())
