"""What an agent's HTTP client does with a token that has ended: it refreshes, once for all that wait or each alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Refreshing(httpx.Auth):
    """Presents an access token, and at a 401 another one.

    Args:
        http: asks the OAuth server at *url*.
        tokens: what the consent gave.
        once: those that meet the same 401 wait for one refresh; else each has its own.
    """

    def __init__(
        self, http: httpx.AsyncClient, url: str, tokens: dict[str, Any], client: tuple[str, str], *, once: bool
    ) -> None:
        self.http, self.url, self.tokens, self.client, self.once = http, url, tokens, client, once
        self._lock = asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncIterator[httpx.Request]:  # type: ignore[override]
        token = self.tokens["access_token"]
        request.headers["authorization"] = f"Bearer {token}"
        answer: httpx.Response = yield request  # type: ignore[misc]
        if answer.status_code == 401:
            request.headers["authorization"] = f"Bearer {await self._another(token)}"
            yield request

    async def _another(self, token: str) -> str:
        if not self.once:
            return await self._refresh()
        async with self._lock:
            return await self._refresh() if self.tokens["access_token"] == token else self.tokens["access_token"]

    async def _refresh(self) -> str:
        asked = {"grant_type": "refresh_token", "refresh_token": self.tokens["refresh_token"]}
        answer = await self.http.post(f"{self.url}/token", data=asked, auth=self.client)
        if answer.is_success:
            self.tokens = self.tokens | answer.json()
        return str(answer.json().get("access_token", "none"))
