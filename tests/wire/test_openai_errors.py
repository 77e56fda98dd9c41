"""OpenAI's errors: each name and status with its true body and headers, and the exception that the SDK makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from speaker import Speaker, speaking
from wire_cases import FAILURES, NAMES, REPLIES

from llmposter.model import BadRequest, Failure, Miss, Response
from llmposter.wire import load
from llmposter.wire.openai_errors import NAMED
from llmposter.wire.openai_headers import reset

WIRE = load()["openai"]

TABLE = {
    # name: status, type, code, param, the SDK's exception
    "bad_request": (400, "invalid_request_error", None, None, openai.BadRequestError),
    "invalid_api_key": (401, "invalid_request_error", "invalid_api_key", None, openai.AuthenticationError),
    "permission_denied": (403, "invalid_request_error", "model_not_found", None, openai.PermissionDeniedError),
    "not_found": (404, "invalid_request_error", "model_not_found", None, openai.NotFoundError),
    "context_length_exceeded": (
        400, "invalid_request_error", "context_length_exceeded", "messages", openai.BadRequestError,
    ),
    "request_too_large": (413, "invalid_request_error", None, None, openai.APIStatusError),
    "rate_limited": (429, "requests", "rate_limit_exceeded", None, openai.RateLimitError),
    "quota_exceeded": (429, "insufficient_quota", "credit_balance_exhausted", None, openai.RateLimitError),
    "server_error": (500, "server_error", None, None, openai.InternalServerError),
    "overloaded": (503, "service_unavailable_error", "server_is_overloaded", None, openai.InternalServerError),
    "timeout": (504, "server_error", None, None, openai.InternalServerError),
    "content_filter": (400, "invalid_request_error", "invalid_prompt", None, openai.BadRequestError),
}  # fmt: skip


@pytest.fixture(scope="module")
def speaker() -> Iterator[Speaker]:
    with speaking(WIRE) as found:
        yield found


def told(answer: Response) -> dict[str, Any]:
    (error,) = json.loads(answer.body).values()
    return error


def asked(speaker: Speaker, retries: int = 0, **more: Any) -> Any:
    with openai.OpenAI(base_url=f"{speaker.url}/v1", api_key="any", max_retries=retries) as client:
        return client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}], **more)


def test_every_name_of_the_language_has_its_error() -> None:
    """None is missing, and none is there that the language does not know."""
    assert set(NAMES) == set(NAMED) == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_a_name_gives_openais_error(name: str) -> None:
    """Status, type, code and param are those of the real API, and a message says what is wrong."""
    status, kind, code, param, _ = TABLE[name]
    answer = WIRE.failure(Failure(name=name), 0.0)
    error = told(answer)
    assert error.pop("message")
    assert (status, {"type": kind, "code": code, "param": param}) == (answer.status, error)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", TABLE)
def test_the_sdk_raises_the_exception_of_the_name(speaker: Speaker, name: str, *, stream: bool) -> None:
    """Its class, status, type, code, param, body and request id, plain and where a stream was asked for."""
    status, kind, code, param, exception = TABLE[name]
    speaker.say(Failure(name=name, message="what the author says"))
    with pytest.raises(openai.APIStatusError) as raised:
        asked(speaker, stream=stream)
    error = raised.value
    assert exception is type(error)
    assert (status, kind, code, param) == (error.status_code, error.type, error.code, error.param)
    assert {"message": "what the author says", "type": kind, "code": code, "param": param} == error.body
    assert error.request_id.startswith("req_")


def test_the_page_tells_them_as_they_are() -> None:
    """The table of docs/providers/openai-chat.md is this one."""
    page = (Path(__file__).parents[2] / "docs" / "providers" / "openai-chat.md").read_text(encoding="utf-8")
    rows = [line.replace("`", "").strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    told = {row[0]: row[1:] for row in rows if row[0] in TABLE}
    assert told == {
        name: [str(status), kind, code or "null", exception.__name__]
        for name, (status, kind, code, _, exception) in TABLE.items()
    }


STATUSES = [
    # status; type, exception
    (400, "invalid_request_error", openai.BadRequestError),
    (402, "invalid_request_error", openai.APIStatusError),
    (409, "invalid_request_error", openai.ConflictError),
    (418, "invalid_request_error", openai.APIStatusError),
    (422, "invalid_request_error", openai.UnprocessableEntityError),
    (429, "requests", openai.RateLimitError),
    (502, "server_error", openai.InternalServerError),
    (529, "server_error", openai.InternalServerError),
    (599, "server_error", openai.InternalServerError),
]


@pytest.mark.parametrize("status, kind, exception", STATUSES)
def test_a_bare_status_gives_its_error(speaker: Speaker, status: int, kind: str, exception: type[Exception]) -> None:
    """A status alone, also one that OpenAI never sends, is an error that the SDK understands."""
    speaker.say(Failure(status=status))
    with pytest.raises(openai.APIStatusError) as raised:
        asked(speaker)
    assert (exception, status, kind) == (type(raised.value), raised.value.status_code, raised.value.type)
    assert raised.value.body["message"]


def test_the_author_has_the_last_word() -> None:
    """Status, type, code, message, param and headers of the rule replace OpenAI's."""
    answer = WIRE.failure(FAILURES["in the author's words"], 0.0)
    assert {"message": "Nein 🙅", "type": "mine", "param": "messages[0]", "code": "own"} == told(answer)
    assert answer.status == 422
    headers = [(name, value) for name, value in answer.headers if name.lower() in ("content-type", "x-mine")]
    assert [("X-Mine", "1"), ("Content-Type", "application/problem+json")] == headers


def test_an_empty_message_is_a_message() -> None:
    """What the author empties stays empty."""
    assert told(WIRE.failure(Failure(name="overloaded", message="", code=""), 0.0))["message"] == ""


# --- headers ----------------------------------------------------------------------------------------------------------

WAITS = [
    # seconds; retry-after, retry-after-ms
    (None, None, None),
    (0.02, "1", "20"),
    (0.07, "1", "70"),
    (0.0001, "1", "1"),
    (0.9999, "1", "1000"),
    (1.0, "1", None),
    (1.2, "2", None),
    (61.2, "62", None),
]


@pytest.mark.parametrize("seconds, whole, milliseconds", WAITS)
@pytest.mark.parametrize("name", ["rate_limited", "overloaded", "bad_request"])
def test_retry_after_is_told_in_whole_seconds(
    name: str, seconds: float | None, whole: str | None, milliseconds: str | None
) -> None:
    """Rounded up; below one second in milliseconds too; not at all where the rule has none."""
    headers = dict(WIRE.failure(Failure(name=name, retry_after=seconds), 0.0).headers)
    assert (whole, milliseconds) == (headers.get("retry-after"), headers.get("retry-after-ms"))


@pytest.mark.parametrize("seconds, told_as", [(0.02, "20ms"), (7.5, "7.5s"), (61.2, "1m1.2s")])
def test_a_rate_limit_says_in_words_when_to_come_back(seconds: float, told_as: str) -> None:
    """Where it is told by headers too; other errors and an author's words are left as they are."""
    limited = told(WIRE.failure(Failure(name="rate_limited", retry_after=seconds), 0.0))
    assert f"Requested 1. Please try again in {told_as}. Visit https://" in limited["message"]
    assert "again in" not in told(WIRE.failure(Failure(name="rate_limited"), 0.0))["message"]
    assert "again in" not in told(WIRE.failure(Failure(name="quota_exceeded", retry_after=seconds), 0.0))["message"]
    mine = Failure(name="rate_limited", retry_after=seconds, message="Please Visit us.")
    assert "Please Visit us." == told(WIRE.failure(mine, 0.0))["message"]


def test_a_rate_limit_tells_what_is_left_and_when_it_resets() -> None:
    """The requests are spent, and the time to wait is the time until they are back."""
    headers = dict(WIRE.failure(FAILURES["later"], 0.0).headers)
    assert ("0", "1m1.2s") == (headers["x-ratelimit-remaining-requests"], headers["x-ratelimit-reset-requests"])
    assert "x-ratelimit-remaining-requests" in dict(WIRE.failure(Failure(status=429), 0.0).headers)
    for name in ("quota_exceeded", "overloaded", "bad_request"):
        assert not any(n.startswith("x-ratelimit") for n, _ in WIRE.failure(Failure(name=name), 0.0).headers)


RESETS = [
    (0, "0s"), (-1, "0s"), (0.006, "6ms"), (0.0061, "7ms"), (0.07, "70ms"), (0.9999, "1s"), (1, "1s"), (1.5, "1.5s"),
    (59.9999, "1m0s"), (60, "1m0s"), (3725.25, "1h2m5.25s"),
]  # fmt: skip


@pytest.mark.parametrize("seconds, written", RESETS)
def test_a_reset_is_written_as_openai_writes_it(seconds: float, written: str) -> None:
    """Milliseconds below one second, else hours, minutes and seconds."""
    assert written == reset(seconds)


@pytest.mark.parametrize("name", FAILURES)
def test_headers_are_fit_for_http(name: str) -> None:
    """Every error has a type, no header twice, and is JSON with OpenAI's four fields."""
    answer = WIRE.failure(FAILURES[name], 12.5)
    names = [header.lower() for header, _ in answer.headers]
    assert "content-type" in names
    assert len(names) == len(set(names))
    assert set(told(answer)) == {"message", "type", "param", "code"}


# --- retries ----------------------------------------------------------------------------------------------------------


def test_the_sdk_retries_a_rate_limit_and_gets_the_answer(speaker: Speaker) -> None:
    """It waits the milliseconds that it is told, and says which retry it is."""
    speaker.say(Failure(name="rate_limited", retry_after=0.02), REPLIES["text"])
    assert asked(speaker, retries=1).choices[0].message.content == "It is 22°C in Paris."
    assert [0, 1] == [turn.retry for turn in speaker.turns]


def test_a_miss_is_an_error_that_no_sdk_retries(speaker: Speaker) -> None:
    """404 with a code of its own, and the explanation as its message."""
    speaker.say(Miss('no rule of scenario "w" matches'))
    with pytest.raises(openai.NotFoundError) as raised:
        asked(speaker, retries=3)
    assert (1, "no_rule_matched") == (len(speaker.turns), raised.value.code)
    assert raised.value.body["message"] == 'no rule of scenario "w" matches'


def test_a_bad_body_is_an_error_that_no_sdk_retries(speaker: Speaker) -> None:
    """400 with the place of what is wrong."""
    with pytest.raises(openai.BadRequestError) as raised:
        asked(speaker, retries=3, extra_body={"stream": "yes"})
    assert ("stream", "invalid_type") == (raised.value.param, raised.value.code)


def test_a_refused_body_may_have_another_status() -> None:
    """What the transport refuses, such as a body too large, looks like any other error."""
    answer = WIRE.bad_request(BadRequest("too large", status=413), 0.0)
    assert 413 == answer.status
    assert {"message": "too large", "type": "invalid_request_error", "param": None, "code": None} == told(answer)
