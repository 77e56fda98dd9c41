"""What matters of an answer, whatever server gave it: status, text, tool calls, finish, and whether it was cut off."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit


def ask(url: str, request: dict[str, Any]) -> dict[str, Any]:
    """The essence of the answer to one request: `path`, `body`, perhaps `headers`."""
    split = urlsplit(url)
    connection = http.client.HTTPConnection(split.hostname or "", split.port, timeout=20)
    headers = {"content-type": "application/json", **request.get("headers", {})}
    try:
        connection.request("POST", split.path + request["path"], json.dumps(request["body"]), headers)
        response = connection.getresponse()
        content, cut = _read(response)
    except (ConnectionError, http.client.HTTPException):
        return {"cut": True}
    finally:
        connection.close()
    if "event-stream" in response.headers.get("content-type", ""):
        return {"status": response.status, **_streamed(content.decode(), cut=cut)}
    try:
        return {"status": response.status, **_whole(json.loads(content), response.status)}
    except ValueError:
        return {"status": response.status, "broken": content.decode()}


def _read(response: http.client.HTTPResponse) -> tuple[bytes, bool]:
    content = b""
    try:
        while piece := response.read1(65_536):
            content += piece
    except (ConnectionError, http.client.HTTPException):
        return content, True
    return content, False


def _whole(body: Any, status: int) -> dict[str, Any]:
    if status >= 400:
        error = body.get("error")
        # Who finds nothing that matches says so in his own words.
        return _error(error) if isinstance(error, dict) and status != 404 else {}
    if "choices" in body:
        choice = body["choices"][0]
        return _said(
            choice["message"].get("content"),
            [(each["function"]["name"], each["function"]["arguments"]) for each in _calls(choice["message"])],
            choice["finish_reason"],
        )
    if "candidates" in body:
        return _of_gemini([body])
    if "content" in body:
        blocks = body["content"]
        return _said(
            "".join(each["text"] for each in blocks if each["type"] == "text"),
            [(each["name"], each["input"]) for each in blocks if each["type"] == "tool_use"],
            body["stop_reason"],
        )
    if "data" in body:
        return {"vectors": [each["embedding"] for each in body["data"]]}
    return {"body": body}


def _error(error: dict[str, Any]) -> dict[str, Any]:
    return {"error": {name: error[name] for name in ("message", "type", "code") if error.get(name) is not None}}


def _calls(message: dict[str, Any]) -> list[dict[str, Any]]:
    return message.get("tool_calls") or []


def _said(text: str | None, calls: list[tuple[str, Any]], finish: Any) -> dict[str, Any]:
    return {
        "text": text or "",
        "calls": [{"tool": tool, "arguments": _parsed(arguments)} for tool, arguments in calls],
        "finish": finish,
    }


def _parsed(arguments: Any) -> Any:
    try:
        return json.loads(arguments or "{}") if isinstance(arguments, str) else arguments
    except ValueError:
        return arguments


def _streamed(text: str, *, cut: bool) -> dict[str, Any]:
    events = [line.removeprefix("data: ") for line in text.split("\n") if line.startswith("data: ")]
    data = [json.loads(event) for event in events if event != "[DONE]"]
    if data and "error" in data[0]:
        return _error(data[0]["error"])
    if any("type" in each for each in data):
        said, ended = _of_anthropic(data), any(each.get("type") == "message_stop" for each in data)
    elif any("candidates" in each for each in data):
        said, ended = _of_gemini(data), True
    else:
        said, ended = _of_chat(data), "[DONE]" in events
    return {**said, **({"cut": True} if cut or not ended else {})}


def _of_chat(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    text, finish, calls = "", None, dict[int, list[str]]()
    for choice in (each["choices"][0] for each in chunks if each.get("choices")):
        text += choice["delta"].get("content") or ""
        finish = choice["finish_reason"] or finish
        for each in _calls(choice["delta"]):
            call = calls.setdefault(each["index"], ["", ""])
            call[0] += each["function"].get("name") or ""
            call[1] += each["function"].get("arguments") or ""
    return _said(text, [(tool, arguments) for tool, arguments in calls.values()], finish)


def _of_anthropic(events: list[dict[str, Any]]) -> dict[str, Any]:
    text, finish, calls = "", None, dict[int, list[str]]()
    for event in events:
        match event:
            case {"type": "content_block_start", "index": index, "content_block": {"type": "tool_use", "name": name}}:
                calls[index] = [name, ""]
            case {"delta": {"type": "text_delta", "text": piece}}:
                text += piece
            case {"index": index, "delta": {"type": "input_json_delta", "partial_json": piece}}:
                calls[index][1] += piece
            case {"type": "message_delta", "delta": {"stop_reason": reason}}:
                finish = reason
    return _said(text, [(tool, arguments) for tool, arguments in calls.values()], finish)


def _of_gemini(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    candidates = [each["candidates"][0] for each in chunks]
    parts = [part for each in candidates for part in each.get("content", {}).get("parts", ())]
    return _said(
        "".join(part.get("text", "") for part in parts),
        [
            (part["functionCall"]["name"], part["functionCall"].get("args", {}))
            for part in parts
            if "functionCall" in part
        ],
        candidates[-1].get("finishReason"),
    )
