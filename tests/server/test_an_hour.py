"""An hour of waits and expiries on the manual clock: nobody sleeps, and all of it happens at its time."""

from __future__ import annotations

import json
import time
from pathlib import Path

from raw_http import Answer, Raw
from serving import serving

from llmposter.core.clock import ManualClock
from llmposter.server import Running

HOUR = Path(__file__).parents[2] / "scenarios" / "an-hour.toml"
MINUTE = 60.0


def test_an_hour_is_played_at_once() -> None:
    """Two slow answers, a limit, a token that expires: the clock shows an hour, the process has not slept."""
    with serving(HOUR, clock="manual") as server, Raw(server.url) as raw:
        clock = server.clock
        assert isinstance(clock, ManualClock)
        began, messages = clock.now(), [said("user", "Are you there?")]

        def ask(token: str, *, wait: float = 0.0) -> Answer:
            raw.send(
                raw.request(
                    "POST",
                    "/v1/chat/completions",
                    {"model": "m", "messages": messages},
                    authorization=f"Bearer {token}",
                )
            )
            if wait:
                waits(server)
                clock.advance(wait - 1)
                assert "pending" == server.mock.journal()["entries"][-1]["how"]
                clock.advance(1)
            return raw.read("POST")

        def goes_on(answer: Answer, text: str, then: str) -> None:
            assert text == answer.json["choices"][0]["message"]["content"]
            messages.extend((said("assistant", text), said("user", then)))

        goes_on(ask("hour-1", wait=9 * MINUTE), "That took nine minutes.", "And now?")
        limited = ask("hour-1")
        assert (429, "600") == (limited.status, limited.headers["retry-after"])
        clock.advance(10 * MINUTE)
        goes_on(ask("hour-1", wait=9 * MINUTE), "You waited as long as you were told.", "Is it an hour?")
        clock.advance(5 * MINUTE)
        assert 401 == ask("hour-1").status
        goes_on(ask("hour-2"), "It is not an hour yet.", "Is it now?")
        clock.advance(40 * MINUTE)
        goes_on(ask("hour-2"), "The hour is over, and you came with the long token.", "")
        assert 73 * MINUTE == clock.now() - began
        assert server.mock.verify().ok, json.dumps(server.mock.verify().lines)


def said(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def waits(server: Running) -> None:
    """Returns once the last answer that was asked for stands waiting for the clock."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        entries = server.mock.journal()["entries"]
        if entries and entries[-1]["how"] == "pending":
            return
        time.sleep(0.001)
    raise AssertionError(server.mock.journal())
