"""Gemini's errors: each name and status with its true body, and the exception that the SDK makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from speaker import Speaker, speaking
from wire_cases import NAMES, REPLIES

from llmposter.model import BadRequest, Failure, Miss, Response
from llmposter.wire import load
from llmposter.wire.gemini_errors import NAMED

WIRE = load()["gemini"]
TABLE = {
    # name: status, google.rpc.Code, kinds of details
    "bad_request": (400, "INVALID_ARGUMENT", []),
    "invalid_api_key": (400, "INVALID_ARGUMENT", ["ErrorInfo", "LocalizedMessage"]),
    "permission_denied": (403, "PERMISSION_DENIED", []),
    "not_found": (404, "NOT_FOUND", []),
    "context_length_exceeded": (400, "INVALID_ARGUMENT", []),
    "request_too_large": (400, "INVALID_ARGUMENT", []),
    "rate_limited": (429, "RESOURCE_EXHAUSTED", ["Help", "QuotaFailure"]),
    "quota_exceeded": (429, "RESOURCE_EXHAUSTED", ["Help", "QuotaFailure"]),
    "server_error": (500, "INTERNAL", []),
    "overloaded": (503, "UNAVAILABLE", []),
    "timeout": (504, "DEADLINE_EXCEEDED", []),
    "content_filter": (400, "INVALID_ARGUMENT", []),
}
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "FAILED_PRECONDITION",
    409: "ABORTED",
    413: "FAILED_PRECONDITION",
    416: "OUT_OF_RANGE",
    418: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "INTERNAL",
    599: "INTERNAL",
}


@pytest.fixture(scope="module")
def speaker() -> Iterator[Speaker]:
    with speaking(WIRE) as found:
        yield found


def told(answer: Response) -> dict[str, Any]:
    assert "application/json; charset=UTF-8" == dict(answer.headers)["content-type"]
    (error,) = json.loads(answer.body).values()
    return error


def kinds(error: dict[str, Any]) -> list[str]:
    return [detail["@type"].removeprefix("type.googleapis.com/google.rpc.") for detail in error.get("details", ())]


def asked(speaker: Speaker, *, stream: bool = False, **options: Any) -> Any:
    client = genai.Client(api_key="any", http_options=types.HttpOptions(base_url=speaker.url, **options))
    with client:
        if stream:
            return list(client.models.generate_content_stream(model="m", contents="hi"))
        return client.models.generate_content(model="m", contents="hi")


def test_every_name_of_the_language_has_its_error() -> None:
    """None is missing, and none is there that the language does not know."""
    assert set(NAMES) == set(NAMED) == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_a_name_gives_googles_error(name: str) -> None:
    """Status, word and details are those of the real API, and a message says what is wrong."""
    status, word, details = TABLE[name]
    answer = WIRE.failure(Failure(name=name), 0.0)
    error = told(answer)
    assert error["message"]
    assert (status, status, word, details) == (answer.status, error["code"], error["status"], kinds(error))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", TABLE)
def test_the_sdk_raises_the_error_of_the_name(speaker: Speaker, name: str, *, stream: bool) -> None:
    """Its code, status and message, plain and where a stream was asked for."""
    status, word, _ = TABLE[name]
    speaker.say(Failure(name=name, message="what the author says"))
    with pytest.raises(errors.ClientError if status < 500 else errors.ServerError) as raised:
        asked(speaker, stream=stream)
    found = raised.value
    assert (status, word, "what the author says") == (found.code, found.status, found.message)


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_has_the_word_that_google_gives_it(status: int) -> None:
    """By google.rpc.Code, and for the statuses that it does not know as Google's clients guess."""
    answer = WIRE.failure(Failure(status=status), 0.0)
    assert (status, status, STATUSES[status]) == (answer.status, told(answer)["code"], told(answer)["status"])


def test_a_name_with_another_status_has_the_word_of_the_status() -> None:
    """The message is still that of the name."""
    error = told(WIRE.failure(Failure(name="overloaded", status=529), 0.0))
    assert (529, "INTERNAL", NAMED["overloaded"].message) == (error["code"], error["status"], error["message"])


def test_what_the_author_says_replaces_what_google_says() -> None:
    """The word by `type`, the reason by `code`, the field by `param`."""
    failure = Failure(
        "bad_request", 422, "MINE", "OWN", "Nein 🙅", "contents[0]", (("X-Mine", "1"), ("Content-Type", "x/y"))
    )
    answer = WIRE.failure(failure, 0.0)
    (error,) = json.loads(answer.body).values()
    reason, request = error["details"]
    assert (422, {"X-Mine": "1", "Content-Type": "x/y"}) == (answer.status, dict(answer.headers))
    assert (422, "MINE", "Nein 🙅", "OWN") == (error["code"], error["status"], error["message"], reason["reason"])
    assert [{"field": "contents[0]", "description": "Nein 🙅"}] == request["fieldViolations"]


@pytest.mark.parametrize(
    "seconds, delay, header, milliseconds",
    [(0.02, "0.02s", "1", "20"), (30.0, "30s", "30", None), (61.2, "61.2s", "62", None), (0.0, "0s", "0", "0")],
)
def test_the_time_to_wait_is_told_as_google_tells_it(
    seconds: float, delay: str, header: str, milliseconds: str | None
) -> None:
    """In `RetryInfo`, exactly; and in headers, in whole seconds, below one in milliseconds too."""
    answer = WIRE.failure(Failure(name="rate_limited", retry_after=seconds), 0.0)
    *_, retry = told(answer)["details"]
    assert {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay} == retry
    assert told(answer)["message"].endswith(f"\nPlease retry in {delay}.")
    headers = dict(answer.headers)
    assert (header, milliseconds) == (headers["retry-after"], headers.get("retry-after-ms"))


def test_no_time_to_wait_is_told_unasked() -> None:
    """So that no test waits by default."""
    answer = WIRE.failure(Failure(name="rate_limited"), 0.0)
    assert "retry-after" not in dict(answer.headers)
    assert "RetryInfo" not in kinds(told(answer))


def test_the_sdk_asks_again_where_it_may(speaker: Speaker) -> None:
    """After 429 and 503, as often as its options say; without them it never does."""
    options = {"retry_options": types.HttpRetryOptions(attempts=3, initial_delay=0.001, jitter=0)}
    speaker.say(Failure(name="rate_limited"), Failure(name="overloaded"), REPLIES["text"])
    assert "It is 22°C in Paris." == asked(speaker, **options).text
    speaker.say(Failure(name="rate_limited"), REPLIES["text"])
    with pytest.raises(errors.ClientError):
        asked(speaker)


def test_a_miss_is_not_found_and_asked_once(speaker: Speaker) -> None:
    """Its message explains it."""
    speaker.say(Miss("no rule matches"))
    with pytest.raises(errors.ClientError) as raised:
        asked(speaker, retry_options=types.HttpRetryOptions(attempts=3, initial_delay=0.001, jitter=0))
    assert (404, "NOT_FOUND", "no rule matches") == (raised.value.code, raised.value.status, raised.value.message)
    assert 1 == len(speaker.turns)


@pytest.mark.parametrize("status, word", [(400, "INVALID_ARGUMENT"), (404, "NOT_FOUND"), (413, "FAILED_PRECONDITION")])
def test_a_refused_body_has_the_word_of_its_status(status: int, word: str) -> None:
    """With the field, where one is known."""
    error = told(WIRE.bad_request(BadRequest("wrong", "contents", status=status), 0.0))
    (detail,) = error["details"]
    assert (status, word, "wrong") == (error["code"], error["status"], error["message"])
    assert [{"field": "contents", "description": "wrong"}] == detail["fieldViolations"]
