"""HTTP by hand: bytes to a socket and answers off it, so that a test sees what no client library would show."""

from __future__ import annotations

import json
import socket
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        return self.json["error"]["message"]


class Raw:
    """One TCP connection to a server."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=10)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        self.send(self.request(method, path, body, **headers))
        return self.read(method)

    def request(self, method: str, path: str, body: object = None, **headers: str) -> bytes:
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        head = {"host": self.host, "content-length": str(len(data)), **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in head.items())]
        return "\r\n".join((*lines, "", "")).encode("latin-1") + data

    def read(self, method: str = "GET") -> Answer:
        """The next answer; one that ends before its end is an error."""
        status, headers = self.head()
        if method == "HEAD" or status in (204, 304) or status < 200:
            return Answer(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return Answer(status, headers, b"".join(iter(self.chunk, b"")))
        if "content-length" not in headers:
            return Answer(status, headers, self.file.read())
        length = int(headers["content-length"])
        body = self.file.read(length)
        assert len(body) == length
        return Answer(status, headers, body)

    def head(self) -> tuple[int, dict[str, str]]:
        line = self.file.readline()
        assert line.startswith(b"HTTP/1.1 "), line
        headers = {}
        while (field := self.file.readline()) != b"\r\n":
            name, _, value = field.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return int(line.split()[1]), headers

    def chunk(self) -> bytes:
        size = int(self.file.readline(), 16)
        data = self.file.read(size)
        assert self.file.read(2) == b"\r\n"
        return data


CHAT = "/v1/chat/completions"


def chat(*said: str, **more: Any) -> dict[str, Any]:
    """A request's body: user and assistant by turns."""
    roles = ("user", "assistant")
    return {"model": "m", "messages": [{"role": roles[n % 2], "content": text} for n, text in enumerate(said)], **more}


def text(answer: Answer) -> str:
    """What the assistant says in a whole answer."""
    return answer.json["choices"][0]["message"]["content"]
