"""The guard: no test reaches a real provider, and one whose client wanted to fails, whatever became of the attempt."""

from __future__ import annotations

import asyncio
import socket
import sys

import httpx
import pytest
import uvloop
from plugin import given, printed, ran

from llmposter.testing.plugin import guard

pytest_plugins = ["pytester"]

HOSTS = {
    "api.openai.com": "OPENAI_BASE_URL",
    "eu.api.openai.com": "OPENAI_BASE_URL",
    "API.OpenAI.com.": "OPENAI_BASE_URL",
    "api.anthropic.com": "ANTHROPIC_BASE_URL",
    "generativelanguage.googleapis.com": "GOOGLE_GEMINI_BASE_URL",
    "aiplatform.googleapis.com": "GOOGLE_VERTEX_BASE_URL",
    "us-central1-aiplatform.googleapis.com": "GOOGLE_VERTEX_BASE_URL",
    "mine.openai.azure.com": "AZURE_OPENAI_ENDPOINT",
    "mine.services.ai.azure.com": "AZURE_OPENAI_ENDPOINT",
    "api.mistral.ai": "give it `base_url=llmposter.openai_url`",
    "openrouter.ai": "give it `base_url=llmposter.openai_url`",
    "bedrock-runtime.us-east-1.amazonaws.com": "whose API llmposter does not play",
}
OTHERS = ("api.openai.com.example", "openai.com", "notapi-openai.com", "storage.googleapis.com", "example.com", "")


@pytest.mark.parametrize("host", HOSTS)
def test_a_provider_is_known_by_its_host(host: str) -> None:
    """And the sentence names what would have led elsewhere."""
    watch = guard.begin()
    try:
        with pytest.raises(guard.RealProvider) as caught:
            guard.refuse(host)
        with pytest.raises(guard.RealProvider):
            guard.refuse(host.encode())
    finally:
        guard.end()
    assert HOSTS[host] in str(caught.value)
    assert [str(caught.value)] == watch.told()
    guard.refuse(host)


@pytest.mark.parametrize("host", OTHERS)
def test_nobody_else_is_kept_from_a_test(host: str) -> None:
    """Not by a name that is like one."""
    watch = guard.begin()
    guard.refuse(host)
    guard.end()
    assert [] == watch.told()


async def opened(host: str = "api.openai.com") -> None:
    await asyncio.open_connection(host, 443)


async def looked_up() -> None:
    await asyncio.get_running_loop().getaddrinfo("api.openai.com", 443)


async def by_httpx() -> None:
    async with httpx.AsyncClient() as client:
        await client.get("https://api.openai.com/v1/models")


WAYS = {
    "a socket": lambda: socket.create_connection(("api.openai.com", 443)),
    # What a socket tells of that is given a name; it has looked the name up by then (socketmodule.c).
    "a socket by hand": lambda: sys.audit("socket.connect", None, ("api.openai.com", 443)),
    "a name": lambda: socket.gethostbyname("api.openai.com"),
    "httpx": lambda: httpx.get("https://api.openai.com/v1/models"),
    "asyncio": lambda: asyncio.run(opened()),
    "asyncio, a name": lambda: asyncio.run(looked_up()),
    "asyncio, httpx": lambda: asyncio.run(by_httpx()),
    "uvloop": lambda: uvloop.run(opened()),
    "uvloop, a name": lambda: uvloop.run(looked_up()),
    "uvloop, httpx": lambda: uvloop.run(by_httpx()),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("way", WAYS)
def test_no_way_leads_there(way: str) -> None:
    """Whatever the client looks names up with."""
    watch = guard.begin()
    guard.over_uvloop()
    try:
        with pytest.raises((guard.RealProvider, httpx.ConnectError), match="the client wanted to reach"):
            WAYS[way]()
    finally:
        guard.end()
    assert 1 == len(watch.told())


TESTS = """
import socket

def reach():
    try:
        socket.getaddrinfo("api.anthropic.com", 443, flags=socket.AI_NUMERICHOST)
    except OSError:
        pass

@pytest.fixture
def reaching():
    reach()

@pytest.mark.llmposter("weather.toml")
def test_marked():
    reach()

@pytest.mark.llmposter("weather.toml")
def test_in_a_fixture(reaching):
    pass

@pytest.mark.llmposter("weather.toml", guard=False)
def test_let_go():
    reach()

@pytest.mark.llmposter(guard=True, verify=False)
def test_asked_for(request):
    reach()

def test_plain():
    reach()
"""


@pytest.mark.parametrize(("mode", "passed", "failed"), [("used", 2, 2), ("all", 1, 3), ("off", 4, 0)])
def test_a_test_fails_whose_client_wanted_to_reach_one(
    mode: str, passed: int, failed: int, pytester: pytest.Pytester
) -> None:
    """Also where the client swallowed it; the ini-file and the marker say which tests are watched."""
    given(pytester, TESTS)
    result = ran(pytester, "-o", f"llmposter_guard={mode}", "-k", "not asked_for", passed=passed, failed=failed)
    assert ("did not heed ANTHROPIC_BASE_URL" in printed(result)) == (failed > 0)


def test_a_marker_asks_for_it(pytester: pytest.Pytester) -> None:
    """Where the ini-file has it off."""
    given(pytester, TESTS)
    (pytester.path / "pytest.ini").write_text("[pytest]\nllmposter_guard = off\nllmposter_scenarios = weather.toml\n")
    ran(pytester, "-k", "asked_for or plain", passed=1, failed=1)
