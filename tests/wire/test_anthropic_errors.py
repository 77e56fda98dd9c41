"""Anthropic's errors: each name and status with its true body and headers, and the exception that the SDK makes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anthropic
import pytest
from anthropic.types import ThreadAlreadyContinuedError
from speaker import Speaker, speaking
from wire_cases import FAILURES, NAMES, REPLIES

from llmposter.model import BadRequest, Failure, Miss, Response
from llmposter.wire import load
from llmposter.wire.anthropic_errors import NAMED
from llmposter.wire.anthropic_headers import moment

WIRE = load()["anthropic"]
NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z

TABLE = {
    # name: status, type, the SDK's exception, whether to try again
    "bad_request": (400, "invalid_request_error", anthropic.BadRequestError, False),
    "invalid_api_key": (401, "authentication_error", anthropic.AuthenticationError, False),
    "permission_denied": (403, "permission_error", anthropic.PermissionDeniedError, False),
    "not_found": (404, "not_found_error", anthropic.NotFoundError, False),
    "context_length_exceeded": (400, "invalid_request_error", anthropic.BadRequestError, False),
    "request_too_large": (413, "request_too_large", anthropic.ContentTooLargeError, False),
    "rate_limited": (429, "rate_limit_error", anthropic.RateLimitError, True),
    "quota_exceeded": (400, "invalid_request_error", anthropic.BadRequestError, False),
    "server_error": (500, "api_error", anthropic.InternalServerError, True),
    "overloaded": (529, "overloaded_error", anthropic.OverloadedError, True),
    "timeout": (504, "timeout_error", anthropic.GatewayTimeoutError, True),
    "content_filter": (400, "invalid_request_error", anthropic.BadRequestError, False),
}


@pytest.fixture(scope="module")
def speaker() -> Iterator[Speaker]:
    with speaking(WIRE) as found:
        yield found


def told(answer: Response) -> dict[str, Any]:
    body = json.loads(answer.body)
    assert ["type", "error", "request_id"] == list(body)
    assert ("error", dict(answer.headers)["request-id"]) == (body["type"], body["request_id"])
    return body["error"]


def asked(speaker: Speaker, retries: int = 0, **more: Any) -> Any:
    with anthropic.Anthropic(base_url=speaker.url, api_key="any", max_retries=retries) as client:
        return client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}], **more)


def test_every_name_of_the_language_has_its_error() -> None:
    """None is missing, and none is there that the language does not know."""
    assert set(NAMES) == set(NAMED) == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_a_name_gives_anthropics_error(name: str) -> None:
    """Status and type are those of the real API, a message says what is wrong, and a header whether to try again."""
    status, kind, _, again = TABLE[name]
    answer = WIRE.failure(Failure(name=name), 0.0)
    error = told(answer)
    assert error.pop("message")
    assert (status, {"type": kind}) == (answer.status, error)
    assert ("true" if again else "false") == dict(answer.headers)["x-should-retry"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", TABLE)
def test_the_sdk_raises_the_exception_of_the_name(speaker: Speaker, name: str, *, stream: bool) -> None:
    """Its class, status, type, message and request id, plain and where a stream was asked for."""
    status, kind, exception, _ = TABLE[name]
    speaker.say(Failure(name=name, message="what the author says"))
    with pytest.raises(anthropic.APIStatusError) as raised:
        asked(speaker, stream=stream)
    error = raised.value
    assert (exception, status, kind) == (type(error), error.status_code, error.type)
    assert "what the author says" == error.api_message
    assert error.request_id.startswith("req_")


def test_the_page_tells_them_as_they_are() -> None:
    """The table of docs/providers/anthropic.md is this one."""
    page = (Path(__file__).parents[2] / "docs" / "providers" / "anthropic.md").read_text(encoding="utf-8")
    rows = [line.replace("`", "").strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    told = {row[0]: row[1:] for row in rows if row[0] in TABLE}
    assert told == {
        name: [str(status), kind, exception.__name__, "yes" if again else "no"]
        for name, (status, kind, exception, again) in TABLE.items()
    }


STATUSES = [
    # status; type, exception
    (400, "invalid_request_error", anthropic.BadRequestError),
    (401, "authentication_error", anthropic.AuthenticationError),
    (402, "billing_error", anthropic.PaymentRequiredError),
    (408, "timeout_error", anthropic.RequestTimeoutError),
    (409, "conflict_error", anthropic.ConflictError),
    (418, "invalid_request_error", anthropic.APIStatusError),
    (422, "invalid_request_error", anthropic.UnprocessableEntityError),
    (429, "rate_limit_error", anthropic.RateLimitError),
    (502, "api_error", anthropic.InternalServerError),
    (503, "api_error", anthropic.ServiceUnavailableError),
    (529, "overloaded_error", anthropic.OverloadedError),
    (599, "api_error", anthropic.InternalServerError),
]


@pytest.mark.parametrize("status, kind, exception", STATUSES)
def test_a_bare_status_gives_its_error(speaker: Speaker, status: int, kind: str, exception: type[Exception]) -> None:
    """A status alone, also one that Anthropic never sends, is an error that the SDK understands."""
    speaker.say(Failure(status=status))
    with pytest.raises(anthropic.APIStatusError) as raised:
        asked(speaker)
    assert (exception, status, kind) == (type(raised.value), raised.value.status_code, raised.value.type)
    assert raised.value.api_message


def test_the_author_has_the_last_word() -> None:
    """Status, type, message, code and headers of the rule replace Anthropic's; a param has no place."""
    answer = WIRE.failure(FAILURES["in the author's words"], 0.0)
    assert (422, {"type": "mine", "message": "Nein 🙅", "details": {"error_code": "own"}}) == (
        answer.status,
        told(answer),
    )
    headers = [(name, value) for name, value in answer.headers if name.lower() in ("content-type", "x-mine")]
    assert [("X-Mine", "1"), ("Content-Type", "application/problem+json")] == headers


# --- headers ----------------------------------------------------------------------------------------------------------


def test_a_rate_limit_tells_what_is_left_and_when_it_resets() -> None:
    """The requests are spent, and the time to wait is the time until they are back."""
    headers = dict(WIRE.failure(FAILURES["later"], NOON).headers)
    assert ("0", "2026-01-01T12:01:02Z", "62") == (
        headers["anthropic-ratelimit-requests-remaining"],
        headers["anthropic-ratelimit-requests-reset"],
        headers["retry-after"],
    )
    assert "anthropic-ratelimit-requests-remaining" in dict(WIRE.failure(Failure(status=429), 0.0).headers)
    for name in ("quota_exceeded", "overloaded", "bad_request"):
        assert not any("ratelimit" in header for header, _ in WIRE.failure(Failure(name=name), 0.0).headers)


def test_an_answer_tells_what_is_left_of_each_limit() -> None:
    """Limit, what remains, and a time to come, for requests and for tokens read, written and both."""
    headers = dict(WIRE.head(None, REPLIES["text"]))  # type: ignore[arg-type] - it does not matter who asked
    for what in ("requests", "tokens", "input-tokens", "output-tokens"):
        limit, left, reset = (headers[f"anthropic-ratelimit-{what}-{each}"] for each in ("limit", "remaining", "reset"))
        assert 0 < int(left) <= int(limit)
        assert datetime.fromisoformat(reset) >= datetime.fromtimestamp(REPLIES["text"].created, UTC)


MOMENTS = [(0, "1970-01-01T00:00:00Z"), (-5, "1970-01-01T00:00:00Z"), (0.1, "1970-01-01T00:00:01Z"),
           (NOON, "2026-01-01T12:00:00Z"), (1e18, "9999-12-31T23:59:59Z")]  # fmt: skip


@pytest.mark.parametrize("seconds, written", MOMENTS)
def test_a_reset_is_a_moment(seconds: float, written: str) -> None:
    """RFC 3339 in whole seconds, whatever the clock says."""
    assert written == moment(seconds)


@pytest.mark.parametrize("name", FAILURES)
def test_headers_are_fit_for_http(name: str) -> None:
    """Every error has a type, no header twice, and is JSON with Anthropic's fields."""
    answer = WIRE.failure(FAILURES[name], 12.5)
    names = [header.lower() for header, _ in answer.headers]
    assert "content-type" in names
    assert len(names) == len(set(names))
    assert {"type", "message"} == set(told(answer)) - {"details"}


def test_a_code_gives_the_exception_that_the_sdk_has_for_it(speaker: Speaker) -> None:
    """It stands where the SDK reads the cause of an error."""
    speaker.say(Failure(status=400, code="thread_already_continued"))
    with pytest.raises(ThreadAlreadyContinuedError) as raised:
        asked(speaker)
    assert "thread_already_continued" == raised.value.error_code


# --- retries ----------------------------------------------------------------------------------------------------------


def test_the_sdk_retries_a_rate_limit_and_gets_the_answer(speaker: Speaker) -> None:
    """It waits the milliseconds that it is told, and says which retry it is."""
    speaker.say(Failure(name="rate_limited", retry_after=0.02), REPLIES["text"])
    assert "It is 22°C in Paris." == asked(speaker, retries=1).content[0].text
    assert [0, 1] == [turn.retry for turn in speaker.turns]


def test_a_miss_is_an_error_that_no_sdk_retries(speaker: Speaker) -> None:
    """404, and the explanation as its message."""
    speaker.say(Miss('no rule of scenario "w" matches'))
    with pytest.raises(anthropic.NotFoundError) as raised:
        asked(speaker, retries=3)
    assert (1, "not_found_error") == (len(speaker.turns), raised.value.type)
    assert 'no rule of scenario "w" matches' == raised.value.api_message


def test_a_bad_body_is_an_error_that_no_sdk_retries(speaker: Speaker) -> None:
    """400 with the place of what is wrong."""
    with pytest.raises(anthropic.BadRequestError, match=r"stream: Input should be a valid boolean"):
        asked(speaker, retries=3, extra_body={"stream": "yes"})


@pytest.mark.parametrize("status, kind", [(413, "request_too_large"), (415, "invalid_request_error")])
def test_a_refused_body_may_have_another_status(status: int, kind: str) -> None:
    """What the transport refuses, such as a body too large, looks like any other error."""
    answer = WIRE.bad_request(BadRequest("too large", status=status), 0.0)
    assert (status, {"message": "too large", "type": kind}) == (answer.status, told(answer))
