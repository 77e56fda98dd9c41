"""Replies and failures that every wire is tried on, in no provider's words."""

from __future__ import annotations

from itertools import product

from llmposter.access import Limited, Rejected, Window
from llmposter.model import Failure, Part, Refusal, Reply, Text, Thinking, Tokens, ToolCall
from llmposter_dsl.program import Chunk

ASTRAL = 'Straße 東京 🌦️👩‍👩‍👧‍👦 e\u0301 \u2028 "quoted" \\ back\tslash\r\nline ' * 12
PARIS = ToolCall("call_a1", "get_weather", '{"city":"Paris","unit":"celsius"}')
ROME = ToolCall("call_b2", "get_weather", '{"city":"Rome 🇮🇹","unit":"kelvin or so"}')


def reply(*parts: Part, finish: str = "", **more: object) -> Reply:
    said = finish or ("tool_calls" if any(isinstance(part, ToolCall) for part in parts) else "stop")
    given = {"tokens": Tokens(input=11, output=7, cached=3, reasoning=2), **more}
    return Reply(id="Abc123", created=1_700_000_000, model="gpt-4o", parts=parts, finish=said, **given)


REPLIES: dict[str, Reply] = {
    "text": reply(Text("It is 22°C in Paris.")),
    "empty text": reply(Text("")),
    "long astral text": reply(Text(ASTRAL)),
    "only white space": reply(Text(" \n\t ")),
    "one call": reply(PARIS),
    "two parallel calls": reply(PARIS, ROME),
    "text then call": reply(Text("Let me look."), PARIS),
    "reasoning then text": reply(Thinking("They want the weather, so say it."), Text("It rains.")),
    "reasoning alone": reply(Thinking("Nothing to say.")),
    "nothing": reply(),
    "reasoning then call": reply(Thinking("I need the tool."), PARIS),
    "everything": reply(Thinking("Both."), Text("One moment."), Text('{"n":1}', structured=True), PARIS, ROME),
    "refusal": reply(Refusal("I cannot help with that.")),
    "structured": reply(Text('{"city":"Paris","temps":[1,2.5,null]}', structured=True)),
    "text and structured": reply(Text("Here it is:"), Text('{"a":[]}', structured=True)),
    "call without arguments": reply(ToolCall("call_c3", "now", "{}")),
    "call with empty arguments": reply(ToolCall("call_c4", "now", "")),
    "call with broken arguments": reply(ToolCall("call_c5", "get_weather", '{"city": "Par')),
    "cut short": reply(Text("It is 22"), finish="length"),
    "filtered": reply(Text(""), finish="content_filter"),
    "call said to be stopped": reply(PARIS, finish="stop"),
    "no tokens": reply(Text("free"), tokens=Tokens()),
    "own headers": reply(Text("x"), headers=(("X-Mine", "1"), ("X-Request-ID", "req_mine"))),
}

CHUNKS: dict[str, Chunk] = {
    "20 characters": Chunk(20, "characters"),
    "1 character": Chunk(1, "characters"),
    "1 token": Chunk(1, "tokens"),
    "4 tokens": Chunk(4, "tokens"),
    "1 word": Chunk(1, "words"),
    "2 words": Chunk(2, "words"),
    "whole": Chunk(1, "whole"),
}

NAMES = (
    "bad_request", "invalid_api_key", "permission_denied", "not_found", "context_length_exceeded",
    "request_too_large", "rate_limited", "quota_exceeded", "server_error", "overloaded", "timeout", "content_filter",
)  # fmt: skip

STATUSES = (400, 401, 402, 404, 408, 409, 418, 422, 429, 500, 502, 503, 529, 599)

FAILURES: dict[str, Failure] = {
    **{name: Failure(name=name) for name in NAMES},
    **{f"status {status}": Failure(status=status) for status in STATUSES},
    "soon": Failure(name="rate_limited", retry_after=0.02),
    "later": Failure(name="rate_limited", retry_after=61.2),
    "overloaded with another status": Failure(name="overloaded", status=529, retry_after=1.0),
    "in the author's words": Failure(
        name="bad_request", status=422, type="mine", code="own", message="Nein 🙅", param="messages[0]",
        headers=(("X-Mine", "1"), ("Content-Type", "application/problem+json")), retry_after=3.0,
    ),
}  # fmt: skip

MATRIX = list(product(REPLIES, CHUNKS))


def deltas(given: Reply, kind: type[Part]) -> str:
    """What the parts of one kind say, one after the other."""
    return "".join(part.text for part in given.parts if isinstance(part, kind))


def text(given: Reply) -> str | None:
    """The text of the answer, a line for each text; None beside a refusal or calls alone."""
    texts = [part.text for part in given.parts if isinstance(part, Text)]
    silent = not texts and any(isinstance(part, Refusal | ToolCall) for part in given.parts)
    return None if silent else "\n".join(texts)


REJECTED: dict[str, Rejected] = {
    "no-key": Rejected("missing"),
    "unknown-key": Rejected("unknown", shown="sk-…"),
    "unknown-bearer": Rejected("unknown", bearer=True, shown="sk-…"),
    "expired-key": Rejected("expired", shown="sk-…", name="short"),
    "expired-bearer": Rejected("expired", bearer=True, shown="sk-…", name="short"),
    "spent-bearer": Rejected("spent", bearer=True, shown="sk-…", name="short"),
    "revoked-key": Rejected("revoked", shown="sk-…", name="short"),
    "revoked-bearer": Rejected("revoked", bearer=True, shown="sk-…", name="short"),
}
"""Requests that are not let in, each with a credential that is not good."""

_LEFT = Window("requests", 60, 60.0, 12, 48.0), Window("tokens", 40_000, 3600.0, 0, 3780.5)
LIMITED: dict[str, Limited] = {
    "above-requests": Limited("requests", 60, 60.0, 60, 1, 0.25, (Window("requests", 60, 60.0, 0, 60.0),)),
    "above-tokens": Limited("tokens", 40_000, 3600.0, 42_000, 500, 225.0, _LEFT),
    "larger-than-the-limit": Limited("tokens", 40_000, 86400.0, 0, 50_000, None, _LEFT),
}
"""Requests above a limit."""
