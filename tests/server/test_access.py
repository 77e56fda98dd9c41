"""Credentials and limits over a real socket: every SDK puts its key where it does, and reads its provider's words."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors, types
from raw_http import CHAT, Raw, chat
from serving import serving

from llmposter.core.credentials import Issued
from llmposter.server import Running

pytestmark = pytest.mark.usefixtures("transport")

SCENARIO = """
[auth]
tokens = [
  { name = "good", value = "sk-good-one" },
  { name = "twice", value = "sk-twice-only", uses = 2 },
  { name = "timed", value = "sk-timed-one", lifetime = "1m" },
]

[[states.talk]]
when = 'user == "away"'
token = "revoke"
reply = "gone"

[[states.talk]]
reply = "${token.name}"
"""
LIMITED = """
[[limits]]
requests = 3
per = "1m"

[[limits]]
tokens = 1000
per = "1h"

[[states.talk]]
when = 'user == "mine"'
reply = "ok"
headers = { x-ratelimit-remaining-requests = "77", anthropic-ratelimit-requests-remaining = "77" }

[[states.talk]]
when = 'user == "much"'
reply = "ok"
usage = { input = 800, output = 700 }

[[states.talk]]
reply = "ok"
usage = { input = 40, output = 10 }
"""
Ask = Callable[[str], str]


@pytest.fixture(scope="module")
def server(transport: str) -> Iterator[Running]:
    with serving(SCENARIO, clock="manual") as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(request: pytest.FixtureRequest) -> None:
    if "server" in request.fixturenames:
        request.getfixturevalue("server").mock.reset()


@pytest.fixture
def clients(server: Running) -> Iterator[Callable[[str, str], Ask]]:
    """`clients(how, key)` asks over the official SDK of a provider."""
    with ExitStack() as stack:
        yield lambda how, key: CLIENTS[how](stack, server.url, key)


def _chat(stack: ExitStack, url: str, key: str) -> Ask:
    client = stack.enter_context(openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0))

    def ask(text: str) -> str:
        made = client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])
        return made.choices[0].message.content or ""

    return ask


def _responses(stack: ExitStack, url: str, key: str) -> Ask:
    client = stack.enter_context(openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0))
    return lambda text: client.responses.create(model="m", input=text).output_text


def _azure(stack: ExitStack, url: str, key: str) -> Ask:
    client = stack.enter_context(
        openai.AzureOpenAI(azure_endpoint=url, api_key=key, api_version="2024-10-21", max_retries=0)
    )

    def ask(text: str) -> str:
        made = client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])
        return made.choices[0].message.content or ""

    return ask


def _messages(stack: ExitStack, url: str, key: str, **more: Any) -> Ask:
    client = stack.enter_context(anthropic.Anthropic(base_url=url, max_retries=0, **(more or {"api_key": key})))

    def ask(text: str) -> str:
        made = client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": text}])
        return "".join(block.text for block in made.content if block.type == "text")

    return ask


def _old_messages(stack: ExitStack, url: str, key: str) -> Ask:
    """As the first major sends its key."""
    return _messages(
        stack, url, key, api_key=None, default_headers={"x-api-key": key, "authorization": anthropic.Omit()}
    )


def _gemini(stack: ExitStack, url: str, key: str) -> Ask:
    client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=url))
    stack.callback(client.close)
    return lambda text: client.models.generate_content(model="m", contents=text).text or ""


CLIENTS: dict[str, Callable[[ExitStack, str, str], Ask]] = {
    "openai": _chat,
    "azure": _azure,
    "responses": _responses,
    "anthropic": _messages,
    "anthropic, x-api-key": _old_messages,
    "gemini": _gemini,
}


@pytest.mark.parametrize("how", CLIENTS)
def test_every_sdk_is_let_in_by_its_key(how: str, clients: Callable[[str, str], Ask]) -> None:
    """Wherever it puts it."""
    assert "good" == clients(how, "sk-good-one")("hi")


BAD = [
    ("openai", openai.AuthenticationError, 401, "Incorrect API key provided: wro********. "),
    ("azure", openai.AuthenticationError, 401, "Incorrect API key provided: wro********. "),
    ("responses", openai.AuthenticationError, 401, "Incorrect API key provided: wro********. "),
    ("anthropic", anthropic.AuthenticationError, 401, "Invalid bearer token"),
    ("anthropic, x-api-key", anthropic.AuthenticationError, 401, "invalid x-api-key"),
    ("gemini", errors.ClientError, 400, "API key not valid. Please pass a valid API key."),
]


@pytest.mark.parametrize("how, kind, status, said", BAD, ids=[each[0] for each in BAD])
def test_a_bad_key_is_told_in_the_words_of_the_provider(
    how: str, kind: type[Exception], status: int, said: str, clients: Callable[[str, str], Ask], server: Running
) -> None:
    """The SDK raises what it raises for it; the key is shown whole neither there nor in the journal."""
    with pytest.raises(kind) as caught:
        clients(how, "wrong-key-of-somebody")("hi")
    assert status == (getattr(caught.value, "status_code", None) or getattr(caught.value, "code", None))
    assert said in str(caught.value)
    assert "wrong-key" not in str(caught.value)
    (entry,) = server.mock.journal()["entries"]
    assert ("rejected", status, "nobody knows the credential wro…") == (
        entry["outcome"], entry["status"], entry["detail"]
    )  # fmt: skip
    assert "wrong-key" not in str(entry)
    assert server.mock.verify().ok


ENDED = [
    ("openai", openai.AuthenticationError, "Provided authentication token is expired."),
    ("responses", openai.AuthenticationError, "Provided authentication token is expired."),
    ("anthropic", anthropic.AuthenticationError, "OAuth token has expired."),
    ("gemini", errors.ClientError, "API key expired. Please renew the API key."),
]


@pytest.mark.parametrize("how, kind, said", ENDED, ids=[each[0] for each in ENDED])
def test_a_token_that_is_used_up_or_too_old_has_expired(
    how: str, kind: type[Exception], said: str, clients: Callable[[str, str], Ask], server: Running
) -> None:
    """After its uses, and after its lifetime on the server's clock."""
    ask = clients(how, "sk-twice-only")
    assert ["twice", "twice"] == [ask("a"), ask("b")]
    timed = clients(how, "sk-timed-one")
    server.clock.advance(59)  # type: ignore[attr-defined]
    assert "timed" == timed("c")
    server.clock.advance(1)  # type: ignore[attr-defined]
    for ended in (ask, timed):
        with pytest.raises(kind, match=said):
            ended("d")


REVOKED = [
    ("openai", openai.AuthenticationError, "Incorrect API key provided"),
    ("anthropic", anthropic.PermissionDeniedError, "OAuth token has been revoked."),
    ("anthropic, x-api-key", anthropic.AuthenticationError, "invalid x-api-key"),
    ("gemini", errors.ClientError, "API key not valid."),
]


@pytest.mark.parametrize("how, kind, said", REVOKED, ids=[each[0] for each in REVOKED])
def test_a_revoked_token_is_told_as_the_provider_tells_it(
    how: str, kind: type[Exception], said: str, clients: Callable[[str, str], Ask]
) -> None:
    """Anthropic has a 403 for it, which clients are known to take for something else."""
    ask = clients(how, "sk-good-one")
    assert "gone" == ask("away")
    with pytest.raises(kind, match=said):
        ask("hi")


CONTENTS = {"contents": [{"parts": [{"text": "hi"}]}]}
GEMINI = "/v1beta/models/m:generateContent"
INVALID = 'Bearer realm="llmposter", error="invalid_token", error_description="The access token {}"'
HEADS: list[tuple[str, str, dict[str, str], int, str | None]] = [
    (CHAT, "", {}, 401, 'Bearer realm="llmposter"'),
    (CHAT, "", {"authorization": "Basic OnNrLWdvb2Qtb25l"}, 401, 'Bearer realm="llmposter"'),
    (CHAT, "", {"authorization": "bearer   sk-good-one "}, 200, None),
    (CHAT, "", {"authorization": "Bearer"}, 401, 'Bearer realm="llmposter"'),
    (CHAT, "", {"authorization": "Bearer sk-good"}, 401, INVALID.format("is not known")),
    (CHAT, "", {"x-api-key": "sk-good-one"}, 401, 'Bearer realm="llmposter"'),
    (CHAT, "", {"api-key": "sk-good-one"}, 200, None),
    (CHAT, "?key=sk-good-one", {}, 401, 'Bearer realm="llmposter"'),
    ("/v1/messages", "", {}, 401, 'Bearer realm="llmposter"'),
    ("/v1/messages", "", {"x-api-key": "sk-good-one"}, 200, None),
    ("/v1/messages", "", {"x-goog-api-key": "sk-good-one"}, 401, 'Bearer realm="llmposter"'),
    (GEMINI, "", {}, 403, None),
    (GEMINI, "?key=sk-good-one", {}, 200, None),
    (GEMINI, "?key=nope", {}, 400, None),
    (GEMINI, "", {"authorization": "Bearer sk-good-one"}, 200, None),
    (GEMINI, "", {"authorization": "Bearer nope"}, 401, INVALID.format("is not known")),
]


@pytest.mark.parametrize("path, query, headers, status, challenge", HEADS)
def test_a_key_counts_where_clients_of_the_provider_put_it(
    path: str, query: str, headers: dict[str, str], status: int, challenge: str | None, server: Running
) -> None:
    """And nowhere else, as it would not with the provider; every 401 says what to come back with (RFC 6750)."""
    body = {CHAT: chat("hi"), "/v1/messages": chat("hi", max_tokens=9), GEMINI: CONTENTS}[path]
    with Raw(server.url) as raw:
        answer = raw.ask("POST", path + query, body, **headers)
    assert (status, challenge) == (answer.status, answer.headers.get("www-authenticate"))


BESIDE = [
    ("GET", "/v1/models", 401),
    ("POST", "/v1/embeddings", 401),
    ("POST", "/v1/moderations", 401),
    ("POST", "/v1/completions", 401),
    ("POST", "/v1/messages/count_tokens", 401),
    ("GET", "/v1/responses/resp_1", 401),
    ("POST", "/v1beta/models/m:countTokens", 403),
    ("GET", "/v1beta/models", 403),
    ("GET", "/", 200),
    ("GET", "/health", 200),
    ("GET", "/code/404", 404),
    ("GET", "/_llmposter/health", 200),
    ("GET", "/v1/chat/completions", 405),
    ("POST", "/v1/nothing", 404),
    ("OPTIONS", "/v1/models", 204),
]


@pytest.mark.parametrize("method, path, status", BESIDE)
def test_what_a_provider_answers_is_behind_the_gate_and_nothing_else(
    method: str, path: str, status: int, server: Running
) -> None:
    """Health, the status echo and the admin API are llmposter's own; a wrong path is told before a wrong key."""
    with Raw(server.url) as raw:
        assert status == raw.ask(method, path, {}).status


def test_a_use_is_a_request_that_was_let_in(server: Running) -> None:
    """To whatever the provider answers, and whatever came of it."""
    with Raw(server.url) as raw:
        asked = [
            raw.ask("GET", "/v1/models", authorization="Bearer sk-twice-only").status,
            raw.ask("POST", CHAT, b"no json", authorization="Bearer sk-twice-only").status,
            raw.ask("POST", CHAT, chat("hi"), authorization="Bearer sk-twice-only").status,
        ]
    assert [200, 400, 401] == asked


def test_sessions_count_for_themselves(server: Running) -> None:
    """Two sessions use the same token, each as often as it may."""
    with Raw(server.url) as raw:
        statuses = [
            raw.ask("POST", f"/@{session}{CHAT}", chat("hi"), authorization="Bearer sk-twice-only").status
            for session in "aababb"
        ]
    assert [200, 200, 200, 401, 200, 401] == statuses


def test_many_clients_at_once_use_no_more_than_there_is(server: Running) -> None:
    """Of twenty that come together with a token for two requests, two are let in."""

    def ask(number: int) -> int:
        with Raw(server.url) as raw:
            return raw.ask("POST", CHAT, chat(f"{number}"), authorization="Bearer sk-twice-only").status

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(ask, range(20)))
    assert {200: 2, 401: 18} == Counter(statuses)


def test_an_agent_that_renews_its_key_goes_on_where_it_was(server: Running) -> None:
    """The 401 counts as no attempt, moves nothing and fails no `verify`: the agent asks again with another key."""
    with openai.OpenAI(base_url=server.openai_url, api_key="sk-twice-only", max_retries=0) as client:
        messages: list[Any] = []
        for text in "ab":
            messages.append({"role": "user", "content": text})
            answer = client.chat.completions.create(model="m", messages=messages).choices[0].message
            messages.append({"role": "assistant", "content": answer.content})
        messages.append({"role": "user", "content": "c"})
        with pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(model="m", messages=messages)
        client.api_key = "sk-good-one"
        assert "good" == client.chat.completions.create(model="m", messages=messages).choices[0].message.content
    (conversation,) = server.mock.conversations()
    assert (3, 3) == (conversation["answers"], conversation["requests"])
    assert ["reply", "reply", "rejected", "reply"] == [each["outcome"] for each in server.mock.journal()["entries"]]
    assert 1 == server.mock.journal()["entries"][-1]["attempt"]
    assert server.mock.verify().ok


def test_tokens_of_the_settings_are_needed_too() -> None:
    """A scenario without `[auth]`, and a server that was given a token."""
    with (
        serving('[[states.s]]\nreply = "hello"', tokens=(Issued("mine", "mine", uses=1),)) as server,
        Raw(server.url) as raw,
    ):
        statuses = [
            raw.ask("POST", CHAT, chat("hi"), **headers).status
            for headers in ({}, {"authorization": "Bearer mine"}, {"authorization": "Bearer mine"})
        ]
    assert [401, 200, 401] == statuses


# --- limits -----------------------------------------------------------------------------------------------------------


def counted(headers: Any, *names: str) -> list[str]:
    return [headers[name] for name in names]


def test_openai_is_told_what_is_left_and_how_long_to_wait() -> None:
    """On every answer, plain or streamed; above a limit its SDK raises what it does, and to wait as told is enough."""
    names = [f"x-ratelimit-{what}-{of}" for of in ("requests", "tokens") for what in ("limit", "remaining", "reset")]
    with (
        serving(LIMITED, clock="manual") as server,
        openai.OpenAI(base_url=server.openai_url, api_key="any", max_retries=0) as client,
    ):
        create = client.chat.completions.with_raw_response.create
        heads = [
            create(model="m", messages=[{"role": "user", "content": text}], stream=text == "b").headers for text in "ab"
        ]
        assert ["3", "2", "20s", "1000", "950", "3m0s"] == counted(heads[0], *names)
        assert ["3", "1", "40s", "1000", "900", "6m0s"] == counted(heads[1], *names)
        assert "77" == create(model="m", messages=[{"role": "user", "content": "mine"}]).headers[names[1]]
        with pytest.raises(openai.RateLimitError) as caught:
            create(model="gpt-x", messages=[{"role": "user", "content": "c"}])
        error, headers = caught.value, caught.value.response.headers
        assert ("requests", "rate_limit_exceeded", "20") == (error.type, error.code, headers["retry-after"])
        assert "gpt-x in organization org-llmposter on requests per min (RPM): Limit 3, Used 3, Requested 1." in str(
            error
        )
        assert "Please try again in 20s." in str(error)
        assert "0" == headers["x-ratelimit-remaining-requests"]
        server.clock.advance(20)  # type: ignore[attr-defined]
        assert 200 == create(model="m", messages=[{"role": "user", "content": "much"}]).http_response.status_code
        server.clock.advance(60)  # type: ignore[attr-defined]
        with pytest.raises(openai.RateLimitError) as caught:
            create(model="m", messages=[{"role": "user", "content": "c"}])
        assert ("tokens", "0") == (caught.value.type, caught.value.response.headers["x-ratelimit-remaining-tokens"])
        outcomes = [(each["outcome"], each["status"]) for each in server.mock.journal()["entries"]]
        assert [*[("reply", 200)] * 3, ("limited", 429), ("reply", 200), ("limited", 429)] == outcomes
        assert server.mock.verify().ok


def test_anthropic_is_told_what_is_left_and_how_long_to_wait() -> None:
    """In its own headers, with the time at which all is back."""
    names = [f"anthropic-ratelimit-{of}-{what}" for of in ("requests", "tokens") for what in ("limit", "remaining")]
    with (
        serving(LIMITED, clock="manual") as server,
        anthropic.Anthropic(base_url=server.url, api_key="any", max_retries=0) as client,
    ):
        create = client.messages.with_raw_response.create
        for left in ("2", "1", "0"):
            head = create(model="m", max_tokens=9, messages=[{"role": "user", "content": "a"}]).headers
            assert ["3", left, "1000"] == counted(head, *names[:3])
        assert ["850", "2026-01-01T00:01:00Z"] == counted(head, names[3], "anthropic-ratelimit-requests-reset")
        with pytest.raises(anthropic.RateLimitError) as caught:
            create(model="claude-x", max_tokens=9, messages=[{"role": "user", "content": "a"}])
        assert "rate limit of 3 requests per minute (org: " in str(caught.value)
        assert "model: claude-x)" in str(caught.value)
        head = caught.value.response.headers
        assert ["0", "20", "850"] == counted(head, names[1], "retry-after", names[3])


def test_gemini_is_told_how_long_to_wait() -> None:
    """In the details of its error, which has the true limit."""
    with serving(LIMITED, clock="manual") as server, ExitStack() as stack:
        ask = _gemini(stack, server.url, "any")
        for text in "abc":
            ask(text)
        with pytest.raises(errors.ClientError) as caught:
            ask("d")
    error = caught.value
    assert (429, "RESOURCE_EXHAUSTED") == (error.code, error.status)
    _, quota, wait = error.details["error"]["details"]
    assert ("3", {"location": "global", "model": "m"}) == (
        quota["violations"][0]["quotaValue"], quota["violations"][0]["quotaDimensions"]
    )  # fmt: skip
    assert "20s" == wait["retryDelay"]
    assert "Please retry in 20s." in error.message


def test_an_sdk_that_waits_as_told_is_let_in() -> None:
    """Its own retries are enough, on the machine's own clock; `attempt` does not count what was refused."""
    scenario = '[[limits]]\nrequests = 1\nper = "200ms"\n[[states.s]]\nreply = "${attempt}"'
    with (
        serving(scenario) as server,
        openai.OpenAI(base_url=server.openai_url, api_key="any", max_retries=1) as client,
    ):
        began = time.monotonic()
        for text in "abc":
            made = client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])
            assert "1" == made.choices[0].message.content
        assert time.monotonic() - began >= 0.39
        assert 2 == [each["outcome"] for each in server.mock.journal()["entries"]].count("limited")


def test_limits_are_of_one_credential_else_of_one_session() -> None:
    """Two keys do not stand in each other's way, nor two sessions."""
    limit = '[[limits]]\nrequests = 1\nper = "1h"\n[[states.s]]\nreply = "ok"\n'
    keyed = '[auth]\ntokens = [{ name = "a-key" }, { name = "b-key" }]\n'
    with serving(limit) as server, Raw(server.url) as raw:
        asked = [raw.ask("POST", f"{at}{CHAT}", chat("hi")).status for at in ("", "/@a", "/@b", "", "/@a")]
        assert [200, 200, 200, 429, 429] == asked
        assert 200 == raw.ask("GET", "/v1/models").status
        assert 429 == raw.ask("POST", "/v1/embeddings", {"model": "m", "input": "x"}).status
    with serving(keyed + limit) as server, Raw(server.url) as raw:
        keys = ("a-key", "b-key", "a-key", "b-key")
        asked = [raw.ask("POST", CHAT, chat("hi"), authorization=f"Bearer {key}").status for key in keys]
        assert [200, 200, 429, 429] == asked


def test_endpoints_beside_the_conversations_tell_what_is_left() -> None:
    """Vectors count as a request; a list of models does not."""
    limit = '[[limits]]\nrequests = 9\nper = "1h"\n[[states.s]]\nreply = "ok"\n'
    with serving(limit) as server, Raw(server.url) as raw:
        for left in ("8", "7"):
            answer = raw.ask("POST", "/v1/embeddings", {"model": "m", "input": "x"})
            assert (200, left) == (answer.status, answer.headers["x-ratelimit-remaining-requests"])
        assert "x-ratelimit-remaining-requests" not in raw.ask("GET", "/v1/models").headers


def test_one_who_asks_for_more_than_there_is_is_told_so() -> None:
    """No `retry-after`: no time helps."""
    limit = '[[limits]]\ntokens = 10\nper = "1m"\n[[states.s]]\nreply = "ok"\n'
    with serving(limit) as server, Raw(server.url) as raw:
        answer = raw.ask("POST", CHAT, chat("words " * 100))
        assert 429 == answer.status
        assert "Request too large for m in organization org-llmposter on tokens per min (TPM): Limit 10" in str(
            answer.json
        )
        assert "retry-after" not in answer.headers
