"""Ends a client program that looks up or connects to anything but this machine, telling where it wanted to go.

Python imports it at its start because its folder stands on PYTHONPATH. An audit hook sees every socket of Python's own.
"""

import os
import sys

HERE = ("127.0.0.1", "::1", "localhost", b"127.0.0.1", b"::1", b"localhost", None)


def _guard(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        place = arguments[1][0] if isinstance(arguments[1], tuple) else None
    elif event == "socket.getaddrinfo":
        place = arguments[0]
    else:
        return
    if place not in HERE:
        # An exception could be swallowed by the thread of some telemetry.
        sys.stderr.write(f"the client wanted to reach {place!r}\n")
        sys.stderr.flush()
        os._exit(97)


sys.addaudithook(_guard)
