"""What a server of fixture files says while it runs, in the lines of llmposter 0.5."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from llmposter.log import Log
from llmposter.model import BadRequest

if TYPE_CHECKING:
    from llmposter.core.journal import Entry
    from llmposter.sources import Reloaded


class Lines(Log):
    """As `Log`; a line for each request only where these are wanted."""

    def __init__(self, *, verbose: bool) -> None:
        super().__init__(verbose=verbose)
        self._wanted = verbose

    def answered(self, entry: Entry) -> None:
        """A line for the request, if it is to be told."""
        if not self._wanted or entry.request is None:
            return
        asked = f"{entry.request.method} {entry.request.path} \N{RIGHTWARDS ARROW}"
        match entry.outcome:
            case "reply" | "error" | "repeated":
                _say(f"{asked} fixture matched")
            case "miss":
                _say(f"{asked} no match (model='{entry.model}'{_length(entry)})")
            case _:
                _say(f"{asked} {entry.status}" + (f" ({entry.detail})" if entry.detail else ""))
        if entry.step is not None and entry.step.faults:
            _say(f"{asked} chaos active")

    def reloaded(self, reloaded: Reloaded) -> None:
        """A line for the reload."""
        self._findings(reloaded.diagnostics)
        if reloaded.swap is not None:
            _say(f"{reloaded.cause} reload: fixtures swapped")
            return
        errors = sum(each.severity == "error" for each in reloaded.diagnostics)
        told = f"{errors} error{'' if errors == 1 else 's'}, told above"
        _say(f"{reloaded.cause} reload parse failed, keeping old fixtures: {told}")


def _length(entry: Entry) -> str:
    """How long what the user said last is; nothing where the body is not there whole any more."""
    from llmposter.wire import load

    wire = load().get(entry.provider)
    if wire is None or entry.request is None or isinstance(read := wire.read(entry.request), BadRequest):
        return ""
    said = next((message.text for message in reversed(read.messages) if message.role == "user"), "")
    return f", msg len={len(said)} chars"


def _say(text: str) -> None:
    print(f"[llmposter] {text}", file=sys.stderr, flush=True)  # noqa: T201 - it is a line of the program's own
