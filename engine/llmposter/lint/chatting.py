"""Talking to a scenario by hand: lines in, lines out, through the same mock that serves agents, on a clock of its own.

What was said so far is a list of turns, played anew for every undo, so that nothing has to be taken back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from llmposter.core.pattern import json_text
from llmposter.lint.client import Unplayable
from llmposter.lint.player import Run
from llmposter.lint.said import Said
from llmposter.lint.transcribing import transcript
from llmposter.wire import load
from llmposter_dsl.delivery_forms import DURATION_FORMS, duration
from llmposter_dsl.program import Duration, ExampleTurn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from llmposter.core.conversation import Conversation, Step
    from llmposter.core.machine import Machine
    from llmposter.model import ToolUse
    from llmposter_dsl.program import Program, Value

HELP: Final = """\
What you type is sent as the user's message, or as the result of the call that waits, JSON or text.
  /result VALUE   the result of a call       /error VALUE   the same, as an error
  /user TEXT      a message, whatever waits  /retry         the same request once more
  /wait 30s       let time pass              /undo          take the last turn back
  /state /vars    where the conversation is  /why           the rules that the last request met
  /model NAME  /system TEXT  /header NAME: VALUE  /provider NAME   of requests from now on
  /save           what was said, as an example to paste     /quit"""


@dataclass(frozen=True, slots=True)
class Heard:
    """One turn that was played: what it got, and where the conversation stood before it."""

    turn: ExampleTurn
    step: Step
    said: Said
    before: Conversation


@dataclass(slots=True)
class Chat:
    """One conversation with one scenario."""

    program: Program
    machine: Machine
    provider: str
    request: dict[str, Any] = field(default_factory=dict)
    turns: list[ExampleTurn] = field(default_factory=list)
    heard: list[Heard | None] = field(default_factory=list)
    given: list[tuple[str, Value, bool]] = field(default_factory=list)
    ended: bool = False
    _run: Run = field(init=False)

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._run = Run(self.program, self.machine, load(), self.provider)
        self.heard, self.given = [], []

    @property
    def stands(self) -> Conversation:
        """Where the conversation stands."""
        return self._run.stands

    @property
    def prompt(self) -> str:
        """What is wanted next."""
        waiting = self._waiting()
        return f"{waiting[len(self.given)].tool} gives> " if waiting else "you> "

    def _waiting(self) -> list[ToolUse]:
        return self._run.client.waiting()

    def say(self, line: str) -> Iterator[str]:
        """What comes of one line that was typed."""
        text = line.strip()
        if not text:
            return
        if not text.startswith("/"):
            yield from self._result(text, failed=False) if self._waiting() else self._user(text)
            return
        name, _, rest = text[1:].partition(" ")
        command = _COMMANDS.get(name)
        if command is None:
            yield f'there is no "/{name}"; /help lists what there is'
        else:
            yield from command(self, rest.strip())

    # --- turns ------------------------------------------------------------------------------------------------------

    def _user(self, text: str) -> Iterator[str]:
        self.given = []
        yield from self._play(self._turn("user", user=text))

    def _result(self, text: str, *, failed: bool) -> Iterator[str]:
        waiting = self._waiting()
        if not waiting:
            yield "no call waits for a result"
            return
        self.given.append((waiting[len(self.given)].tool, _value(text), failed))
        if len(self.given) == len(waiting):
            given, self.given = tuple(self.given), []
            yield from self._play(self._turn("tool" if len(given) == 1 else "results", results=given))

    def _turn(self, kind: Any, **more: Any) -> ExampleTurn:
        return ExampleTurn(self.program.place, kind, request={"stream": True, **self.request}, **more)

    def _play(self, turn: ExampleTurn) -> Iterator[str]:
        try:
            heard = self._heard(turn)
        except Unplayable as trouble:
            yield str(trouble)
            return
        self.turns.append(turn)
        self.heard.append(heard)
        if heard is not None:
            yield from _told(heard, self.program)

    def _heard(self, turn: ExampleTurn) -> Heard | None:
        """What a turn got; None for one that only waits."""
        run = self._run
        run.clock.advance(turn.wait)
        if turn.kind == "wait":
            return None
        before = run.stands
        step, said = run.ask(turn, load()[turn.request.get("provider", self.provider)])
        return Heard(turn, step, said, before)

    # --- commands ---------------------------------------------------------------------------------------------------

    def retry(self, _: str) -> Iterator[str]:
        if not any(self.heard):
            yield "nothing was sent yet"
        else:
            yield from self._play(self._turn("retry"))

    def wait(self, text: str) -> Iterator[str]:
        if (seconds := duration(text)) is None:
            yield f'"{text}" is no duration: {DURATION_FORMS}'
        else:
            yield from self._play(ExampleTurn(self.program.place, "wait", wait=float(seconds)))

    def undo(self, _: str) -> Iterator[str]:
        if self.given:
            self.given.pop()
            return
        if not self.turns:
            yield "nothing was said yet"
            return
        kept, self.turns = self.turns[:-1], []
        self._begin()
        for turn in kept:
            list(self._play(turn))
        yield f'back in state "{self.stands.state}"'

    def state(self, _: str) -> Iterator[str]:
        final = ", where it may end" if self.stands.state in self.program.final else ""
        yield f'state "{self.stands.state}"{final}'

    def vars(self, _: str) -> Iterator[str]:
        yield ", ".join(f"{name} = {_shown(value)}" for name, value in self.stands.vars.items()) or "no variables"

    def why(self, _: str) -> Iterator[str]:
        last = next((each for each in reversed(self.heard) if each is not None), None)
        if last is None:
            yield "nothing was sent yet"
            return
        if last.step.missed:
            yield last.step.missed
        for rule in (*last.step.passed, *([last.step.rule] if last.step.rule else [])):
            yield f"{rule.name}: {'always' if rule.when is None else rule.when.text}"

    def set_model(self, text: str) -> Iterator[str]:
        self.request["model"] = text
        yield f'the model is "{text}" from now on'

    def set_system(self, text: str) -> Iterator[str]:
        self.request["system"] = text
        yield "the system prompt is set"

    def set_header(self, text: str) -> Iterator[str]:
        name, colon, value = text.partition(":")
        if not colon:
            yield f'"{text}" is no header: write `/header x-tenant: a`'
            return
        self.request["headers"] = {**self.request.get("headers", {}), name.strip(): value.strip()}
        yield f"{name.strip()} is sent from now on"

    def set_provider(self, text: str) -> Iterator[str]:
        if text not in load():
            yield f'there is no provider "{text}": it is one of {", ".join(load())}'
        else:
            self.request["provider"] = text
            yield f"requests are {text}'s from now on"

    def save(self, _: str) -> Iterator[str]:
        from llmposter_dsl.writing import write

        if not any(self.heard):
            yield "nothing was said yet"
            return
        yield write({"examples": [{"name": "a conversation", "turns": list(self._examples())}]}).strip("\n")

    def _examples(self) -> Iterator[dict[str, Any]]:
        """The turns as an example has them, each with what it got."""
        turns = [replace(turn, request=_asked(turn)) for turn in self.turns]
        said = [None if heard is None else heard.said for heard in self.heard]
        return transcript(zip(turns, said, strict=True))

    def help(self, _: str) -> Iterator[str]:
        yield HELP

    def quit(self, _: str) -> Iterator[str]:
        self.ended = True
        yield from ()


_COMMANDS: Final[Mapping[str, Callable[[Chat, str], Iterator[str]]]] = {
    "result": lambda chat, text: chat._result(text, failed=False),  # noqa: SLF001 - its own
    "error": lambda chat, text: chat._result(text, failed=True),  # noqa: SLF001
    "user": lambda chat, text: chat._user(text),  # noqa: SLF001
    "retry": Chat.retry,
    "wait": Chat.wait,
    "undo": Chat.undo,
    "state": Chat.state,
    "vars": Chat.vars,
    "why": Chat.why,
    "model": Chat.set_model,
    "system": Chat.set_system,
    "header": Chat.set_header,
    "provider": Chat.set_provider,
    "save": Chat.save,
    "help": Chat.help,
    "quit": Chat.quit,
}


# --- what came --------------------------------------------------------------------------------------------------------


def _told(heard: Heard, program: Program) -> Iterator[str]:
    """The answer, and what became of the conversation."""
    said, step = heard.said, heard.step
    if said.think:
        yield f"({said.think})"
    if said.reply:
        yield said.reply
    if said.refusal is not None:
        yield f"refuses: {said.refusal}"
    yield from (f"calls {call['tool']}({json_text(call['arguments'])})" for call in said.calls)
    if said.error is not None:
        yield _error(said.error)
    yield f"  [{' · '.join(_became(heard, program))}]"
    yield from (f"  violation: {each.message}" for each in step.violations)


def _error(error: Mapping[str, Any]) -> str:
    name = "" if error["name"] is None else f" {error['name']}"
    wait = "" if error["retry_after"] is None else f"; it may come back after {error['retry_after']}"
    return f"error{name} {error['status']}: {error['message']}{wait}"


def _became(heard: Heard, program: Program) -> Iterator[str]:
    step, before = heard.step, heard.before
    yield " → ".join(rule.name for rule in (*step.passed, *([step.rule] if step.rule else []))) or "no rule"
    state = step.after.state
    yield f"{before.state} → {state}" if state != before.state else state
    if state in program.final:
        yield "may end here"
    yield from (f"{n} = {_shown(v)}" for n, v in step.after.vars.items() if before.vars.get(n) != v)
    if step.latency:
        yield f"after {Duration(round(step.latency, 3))}"
    yield from (f'broken by "{each.fault.text}"' for each in step.struck if each.breaks)


def _value(text: str) -> Value:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _shown(value: Value) -> str:
    return str(value) if isinstance(value, Duration) else json_text(value)


def _asked(turn: ExampleTurn) -> dict[str, Value]:
    """Its request, without what nobody typed."""
    return {name: value for name, value in turn.request.items() if name != "stream"}
