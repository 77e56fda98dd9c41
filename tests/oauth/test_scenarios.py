"""Clients whose token ends in the middle of a loop, and what `verify` says of how they get over it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from serving import serving

from oauth import OAuthClient, given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.core.clock import ManualClock
    from llmposter.server import Running

SCENARIO = """
[scenario]
final = ["done"]

[auth.oauth]
redirect_uris   = ["http://localhost/callback"]
access_lifetime = "1m"
refresh         = "keep"

[tools]
report = {}

[[states.ask]]
call = "report()"
goto = "reporting"

[[states.reporting]]
expect = "token.grant == 2"
reply  = "${result.json.rows} rows."
goto   = "done"
"""
MANY = 100
TOOLS = [{"type": "function", "function": {"name": "report", "parameters": {"type": "object"}}}]


@contextmanager
def served(scenario: str = SCENARIO) -> Iterator[tuple[Running, OAuthClient]]:
    with serving(scenario, clock="manual") as server, httpx.Client(timeout=20, verify=False) as http:
        assert server.oauth is not None
        yield server, OAuthClient(http, server.oauth.url, server.oauth, server.mock.admission.credentials)


class Agent:
    """One conversation of an agent that knows nothing of scenarios."""

    def __init__(self, server: Running, client: OAuthClient, name: str) -> None:
        self._url, self._http = f"{server.openai_url}/chat/completions", client.http
        self._messages: list[dict[str, Any]] = [{"role": "user", "content": f"Run report {name}."}]

    def ask(self, token: str) -> tuple[int, dict[str, Any]]:
        asked = {"model": "m", "messages": self._messages, "tools": TOOLS}
        answer = self._http.post(self._url, json=asked, headers={"authorization": f"Bearer {token}"})
        return answer.status_code, answer.json()

    def call(self, token: str) -> None:
        """To where the tool runs."""
        status, told = self.ask(token)
        assert 200 == status, told
        said = told["choices"][0]["message"]
        (called,) = said["tool_calls"]
        result = {"role": "tool", "tool_call_id": called["id"], "content": '{"rows": 12}'}
        self._messages += [{"role": "assistant", "tool_calls": said["tool_calls"]}, result]


def at_work(server: Running, client: OAuthClient, tokens: list[str]) -> list[Agent]:
    """An agent for each token, whose tool ran until that had ended."""
    agents = [Agent(server, client, str(number)) for number, _ in enumerate(tokens)]
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda each: each[0].call(each[1]), zip(agents, tokens, strict=True)))
    clock: ManualClock = server.clock  # type: ignore[assignment]
    clock.advance(60)
    with ThreadPoolExecutor(10) as pool:
        told = list(pool.map(lambda each: each[0].ask(each[1]), zip(agents, tokens, strict=True)))
    assert [401] * len(tokens) == [status for status, _ in told]
    return agents


def goes_on(agents: list[Agent], tokens: list[str]) -> None:
    with ThreadPoolExecutor(10) as pool:
        told = list(pool.map(lambda each: each[0].ask(each[1]), zip(agents, tokens, strict=True)))
    assert ["12 rows."] * len(agents) == [each["choices"][0]["message"]["content"] for _, each in told]


def test_a_hundred_clients_whose_tokens_end_at_once_each_refresh_once() -> None:
    """A hundred consents end at one moment, each client refreshes once, and `verify` has nothing to say."""
    with served() as (server, client):
        first = [client.tokens() for _ in range(MANY)]
        agents = at_work(server, client, [each["access_token"] for each in first])
        with ThreadPoolExecutor(10) as pool:
            second = list(pool.map(lambda each: given(client.refresh(each["refresh_token"])), first))
        goes_on(agents, [each["access_token"] for each in second])
        assert server.mock.verify().ok
        assert MANY == client.companion.state()["refreshes"]


def test_a_hundred_requests_of_one_client_may_share_one_refresh() -> None:
    """A client whose requests all meet the end of its token, and that refreshes once for all, passes."""
    with served() as (server, client):
        told = client.tokens()
        agents = at_work(server, client, [told["access_token"]] * MANY)
        second = given(client.refresh(told["refresh_token"]))
        goes_on(agents, [second["access_token"]] * MANY)
        assert server.mock.verify().ok
        assert 1 == client.companion.state()["refreshes"]


def test_a_client_that_refreshes_for_each_of_a_hundred_requests_is_reported() -> None:
    """Each refresh is another grant: all but the first are violations of `token.grant == 2`."""
    with served() as (server, client):
        told = client.tokens()
        agents = at_work(server, client, [told["access_token"]] * MANY)
        with ThreadPoolExecutor(10) as pool:
            second = list(pool.map(lambda _: given(client.refresh(told["refresh_token"])), agents))
        goes_on(agents, [each["access_token"] for each in second])
        found = server.mock.verify()
        assert not found.ok
        assert MANY - 1 == len(server.mock.violations())
        assert MANY == client.companion.state()["refreshes"]


def test_with_rotation_such_a_client_has_nothing_left() -> None:
    """As with most providers: of a hundred refreshes with one token one is granted, and all of it has ended."""
    with served(SCENARIO.replace('"keep"', '"rotate"')) as (server, client):
        told = client.tokens()
        (agent,) = at_work(server, client, [told["access_token"]])
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda _: client.refresh(told["refresh_token"]), range(MANY)))
        (won,) = (each.json() for each in answers if each.status_code == 200)
        status, said = agent.ask(won["access_token"])
        assert 401 == status, said
        assert not server.mock.verify().ok


KEYS = [
    ("/v1/chat/completions", "authorization", "Bearer {}"), ("/v1/chat/completions", "api-key", "{}"),
    ("/v1/messages", "x-api-key", "{}"), ("/v1/messages", "authorization", "Bearer {}"),
    ("/v1beta/models/m:generateContent", "x-goog-api-key", "{}"),
    ("/v1beta/models/m:generateContent", "authorization", "Bearer {}"),
]  # fmt: skip
PLAIN = '[auth.oauth]\nredirect_uris = ["http://localhost/callback"]\n[[states.s]]\nreply = "ok"\n'
CHAT = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
GOOGLE = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


@pytest.mark.parametrize("path, header, form", KEYS)
def test_a_token_counts_where_each_sdk_puts_its_key(path: str, header: str, form: str) -> None:
    """The original took `Authorization: Bearer` alone, and locked out the SDKs of Anthropic and Google."""
    with served(PLAIN) as (server, client):
        token = client.tokens()["access_token"]
        asked = GOOGLE if "v1beta" in path else CHAT
        for value, good in ((token, True), ("nobody", False)):
            answer = client.http.post(server.url + path, json=asked, headers={header: form.format(value)})
            assert good == (answer.status_code == 200), answer.text


def test_a_key_in_the_query_counts_for_google() -> None:
    """As `?key=`, which the original did not look at."""
    with served(PLAIN) as (server, client):
        token = client.tokens()["access_token"]
        path = f"{server.url}/v1beta/models/m:generateContent"
        for key, good in ((token, True), ("nobody", False)):
            answer = client.http.post(path, params={"key": key}, json=GOOGLE)
            assert good == (answer.status_code == 200)


@pytest.mark.parametrize("path, body", [("/v1/models", None), ("/v1/embeddings", {"model": "m", "input": "hi"}),
                                        ("/v1/moderations", {"input": "hi"})])  # fmt: skip
def test_endpoints_beside_the_conversations_need_a_token_too(path: str, body: Any) -> None:
    """The original's documents said that models, embeddings and moderations need none; here all of it does."""
    with served(PLAIN) as (server, client):
        token = client.tokens()["access_token"]
        method = "GET" if body is None else "POST"
        for value, status in ((token, 200), ("nobody", 401)):
            headers = {"authorization": f"Bearer {value}"}
            assert status == client.http.request(method, server.url + path, json=body, headers=headers).status_code
