"""The OAuth client of the MCP Python SDK, beneath the `openai` SDK: it knows a base URL, and finds all else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx2
import jwt
import openai
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from oauth_playing import CALLBACK, ID, OVER, SECRET, TOOLS, Heard, admin, browse, discovered, expire, query
from playing import run


class Storage:
    """In memory."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Browser:
    """That of the user, which comes back with what the server gave."""

    async def open(self, address: str) -> None:
        self.asked = query(address)
        self._told = query(await asyncio.to_thread(browse, address))

    async def back(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code=self._told["code"], state=self._told["state"], iss=self._told["iss"])


def provider(url: str, storage: Storage, browser: Browser, method: str) -> OAuthClientProvider:
    metadata = OAuthClientMetadata(redirect_uris=[CALLBACK], token_endpoint_auth_method=method, client_name="MCP")
    return OAuthClientProvider(f"{url}/v1", metadata, storage, browser.open, browser.back)


class Agent:
    """As `oauth_playing` has it; the key that the SDK has is none, and the provider puts the token in its place."""

    def __init__(self, url: str, auth: httpx2.Auth) -> None:
        http = httpx2.AsyncClient(auth=auth)
        self._client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, http_client=http)
        self._messages: list[Any] = [{"role": "user", "content": "Run the report."}]

    async def ask(self) -> str:
        answer = await self._client.chat.completions.create(model="gpt-4o", messages=self._messages, tools=TOOLS)
        message = answer.choices[0].message
        self._messages.append(message)
        for call in message.tool_calls or ():
            self._messages.append({"role": "tool", "tool_call_id": call.id, "content": '{"rows": 12}'})
            return call.function.name
        return str(message.content)

    async def let_in(self) -> bool:
        return bool((await self._client.models.list()).data)


async def consents(url: str, method: str) -> Heard:
    """It registers, has a person consent, refreshes once its token is over, and asks again if it died early."""
    storage, browser = Storage(), Browser()
    agent = Agent(url, provider(url, storage, browser, method))
    await asyncio.to_thread(admin, url, "oauth/answers", {"answers": [{"expires_in": 1}]})
    said = [await agent.ask()]
    first, asked = storage.tokens, browser.asked
    await over(url)
    said.append(await agent.ask())
    second = storage.tokens
    await asyncio.to_thread(expire, url)
    again = await agent.let_in()
    return {
        "loop": said,
        "audience": decoded(first)["aud"] == asked["resource"] == url,
        "kept": decoded(second)["aud"] == url,
        "rotated": second.refresh_token != first.refresh_token,
        "secret": (storage.client.client_secret is not None) == (method != "none"),
        "dies early": [again, storage.tokens.refresh_token != second.refresh_token],
    }


async def speaks(url: str, method: str) -> Heard:
    """Its provider for clients that speak for themselves, which asks again for another token."""
    storage, issuer = Storage(), await asyncio.to_thread(discovered, url)
    auth = ClientCredentialsOAuthProvider(f"{url}/v1", storage, ID, SECRET, method, issuer=issuer["issuer"])
    agent = Agent(url, auth)
    said = [await agent.ask()]
    await asyncio.to_thread(expire, url, ID)
    return {"loop": [*said, await agent.ask()], "audience": decoded(storage.tokens)["aud"] == url}


async def over(url: str) -> None:
    """Both by the client's clock and by the server's."""
    await asyncio.to_thread(time.sleep, OVER)
    await asyncio.to_thread(expire, url)


def decoded(token: OAuthToken) -> dict[str, Any]:
    return jwt.decode(token.access_token, options={"verify_signature": False})


def play(flow: Callable[[str, str], Any]) -> Callable[[str, str, bool], Heard]:
    return lambda url, method, _: asyncio.run(flow(url, method))


run(flow={"found": play(consents), "found-itself": play(speaks)})
