"""What users may get wrong: each line that ends in `# wrong` is an error for mypy, pyright and ty, and no other is."""

from __future__ import annotations

from llmposter import Fixture, Scenario, Server, rule
from llmposter.testing.unittest import LLMPosterTestCase

rule(replay="a typo")  # wrong
rule("not by its place")  # wrong
rule(goto=3)  # wrong
rule(times="twice")  # wrong
rule(error="rate_limit")  # wrong
rule(error={"name": "overloadd"})  # wrong
rule(error={"nam": "overloaded"})  # wrong
rule(call={"arguments": {}})  # wrong
rule(usage={"input": "many"})  # wrong
rule(headers={"x": 1})  # wrong
rule(json={1, 2})  # wrong
Scenario(name=3)  # wrong
Scenario(final="done")
Scenario(conformance="strict")  # wrong
Scenario(stats=[])  # wrong
Scenario(limits=[{"requests": 3}])  # wrong
Scenario(examples=[{"turns": [{"usr": "hi"}]}])  # wrong
Scenario(examples=[{"turns": [{"messages": [{"role": "system"}]}]}])  # wrong
Scenario(auth={"oauth": False})  # wrong
Scenario(auth={"oauth": {"refresh": "sometimes"}})  # wrong
Scenario().state(3)  # wrong
Scenario().state("a", {"reply": "b"})  # wrong
Scenario.from_text("a", kind="xml")  # wrong
Server(3)  # wrong
Server("a.toml", clock="slow")  # wrong
Server("a.toml", prt=3)  # wrong
Fixture().match_user_message(3)  # wrong
Fixture().for_provider("azure")  # wrong
Fixture().with_failure(3)  # wrong
Fixture().with_failure(latency="1s")  # wrong
Fixture().respond_with_tool_calls("a")  # wrong
server = Server("a.toml")
server.port = 3  # wrong
server.requests[0].status = 200  # wrong
server.assert_path(3)  # wrong
server.set_chaos("often")  # wrong
server.clock.advance(None)  # wrong
server.state(1)  # wrong
server.session(3)  # wrong


class ATest(LLMPosterTestCase):
    scenario = 3  # wrong
    clock = "slow"  # wrong
