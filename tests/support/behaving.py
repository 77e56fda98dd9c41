"""Requests to all four APIs from one description, and what came back: for tables of behaviour.

What is said is read by the judges, which are the official SDKs' models; bytes, times and how a body ended by hand.
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from judging import Heard, judges

PROVIDERS = ("openai", "anthropic", "gemini", "responses")
MODEL = "gpt-4"
_MAX = 128


class Told(NamedTuple):
    """An answer as it came off the wire.

    Attributes:
        whole: the body came to its end as HTTP has it. cut: the connection was reset before.
        seconds: from the request to the end. events: of a stream; none of what is none.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool
    cut: bool
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[str]:
        return [part for part in self.body.decode().replace("\r\n", "\n").split("\n\n") if part]

    @property
    def data(self) -> list[Any]:
        """The data of each event that has JSON."""
        lines = [line[6:] for event in self.events for line in event.splitlines() if line.startswith("data: ")]
        return [json.loads(line) for line in lines if line != "[DONE]"]

    @property
    def message(self) -> str:
        """Of an error, wherever its provider puts it: in the same place, as it happens."""
        return str(self.json["error"]["message"])


def body(
    provider: str,
    user: str | None = "hello",
    *,
    model: str = MODEL,
    stream: bool = False,
    system: str | None = None,
    temperature: float | None = None,
    tools: tuple[str, ...] = (),
    metadata: dict[str, Any] | None = None,
    messages: list[Any] | None = None,
) -> dict[str, Any]:
    """The body of a request; *messages* in place of what the user says."""
    said = _MESSAGES[provider](user) if messages is None else messages
    more: dict[str, Any] = {} if metadata is None else {"metadata": metadata}
    match provider:
        case "openai":
            said = [{"role": "system", "content": system}, *said] if system is not None else said
            declared = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in tools]
            more |= {"model": model, "messages": said, "stream": stream}
            more |= {"stream_options": {"include_usage": True}} if stream else {}
        case "anthropic":
            declared = [{"name": name, "input_schema": {"type": "object"}} for name in tools]
            more |= {"model": model, "messages": said, "stream": stream, "max_tokens": _MAX}
            more |= {} if system is None else {"system": system}
        case "gemini":
            declared = [{"functionDeclarations": [{"name": name} for name in tools]}] if tools else []
            more |= {"contents": said}
            more |= {} if system is None else {"systemInstruction": {"parts": [{"text": system}]}}
            return more | _some(tools=declared) | _some(generationConfig=_some(temperature=temperature))
        case _:
            declared = [{"type": "function", "name": name, "parameters": {}} for name in tools]
            more |= {"model": model, "input": said, "stream": stream} | _some(instructions=system)
    return more | _some(tools=declared, temperature=temperature)


def _some(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, [], {})}


_MESSAGES: dict[str, Any] = {
    "openai": lambda user: [{"role": "user", "content": user}],
    "anthropic": lambda user: [{"role": "user", "content": user}],
    "gemini": lambda user: [{"role": "user", "parts": [{"text": user}]}],
    "responses": lambda user: [{"role": "user", "content": user}],
}


def path(provider: str, *, stream: bool = False, model: str = MODEL, array: bool = False) -> str:
    """Where a provider's requests go."""
    if provider == "gemini":
        action = "streamGenerateContent" + ("" if array else "?alt=sse") if stream else "generateContent"
        return f"/v1beta/models/{model}:{action}"
    return {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "responses": "/v1/responses"}[provider]


def ask(url: str, provider: str, user: str | None = "hello", *, array: bool = False, **more: Any) -> Told:
    """The answer to a request described so; `headers` may be among what more is said."""
    headers = {"anthropic-version": "2023-06-01"} if provider == "anthropic" else {}
    headers |= more.pop("headers", {})
    where = path(provider, stream=more.get("stream", False), model=more.get("model", MODEL), array=array)
    return post(url, where, body(provider, user, **more), **headers)


def heard(provider: str, told: Told) -> Heard:
    """What the official SDK's models make of it, strictly."""
    assert told.status == 200, told
    assert told.whole, told
    judge = judges()[provider]
    streamed = told.headers["content-type"].startswith("text/event-stream")
    return judge.streamed(told.body) if streamed else judge.whole(told.body)


def post(url: str, where: str, sent: Any, method: str = "POST", **headers: str) -> Told:
    """The answer to one request on a connection of its own."""
    parts = urlsplit(url)
    data = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    head = {"host": parts.netloc, "content-length": str(len(data)), "connection": "close"} | headers
    lines = [f"{method} {parts.path}{where} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    began = time.perf_counter()
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as there:
        there.sendall("\r\n".join(lines).encode() + data)
        received, cut = _all(there)
    return _told(received, cut, time.perf_counter() - began)


def _all(there: socket.socket) -> tuple[bytes, bool]:
    received = b""
    try:
        while more := there.recv(65536):
            received += more
    except ConnectionResetError:
        return received, True
    return received, False


def _told(received: bytes, cut: bool, seconds: float) -> Told:
    head, _, rest = received.partition(b"\r\n\r\n")
    first, *fields = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    if headers.get("transfer-encoding") == "chunked":
        text, whole = _unchunked(rest)
    else:
        text, whole = rest, len(rest) == int(headers.get("content-length", len(rest)))
    return Told(int(first.split()[1]), headers, text, whole and not cut, cut, seconds)


def _unchunked(rest: bytes) -> tuple[bytes, bool]:
    text = b""
    while rest:
        line, _, rest = rest.partition(b"\r\n")
        size = int(line or b"0", 16)
        if size == 0:
            return text, True
        text, rest = text + rest[:size], rest[size + 2 :]
    return text, False
