"""Random walks that ask two machines the same, and show where the one answers otherwise than the other.

What is drawn by chance is not compared, since it hangs on a rule's place in the file, nor the text that explains why
no rule matched, since it names states and rules.
"""

from __future__ import annotations

import re
from random import Random
from typing import Any, NamedTuple

from machines import Talk, text
from mutations import Data, rules_of

from llmposter.core.conversation import Step, interrupted
from llmposter.core.fingerprint import spoken
from llmposter.model import Failure, Message, Reply
from llmposter_dsl.program import Program


class Words(NamedTuple):
    """What clients of a scenario may say: texts, results of tools, and what else their requests have."""

    users: list[str]
    results: list[Any]
    requests: list[Data]


_QUOTED = re.compile(r'"([^"]*)"')
_ID = re.compile(r"[a-z]+_[0-9A-Za-z]{8,}")


class Client(Talk):
    """A client that gets over an answer that breaks off as over an error: it did not hear it, and counts an attempt."""

    def ask(self, *messages: Message | str, wait: float = 0.0, **request: Any) -> Step:
        attempt, heard = self.attempt, len(self.messages) + len(messages)
        step = super().ask(*messages, wait=wait, **request)
        if step.faults:
            self.stands, self.messages, self.attempt = interrupted(step), self.messages[:heard], attempt + 1
        return step


def words_of(data: Data) -> Words:
    """What its examples say, and what its conditions ask for."""
    turns = [turn for each in data.get("examples", []) for turn in each.get("turns", [])]
    asked = [rule["when"] for rule in rules_of(data, "when")]
    users = [turn["user"] for turn in turns if "user" in turn]
    users += [text for when in asked for text in _QUOTED.findall(when)]
    results = [turn.get("result", turn.get("error")) for turn in turns if "tool" in turn]
    results += [result.get("result", result.get("error")) for turn in turns for result in turn.get("results", [])]
    requests = [turn["request"] for turn in turns if "request" in turn]
    return Words([*users, "hello", "#7"], [*results, {"a": 1}, "ok", {"error": "no"}], [*requests, {}])


def difference(
    first: Program, second: Program, said: Words, draw: Random, *, walks: int = 30, steps: int = 12
) -> str | None:
    """The first request to which some walk gets another answer from the second, with both; None where none does."""
    found = (_walk(first, second, said, draw, number, steps) for number in range(walks))
    return next((each for each in found if each is not None), None)


def _walk(first: Program, second: Program, said: Words, draw: Random, number: int, steps: int) -> str | None:
    one, other = (Client(program, number=number) for program in (first, second))
    request = draw.choice(said.requests)
    for _ in range(steps):
        if draw.random() < 0.2:
            request = draw.choice(said.requests)
        wait = draw.choice((0.0, 0.0, 0.0, 2.0, 40.0, 400.0, 4000.0))
        messages = _next(one, said, draw)
        before, after = (talk.ask(*messages, wait=wait, **_fields(request)) for talk in (one, other))
        if _heard(before) != _heard(after):
            return f"{_asked(messages, wait, request)}: {_told(before, after)}"
    return None


def _fields(request: Data) -> Data:
    known = {name: request[name] for name in ("model", "system", "stream", "provider") if name in request}
    if "headers" in request:
        known["headers"] = {name.lower(): value for name, value in request["headers"].items()}
    if "tools" in request:
        known["tools"] = [tool if isinstance(tool, str) else tool["name"] for tool in request["tools"]]
    return known


def _next(talk: Client, said: Words, draw: Random) -> list[Message | str]:
    last = talk.steps[-1].outcome if talk.steps else None
    if last is not None and (isinstance(last, Failure) or talk.steps[-1].faults) and draw.random() < 0.7:
        return []
    if isinstance(last, Reply) and talk.messages[-1].calls:
        return [talk.answer(*(draw.choice(said.results) for _ in talk.messages[-1].calls))]
    return [draw.choice(said.users)]


def _heard(step: Step) -> tuple[object, ...]:
    """What can be told of an answer from outside."""
    outcome = "a miss" if step.missed else _ID.sub("id", repr(step.outcome))
    return outcome, [fault.text for fault in step.faults], step.delivery, len(step.violations)


def _asked(messages: list[Message | str], wait: float, request: Data) -> str:
    parts = [repr(each) if isinstance(each, str) else _results(each) for each in messages] or ["the same again"]
    parts += [f"after {wait:g} s"] * (wait > 0)
    parts += [f"{name} {value!r}" for name, value in _fields(request).items()]
    return ", ".join(parts)


def _results(message: Message) -> str:
    return f"results {', '.join(result.text for result in message.results)}"


def _told(before: Step, after: Step) -> str:
    """What the two did, as far as it is not the same."""
    pairs = list(zip(_parts(before), _parts(after), strict=True))
    apart = [(one, other) for one, other in pairs[1:] if one != other] or pairs[:1]
    return "; ".join(f"{one}, now {other}" for one, other in apart)


def _parts(step: Step) -> tuple[str, str, str, str, str]:
    """All of the answer, and what one looks at."""
    breaches, delivery = f"{len(step.violations)} violations", _ID.sub("id", repr(step.delivery))
    faults = f"faults {[fault.text for fault in step.faults]}"
    return _ID.sub("id", repr(step.outcome)), _said(step), faults, delivery, breaches


def _said(step: Step) -> str:
    if step.missed:
        return "no answer"
    if not isinstance(step.outcome, Reply):
        return text(step)
    said = spoken(step.outcome)
    return " ".join([repr(said.text), *(f"{call.tool}({call.arguments})" for call in said.calls)])
