"""A hundred conversations of one agent, whose token ends for all of them at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import openai
import pytest
from refreshing import Refreshing
from serving import serving

from llmposter.server import Running
from oauth import SECRET, OAuthClient

pytestmark = pytest.mark.usefixtures("transport")

MANY = 100
SCENARIO = """
[scenario]
final = ["done"]

[auth.oauth]
redirect_uris = ["http://localhost:7777/callback"]
access_lifetime = "1m"
refresh = "%s"

[[states.ask]]
reply = "Wait a moment."
goto = "working"

[[states.working]]
expect = "token.grant == 2"
reply = "Done, with grant ${token.grant}."
goto = "done"
"""


async def talk(server: Running, tokens: dict[str, Any], *, once: bool) -> list[Any]:
    """What each of the conversations hears after the token has ended; or what its SDK raises."""
    assert server.oauth is not None
    async with httpx.AsyncClient(timeout=60) as plain:
        auth = Refreshing(plain, server.oauth.url, tokens, SECRET, once=once)
        http = httpx.AsyncClient(auth=auth, timeout=60)
        async with openai.AsyncOpenAI(base_url=server.openai_url, api_key="-", max_retries=0, http_client=http) as sdk:
            begun = [[{"role": "user", "content": f"hello from {n}"}] for n in range(MANY)]
            first = await asyncio.gather(*(said(sdk, messages) for messages in begun))
            assert Counter({"Wait a moment.": MANY}) == Counter(first)
            server.clock.advance(60)  # type: ignore[attr-defined]
            for messages, answer in zip(begun, first, strict=True):
                messages += [{"role": "assistant", "content": answer}, {"role": "user", "content": "and now?"}]
            return await asyncio.gather(*(said(sdk, messages) for messages in begun), return_exceptions=True)


async def said(sdk: openai.AsyncOpenAI, messages: Any) -> str | None:
    made = await sdk.chat.completions.create(model="gpt-4o", messages=messages)
    return made.choices[0].message.content


def met(refresh: str, *, once: bool) -> tuple[list[Any], Running, dict[str, Any]]:
    """What the conversations heard, the server, which has ended, and what its OAuth server was asked."""
    with serving(SCENARIO % refresh, clock="manual") as server, httpx.Client(timeout=20) as http:
        assert server.oauth is not None
        client = OAuthClient(http, server.oauth.url, server.oauth, server.mock.admission.credentials)
        heard = asyncio.run(talk(server, client.tokens(), once=once))
        told = http.get(f"{server.url}/_llmposter/oauth").json()
    return heard, server, told


@pytest.mark.parametrize("refresh", ["rotate", "keep"])
def test_an_agent_that_refreshes_once_passes(refresh: str) -> None:
    """Each conversation meets the 401 and goes on with the one new token."""
    heard, server, told = met(refresh, once=True)
    assert ["Done, with grant 2."] * MANY == heard
    outcomes = Counter(entry["outcome"] for entry in server.mock.journal()["entries"])
    assert {"reply": 2 * MANY, "rejected": MANY} == outcomes
    assert (1, [("authorization_code", "ok"), ("refresh_token", "ok")]) == (told["refreshes"], asked(told))
    assert server.mock.verify().ok


def test_an_agent_that_refreshes_for_each_conversation_is_reported() -> None:
    """A hundred refreshes: one conversation has the second grant, and ninety-nine violations tell of the others."""
    heard, server, told = met("keep", once=False)
    assert sorted(f"Done, with grant {n}." for n in range(2, MANY + 2)) == sorted(heard)
    assert MANY == told["refreshes"]
    violations = server.mock.violations()
    assert {"expect": MANY - 1} == Counter(each["kind"] for each in violations)
    assert all("token.grant == 2" in str(each) for each in violations)
    verdict = server.mock.verify()
    assert not verdict.ok
    assert len(verdict.problems) >= 1


def test_where_refresh_tokens_rotate_such_an_agent_loses_its_own() -> None:
    """The second use of a refresh token ends all that came of the consent, and the conversations end nowhere."""
    heard, server, told = met("rotate", once=False)
    refused = [each for each in heard if isinstance(each, openai.AuthenticationError)]
    assert len(refused) >= MANY - 1
    assert {"ok": 2, "invalid_grant": MANY - 1} == Counter(each["outcome"] for each in told["grants"])
    assert 1 == told["refreshes"]
    assert not server.mock.verify().ok


def asked(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["grant_type"], each["outcome"]) for each in told["grants"]]
