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
from concurrent.futures import ThreadPoolExecutor
from functools import cache, reduce
from threading import Lock
from typing import Any, NamedTuple, TypeVar

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

Made = TypeVar("Made")


def once(make: Callable[..., Made]) -> Callable[..., Made]:
    """Makes a client once for each server, key and timeout; one that nobody holds closes its connections."""
    made, lock = cache(make), Lock()

    def get(*of: Any) -> Made:
        with lock:
            return made(*of)

    return get


def run(plays: Mapping[str, Mapping[str, Play]], attributes: tuple[str, ...]) -> None:
    """Plays what standard input asks for; trials that wait in vain do so side by side, after the others.

    *attributes* are those of an exception, dotted, that may hold something.
    """
    sys.stdout = sys.stderr
    trials = json.load(sys.stdin)
    with asyncio.Runner() as runner:

        def play(trial: dict[str, Any]) -> str:
            waits.clear()
            heard: Heard = []
            error = _raised(plays[trial["api"]][trial["how"]], trial, heard, runner)
            told = {"heard": "".join(heard), "waits": list(waits), **_of(error, attributes)}
            return json.dumps({"trial": trial["trial"], **told})

        for trial in (trial for trial in trials if not trial["vain"]):
            print(play(trial), file=sys.__stdout__)
            if trial["pause"]:
                # A connection that the server ends is not to be taken for the next request.
                pause(0.002)
        with ThreadPoolExecutor(32) as pool:
            for line in pool.map(play, (trial for trial in trials if trial["vain"])):
                print(line, file=sys.__stdout__)


def _raised(play: Play, trial: dict[str, Any], heard: Heard, runner: asyncio.Runner) -> Exception | None:
    timeout = trial["timeout"] and trial["timeout"] / 1000
    try:
        for says in trial["says"]:
            heard.clear()
            asked = Asked(trial["url"], trial["key"], timeout, {"x-llmposter-session": trial["session"]}, says)
            playing = play(asked, heard)
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
