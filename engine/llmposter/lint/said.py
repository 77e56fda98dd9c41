"""One answer as the `expect` of an example sees it: an `Env` of the facts of `llmposter_dsl.facts.ANSWER`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from llmposter.core import explain
from llmposter.core.facts import parsed
from llmposter.core.pattern import json_text, text_of
from llmposter.model import Failure, Miss, Refusal, Reply, Text, Thinking, ToolCall
from llmposter_dsl.program import Duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmposter.core.conversation import Step
    from llmposter.core.facts import Facts
    from llmposter.model import Wire
    from llmposter_dsl.program import Condition, Env, Fault, Value


class Said:
    """The facts of one answer."""

    def __init__(self, step: Step, wire: Wire, now: float) -> None:
        self.step = step
        self._broke = next((each.fault for each in step.struck if each.breaks), None)
        self.vars: Mapping[str, Value] = step.after.vars
        self.groups: dict[str, Value] = {}
        # An explanation hides the credentials of a request; an answer has none.
        self.headers: dict[str, str] = {}
        self.query: dict[str, str] = {}
        self.state = step.after.state
        self.latency = Duration(step.latency)
        self.cut = self._broke is not None
        self.violations = [violation.message for violation in step.violations]
        self.error = _error(step, wire, now) if self._broke is None else _broken(self._broke, wire, now)
        reply = step.outcome if isinstance(step.outcome, Reply) else None
        parts = () if reply is None else reply.parts
        self.reply = "".join(part.text for part in parts if isinstance(part, Text))
        self.think = "".join(part.text for part in parts if isinstance(part, Thinking))
        self.json = next((parsed(part.text) for part in parts if isinstance(part, Text) and part.structured), None)
        self.refusal = next((part.text for part in parts if isinstance(part, Refusal)), None)
        self.finish = None if reply is None or self.cut else reply.finish
        self.usage = None if reply is None or self.cut else _usage(reply)
        self.calls = [
            {"tool": part.tool, "id": part.id, "arguments": parsed(part.arguments)}
            for part in parts
            if isinstance(part, ToolCall)
        ]

    def call_of(self, tool: str) -> Value:
        """The arguments of the first call of a tool, or None."""
        return next((call["arguments"] for call in self.calls if call["tool"] == tool), None)

    def holds(self, condition: Condition) -> bool:
        """Whether an expectation is met."""
        self.groups = {}
        return condition.holds(cast("Env", self))

    def breach(self, condition: Condition) -> str:
        """What was expected, and what came."""
        expected = explain.breach(condition, cast("Facts", self))
        seen = {one.text for part in condition.parts or (condition,) for one in part.subjects}
        return expected if seen == {"reply"} and self.reply else f"{expected}; {self.told}"

    @property
    def told(self) -> str:
        """The answer in one line."""
        match self.step.outcome:
            case Miss(message=message):
                return message
            case Failure(name=name):
                return " ".join(("the answer was error", *([name] if name else []), str(self.error["status"])))
            case Reply() as reply:
                calls = [f"{p.tool}({_short(p.arguments)})" for p in reply.parts if isinstance(p, ToolCall)]
                text = text_of(reply)
                said = [f"the text {_short(json_text(text))}"] if text or not calls else []
                broke = "" if self._broke is None else f", broken by {json_text(self._broke.text)}"
                return f"the answer was {' and '.join([*said, *(f'a call {call}' for call in calls)])}{broke}"

    @property
    def unanswered(self) -> str:
        """Why no rule answered, or ""."""
        match self.step.outcome:
            case Miss(message=message):
                return message
            case Failure() if self.step.rule is None:
                return self.step.missed or f"no rule is asked: {self.told}, {json_text(self.error['message'])}"
            case _:
                return ""


def _short(text: str) -> str:
    return text if len(text) <= explain.LONGEST else f"{text[: explain.LONGEST - 1]}…"


def _broken(fault: Fault, wire: Wire, now: float) -> Any:
    """The error that a client is told of by a fault, in place of an answer or in the middle of it."""
    if fault.error is not None:
        return _failed(Failure(name=fault.error.name, status=fault.error.status), wire, now)
    if fault.status is not None and fault.status >= 400:
        return {"name": None, "status": fault.status, "message": fault.body, "retry_after": None}
    return None


def _error(step: Step, wire: Wire, now: float) -> Any:
    match step.outcome:
        case Reply():
            return None
        case Miss(message=message):
            return {"name": None, "status": wire.miss(message, now).status, "message": message, "retry_after": None}
        case Failure() as failure:
            return _failed(failure, wire, now)


def _failed(failure: Failure, wire: Wire, now: float) -> dict[str, Any]:
    sent, wait = wire.failure(failure, now), failure.retry_after
    return {
        "name": failure.name,
        "status": sent.status,
        "message": told_by(sent.body),
        "retry_after": None if wait is None else Duration(wait),
    }


def told_by(body: bytes) -> str:
    """The text that a client shows, wherever a provider puts it in the error's body."""
    return _message(parsed(body.decode("utf-8", "replace")))


def _message(body: Value) -> str:
    if not isinstance(body, dict):
        return ""
    if isinstance(body.get("message"), str):
        return str(body["message"])
    return next((found for member in body.values() if (found := _message(member))), "")


def _usage(reply: Reply) -> dict[str, int]:
    tokens = reply.tokens
    return {
        "input": tokens.input,
        "output": tokens.output,
        "cached": tokens.cached,
        "reasoning": tokens.reasoning,
    }
