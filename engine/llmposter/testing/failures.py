"""What an assertion says where it does not hold: what was expected, the closest thing that did happen, and where.

Pure: each looks at what was observed, and gives the message of its failure, or None.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from llmposter.core.pattern import json_text
from llmposter.testing import recorded, transcript
from llmposter_dsl.place import Within, where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from llmposter.core.verify import Verification
    from llmposter.testing.records import Call, Conversation, Request
    from llmposter_dsl.program import Program


@dataclass(frozen=True)
class Observed:
    """All that a server or a session knows at one moment; *dropped* entries are known no more."""

    requests: Sequence[Request]
    conversations: Sequence[Conversation]
    programs: Mapping[str, Program]
    dropped: int

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """First to last; what came back for each is read from the histories."""
        return tuple(recorded.calls(self.requests))

    def chosen(self, conversation: str | None, scenario: str | None) -> list[Conversation]:
        """Those of this id and of this scenario; None for any."""
        return [
            each for each in self.conversations if conversation in (None, each.id) and scenario in (None, each.scenario)
        ]


class Several(NamedTuple):
    """Why there is not the one conversation that was asked for."""

    message: str


def the_only(observed: Observed, conversation: str | None, scenario: str | None) -> Conversation | Several:
    """The conversation of this id and scenario, else the only one."""
    chosen = observed.chosen(conversation, scenario)
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        told = f"there are {len(chosen)} conversations: name one with `conversation=`, or give each test a session"
        return Several(_paragraphs(told, [transcript.heading(each, _of(observed, each)) for each in chosen]))
    asked = [f'"{conversation}"'] if conversation else []
    asked += [f'of scenario "{scenario}"'] if scenario else []
    told = f"there is no conversation {' '.join(asked)}".rstrip()
    return Several(_paragraphs(told, *_everything(observed)))


def path(observed: Observed, expected: Sequence[str], conversation: str | None, scenario: str | None) -> str | None:
    """Of `assert_path`."""
    held = the_only(observed, conversation, scenario)
    if isinstance(held, Several):
        return f"expected the path {_arrows(expected)}, but {held.message}"
    if tuple(expected) == held.path:
        return None
    common = next(
        (n for n, (one, other) in enumerate(zip(expected, held.path, strict=False)) if one != other),
        min(len(expected), len(held.path)),
    )
    told = [f"expected the path {_arrows(expected)}", f"          but it was {_arrows(held.path)}"]
    if common and common < len(expected):
        told.append(f'it parts after "{expected[common - 1]}", where "{expected[common]}" was expected')
    return _paragraphs("\n".join(told), _whole(observed, held), _unknown(observed, expected, held), _gaps(observed))


def _unknown(observed: Observed, expected: Sequence[str], held: Conversation) -> list[str]:
    program = _of(observed, held)
    strange = [] if program is None else [state for state in expected if state not in program.states]
    if not strange or program is None:
        return []
    told = " and no ".join(f'"{each}"' for each in strange)
    return [f"the scenario has no state {told}; it has {', '.join(program.states)}"]


def final(observed: Observed, conversation: str | None, scenario: str | None) -> str | None:
    """Of `assert_final`."""
    chosen = observed.chosen(conversation, scenario)
    if not chosen:
        held = the_only(observed, conversation, scenario)
        return f"expected a conversation in a final state, but {held.message}" if isinstance(held, Several) else None
    open_ = [each for each in chosen if not each.final]
    if not open_:
        return None
    told = [f'expected {_ends(_of(observed, each))}, but {each.id} stands in "{each.state}"' for each in open_]
    return _paragraphs("\n".join(told), *(_whole(observed, each) for each in open_), _gaps(observed))


def _ends(program: Program | None) -> str:
    names = [] if program is None else sorted(program.final)
    ends = " or ".join(f'"{name}"' for name in names)
    place = None if program is None else program.place
    return f"an end in {ends}" + (f" ({where(place.key('scenario', 'final'))})" if isinstance(place, Within) else "")


def called(observed: Observed, tool: str, arguments: Mapping[str, Any]) -> Call | str:
    """The last call that `assert_called` looks for, else what it says."""
    fitting = [each for each in observed.calls if each.tool == tool and _fits(each, arguments)]
    if done := [each for each in fitting if each.done]:
        return done[-1]
    wanted = transcript.called(tool, arguments) if arguments else tool
    told = f"expected the agent to run {wanted}, but {_instead(observed, tool, fitting)}"
    near = fitting or [each for each in observed.calls if each.tool == tool] or observed.calls
    lines = [line for each in near for line in (f"  {transcript.call(each)}", *_differs(each, tool, arguments))]
    rules = [] if near and near[0].tool == tool else list(_callers(observed, tool))
    return _paragraphs(told, lines, rules, *_everything(observed), _gaps(observed))


def _instead(observed: Observed, tool: str, fitting: Sequence[Call]) -> str:
    if fitting:
        return "no request brought the result of the call"
    if any(each.tool == tool for each in observed.calls):
        return "it was called with other arguments"
    if observed.calls:
        return "the model called other tools only"
    return "the model called no tool"


def _fits(call: Call, arguments: Mapping[str, Any]) -> bool:
    given = call.arguments if isinstance(call.arguments, dict) else {}
    return all(name in given and given[name] == value for name, value in arguments.items())


def _differs(call: Call, tool: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    given = call.arguments if isinstance(call.arguments, dict) else {}
    for name, value in arguments.items() if call.tool == tool else ():
        wanted = transcript.short(json_text(value))
        if name not in given:
            yield f"    {name}: expected {wanted}, but the call has no such argument"
        elif given[name] != value:
            yield f"    {name}: expected {wanted}, was {transcript.short(json_text(given[name]))}"


def _callers(observed: Observed, tool: str) -> Iterator[str]:
    found = [line for program in observed.programs.values() for line in transcript.calling(program, tool)]
    if found:
        yield f"{tool} is called by"
        yield from (f"  {line}" for line in found)
    else:
        yield f"no rule of {_names(observed)} calls {tool}"


def not_called(observed: Observed, tool: str, arguments: Mapping[str, Any]) -> str | None:
    """Of `assert_not_called`."""
    found = [each for each in observed.calls if each.tool == tool and _fits(each, arguments)]
    if not found:
        return None
    wanted = transcript.called(tool, arguments) if arguments else tool
    lines = [f"  {transcript.call(each)}" for each in found]
    return _paragraphs(f"expected no call of {wanted}, but there was", lines, *_everything(observed))


def matched(observed: Observed, text: str) -> str | None:
    """Of `assert_matched`."""
    found = [each for each in observed.requests if each.matched]
    if any(text in each.text for each in found):
        return None
    plural = f"{len(found)} matched request{'' if len(found) == 1 else 's'}"
    told = f"expected a matched request whose body contains {json_text(text)}, but none of {plural} does"
    others = [each for each in observed.requests if not each.matched and text in each.text]
    near = [f"  {line}" for each in others for line in transcript.apart(each)]
    return _paragraphs(
        told, near and ["a request that no rule answered does:", *near], *_everything(observed), _gaps(observed)
    )


def not_matched(observed: Observed, text: str) -> str | None:
    """Of `assert_not_matched`."""
    found = [each for each in observed.requests if each.matched and text in each.text]
    if not found:
        return None
    told = f"expected no matched request whose body contains {json_text(text)}, but {_count(found)}"
    return _paragraphs(told, [f"  {line}" for each in found for line in (*transcript.turn(each), _around(each, text))])


def _count(found: Sequence[Request]) -> str:
    return "one does" if len(found) == 1 else f"{len(found)} do"


def _around(request: Request, text: str) -> str:
    at = request.text.index(text)
    start = max(0, at - 40)
    return f"   in its body: {'…' if start else ''}{transcript.short(request.text[start : at + len(text) + 40])}"


def verified(observed: Observed, verdict: Verification) -> str | None:
    """Of `verify`."""
    if verdict.ok:
        return None
    lines = verdict.lines()
    told = [f"the run was not clean: {len(lines)} {'thing is' if len(lines) == 1 else 'things are'} wrong"]
    told += [f"  {line}" for line in lines]
    bad = {(each.session, each.conversation) for each in verdict.problems if each.conversation}
    of_bad = [each for each in observed.conversations if (each.session, each.id) in bad]
    numbers = {each.number for each in verdict.problems}
    apart = [each for each in observed.requests if each.number in numbers and not each.conversation]
    return _paragraphs("\n".join(told), *(_whole(observed, each) for each in of_bad), _alone(apart), _gaps(observed))


def shown(observed: Observed, verdict: Verification) -> str:
    """All that happened, for a test that failed for a reason of its own."""
    lines = [f"  {line}" for line in verdict.lines()]
    told = [["this is wrong" if len(lines) == 1 else "these are wrong", *lines]] if lines else []
    told += [each for each in (*_everything(observed), _gaps(observed)) if each]
    return "\n\n".join("\n".join(each) for each in told)


# --- what all of them show


def _everything(observed: Observed) -> list[list[str]]:
    """All conversations, and the requests that are of none."""
    apart = [each for each in observed.requests if not each.conversation]
    held = [_whole(observed, each) for each in observed.conversations[:_SHOWN]]
    more = len(observed.conversations) - _SHOWN
    rest = [[f"and {more} more conversation{'s' if more > 1 else ''}"]] if more > 0 else []
    if not observed.requests:
        return [["no request came: does the agent have the base URL of this server or session?"]]
    return [*held, *rest, _alone(apart)]


_SHOWN = 3
"""Conversations that are shown whole where all are meant."""


def _alone(requests: Iterable[Request]) -> list[str]:
    lines = [f"  {line}" for each in requests for line in transcript.apart(each)]
    return ["outside of any conversation", *lines] if lines else []


def _whole(observed: Observed, held: Conversation) -> list[str]:
    own = [each for each in observed.requests if each.session == held.session]
    return transcript.conversation(held, own, _of(observed, held))


def _of(observed: Observed, held: Conversation) -> Program | None:
    return observed.programs.get(held.scenario)


def _names(observed: Observed) -> str:
    return " and ".join(f'"{name}"' for name in observed.programs) or "no scenario"


def _gaps(observed: Observed) -> list[str]:
    if not observed.dropped:
        return []
    return [f"{observed.dropped} older requests are remembered no more: `journal_size` of the server keeps more"]


def _arrows(states: Iterable[str]) -> str:
    return " → ".join(states) or "(none)"


def _paragraphs(first: str, *others: Sequence[str]) -> str:
    return "\n\n".join([first, *("\n".join(each) for each in others if each)])
