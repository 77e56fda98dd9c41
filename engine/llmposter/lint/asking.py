"""Turns that would take the rules of a state every way that their conditions have, where a conversation stands.

They are guesses, made from what the conditions ask for; whoever plays them sees what they do.
"""

from __future__ import annotations

from itertools import islice, product
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from llmposter.core.facts import parsed
from llmposter.lint.client import MODEL
from llmposter.lint.witness import Wanted, witnesses
from llmposter_dsl.analysis import Known, clauses, contradict
from llmposter_dsl.analysis.theory import LETTERS
from llmposter_dsl.expressions.syntax import Apply, Item, Member, Name
from llmposter_dsl.program import ExampleTurn, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from llmposter.lint.player import Run
    from llmposter.lint.said import Said
    from llmposter.lint.witness import Witness
    from llmposter.model import ToolResult
    from llmposter_dsl.analysis import Clause
    from llmposter_dsl.expressions.syntax import Node
    from llmposter_dsl.program import Branch, Condition, Program, Value

_MOST_WAYS: Final = 24
"""Ways through one condition that are asked for."""
_MOST_CLAUSES: Final = 4
"""Clauses of one way, and requests of one clause."""
_DEEPEST: Final = 4
"""Rules that only pass on, one after the other."""
_OF_REQUESTS: Final = frozenset(
    ("user", "system", "model", "provider", "stream", "headers", "params", "result", "tools", "attempt")
)
_SAID: Final = "hello"
"""What a user says where nothing is asked of it."""


class Way(NamedTuple):
    """What the parts of a condition have to be, as a server asks them, for the whole to be as it is."""

    parts: tuple[tuple[Branch, bool], ...]
    held: bool


def ways(branch: Branch) -> list[Way]:
    """Every way through a condition; the first of many."""
    match branch.word:
        case "":
            return [Way(((branch, True),), held=True), Way(((branch, False),), held=False)]
        case "not":
            return [Way(way.parts, not way.held) for way in ways(branch.operands[0])]
        case word:
            ends = word == "or"
            open_ = [Way((), held=not ends)]
            done: list[Way] = []
            for operand in branch.operands:
                further = [Way((*one.parts, *more.parts), more.held) for one in open_ for more in ways(operand)]
                done += [way for way in further if way.held == ends]
                open_ = [way for way in further if way.held != ends][:_MOST_WAYS]
            return [*done, *open_][:_MOST_WAYS]


def turns(program: Program, run: Run, base: Mapping[str, Value]) -> Iterator[ExampleTurn]:
    """What a client may do next; *base* is what its requests carried so far."""
    stands = run.stands
    known: dict[Node, tuple[Value, ...]] = {
        Name(name): (value,) for name, value in stands.vars.items() if name not in program.shared
    }
    facts = {Name("state"): (stands.state,), Name("provider"): tuple(run.wires), **known}
    wanted = Wanted(program, stands.state, Rule("", stands.state, program.place), Known(facts))
    seen: set[str] = set()
    for clause in _clauses(program, stands.state, known, 0):
        made = list(islice(witnesses(wanted, clause, {}), _MOST_CLAUSES))
        for witness in made or islice(witnesses(wanted, _sendable(clause), {}), 1):
            for turn in _turns(witness, run, base):
                told = repr((turn.kind, turn.user, turn.results, turn.request, turn.wait))
                if told not in seen:
                    seen.add(told)
                    yield turn


def _sendable(clause: Clause) -> Clause:
    """What of it a request alone decides; the rest is as it is where the conversation stands."""
    return tuple(signed for signed in clause if _base(signed[0].subject) in _OF_REQUESTS)


def _base(subject: Node) -> str:
    while True:
        match subject:
            case Name(name=name):
                return name
            case Member(of=of) | Item(of=of):
                subject = of
            case Apply(function="result"):
                return "result"
            case Apply(function=function, arguments=(first, *_)) if function in LETTERS:
                subject = first
            case _:
                return ""


def _clauses(program: Program, state: str, known: Mapping[Node, tuple[Value, ...]], depth: int) -> Iterator[Clause]:
    """What requests have to be, for each way through each condition that is asked in a state."""
    always = _needed((*([program.serves] if program.serves else []), *program.expect)) if depth == 0 else ()
    yield always
    for rule in (*program.always, *program.states.get(state, ()), *program.otherwise):
        for clause, held in _of(rule):
            whole = (*always, *clause, *(_needed(rule.expect) if held else ()))
            if contradict(whole, Known(known)):
                continue
            yield whole
            if held and rule.outcome is None and not rule.faults and rule.goto and depth < _DEEPEST:
                changed = {Name(name) for name, _ in rule.set}
                left = {name: value for name, value in known.items() if name not in changed}
                yield from ((*whole, *more) for more in _clauses(program, rule.goto, left, depth + 1))


def _of(rule: Rule) -> Iterator[tuple[Clause, bool]]:
    """What requests have to be for each way through its condition, and whether it takes them then."""
    if rule.when is None or rule.when.apart is None:
        yield (), True
        return
    for way in ways(rule.when.apart()):
        found = [clauses(branch.node, held) for branch, held in way.parts]
        if all(each is not None for each in found):
            joined = product(*(each for each in found if each is not None))
            for several in islice(joined, _MOST_CLAUSES):
                yield tuple(signed for one in several for signed in one), way.held


def _needed(conditions: Iterable[Condition]) -> Clause:
    """What is wanted of every request."""
    found = [clauses(each.apart().node) for each in conditions if each.apart is not None]
    return tuple(signed for each in found if each for signed in each[0])


# --- as turns ---------------------------------------------------------------------------------------------------------


def _turns(witness: Witness, run: Run, base: Mapping[str, Value]) -> Iterator[ExampleTurn]:
    """The turns that send such a request, or come nearer to it."""
    place, asked = run.program.place, witness.turn
    wait, request = _wait(witness, run), _request(witness, base)
    if witness.moment.attempt > run.client.retries + 1 and run.requests:
        yield ExampleTurn(place, "retry", request=request, wait=wait)
        return
    results = [result for message in asked.messages for result in message.results]
    said = next((m.text for m in reversed(asked.messages) if m.role == "user"), _SAID)
    waiting = run.client.waiting()
    if waiting:
        given = tuple((call.tool, *_given(call.tool, results, last=call is waiting[-1])) for call in waiting)
        kind: Literal["tool", "results"] = "tool" if len(given) == 1 else "results"
        yield ExampleTurn(place, kind, results=given, request=request, wait=wait)
        if len(given) > 1:
            # A client that forgets the others.
            yield from (ExampleTurn(place, "tool", results=(one,), request=request, wait=wait) for one in given)
    if waiting or not results:
        yield ExampleTurn(place, "user", user=said, request=request, wait=wait)


def again(run: Run, said: Said, base: Mapping[str, Value]) -> Iterator[ExampleTurn]:
    """The same request once more: when the error says, and with another credential where one was not good."""
    place, auth = run.program.place, run.program.auth
    if said.step.rule is None and auth is not None and said.error is not None and said.error["status"] in (401, 403):
        grant = base.get("token", 1)
        others: list[Value] = [token.name for token in auth.tokens if token.name != grant]
        others += [grant + 1] if auth.oauth is not None and isinstance(grant, int) else []
        yield from (ExampleTurn(place, "retry", request={**base, "token": other}) for other in others)
        return
    wait = None if said.error is None else said.error["retry_after"]
    yield ExampleTurn(place, "retry", request=base, wait=float(wait or 0))


def _given(tool: str, results: list[ToolResult], *, last: bool) -> tuple[Value, bool]:
    """The result of a call, and whether it is an error."""
    named = [each for each in results if each.tool == tool]
    other = [each for each in results if each.tool not in (tool, "")] if last else []
    for each in (*named, *other):
        value = parsed(each.text)
        return (each.text if value is None else value), bool(each.error)
    return "done", False


def _wait(witness: Witness, run: Run) -> float:
    """The time that has to pass."""
    now, stands, wanted = run.clock.now(), run.stands, witness.stands
    pairs = ((wanted.entered, stands.entered), (wanted.last, stands.last), (wanted.began, stands.began))
    needed = [witness.moment.now - then - (now - since) for then, since in pairs if then < witness.moment.now]
    return max(0.0, *needed) if needed else 0.0


def _request(witness: Witness, base: Mapping[str, Value]) -> dict[str, Value]:
    """What the request carries; what those before carried stays, or is taken back."""
    turn = witness.turn
    wanted: dict[str, tuple[Value, Value]] = {
        "system": (turn.system, ""),
        "model": (turn.model, MODEL),
        "stream": (turn.stream, False),
        "headers": (dict(turn.request.headers), {}),
        "params": (dict(turn.params), {}),
    }
    made = {name: value for name, (value, usual) in wanted.items() if value != usual or name in base}
    if turn.tools:
        made["tools"] = [tool.name for tool in turn.tools]
    if turn.provider != base.get("provider", "openai"):
        made["provider"] = turn.provider
    return {**base, **made}
