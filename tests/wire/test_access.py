"""What a wire says to who is not let in: its SDK reads it, and raises what it raises for that at the real API."""

from __future__ import annotations

import pytest
from judging import judges
from wire_cases import LIMITED, REJECTED

from llmposter.access import Window, presented
from llmposter.model import Connection, Request
from llmposter.wire import dialects, load

WIRES = load()
OPENAI = dict.fromkeys(REJECTED, "AuthenticationError")
RAISED = {
    "openai": OPENAI,
    "responses": OPENAI,
    "anthropic": {**OPENAI, "revoked-bearer": "PermissionDeniedError"},
    "gemini": dict.fromkeys(REJECTED, "ClientError"),
}
STATUS = {
    "openai": {}, "responses": {}, "anthropic": {"revoked-bearer": 403},
    "gemini": {"no-key": 403, "unknown-key": 400, "expired-key": 400, "revoked-key": 400},
}  # fmt: skip


@pytest.mark.parametrize("name", REJECTED)
@pytest.mark.parametrize("wire", WIRES)
def test_the_sdk_raises_for_a_bad_credential_what_it_does_at_the_real_api(wire: str, name: str) -> None:
    """The body passes its models; the status is the provider's own; and no secret is whole."""
    answer = WIRES[wire].access.rejected(REJECTED[name], 12.5)
    assert STATUS[wire].get(name, 401) == answer.status
    assert RAISED[wire][name] == judges()[wire].failed(answer.status, dict(answer.headers), answer.body)


@pytest.mark.parametrize("name", LIMITED)
@pytest.mark.parametrize("wire", WIRES)
def test_the_sdk_raises_for_a_limit_what_it_does_at_the_real_api(wire: str, name: str) -> None:
    """A 429 with the time to wait, where waiting helps."""
    answer = WIRES[wire].access.limited(LIMITED[name], "m", 12.5)
    raised = "ClientError" if wire == "gemini" else "RateLimitError"
    assert (429, raised) == (answer.status, judges()[wire].failed(429, dict(answer.headers), answer.body))
    told = {"above-requests": "1", "above-tokens": "225", "larger-than-the-limit": None}[name]
    assert told == dict(answer.headers).get("retry-after")


def test_the_formats_of_one_provider_let_in_alike() -> None:
    """OpenAI's are three, one of them a dialect."""
    of = [WIRES["openai"], WIRES["responses"], *(each for each in dialects() if each.name == "openai")]
    assert [WIRES["openai"].access] * 3 == [each.access for each in of]


@pytest.mark.parametrize(
    "wire, window, headers",
    [
        ("openai", Window("requests", 60, 60.0, 12, 48.0), ("60", "12", "48s")),
        ("openai", Window("tokens", 40_000, 60.0, 39_999, 0.0015), ("40000", "39999", "2ms")),
        ("anthropic", Window("requests", 60, 60.0, 12, 48.0), ("60", "12", "1970-01-01T00:01:01Z")),
        ("anthropic", Window("tokens", 40_000, 60.0, 39_400, 0.9), ("40000", "39000", "1970-01-01T00:00:14Z")),
        ("anthropic", Window("tokens", 9_999, 60.0, 9_400, 0.9), ("9999", "9400", "1970-01-01T00:00:14Z")),
    ],
)
def test_what_is_left_is_told_in_the_headers_of_the_provider(wire: str, window: Window, headers: tuple[str]) -> None:
    """Anthropic tells tokens in thousands, but for a limit so small that it would tell nothing."""
    told = dict(WIRES[wire].access.standing((window,), 12.5))
    names = {
        "openai": [f"x-ratelimit-{which}-{window.what}" for which in ("limit", "remaining", "reset")],
        "anthropic": [f"anthropic-ratelimit-{window.what}-{which}" for which in ("limit", "remaining", "reset")],
    }[wire]
    assert dict(zip(names, headers, strict=True)) == told


@pytest.mark.parametrize(
    "wire, headers, query, found",
    [
        ("openai", {"authorization": "Bearer a"}, {}, [(True, "a")]),
        ("openai", {"authorization": "bEARER   a "}, {}, [(True, "a")]),
        ("openai", {"authorization": "a"}, {}, []),
        ("openai", {"authorization": "Bearer"}, {}, []),
        ("openai", {"authorization": "Basic a"}, {"key": "b"}, []),
        ("openai", {"api-key": "b", "authorization": "Bearer a"}, {}, [(True, "a"), (False, "b")]),
        ("anthropic", {"x-api-key": "b", "authorization": "Bearer a"}, {}, [(False, "b"), (True, "a")]),
        ("anthropic", {"x-api-key": " "}, {}, []),
        ("gemini", {"authorization": "Bearer a"}, {"key": "b"}, [(False, "b"), (True, "a")]),
        ("gemini", {"x-goog-api-key": "c"}, {"key": "b"}, [(False, "c"), (False, "b")]),
    ],
)
def test_a_credential_is_found_where_clients_of_the_provider_put_it(
    wire: str, headers: dict[str, str], query: dict[str, str], found: list[tuple[bool, str]]
) -> None:
    """In the order in which the provider looks; of the schemes of HTTP only that of bearer tokens."""
    request = Request("POST", "/", query, headers, b"", Connection(1))
    assert found == list(presented(request, WIRES[wire].access))
