"""What a fixture of llmposter 0.5 answers, and how it is delivered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from llmposter.convert.calls import call
from llmposter.convert.spelling import literal, milliseconds, template

if TYPE_CHECKING:
    from llmposter.convert.draft import Entry
    from llmposter.fixtures.model import Fixture, HttpError, Response

_JINJA: Final = re.compile(r"\{\{(.*?)\}\}|\{[%#]", re.DOTALL)
_EXPRESSION: Final = re.compile(
    r"\s*(?P<name>user_message|model|provider|request(?:\.[A-Za-z_]\w*|\[-?\d+\]|\[(?:\"[^\"\\]*\"|'[^'\\]*')\])*)"
    r"\s*(?P<filters>(?:\|\s*(?:upper|lower|trim|length)\s*)*)"
)
_FACTS: Final = {"user_message": "user", "model": "model", "provider": "provider"}
_FILTERS: Final = {"upper": "upper", "lower": "lower", "trim": "trim", "length": "len"}
_QUOTED: Final = re.compile(r"""\[(["'])(.*?)\1\]""")


def outcome(entry: Entry, fixture: Fixture) -> dict[str, Any]:
    """The keys of a rule that say the answer."""
    if fixture.refusal is not None:
        return {"refuse": template(fixture.refusal)}
    if fixture.error is not None:
        return {"error": _error(fixture.error)}
    assert fixture.response is not None, "a fixture that is whole answers something"
    return _said(entry, fixture.response)


def _said(entry: Entry, response: Response) -> dict[str, Any]:
    rule: dict[str, Any] = {}
    calls = [call(each.name, dict(each.arguments)) for each in response.tool_calls]
    if calls:
        rule["call"] = calls[0] if len(calls) == 1 else calls
    elif response.content_template is not None:
        rule["reply"] = _rendered(entry, response.content_template)
    else:
        rule["reply"] = template(response.content or "")
    return rule | ({"finish": response.finish} if response.finish else {})


def _rendered(entry: Entry, jinja: str) -> str:
    """The template in the language's own words, where it only puts in what the request says."""
    # Jinja takes one line end away, at the very end.
    said, at, text = [], 0, jinja.removesuffix("\n")
    for found in _JINJA.finditer(text):
        expression = None if found[1] is None else _EXPRESSION.fullmatch(found[1])
        if expression is None:
            told = found[0] if found[1] is not None else "{% … %}"
            sentence = f"there is no template for `{told}`; the text is said as it is written"
            entry.lost(sentence, "response", "content_template")
            return template(jinja)
        said += [template(text[at : found.start()]), f"${{{_value(expression)}}}"]
        at = found.end()
    return "".join([*said, template(text[at:])])


def _value(expression: re.Match[str]) -> str:
    name = expression["name"]
    known = _FACTS.get(name) or _QUOTED.sub(lambda quoted: f"[{literal(quoted[2])}]", f"body{name[len('request') :]}")
    for each in re.findall(r"\w+", expression["filters"]):
        known = f"{_FILTERS[each]}({known})"
    return known


def _error(error: HttpError) -> dict[str, Any]:
    made: dict[str, Any] = {"status": error.status, "message": template(error.message)}
    if error.headers:
        made["headers"] = {name: template(value) for name, value in error.headers.items()}
    if error.status == 429 and "retry-after" not in error.headers:
        made["retry_after"] = "60s"
    return made


def delivery(entry: Entry, fixture: Fixture) -> dict[str, Any]:
    """How the answer goes out, streamed or whole."""
    failure, streaming = fixture.failure, fixture.streaming
    rule: dict[str, Any] = {}
    if failure.latency_ms:
        rule["latency"] = milliseconds(failure.latency_ms)
    stream: dict[str, Any] = {"chunk": f"{streaming.chunk_size} characters"} if streaming.chunk_size != 20 else {}
    if streaming.latency:
        # A frame without text comes first.
        stream["ttft"] = stream["pace"] = milliseconds(streaming.latency)
        if failure.latency_jitter_ms:
            stream["jitter"] = f"±{min(failure.latency_jitter_ms / streaming.latency, 1) * 100:g}%"
    if stream:
        rule["stream"] = stream
    if failure.corrupt_body:
        rule["fault"] = 'send "overloaded" as text/plain'
    _chaos(entry, fixture)
    return rule


def _chaos(entry: Entry, fixture: Fixture) -> None:
    failure, written = fixture.failure, entry.value.get("failure") or {}
    if failure.duplicate_frames:
        sentence = "events that come twice all along a stream cannot be had; `duplicate after 2 chunks` says one"
        entry.lost(sentence, "failure", "duplicate_frames")
    if failure.latency_jitter_ms > fixture.streaming.latency > 0:
        entry.otherwise("jitter is at most the latency itself", "failure", "latency_jitter_ms")
    if failure.latency_jitter_ms and failure.probability < 1:
        entry.otherwise("every stream has the jitter, whatever the probability", "failure", "probability")
    if "chaos_seed" in written:
        entry.otherwise("what is drawn is drawn from `scenario.seed`", "failure", "chaos_seed")


def of_streams(entry: Entry, fixture: Fixture) -> str | list[str] | None:
    """How a stream breaks off, if it does."""
    failure = fixture.failure
    if failure.corrupt_body or fixture.response is None:
        return None
    found = []
    if (frames := failure.truncate_after_frames) is not None:
        entry.otherwise(
            "a chunk is one of the text, a frame was any event; of a chat the first frame has none",
            "failure",
            "truncate_after_chunks" if "truncate_after_chunks" in entry.value["failure"] else "truncate_after_frames",
        )
        chunks = frames - 1
        found.append(f"close after {chunks} chunk{'' if chunks == 1 else 's'}" if chunks > 0 else "close after headers")
    if (after := failure.disconnect_after_ms) is not None:
        found.append(f"drop after {milliseconds(after)}")
    return found[0] if len(found) == 1 else found or None
