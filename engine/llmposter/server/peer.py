"""One TCP connection: bytes through llhttp to calls, calls answered in their order, all within `Limits`.

Nothing of a request is believed that llhttp does not; what two readers could understand in two ways is refused.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from llmposter.server import second_look
from llmposter.server.answers import MOST_DRAINED, MOST_OF_BODY, TOO_LARGE, problem
from llmposter.server.call import Call
from llmposter.server.outlet import Outlet
from llmposter.server.request_head import END

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmposter.model import Connection
    from llmposter.server.fast import Fast

_AT_A_TIME: Final = 64
"""Calls of one connection that are answered before others get their turn."""
_MOST_HELD: Final = 1024 * 1024
"""Bytes that are kept while nobody knows yet what they are."""
_NAMES: Final[dict[bytes, str]] = {}
_MOST_NAMES: Final = 2048


class Refused(Exception):  # noqa: N818 - it reads as what happened
    """What came can be no call, and nothing after it can be understood."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Peer(Outlet):
    """The client at the other end.

    Attributes:
        busy: the call that is being answered. gone: the connection is.
        full: the client does not read as fast as it is written to.
        ended: the client said that it will send nothing more.
        deadline: when `expired` is called.
        between: all that came was read to the end of a call, and the next byte begins another.
        lent: takes all bytes, once the connection is no longer HTTP.
    """

    __slots__ = (
        "_call", "_done", "_early", "_fed", "_held", "_loose", "_lost", "_parser", "_paused", "_pumping", "_queue",
        "_second", "between", "busy", "connection", "ended", "lent", "method", "server",
    )  # fmt: skip

    connection: Connection

    def __init__(self, server: Fast) -> None:
        super().__init__(server.limits)
        self.server = server
        self._call: Call | None = None
        self._queue: deque[Call] = deque()
        self._fed = self._loose = self._done = 0
        self._early = b""
        self._held: bytearray | None = None
        self._second: second_look.Look | None = None
        self._paused = self._pumping = False
        self.busy: Call | None = None
        self.ended = False
        self.between = True
        self.lent: Callable[[bytes], None] | None = None
        self._lost: Callable[[], None] | None = None
        self.method = ""
        self._parser = HttpRequestParser(self)

    # --- the connection comes and goes ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass
        self.deadline = monotonic() + self.limits.idle
        if (refused := self.server.met(self)) is not None:
            self._refuse(Refused(503, refused), "")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        self.connection.open = False
        self._queue.clear()
        self.lost()
        self.server.parted(self)
        if self._lost is not None:
            self._lost()
        if self.busy is not None:
            self.busy.left()
            self.busy = None

    def eof_received(self) -> bool:
        """Whoever has been answered is parted from; others get what they asked for, unless it takes too long."""
        self.ended = True
        # Nothing more can be asked on it, so that whoever comes again comes on another one.
        self.connection.open = False
        if self.lent is not None or self.closing or (self.busy is None and not self._queue):
            return False
        asyncio.get_running_loop().call_later(self.limits.grace, self._patient, self.writes)
        return True

    def _patient(self, writes: int) -> None:
        if self.gone or self.busy is None:
            return
        if writes != self.writes or self.full:
            # Writing to who has left breaks the connection, so that it shows by itself.
            asyncio.get_running_loop().call_later(self.limits.grace, self._patient, self.writes)
        else:
            self.abort()

    def lend(self, take: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        """The connection is no longer HTTP: all bytes go to *take*, and *lost* hears of its end."""
        self.lent, self._lost, self.deadline = take, lost, inf
        held, self._held = self._held, None
        if held:
            take(bytes(held))

    # --- bytes come -----------------------------------------------------------------------------------------------

    def writable(self) -> None:
        self._pump()

    def data_received(self, data: bytes) -> None:
        if self.closing:
            return
        if self.between:
            if not self._recognised(data):
                self._feed(data, fresh=True)
        elif self.lent is not None:
            self.lent(data)
        elif self._held is not None:
            self._hold(data)
        elif self._second is not None:
            self._look_again(data)
        else:
            self._feed(data)

    def _recognised(self, data: bytes) -> bool:
        """Whether this is one whole call under a head that llhttp has read before, byte for byte; then it is taken."""
        if self.busy is not None or self.full or self._queue:
            return False
        at = data.find(END) + len(END)
        head = self.server.known.get(data[:at])
        if head is None or len(data) != at + head.size:
            return False
        call = self.busy = Call(self)
        call.head, call.method, call.headed = head, head.method, True
        call.body.append(data[at:])
        self.server.take(call)
        return True

    def _learn(self, data: bytes, call: Call) -> None:
        """Keep a head that can be recognised: *data* was one call, its body in one piece, and nothing was unusual."""
        at = len(data) - call.size
        if data.find(END) + len(END) != at or data[0] in b"\r\n" or not call.keep or call.old or call.upgrade:
            return
        if call.wrong is not None or "transfer-encoding" in call.headers or "expect" in call.headers:
            return
        head = self.server.head(call)
        if not head.tornado:
            head.size = call.size
            self.server.known.keep(data[:at], head)

    def _feed(self, data: bytes, *, fresh: bool = False) -> None:
        """Bytes for llhttp; *fresh* ones came as they are, at the beginning of a call."""
        self.between = False
        self._fed += len(data)
        self._loose += len(data)
        done, whole = self._done, self._call is None
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as found:
            self._offered(data[found.args[0] :])
            return
        except HttpParserInvalidMethodError:
            if done == self._done and (whole or self._early):
                self._second = second_look.Look(self._early)
                self._look_again(data)
            else:
                self._refuse(Refused(400, "no method that is known begins what follows another request"))
            return
        except HttpParserCallbackError as error:
            cause = error.__context__
            self._refuse(cause if isinstance(cause, Refused) else Refused(400, "that is no HTTP"))
            return
        except HttpParserError as error:
            if self.ended or self._finished():
                return
            self._refuse(Refused(400, f"that is no HTTP: {error}"))
            return
        call = self._call
        if call is not None:
            if not call.url and done == self._done:
                self._early += data
            self._partly(call)
        elif not self._fed:
            self.between = not self.closing
            if fresh and self._done == done + 1:
                self._learn(data, self._queue[-1])
        self._pump()

    def _finished(self) -> bool:
        """Whether the last call said that it is the last; what follows it is nobody's."""
        last = self._queue[-1] if self._queue else self.busy
        if last is None or last.keep or self._call is not None:
            return False
        self._pump()
        return True

    def _partly(self, call: Call) -> None:
        """A call of which more is to come: how much of it, and for how long."""
        limits = self.limits
        if call.headed:
            if self._loose > limits.padding:
                self._refuse(Refused(400, f"more than {limits.padding} bytes around a body's pieces"))
                return
        elif self._fed > limits.head:
            self._refuse(_large_head(call, limits.head))
            return
        if call.timed <= call.headed:
            call.timed = call.headed + 1
            self.deadline = monotonic() + (limits.body_time if call.headed else limits.head_time)

    # --- what llhttp calls ----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._call = Call(self)

    def on_url(self, url: bytes) -> None:
        call = self._call
        assert call is not None
        call.url += url
        self._early = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        call = self._call
        assert call is not None
        if call.headed:
            return  # a trailer: nobody asked for it
        key = _NAMES.get(name) or _name(name)
        headers = call.headers
        if key in headers:
            call.repeats += 1
            if key == "host" or call.repeats > self.limits.fields:
                raise Refused(400, f"the header {key} stands there more often than it may")
            headers[key] = f"{headers[key]}, {value.decode('latin-1')}"
        else:
            headers[key] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        call, parser, limits = self._call, self._parser, self.limits
        assert call is not None
        call.headed = True
        call.method, self.method = self.method or parser.get_method().decode("ascii"), ""
        headers = call.headers
        version = parser.get_http_version()
        if version != "1.1":
            if version != "1.0":
                raise Refused(505, f"HTTP/{version} is not spoken here, but HTTP/1.1 is")
            call.old = True
        elif "host" not in headers:
            raise Refused(400, "HTTP/1.1 wants a Host header")
        call.keep = parser.should_keep_alive()
        if self._fed > limits.line and len(call.url) > limits.line:
            raise Refused(414, f"the target is longer than {limits.line} bytes")
        if len(headers) + call.repeats > limits.fields:
            raise Refused(431, f"more than {limits.fields} headers")
        if self._fed > limits.head and _size(call) > limits.head:
            raise _large_head(call, limits.head)
        if "transfer-encoding" in headers or "expect" in headers:
            self._unusual(call)
        if (length := headers.get("content-length")) is not None and int(length) > MOST_DRAINED:
            self._too_long(call)
        if parser.should_upgrade():
            self._upgrading(call)
        self._loose = 0
        if call.expects and self.busy is None and not self._queue:
            self._give_leave(call)

    def _unusual(self, call: Call) -> None:
        if (coding := call.headers.get("transfer-encoding")) is not None:
            if call.old:
                raise Refused(400, "HTTP/1.0 has no Transfer-Encoding")
            if coding.lower() != "chunked":
                raise Refused(501, f'the transfer encoding "{coding[:40]}" is not read: send chunked')
        if (expected := call.headers.get("expect")) is not None and not call.old:
            if expected.lower() != "100-continue":
                raise Refused(417, f'the expectation "{expected[:40]}" cannot be met')
            call.expects = call.headers.get("content-length") != "0"

    def _give_leave(self, call: Call) -> None:
        call.expects = False
        if not call.size:
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _upgrading(self, call: Call) -> None:
        if call.method == "CONNECT":
            raise Refused(501, "llmposter is no proxy, so that it knows no CONNECT")
        call.upgrade = True

    def _too_long(self, call: Call) -> None:
        """Its body is not waited for, and ends the connection: nobody could tell where the next call begins."""
        call.wrong, call.keep = TOO_LARGE, False
        call.body.clear()
        self._queue.append(call)
        self._call = None
        raise Refused(0, "")

    def on_body(self, data: bytes) -> None:
        call = self._call
        assert call is not None
        self._loose = 0
        call.size += len(data)
        if call.size <= MOST_OF_BODY:
            call.body.append(data)
        elif call.size > MOST_DRAINED:
            self._too_long(call)
        else:
            call.body.clear()
            call.wrong = TOO_LARGE

    def on_message_complete(self) -> None:
        call = self._call
        assert call is not None
        if not call.upgrade:
            self._whole(call)

    def _whole(self, call: Call) -> None:
        self._queue.append(call)
        self._call = None
        self._done += 1
        self._fed = self._loose = 0

    # --- what llhttp does not take --------------------------------------------------------------------------------

    def _offered(self, rest: bytes) -> None:
        """Another protocol was offered. llhttp has stopped at the end of the head, whatever body follows."""
        call = self._call
        assert call is not None
        self._parser = HttpRequestParser(self)
        if call.method == "GET" and call.headers.get("upgrade", "").lower() == "websocket":
            self._held = bytearray()
            self._whole(call)
            self._hold(rest)
            self._pump()
        else:
            # Java's HttpClient offers h2c with its first request, whose body has to be read all the same.
            self._call = None
            self._fed = 0
            plain, self.method = second_look.declined(call.url, call.headers, old=call.old), call.method
            self._feed(plain + rest)

    def _hold(self, data: bytes) -> None:
        """Nobody knows yet whether the WebSocket is taken."""
        assert self._held is not None
        self._held += data
        if len(self._held) > _MOST_HELD:
            self._refuse(Refused(400, "too much came before the WebSocket was agreed on"))

    def _look_again(self, data: bytes) -> None:
        """A method that llhttp does not know, which is still answered like any other."""
        assert self._second is not None
        found = self._second.more(data)
        if found is None:
            self.deadline = min(self.deadline, monotonic() + self.limits.head_time)
            return
        self._second, self._call, self._early = None, None, b""
        method, plain = found
        if not method:
            self._refuse(Refused(400, "that is no HTTP: it does not begin with a method"))
            return
        self._parser = HttpRequestParser(self)
        self._fed, self.method = 0, method
        self._feed(plain)

    def _refuse(self, refused: Refused, why: str = "llmposter cannot read this request: ") -> None:
        """After all that was asked before; then the connection ends: nobody could tell where the next call begins."""
        if refused.status:
            call = Call(self)
            call.keep, call.headed = False, True
            call.refused = problem(refused.status, why + refused.message)
            self._queue.append(call)
        self._call, self.closing = None, True
        self._pump()

    # --- calls are answered ---------------------------------------------------------------------------------------

    def _pump(self) -> None:
        if self._pumping:
            return
        self._pumping = True
        queue = self._queue
        for _ in range(_AT_A_TIME):
            if not queue or self.busy is not None or self.full or self.gone:
                break
            call = self.busy = queue.popleft()
            self.server.take(call)
        else:
            if queue and self.busy is None:
                asyncio.get_running_loop().call_soon(self._pump)
        self._pumping = False
        self._throttle()

    def _throttle(self) -> None:
        if self.gone:
            return
        much = len(self._queue) > self.limits.queued
        if much and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        elif self._paused and not much:
            self._paused = False
            self.transport.resume_reading()

    def answered(self, call: Call) -> None:
        """The last byte of an answer was written."""
        self.busy = None
        if self.gone:
            return
        if not call.keep or (self.ended and not self._queue):
            self._part()
            return
        limits, coming = self.limits, self._call
        self.deadline = monotonic() + (limits.idle if coming is None else limits.head_time)
        if coming is not None:
            coming.timed = 0
            if coming.expects and not self._queue:
                self._give_leave(coming)
        if self._held is not None and not self._queue:
            held, self._held = bytes(self._held), None
            asyncio.get_running_loop().call_soon(self.data_received, held)
        if self._queue and not self._pumping:
            self._pump()

    def _part(self) -> None:
        if not self.closing:
            self.close()
            return
        # More of what was refused may be on its way; who closes on it resets, and the answer would be lost.
        self.gone = True
        self.deadline = monotonic() + self.limits.linger
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        with suppress(OSError, RuntimeError):
            self.transport.write_eof()

    # --- time -----------------------------------------------------------------------------------------------------

    def expired(self) -> None:
        """The time is over in which something should have happened."""
        if self.gone or self.full:
            self.abort()
        elif self._call is not None or self._second is not None:
            self._second = None
            self._refuse(Refused(408, "its end did not come in time"))
        elif self.busy is None:
            self.close()


def _name(name: bytes) -> str:
    """A header's name in lower case; the few that clients send are remembered."""
    key = name.decode("latin-1").lower()
    if len(_NAMES) < _MOST_NAMES:
        _NAMES[name] = key
    return key


def _size(call: Call) -> int:
    return len(call.url) + sum(len(name) + len(value) + 4 for name, value in call.headers.items())


def _large_head(call: Call, most: int) -> Refused:
    if not call.headers and not call.headed:
        return Refused(414 if len(call.url) > most // 2 else 431, f"a head of more than {most} bytes")
    return Refused(431, f"a head of more than {most} bytes")
