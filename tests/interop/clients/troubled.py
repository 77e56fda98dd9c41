"""What the programs share that tell how an SDK takes trouble: it plays the trials that come on standard input.

A trial has a session of its own, so that the server's journal tells how often the SDK asked. The SDK's waits between
its tries are noted and not waited for. A program knows nothing of what is expected.
"""

import asyncio
import inspect
import json
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, NamedTuple

MODELS = {
    "openai": "gpt-4o",
    "responses": "gpt-4o",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-flash",
}
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"type": "string"}},
    "required": ["city", "unit"],
    "additionalProperties": False,
}


class Asked(NamedTuple):
    """A request: server, key and patience of the client, the headers to send with it, and what the user says.

    Attributes:
        timeout: seconds; None is what the SDK has by default.
    """

    url: str
    key: str
    timeout: float | None
    headers: dict[str, str]
    says: str

    @property
    def client(self) -> tuple[str, str, float | None]:
        return self.url, self.key, self.timeout


Heard = list[str]
Play = Callable[[Asked, Heard], Any]
"""Asks, and puts down the texts that the application gets; a coroutine or not."""

waits: list[float] = []
pause = time.sleep


def _note_sleeps() -> None:
    real = asyncio.sleep

    async def sleep(delay: float, result: Any = None) -> Any:
        if delay > 0:
            waits.append(delay)
        return await real(0, result)

    time.sleep = waits.append
    asyncio.sleep = sleep


_note_sleeps()


def run(plays: Mapping[str, Mapping[str, Play]], attributes: tuple[str, ...]) -> None:
    """Plays what standard input asks for; *attributes* are those of an exception, dotted, that may hold something."""
    sys.stdout = sys.stderr
    with asyncio.Runner() as runner:
        for trial in json.load(sys.stdin):
            waits.clear()
            heard: Heard = []
            error = _raised(plays[trial["api"]][trial["how"]], trial, heard, runner)
            told = {"heard": "".join(heard), "waits": list(waits), **_of(error, attributes)}
            print(json.dumps(told), file=sys.__stdout__, flush=True)
            if trial["timeout"]:
                # A connection that the server ends is not to be taken for the next request.
                pause(0.002)


def _raised(play: Play, trial: dict[str, Any], heard: Heard, runner: asyncio.Runner) -> Exception | None:
    try:
        for says in trial["says"]:
            heard.clear()
            headers = {"x-llmposter-session": trial["session"]}
            playing = play(Asked(trial["url"], trial["key"], trial["timeout"], headers, says), heard)
            if inspect.isawaitable(playing):
                runner.run(_awaited(playing))
    except Exception as error:  # noqa: BLE001 - which one it is, is what the test wants to know
        return error
    return None


async def _awaited(playing: Any) -> Any:
    return await playing


def _of(error: Exception | None, attributes: tuple[str, ...]) -> dict[str, Any]:
    if error is None:
        return {"raised": None, "holds": {}, "trace": ""}
    found = {name: reduce(_attribute, name.split("."), error) for name in attributes}
    holds = {
        name: value if isinstance(value, int) else str(value) for name, value in found.items() if value is not None
    }
    return {"raised": type(error).__name__, "holds": holds, "trace": "".join(traceback.format_exception(error))}


def _attribute(of: Any, name: str) -> Any:
    if isinstance(of, Mapping) or hasattr(of, "get"):
        return of.get(name)
    return getattr(of, name, None)
