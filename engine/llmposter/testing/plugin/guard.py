"""Keeps a test's clients from real providers, and tells which of them wanted to reach one.

CPython tells an audit hook of every name that is looked up and every connection; a hook stays for good, so that there
is one for the process, which does nothing while no test is watched.
"""

from __future__ import annotations

import re
import sys
from functools import wraps
from typing import Any, Final, NamedTuple

_INSTEAD: Final = "it was made before the test, or has a base URL of its own: make it in the test, or give it"
_PLAYABLE: Final = (
    r"api\.(?:mistral\.ai|groq\.com|cohere\.(?:com|ai)|deepseek\.com|x\.ai|together\.(?:xyz|ai)|fireworks\.ai|"
    r"perplexity\.ai|cerebras\.ai)|openrouter\.ai|router\.huggingface\.co"
)
"""Providers that take requests as OpenAI does."""


class Provider(NamedTuple):
    """Whom a client is kept from.

    Attributes:
        variable: what would have led it elsewhere; "" where there is none.
        url: what to give it; "" where llmposter does not play the provider.
    """

    host: re.Pattern[str]
    variable: str
    url: str


_PROVIDERS: Final = (
    Provider(re.compile(r"(?:\w+\.)?api\.openai\.com"), "OPENAI_BASE_URL", "openai_url"),
    Provider(re.compile(r"(?:\w+\.)?api\.anthropic\.com"), "ANTHROPIC_BASE_URL", "anthropic_url"),
    Provider(re.compile(r"generativelanguage\.googleapis\.com"), "GOOGLE_GEMINI_BASE_URL", "gemini_url"),
    Provider(
        re.compile(r"(?:[\w-]+-)?aiplatform(?:\.[\w-]+\.rep)?\.googleapis\.com"), "GOOGLE_VERTEX_BASE_URL", "gemini_url"
    ),
    Provider(
        re.compile(r"[\w-]+\.(?:openai|cognitiveservices|services\.ai)\.azure\.com"), "AZURE_OPENAI_ENDPOINT", "url"
    ),
    Provider(re.compile(r"bedrock-runtime(?:-fips)?\.[\w-]+\.amazonaws\.com"), "", ""),
    Provider(re.compile(_PLAYABLE), "", "openai_url"),
)


class RealProvider(ConnectionError):  # noqa: N818 - it reads as what happened
    """A client wanted to reach a real provider in a test."""


class Watch:
    """What the clients of a test wanted to reach."""

    def __init__(self) -> None:
        self.reached: dict[str, str] = {}

    def told(self) -> list[str]:
        """A sentence for each provider."""
        return list(self.reached.values())


_watched: Watch | None = None
_hooked = False


def begin() -> Watch:
    """From now on no provider is reached; what was tried is in what comes back."""
    global _watched, _hooked  # noqa: PLW0603 - as a hook cannot be taken back, both belong to the process
    if not _hooked:
        sys.addaudithook(_heard)
        _hooked = True
    _watched = Watch()
    return _watched


def end() -> None:
    """Nobody is kept from anything."""
    global _watched  # noqa: PLW0603 - likewise
    _watched = None


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched is None or not event.startswith("socket."):
        return
    match event:
        case "socket.getaddrinfo" | "socket.gethostbyname":
            refuse(arguments[0])
        case "socket.connect" if isinstance(arguments[1], tuple):
            refuse(arguments[1][0])


def refuse(host: object) -> None:
    """Nothing, unless it is a provider's.

    Raises:
        RealProvider: it is.
    """
    name = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else host
    if _watched is None or not isinstance(name, str):
        return
    name = name.lower().rstrip(".")
    told = next((_sentence(name, each) for each in _PROVIDERS if each.host.fullmatch(name)), None)
    if told is not None:
        _watched.reached[name] = told
        raise RealProvider(told)


def _sentence(host: str, provider: Provider) -> str:
    told = f"the client wanted to reach {host}"
    match provider:
        case Provider(_, "", ""):
            return f"{told}, whose API llmposter does not play"
        case Provider(_, "", url):
            return f"{told}, for which llmposter sets no variable: give it `base_url=llmposter.{url}`"
        case Provider(_, variable, url):
            return f"{told} and did not heed {variable}: {_INSTEAD} `base_url=llmposter.{url}`"


def over_uvloop() -> None:
    """On uvloop, which looks names up by itself, and tells no audit hook of it (uvloop/loop.pyx, `getaddrinfo`)."""
    uvloop = sys.modules.get("uvloop")
    if uvloop is not None and not hasattr(uvloop.Loop.getaddrinfo, "__wrapped__"):
        uvloop.Loop.getaddrinfo = _first_refused(uvloop.Loop.getaddrinfo, 1)
        uvloop.Loop.create_connection = _first_refused(uvloop.Loop.create_connection, 2)


def _first_refused(method: Any, place: int) -> Any:
    @wraps(method)
    async def guarded(*arguments: Any, **named: Any) -> Any:
        refuse(named.get("host", arguments[place] if len(arguments) > place else None))
        return await method(*arguments, **named)

    return guarded
