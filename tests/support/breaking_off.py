"""Faults as a client without a library meets them: the bytes that came, and how the connection ended."""

from __future__ import annotations

import time
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from judging import judges
from raw_http import Raw
from serving import program

from llmposter.core.clock import ManualClock
from llmposter.server import Running, Settings
from llmposter_dsl.compiler import compile_text

if TYPE_CHECKING:
    import socket

    from llmposter_dsl.program import Program

ACTIONS: Final = (
    "drop", "close", "stall 30s", "hang", "corrupt", "duplicate", "error overloaded", 'send "oops"',
    'send 502 "<h1>Bad gateway</h1>" as text/html',
)  # fmt: skip
POINTS: Final = (
    "before headers", "inside headers", "after headers", "after 1 chunk", "after 3 events", "after 200 bytes",
    "after 300ms", "halfway", "inside tool arguments", "between tool calls", "before finish", "before usage",
    "before the end",
)  # fmt: skip
SCENARIO: Final = """
[[states.begin]]
reply  = "Let me look: 🌍 is where you are, and it is warm there."
call   = ['get_weather(city: "Ürümqi", unit: "celsius")', 'now()']
stream = { ttft = "200ms", pace = "200ms" }
"""
_STILL: Final = 12
"""Moves of the clock after which nothing more is waited for, as far as all that the server sent is here."""


class Ended(NamedTuple):
    """How an answer reached its client.

    Attributes:
        head: status line and headers, without the date. body: with its framing taken off.
        end: ``complete``, ``closed`` (FIN), ``reset`` or ``open``. struck: whether the answer has the point.
        headed: all of the head came.
    """

    head: bytes
    body: bytes
    end: str
    struck: bool
    headed: bool

    @property
    def digest(self) -> str:
        """Of all that came and of its end."""
        return blake2b(b"\0".join((self.head, self.body, self.end.encode())), digest_size=6).hexdigest()


def phrases() -> list[str]:
    """Every action at every point where it means something."""
    every = (f"{action} {point}" for action in ACTIONS for point in POINTS)
    return [phrase for phrase in every if compile_text(_scenario(phrase)).program is not None]


def broken(phrase: str) -> Program:
    """The scenario with this fault; without one for ""."""
    return program(_scenario(phrase) if phrase else SCENARIO)


def _scenario(phrase: str) -> str:
    return f"{SCENARIO}fault = '{phrase}'\n"


def ask(broken: Program, wire: str, *, stream: bool) -> Ended:
    """What comes of the small request of a wire's judge, the clock moved on wherever the answer waits."""
    path, headers, body = judges()[wire].request(stream=stream)
    with Running([broken], Settings(clock="manual")) as server, Raw(server.url) as raw:
        raw.send(raw.request("POST", path, body, **{name.replace("-", "_"): value for name, value in headers.items()}))
        data, end = _read(server, raw.socket)
        entry = server.mock.journal()["entries"][-1]
    head, gap, rest = data.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"date:")]
    chunked = b"\ntransfer-encoding: chunked" in head and gap
    struck = all(each["after"] is not None for each in entry["faults"])
    return Ended(b"\r\n".join(lines), _unchunked(rest) if chunked else rest, end, struck, bool(gap))


def _read(server: Running, connection: socket.socket) -> tuple[bytes, str]:
    clock, data, still, until = server.clock, b"", 0, time.monotonic() + 30
    assert isinstance(clock, ManualClock)
    connection.settimeout(0.002)
    while time.monotonic() < until:
        try:
            got = connection.recv(65_536)
        except TimeoutError:
            if not server.mock.journal()["entries"]:
                continue  # its time is told in the answer
            still += 1
            clock.advance(5.0)
            if still > _STILL and _all_is_here(server, data):
                return data, "open"
        except ConnectionResetError:
            return data, "reset"
        else:
            if not got:
                return data, "closed"
            data, still = data + got, 0
            if _is_whole(data) and b"\nconnection: close" not in data:
                return data, "complete"
    raise AssertionError(data)


def _all_is_here(server: Running, data: bytes) -> bool:
    """A client that hears nothing cannot know; the journal does, once the fault has struck."""
    entries = server.mock.journal()["entries"]
    struck = [each["after"] for entry in entries for each in entry["faults"]]
    head, gap, rest = data.partition(b"\r\n\r\n")
    chunked = b"\ntransfer-encoding: chunked" in head and gap
    return bool(struck) and len(_unchunked(rest) if chunked else rest) >= (struck[0] or 0)


def _is_whole(data: bytes) -> bool:
    head, gap, rest = data.partition(b"\r\n\r\n")
    if not gap:
        return False
    if b"\ntransfer-encoding: chunked" in head:
        return rest.endswith(b"\r\n0\r\n\r\n") or rest == b"0\r\n\r\n"
    length = int(head.partition(b"\ncontent-length: ")[2].partition(b"\r")[0])
    return len(rest) >= length


def _unchunked(rest: bytes) -> bytes:
    """As far as it came."""
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return body
