"""The gallery: every scenario lints clean, its examples try every rule, and it is served to a real SDK."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from anthropic import Anthropic
from anthropic import AuthenticationError as RefusedByAnthropic
from judging import judges
from openai import AuthenticationError, BadRequestError, InternalServerError, OpenAI
from serving import serving

from llmposter import lint
from llmposter.fixtures import is_fixture_file
from llmposter.server import Running
from llmposter_dsl import scenario_files
from oauth import OAuthClient

GALLERY = Path(__file__).parents[1] / "scenarios"
SERVED = [Path(file) for file in scenario_files([GALLERY])]
FILES = [path for path in SERVED if not is_fixture_file(path)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_of_the_gallery_is_clean_and_covered(path: Path) -> None:
    """No finding, not even an information; examples that pass; every state and rule tried."""
    checked = lint.check([path])
    assert () == checked.diagnostics
    (line,) = [line for line in lint.report(checked.programs[0], checked.results[0]) if line.startswith("  states")]
    shares = re.findall(r"(\d+)/(\d+)", line)
    assert 2 == len(shares)
    assert all(covered == all_ for covered, all_ in shares), line


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_of_the_gallery_can_be_drawn(path: Path) -> None:
    """Both pictures name every state."""
    (program,) = lint.check([path]).programs
    for format_ in ("mermaid", "dot"):
        assert all(f'"{state}"' in lint.graph(program, format_) for state in program.states)


def test_the_gallery_holds_both_formats_and_says_what_each_file_shows() -> None:
    """At least six files, TOML and YAML, each told in the README and beginning with a comment."""
    assert len(FILES) >= 6
    assert {".toml", ".yaml"} == {path.suffix for path in FILES}
    readme = (GALLERY / "README.md").read_text(encoding="utf-8")
    for path in SERVED:
        shown = path.relative_to(GALLERY)
        assert f"({shown})" in readme or f"({shown.parent}/)" in readme
        assert path.read_text(encoding="utf-8").startswith("# ")


def test_the_whole_gallery_lints_clean_at_once() -> None:
    """No two scenarios of it have one name."""
    assert () == lint.check([GALLERY]).diagnostics


# --- over a real socket -----------------------------------------------------------------------------------------------


def ask(client: OpenAI, messages: list, text: str | None = None):
    if text is not None:
        messages.append({"role": "user", "content": text})
    answer = client.chat.completions.create(model="gpt-4o", messages=messages).choices[0].message
    messages.append(answer.to_dict())
    return answer


def results(messages: list, *values: object) -> None:
    calls = messages[-1]["tool_calls"]
    for call, value in zip(calls, values, strict=True):
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": json.dumps(value)})


def hello(client: OpenAI) -> None:
    assert "Hello! How can I help?" == ask(client, [], "hello").content


def weather(client: OpenAI) -> None:
    messages: list = []
    ask(client, messages, "the weather in Rome?")
    results(messages, {"temp": 30})
    assert "It is 30°C in Rome." == ask(client, messages).content


def two_tools(client: OpenAI) -> None:
    messages: list = []
    ask(client, messages, "from Rome to Oslo")
    with pytest.raises(BadRequestError):
        ask(client, [*messages, {"role": "tool", "tool_call_id": messages[-1]["tool_calls"][0]["id"], "content": "{}"}])
    results(messages, {"temp": 9}, {"km": 2010})
    assert "Oslo is 2010 km from Rome, and it is 9°C there." == ask(client, messages).content


def retries(client: OpenAI) -> None:
    assert "Sorry for the wait: 3 times I could not answer." == ask(client, [], "Are you there?").content


def support(client: OpenAI) -> None:
    messages: list = [{"role": "system", "content": "refund policy"}]
    ask(client, messages, "a refund for #7")
    results(messages, {"days": 1, "amount": 5})
    ask(client, messages)
    results(messages, "ok")
    assert "I have paid 5 back for order 7." == ask(client, messages).content


def patience(client: OpenAI) -> None:
    messages: list = []
    ask(client, messages, "let me in")
    assert "Welcome! You needed 1 of 3 tries." == ask(client, messages, "4711").content


def typing(client: OpenAI) -> None:
    asked = [{"role": "user", "content": "what of the network?"}]
    said = [
        chunk.choices[0].delta.content
        for chunk in client.chat.completions.create(model="gpt-4o", messages=asked, stream=True)
    ]
    words = [text for text in said if text]
    assert "The words of this answer come in bursts," == "".join(words[:8])


def broken_stream(client: OpenAI) -> None:
    messages: list = []
    ask(client, messages, "To Oslo, please.")
    results(messages, {"seat": "12A"})
    assert "You fly on Monday at nine. Do not forget your passport." == ask(client, messages).content


def bad_gateway(client: OpenAI) -> None:
    assert "I am here, after 4 tries." == ask(client, [], "Hello?").content


def stalled(client: OpenAI) -> None:
    assert "Let me think about that. It is forty-two." == ask(client.with_options(timeout=0.3), [], "What?").content


def shop(client: OpenAI) -> None:
    tools: list = [{"type": "function", "function": {"name": "get_weather"}}]
    asked: list = [{"role": "user", "content": "How is the weather?"}]
    answer = client.chat.completions.create(model="gpt-4o", messages=asked, tools=tools).choices[0].message
    asked += [answer.to_dict(), {"role": "tool", "tool_call_id": answer.tool_calls[0].id, "content": "22"}]
    assert "It is 22 degrees in Paris." == ask(client, asked).content
    assert "You asked about order #7." == ask(client, [], "Order #7.").content
    with pytest.raises(InternalServerError, match="Come back later"):
        ask(client.with_options(max_retries=0), [], "Are you busy?")
    story: list = [{"role": "user", "content": "Tell me a story."}]
    told = [
        chunk.choices[0].delta.content
        for chunk in client.chat.completions.create(model="gpt-4o", messages=story, stream=True)
    ]
    assert "Once upon a time there was a s" == "".join(text for text in told if text)
    assert "I only know the weather and your orders." == ask(client, [], "hello").content


def chaos(client: OpenAI) -> None:
    messages: list = []
    told = [ask(client.with_options(max_retries=9), messages, f"The {n}th.").content for n in range(1, 7)]
    assert [f"That makes {n} of them." for n in range(1, 7)] == told


DRIVEN = {
    "hello.toml": hello,
    "weather.toml": weather,
    "two-tools.yaml": two_tools,
    "retries.toml": retries,
    "support.yaml": support,
    "patience.toml": patience,
    "typing.toml": typing,
    "broken-stream.toml": broken_stream,
    "bad-gateway.yaml": bad_gateway,
    "stalled.toml": stalled,
    "chaos.toml": chaos,
    "shop.yaml": shop,
}


@pytest.mark.parametrize("name", DRIVEN)
def test_the_official_sdk_drives_it(name: str) -> None:
    """Served over a real socket, an unmodified SDK with its own retries gets what the comments promise."""
    with serving(GALLERY / name) as server:
        with OpenAI(base_url=server.openai_url, api_key="any", max_retries=3) as client:
            DRIVEN[name](client)
        outcomes = Counter(entry["outcome"] for entry in server.mock.journal()["entries"])
        assert 0 == outcomes["miss"] + outcomes["unrouted"] + outcomes["refused"]


def test_two_agents_on_one_server_do_not_cross() -> None:
    """The folder is served whole, and system prompts tell the agents apart."""
    with (
        serving(GALLERY / "several-agents") as server,
        OpenAI(base_url=server.openai_url, api_key="any") as client,
    ):
        writer: list = [{"role": "system", "content": "You are a writer."}]
        critic: list = [{"role": "system", "content": "You are a critic."}]
        line = ask(client, writer, "Write about roses").content
        assert "rejected" == json.loads(ask(client, critic, line).content)["verdict"]
        line = ask(client, writer, "Again").content
        assert "accepted" == json.loads(ask(client, critic, line).content)["verdict"]
        assert "Thank you." == ask(client, writer, "accepted").content
        assert {"writer", "critic"} == {entry["scenario"] for entry in server.mock.journal()["entries"]}


def test_an_agent_falls_back_from_one_sdk_to_another() -> None:
    """In the middle of a tool loop, its history carried over by hand, the conversation goes on where it was."""
    question, found = "How many people live in Oslo?", '{"people": 724290}'
    with (
        serving(GALLERY / "fallback.toml") as server,
        OpenAI(base_url=server.openai_url, api_key="any", max_retries=0) as chat,
        Anthropic(base_url=server.url, api_key="any", max_retries=0) as other,
    ):
        messages: list = []
        (call,) = ask(chat, messages, question).tool_calls
        results(messages, json.loads(found))
        with pytest.raises(InternalServerError):
            ask(chat, messages)
        use = {"type": "tool_use", "id": call.id, "name": "find", "input": json.loads(call.function.arguments)}
        result = {"type": "tool_result", "tool_use_id": call.id, "content": found}
        answer = other.messages.create(
            model="claude-sonnet-5",
            max_tokens=100,
            tools=[{"name": "find", "input_schema": {"type": "object"}}],
            messages=[
                {"role": "user", "content": question},
                {"role": "assistant", "content": [use]},
                {"role": "user", "content": [result]},
            ],
        )
        assert "724290 people live in Oslo." == answer.content[-1].text
        (conversation,) = server.mock.conversations()
        assert "done" == conversation["state"]


@pytest.mark.parametrize("wire", ["responses", "anthropic", "gemini"])
def test_one_file_is_all_that_every_other_sdk_needs(wire: str) -> None:
    """The tool loop of the same file, each with its own SDK."""
    with serving(GALLERY / "fallback.toml") as server:
        with closing(judges()[wire].agent(server.url, stream=True)) as agent:
            (call,) = agent.say("How many people live in Oslo?").calls
            heard = agent.result((call, '{"people": 724290}'))
        assert (("724290 people live in Oslo.",), "stop") == (heard.texts, heard.finish)


def test_an_agent_renews_a_key_that_is_used_up() -> None:
    """In the middle of a tool loop: the 401 moves nothing, and the same request with another key is answered."""
    with (
        serving(GALLERY / "renewed-key.toml") as server,
        OpenAI(base_url=server.openai_url, api_key="sk-first", max_retries=0) as client,
    ):
        messages: list = []
        ask(client, messages, "Please refund order 7.")
        results(messages, {"amount": 5})
        ask(client, messages)
        results(messages, "ok")
        with pytest.raises(AuthenticationError):
            ask(client, messages)
        client.api_key = "sk-second"
        assert "Order 7 is refunded." == ask(client, messages).content
        assert [] == [told for told in server.mock.violations() if told["kind"] == "expect"]


def test_a_token_dies_while_the_tool_runs() -> None:
    """The answer with the call is its last; with a new one the agent goes on, and only once."""
    with serving(GALLERY / "dying-token.yaml") as server:
        clients = [Anthropic(base_url=server.url, auth_token=token, max_retries=0) for token in ("at-1", "at-2")]
        asked: dict = {
            "model": "claude-sonnet-5",
            "max_tokens": 100,
            "tools": [{"name": "slow_report", "input_schema": {"type": "object"}}],
        }
        messages: list = [{"role": "user", "content": "Run the report."}]
        answer = clients[0].messages.create(**asked, messages=messages)
        (use,) = [block for block in answer.content if block.type == "tool_use"]
        result = {"type": "tool_result", "tool_use_id": use.id, "content": '{"rows": 12}'}
        messages += [answer.to_param(), {"role": "user", "content": [result]}]
        with pytest.raises(RefusedByAnthropic, match="OAuth token has expired"):
            clients[0].messages.create(**asked, messages=messages)
        answer = clients[1].messages.create(**asked, messages=messages)
        assert "12 rows, asked for with the new token." == answer.content[-1].text
        with pytest.raises(RefusedByAnthropic):
            clients[1].messages.create(**asked, messages=messages)
        assert server.mock.verify().ok
        for client in clients:
            client.close()


@contextmanager
def granted(name: str) -> Iterator[tuple[Running, OAuthClient, dict[str, str]]]:
    """A scenario that has an OAuth server, a public client of that, and what a consent gave the client."""
    with serving(GALLERY / name, clock="manual") as server, httpx.Client(timeout=20) as http:
        assert server.oauth is not None
        client = OAuthClient(http, server.oauth.url, server.oauth, server.mock.admission.credentials, "agent", None)
        yield server, client, client.tokens()


def test_an_access_token_dies_while_the_tool_runs() -> None:
    """The 401 moves nothing; the refresh finds the server busy, is tried again, and the agent goes on where it was."""
    with (
        granted("oauth-expiry.toml") as (server, oauth, tokens),
        OpenAI(base_url=server.openai_url, api_key=tokens["access_token"], max_retries=0) as client,
    ):
        messages: list = []
        ask(client, messages, "Run the report.")
        results(messages, {"rows": 12})
        server.clock.advance(120)
        with pytest.raises(AuthenticationError):
            ask(client, messages)
        httpx.post(f"{server.url}/_llmposter/oauth/answers", json={"answers": [503]})
        assert 503 == oauth.refresh(tokens["refresh_token"]).status_code
        client.api_key = oauth.refresh(tokens["refresh_token"]).json()["access_token"]
        assert "12 rows, with grant 2." == ask(client, messages).content
        assert [] == [told for told in server.mock.violations() if told["kind"] == "expect"]


def test_an_agent_that_begins_anew_is_reported() -> None:
    """A second consent is no refresh."""
    with (
        granted("oauth-expiry.toml") as (server, oauth, tokens),
        OpenAI(base_url=server.openai_url, api_key=tokens["access_token"], max_retries=0) as client,
    ):
        messages: list = []
        ask(client, messages, "Run the report.")
        results(messages, {"rows": 12})
        client.api_key = oauth.tokens()["access_token"]
        assert "12 rows, with grant 1." == ask(client, messages).content
        (told,) = [told for told in server.mock.violations() if told["kind"] == "expect"]
        assert "token.grant == 2" in told["message"]


@pytest.mark.parametrize("refreshes, violations", [(1, 0), (2, 1)])
def test_two_401s_cause_one_refresh(refreshes: int, violations: int) -> None:
    """Or a violation, where each of the two conversations has its own."""
    with (
        granted("single-flight.yaml") as (server, oauth, tokens),
        OpenAI(base_url=server.openai_url, api_key=tokens["access_token"], max_retries=0) as client,
    ):
        both: list[list] = [[], []]
        for town, messages in zip(("Oslo", "Rome"), both, strict=True):
            ask(client, messages, f"The weather in {town}?")
        server.clock.advance(60)
        for messages in both:
            with pytest.raises(AuthenticationError):
                ask(client, messages, "And?")
        for n, messages in enumerate(both):
            if n < refreshes:
                client.api_key = oauth.refresh(tokens["refresh_token"]).json()["access_token"]
            assert f"Found, with grant {min(n, refreshes - 1) + 2}." == ask(client, messages).content
        assert violations == len(server.mock.violations())
        assert server.mock.verify().ok == (violations == 0)


def test_a_budget_of_tokens_comes_back() -> None:
    """The SDK's own retries wait as long as the 429 says, and need no other."""
    with (
        serving(GALLERY / "token-budget.toml") as server,
        OpenAI(base_url=server.openai_url, api_key="any", max_retries=2) as client,
    ):
        ask(client, [], "Tell me a story.")
        assert "Hello!" == ask(client, [], "Hello?").content
        outcomes = [entry["outcome"] for entry in server.mock.journal()["entries"]]
        assert (["reply", "limited"], "reply") == (outcomes[:2], outcomes[-1])
        assert server.mock.verify().ok
