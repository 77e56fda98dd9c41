"""Requests to Gemini by hand, read by its wire."""

from __future__ import annotations

import json
from typing import Any

from speaker import CONNECTION

from llmposter.model import BadRequest, Request, Turn
from llmposter.wire import load

WIRE = load()["gemini"]
PATH = "/v1beta/models/gemini-2.5-flash:generateContent"


def read(body: Any, path: str = PATH, **query: str) -> Turn | BadRequest:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WIRE.read(Request("POST", path, query, {}, sent, CONNECTION))


def turn(*contents: Any, **more: Any) -> Turn:
    found = read({"contents": list(contents) or [HI], **more})
    assert isinstance(found, Turn), found
    return found


def user(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": part} if isinstance(part, str) else part for part in parts], **more}


def model(*parts: Any) -> dict[str, Any]:
    return {**user(*parts), "role": "model"}


def call(tool: str = "f", id_: str | None = "c", **args: Any) -> dict[str, Any]:
    return {"functionCall": {"name": tool, "args": args, **({"id": id_} if id_ else {})}}


def response(value: Any, tool: str = "f", id_: str | None = "c", **more: Any) -> dict[str, Any]:
    return {"functionResponse": {"name": tool, "response": value, **({"id": id_} if id_ else {}), **more}}


HI = user("hi")
