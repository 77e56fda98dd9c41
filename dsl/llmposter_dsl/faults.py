"""Faults of a delivery: from the phrases under a key to `Fault`s, each with the point where it strikes.

Also what of them makes no sense or can never strike, as far as their words alone can tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter_dsl import bind, words
from llmposter_dsl.bind import Table
from llmposter_dsl.deliveries import CLIENTS_WAIT
from llmposter_dsl.diagnostic import Diagnostic, Related
from llmposter_dsl.expressions.syntax import Trouble
from llmposter_dsl.place import Within
from llmposter_dsl.program import Action, Fail, Fault, Point, PointKind

if TYPE_CHECKING:
    from llmposter_dsl.fault_forms import Phrase

SPEAKING: Final[dict[Action, PointKind]] = {"hang": "before headers", "send": "before headers"}
"""Where an action strikes that does not say it, in an answer; the others do halfway."""
SILENT: Final[dict[Action, PointKind]] = {"corrupt": "after headers", "duplicate": "after headers"}
"""Likewise where the rule answers nothing; the others do before headers."""
PLAIN: Final = "text/plain"
"""What is sent that says no media type."""

_IN_HEAD: Final = ("drop", "close", "stall", "hang")
"""What can strike where no event and no body is yet."""
_ENDS: Final = ("drop", "close", "hang", "error")
"""What an answer does not go on after; nor does it after a `send` that comes in its place."""
_HEAD: Final = ("before headers", "inside headers", "after headers")
_COUNTED: Final = ("chunks", "events", "bytes", "time")
_FOLLOWS: Final = {
    "between tool calls": ("inside tool arguments",),
    "before usage": ("before finish",),
    "before the end": ("before finish",),
}
"""Points that every answer has passed when it gets to one."""


def faults(table: Table, name: str = "fault", *, speaks: bool = True) -> tuple[Fault, ...]:
    """The faults that a key holds, a phrase or a list of them; *speaks*: the rule has an answer for them to strike."""
    if name not in table:
        return ()
    value, place = table.get(name), table.at(name)
    if value == []:
        table.refuse("LP114", "the list of faults is empty", name, cure=f"take `{name}` out, or name a fault")
    given = [(value, place)] if isinstance(value, str) else bind.texts(value, place, "a fault", table.report)
    made = (_fault(text, at, table.report, speaks=speaks) for text, at in given)
    return tuple(fault for fault in made if fault is not None)


def check_order(given: tuple[Fault, ...], report: bind.Report) -> None:
    """Reports each fault that another one always comes before, after which the answer does not go on."""
    for index, fault in enumerate(given):
        for other_index, other in enumerate(given):
            same = other.point == fault.point and other_index < index
            if _ends(other) and (same or _passed(other.point, fault.point)):
                message = f"{words.shown(fault.text)} never strikes: the answer ends with {words.shown(other.text)}"
                related = (Related(other.place, "it stands here"),)
                from llmposter_dsl import reshaping

                fixes = reshaping.without_one(fault.place, f"take {words.shown(fault.text)} out")
                report(Diagnostic("LP402", message, fault.place, "take one of them out", related, fixes))
                break


def _ends(fault: Fault) -> bool:
    return fault.action in _ENDS or (fault.action == "send" and fault.point.kind == "before headers")


def _passed(first: Point, then: Point) -> bool:
    """Whether an answer that gets to *then* has always passed *first*."""
    if first.kind in _HEAD:
        return then.kind not in _HEAD or _HEAD.index(first.kind) < _HEAD.index(then.kind)
    if first.kind in _COUNTED and first.kind == then.kind:
        return first.amount < then.amount
    return first.kind in _FOLLOWS.get(then.kind, ())


def _fault(text: str, place: Within, report: bind.Report, *, speaks: bool) -> Fault | None:
    from llmposter_dsl.fault_forms import phrase

    found = phrase(text)
    if isinstance(found, Trouble):
        from llmposter_dsl import fixing

        at, fixes = place.stretch(found.start, found.end), fixing.of_trouble(found, place)
        report(Diagnostic(found.code, found.message, at, found.help, (), fixes))
        return None
    if found.seconds > CLIENTS_WAIT:
        cure = "the SDKs of OpenAI and Anthropic give up before, if told nothing else; `hang` says it shorter"
        report(Diagnostic("LP511", f"{words.shown(text)} is longer than clients wait", place, cure))
    point = found.point or _default(found.action, speaks=speaks)
    wrong = _senseless(found, point)
    if wrong is not None:
        report(Diagnostic("LP114", f"{words.shown(text)} {wrong[0]}", place, wrong[1]))
        return None
    return Fault(
        text=text,
        place=place,
        action=found.action,
        point=point,
        seconds=found.seconds,
        error=_error(found.error),
        status=found.status,
        body=found.text,
        media=found.media or (PLAIN if found.action == "send" else ""),
    )


def _default(action: Action, *, speaks: bool) -> Point:
    return Point(SPEAKING.get(action, "halfway") if speaks else SILENT.get(action, "before headers"))


def _error(named: str | int | None) -> Fail | None:
    if named is None:
        return None
    return Fail(name=named) if isinstance(named, str) else Fail(status=named)


def _senseless(found: Phrase, point: Point) -> tuple[str, str] | None:
    """What makes no sense of a phrase that is one, without its subject; and the cure."""
    whole_head = point.kind == "before headers" and found.action in ("error", "send")
    if point.kind in _HEAD[:2] and found.action not in _IN_HEAD and not whole_head:
        return "would strike where there is nothing of the answer yet", "the first point in it is `after headers`"
    if point.kind != "before headers" and (found.status is not None or found.media is not None):
        what = "a status" if found.status is not None else "a media type"
        return f"gives {what} where it has long gone out", "take it out, or the point: `send` strikes before headers"
    return None
