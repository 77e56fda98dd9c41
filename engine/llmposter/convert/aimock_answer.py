"""What a fixture of aimock answers, and how it is delivered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from llmposter.convert.calls import call
from llmposter.convert.spelling import milliseconds, template, templates

if TYPE_CHECKING:
    from llmposter.convert.draft import Entry

_USAGE = {
    "input": ("prompt_tokens", "input_tokens", "promptTokenCount"),
    "output": ("completion_tokens", "output_tokens", "candidatesTokenCount"),
}
_FINISH = ("stop", "length", "tool_calls", "content_filter")
_SAID = frozenset(
    (*("content", "toolCalls", "blocks", "reasoning", "finishReason", "usage", "error", "status", "retryAfter"),)
)


def outcome(entry: Entry, response: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a rule that say the answer."""
    for name in response:
        if name not in _SAID:
            entry.lost(f"`response.{name}` cannot be carried over", "response", name)
    if isinstance(response.get("error"), dict):
        return _error(entry, response, response["error"])
    rule: dict[str, Any] = {}
    if response.get("reasoning"):
        rule["think"] = template(str(response["reasoning"]))
    rule |= _blocks(entry, response["blocks"]) if response.get("blocks") else _said(response)
    if finish := response.get("finishReason"):
        rule["finish"] = finish
        if finish not in _FINISH:
            entry.otherwise(f"`finishReason` is sent to every provider as `{finish}`", "response", "finishReason")
    if usage := _usage(entry, response.get("usage") or {}):
        rule["usage"] = usage
    return rule


def _said(response: Mapping[str, Any]) -> dict[str, Any]:
    rule: dict[str, Any] = {}
    match response.get("content"):
        case None:
            pass
        case str(text):
            rule["reply"] = template(text)
        case data:
            rule["json"] = templates(data)
    calls = [_call(each) for each in response.get("toolCalls") or ()]
    return rule | _calls(calls) if rule or calls else {"reply": ""}


def _blocks(entry: Entry, blocks: list[Any]) -> dict[str, Any]:
    texts = [each["text"] for each in blocks if each.get("type") == "text"]
    calls = [_call(each) for each in blocks if each.get("type") == "toolCall"]
    kinds = [each.get("type") for each in blocks]
    if kinds != ["text"] * len(texts) + ["toolCall"] * len(calls):
        entry.otherwise("a text is said before the calls, whatever the order of the `blocks`", "response", "blocks")
    return ({"reply": template("".join(texts))} if texts else {}) | _calls(calls)


def _calls(calls: list[dict[str, Any]]) -> dict[str, Any]:
    return {"call": calls[0] if len(calls) == 1 else calls} if calls else {}


def _call(each: Mapping[str, Any]) -> dict[str, Any]:
    return call(str(each.get("name", "")), each.get("arguments"), each.get("id"))


def _usage(entry: Entry, usage: Mapping[str, Any]) -> dict[str, int]:
    known = {ours: usage.get(theirs) for ours, names in _USAGE.items() for theirs in names if theirs in usage}
    known["cached"] = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    known["reasoning"] = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens")
    spoken = {name for names in _USAGE.values() for name in names} | {"total_tokens", "totalTokenCount"}
    for name in usage:
        if name not in spoken | {"prompt_tokens_details", "completion_tokens_details"}:
            entry.lost(f"`usage.{name}` cannot be carried over", "response", "usage", name)
    return {name: count for name, count in known.items() if isinstance(count, int)}


def _error(entry: Entry, response: Mapping[str, Any], error: Mapping[str, Any]) -> dict[str, Any]:
    status = response.get("status", 500)
    if not isinstance(status, int) or not 400 <= status <= 599:
        entry.lost(f"an error cannot have the status {json.dumps(status)}; it is sent as 500", "response", "status")
        status = 500
    made = {"status": status} | {name: error[name] for name in ("type", "code") if isinstance(error.get(name), str)}
    if error.get("message"):
        made["message"] = template(str(error["message"]))
    if status == 429:
        made["retry_after"] = f"{response.get('retryAfter', 1)}s"
    for name in error:
        if name not in ("type", "code", "message"):
            entry.lost(f"`error.{name}` cannot be carried over", "response", "error", name)
    return {"error": made}


def delivery(entry: Entry) -> dict[str, Any]:
    """How the answer goes out."""
    value = entry.value
    if isinstance(value["response"].get("error"), dict):
        return {}
    stream: dict[str, Any] = {}
    if chunk := value.get("chunkSize"):
        stream["chunk"] = f"{chunk} characters"
    stream |= _pace(value)
    rule: dict[str, Any] = {"stream": stream} if stream else {}
    if chaos := (value.get("chaos") or {}).get("latencyMs"):
        rule["latency"] = milliseconds(chaos)
    return rule


def faults(entry: Entry) -> str | list[str] | None:
    """How a stream breaks off, if it does. `interruption.js` counts events; the first one of a chat says no text."""
    if isinstance(entry.value["response"].get("error"), dict):
        return None
    found = [_dropped(count - 1) for count in (entry.value.get("truncateAfterChunks"),) if count]
    if (after := entry.value.get("disconnectAfterMs")) is not None:
        found.append(f"drop after {milliseconds(after)}")
    return found[0] if len(found) == 1 else found or None


def _dropped(chunks: int) -> str:
    return f"drop after {chunks} chunk{'' if chunks == 1 else 's'}" if chunks else "drop after headers"


def _pace(value: Mapping[str, Any]) -> dict[str, Any]:
    """`sse-writer.js`: a profile says the times; what it leaves out is `latency`, before each chunk."""
    profile, latency = value.get("streamingProfile") or {}, value.get("latency") or 0
    between = 1000 / profile["tps"] if profile.get("tps") else latency
    first = profile.get("ttft", between)
    stream = {"ttft": milliseconds(first)} if first else {}
    stream |= {"pace": milliseconds(between)} if between else {}
    if profile.get("jitter") and between:
        stream["jitter"] = f"±{min(profile['jitter'], 1) * 100:g}%"
    return stream


def chaos(entry: Entry) -> Iterator[tuple[str, dict[str, Any]]]:
    """What strikes in place of the answer, each with its chance; one after the other, as it is drawn there."""
    rates = entry.value.get("chaos") or {}
    for name, struck in _CHAOS.items():
        if rate := rates.get(name):
            yield f"chance({rate:g})", dict(struck)


def _struck(status: int, type_: str, code: str, message: str) -> dict[str, Any]:
    return {"status": status, "type": type_, "code": f"chaos_{code}", "message": f"Chaos: {message}"}


_CHAOS: Mapping[str, dict[str, Any]] = {
    "dropRate": {"error": _struck(500, "server_error", "drop", "request dropped")},
    "malformedRate": {"fault": 'send "{malformed json: <<<chaos>>>" as application/json'},
    "rateLimitRate": {
        "error": _struck(429, "rate_limit_error", "ratelimit", "rate limit exceeded") | {"retry_after": "1s"}
    },
    "disconnectRate": {"fault": "drop"},
}
"""By the rate, what `chaos.js` does, in the order in which it draws."""
