"""What was said and answered, as the turns of an example that expects just that: plain data, ready to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmposter.core.pattern import json_text
from llmposter_dsl.program import Duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from llmposter.lint.said import Said
    from llmposter_dsl.program import ExampleTurn


def transcript(heard: Iterable[tuple[ExampleTurn, Said | None]]) -> Iterator[dict[str, Any]]:
    """Each turn with what it got; None for one that only waited."""
    known: Mapping[str, Any] = {}
    for turn, said in heard:
        told = written(turn)
        more = {name: value for name, value in turn.request.items() if known.get(name) != value or name not in known}
        if more and turn.kind != "wait":
            told["request"], known = more, turn.request
        if said is not None:
            told |= {"expect": expected(said), "state": said.state}
            if not told["expect"]:
                del told["expect"]
        yield told


def written(turn: ExampleTurn) -> dict[str, Any]:
    """What a turn sends, without its request."""
    wait = {"wait": str(Duration(turn.wait))} if turn.wait else {}
    match turn.kind:
        case "user":
            return {"user": turn.user, **wait}
        case "retry":
            return {"retry": True, **wait}
        case "wait":
            return wait
        case "tool":
            ((tool, value, failed),) = turn.results
            return {"tool": tool, "error" if failed else "result": value, **wait}
        case _:
            return {"results": [{"error" if failed else "result": value} for _, value, failed in turn.results], **wait}


def expected(said: Said) -> str | list[str]:
    """What the answer was, as conditions that it meets."""
    if said.error is not None:
        found = [_error(said.error)]
    else:
        found = [f"reply == {json_text(said.reply)}"] if said.reply else []
    if said.refusal is not None:
        found.append(f"refusal == {json_text(said.refusal)}")
    found += [f"calls[{n}].tool == {json_text(call['tool'])}" for n, call in enumerate(said.calls)]
    if said.violations:
        # An example that does not speak of them would fail.
        found.append(f"len(violations) == {len(said.violations)}")
    return found[0] if len(found) == 1 else found


def _error(error: Mapping[str, Any]) -> str:
    """By its name, which is the same on every format; its status is not."""
    if error["name"] is not None:
        return f"error.name == {json_text(error['name'])}"
    return f"error.status == {error['status']}"
