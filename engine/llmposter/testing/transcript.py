"""What happened, for people to read: conversations turn by turn, requests that were none, and what would go on.

The one renderer of failed assertions and of the pytest plugin. Equal records give equal text; it holds no times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from llmposter.core.pattern import json_text
from llmposter_dsl.place import where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from llmposter.model import Message
    from llmposter.testing.records import Call, Conversation, Request
    from llmposter_dsl.program import Program, Rule

LONGEST: Final = 160
"""Characters of a text that are shown."""
_MOST: Final = 20
"""Requests of one conversation that are shown; of more, the first and the last ones."""


def conversation(held: Conversation, requests: Iterable[Request], program: Program | None) -> list[str]:
    """A conversation from its first request to where it stands, and what its scenario waits for there."""
    own = [each for each in requests if (each.conversation, each.scenario) == (held.id, held.scenario)]
    lines = [heading(held, program)]
    for each in own if len(own) <= _MOST else (*own[: _MOST // 2], None, *own[-_MOST // 2 :]):
        lines += ["  …"] if each is None else [f"  {line}" for line in turn(each)]
    if not held.final and program is not None:
        lines += [f"  {line}" for line in goes_on(program, held.state)]
    return lines


def heading(held: Conversation, program: Program | None) -> str:
    """``conversation c1 of scenario "weather" (weather.toml), in state "lookup", which is not final``."""
    file = "" if program is None else f" ({program.place.source.name})"
    session = f" in session {held.session}" if held.session else ""
    end = "" if held.final else ", which is not final"
    return f'conversation {held.id} of scenario "{held.scenario}"{file}{session}, in state "{held.state}"{end}'


def turn(request: Request) -> list[str]:
    """A request of a conversation and its answer."""
    again = f" (attempt {request.attempt})" if request.attempt > 1 else ""
    state = f' in "{request.before}"' if request.before else ""
    lines = [f"#{request.number}{state}{again}, the agent sent: {sent(request)}"]
    lines.append(f"   {answered(request)}")
    for each in request.violations:
        place = f"{each.place}: " if each.place else ""
        lines.append(f"   violation: {place}{each.message}")
    return lines


def apart(request: Request) -> list[str]:
    """A request that no conversation took."""
    lines = [f"#{request.number} {request.method} {request.path}: {answered(request)}"]
    return [*lines, *([f"   it sent: {short(request.text)}"] if request.text else [])]


def sent(request: Request) -> str:
    """What is new in the history of a request."""
    if not request.messages:
        why = f"the body was cut by {request.cut} bytes" if request.cut else "the body was let go"
        return f"{request.method} {request.path}" if request.kept and not request.cut else f"({why})"
    names = {use.id: use.tool for message in request.messages for use in message.calls}
    return ", then ".join(said(message, names) for message in fresh(request.messages))


def fresh(messages: Sequence[Message]) -> Sequence[Message]:
    """What the client added since the last answer; all but that of a history that ends with the assistant's words."""
    for at in range(len(messages) - 1, -1, -1):
        if messages[at].role == "assistant" and at < len(messages) - 1:
            return messages[at + 1 :]
    return messages


def said(message: Message, names: dict[str, str]) -> str:
    """One message, in a few words."""
    found = [f"{names.get(each.id) or each.tool or 'a tool'} gave {short(each.text)}" for each in message.results]
    if message.text or not (found or message.calls):
        found.insert(0, f"{message.role} {short(json_text(message.text))}")
    found += [f"the call {use.tool}({short(use.arguments)})" for use in message.calls]
    extra = (("image", message.images), ("file", message.files))
    found += [f"{count} {noun}{'s' if count > 1 else ''}" for noun, count in extra if count]
    return " and ".join(found)


def answered(request: Request) -> str:
    """What the answer was, and which rule gave it."""
    by = f' by rule "{request.rule}" ({request.place})' if request.rule else ""
    went = "".join(f' → "{state}"' for state in request.path_taken[1:])
    broken = f", broken by {' and '.join(request.faults)}" if request.faults else ""
    return f"{_told(request)}{by}{went}{broken}"


def _told(request: Request) -> str:
    answer = request.answer
    match request.outcome:
        case "reply" | "repeated" if answer is not None:
            again = "once more: " if request.outcome == "repeated" else ""
            calls = " and ".join(called(each.tool, each.arguments) for each in answer.calls)
            text = f"says {short(json_text(answer.text))}" if answer.text or not calls else ""
            return f"{again}the model {' and '.join(filter(None, (text, calls and f'calls {calls}')))}"
        case "error" if answer is not None:
            return f"the error {answer.error}" + ("" if answer.error == request.status else f" ({request.status})")
        case "miss":
            return f"a miss: {request.detail}"
        case "endpoint":
            return f"answered with {request.status}"
        case _:
            return f"{request.outcome} ({request.status}): {request.detail}"


def call(made: Call) -> str:
    """A tool call and what became of it."""
    result = "no result came back"
    if made.done:
        result = f"the agent {'failed with' if made.failed else 'brought'} {short(made.result or '')}"
    return f'{called(made.tool, made.arguments)}, by rule "{made.rule}" ({made.place}): {result}'


def called(tool: str, arguments: Any) -> str:
    """``get_weather(city: "Paris")``."""
    if not isinstance(arguments, dict):
        return f"{tool}({short(arguments if isinstance(arguments, str) else json_text(arguments))})"
    return f"{tool}({', '.join(f'{name}: {short(json_text(value))}' for name, value in arguments.items())})"


def goes_on(program: Program, state: str) -> list[str]:
    """The rules that lead on from a state, with where they stand."""
    rules = [rule for rule in (*program.always, *program.states.get(state, ()), *program.otherwise) if rule.goto]
    found = [f"  {_leads(rule)}" for rule in rules if rule.goto != state]
    if not found:
        return [f'no rule of state "{state}" leads on']
    return [f'from "{state}" the scenario goes on by', *found]


def _leads(rule: Rule) -> str:
    when = "" if rule.when is None else f" when {short(rule.when.text)}"
    return f'rule "{rule.name}" ({where(rule.place)}){when} → "{rule.goto}"'


def calling(program: Program, tool: str) -> Iterator[str]:
    """The rules that call a tool, with where they stand."""
    groups = (program.always, *program.states.values(), program.otherwise)
    for rule in (rule for group in groups for rule in group):
        if any(tool == each.tool for each in getattr(rule.outcome, "calls", ())):
            in_state = f' in state "{rule.group}"' if rule.group in program.states else ""
            yield f'rule "{rule.name}" ({where(rule.place)}){in_state}' + (
                "" if rule.when is None else f" when {short(rule.when.text)}"
            )


def short(text: str) -> str:
    """The beginning of a long text, in one line."""
    text = text.replace("\n", "\\n")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
