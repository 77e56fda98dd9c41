"""What the log tells, for people and for programs."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from raw_http import CHAT, Raw, chat
from serving import serving

from llmposter.log import Log, of_libraries

SCENARIO = """
[scenario]
name = "told"

[[states.a]]
expect = 'model == "right"'
reply = "hello"
"""


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """structlog and the libraries' loggers as they were."""
    loggers = [logging.getLogger(name) for name in ("tornado", "asyncio")]
    kept = [(logger, logger.handlers, logger.propagate) for logger in loggers]
    yield
    structlog.reset_defaults()
    for logger, handlers, propagate in kept:
        logger.handlers, logger.propagate = handlers, propagate


def test_a_violation_is_always_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A violation has a line with its place and message although the request itself has none."""
    with serving(SCENARIO, watch=Log("json")) as server, Raw(server.url) as raw:
        raw.ask("POST", f"/@mine{CHAT}", chat("hi", model="wrong"))
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert ("violation", "warning", "told", "mine") == (
        line["event"], line["level"], line["scenario"], line["session"],
    )  # fmt: skip
    assert line["place"].startswith("scenario.toml:6:")
    assert "wrong" in line["message"]


def test_people_get_one_line_for_each_thing(capsys: pytest.CaptureFixture[str]) -> None:
    """On the console a request is one line without colours where no terminal reads it, whatever its path holds."""
    with serving(SCENARIO, watch=Log()) as server, Raw(server.url) as raw:
        raw.ask("GET", "/no%0Awhere%1B[31m")
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "outcome=unrouted status=404" in told
    assert "\x1b" not in told


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_bug_is_told_with_its_traceback(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The log alone holds the traceback of a bug."""
    log = Log(form)
    try:
        json.loads("{")
    except ValueError as error:
        log.broke(error, "POST /x")
    told = capsys.readouterr().err
    assert "POST /x" in told
    assert "JSONDecodeError" in told
    assert "Traceback" in told


def test_libraries_speak_through_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """A warning of Tornado or asyncio is a line of ours; what they only remark is not told."""
    of_libraries(Log("json"))
    logging.getLogger("tornado.general").info("a remark")
    logging.getLogger("tornado.general").warning("odd %s", "thing")
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert "odd thing" in line["request"]
