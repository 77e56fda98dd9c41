"""What one thing that a client asked for shows of its resilience: a finding for each check that has something to say.

A check calls nothing bad that the journal does not prove; what it cannot know is unknown.
"""

from __future__ import annotations

from itertools import pairwise
from time import get_clock_info
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from llmposter.core.tries import broken_by, error_name
from llmposter.model import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmposter.core.journal import Entry
    from llmposter.core.tries import Asked, Try

Judgement: TypeAlias = Literal["good", "bad", "unknown"]
Check: TypeAlias = Literal[
    "retry-after", "backoff", "storm", "no-retry", "credential", "recovery", "truncated", "twice", "journal"
]
Shape: TypeAlias = Literal["", "none", "single", "constant", "growing", "jittered"]

Pair: TypeAlias = tuple["Try", "Try"]

STORM: Final = 10
"""Tries of one thing within `STORM_SECONDS`, and not as told: one more is a storm."""
STORM_SECONDS: Final = 5.0
AT_ONCE: Final = 0.05
"""Seconds below which a wait is none."""
_NEAR: Final = 0.02
_TICK: Final = max(0.002, get_clock_info("time").resolution)
"""A wait may fall short of what was told by this share, and by so many seconds: the clocks of client and server differ,
and a timer of JavaScript may be a millisecond early."""
_ALIKE: Final = 1.1
"""Waits of which none is this many times another are constant."""
MOST_SHOWN: Final = 20
"""Tries that a finding shows."""
_MOST_NAMED: Final = 6
"""Tries that a line names."""


class Seen(Struct, frozen=True):
    """A journal entry as evidence.

    Attributes:
        number, time, status, how, retry_after: of the entry.
        wait: seconds from the end of the answer before, where it is a retry. ratio: of that to what it was told.
    """

    number: int
    time: float
    status: int | None
    how: str
    retry_after: float | None = None
    wait: float | None = None
    ratio: float | None = None


class Finding(Struct, frozen=True):
    """One thing that a client did well or badly, or that nobody can know.

    Attributes:
        message: a sentence. shape: of the waits, where the check is ``backoff``.
        tries: how many requests it is about. evidence: the first of them, as the journal has them.
    """

    check: Check
    verdict: Judgement
    message: str
    session: str = ""
    scenario: str = ""
    conversation: str = ""
    tries: int = 0
    evidence: tuple[Seen, ...] = ()
    shape: Shape = ""

    def line(self) -> str:
        """For people: the verdict, who, the sentence, and where to look in the journal."""
        who = " ".join(filter(None, (self.session and f"@{self.session}", self.scenario, self.conversation)))
        numbers = ", ".join(str(each.number) for each in self.evidence[:_MOST_NAMED])
        numbers += ", …" if self.tries > _MOST_NAMED else ""
        shown = f" (journal {numbers})" if numbers else ""
        return ": ".join(filter(None, (self.verdict, who, self.message))) + shown

    def data(self) -> dict[str, Any]:
        """JSON-able."""
        told = {name: getattr(self, name) for name in self.__struct_fields__ if name != "evidence"}
        return told | {"evidence": [{name: getattr(e, name) for name in e.__struct_fields__} for e in self.evidence]}


def finding(check: Check, verdict: Judgement, message: str, tries: Sequence[Try], shape: Shape = "") -> Finding:
    """A finding about these tries."""
    # The last is the one that may have a conversation where a limit kept out those before.
    last = tries[-1].entry
    evidence: list[Seen] = []
    before: Try | None = None
    for each in tries[:MOST_SHOWN]:
        told = None if before is None else before.told
        ratio = None if not told or each.wait is None else round(each.wait / told, 3)
        entry = each.entry
        wait = None if each.wait is None else round(each.wait, 6)
        evidence.append(Seen(entry.number, entry.time, entry.status, entry.how, entry.retry_after, wait, ratio))
        before = each
    return Finding(
        check, verdict, message, last.session, last.scenario, last.conversation, len(tries), tuple(evidence), shape
    )


def bad(check: Check, message: str, tries: Sequence[Try], *, sure: bool) -> Finding:
    """Something bad; or nobody knows, where nothing proves that it was one client."""
    if sure:
        return finding(check, "bad", message, tries)
    told = f"{message}, if that was one client: give each client a session of its own"
    return finding(check, "unknown", told, tries)


def findings(asked: Asked) -> Iterator[Finding]:
    """All that this shows."""
    for check in (_retry_after, _backoff, _storm, _no_retry, _recovery, _twice):
        yield from check(asked)


# --- when it came back ----------------------------------------------------------------------------------------------


def _retry_after(asked: Asked) -> Iterator[Finding]:
    """Whether it waited as long as it was told to."""
    pairs = [(before, after) for before, after in asked.pairs if before.told is not None]
    if not pairs:
        return
    early = [pair for pair in pairs if not as_told(*pair)]
    moved, sure = _proven([pair for pair in early if pair[1].wait])
    if moved:
        before, after = moved[0]
        times = f", and {len(moved) - 1} times more" if len(moved) > 1 else ""
        message = f"came back after {_s(after.wait)} where {_a(before)} told it to wait {_s(before.told)}{times}"
        yield bad("retry-after", message, _tries(moved), sure=sure)
    elif early:
        before = early[0][0]
        message = f"came back while the clock stood still, where {_a(before)} told it to wait {_s(before.told)}"
        yield finding("retry-after", "unknown", message, _tries(early))
    else:
        waited = ", ".join(_s(after.wait) for _, after in pairs[:_MOST_NAMED])
        told = ", ".join(_s(before.told) for before, _ in pairs[:_MOST_NAMED])
        yield finding("retry-after", "good", f"waited {waited} where it was told to wait {told}", _tries(pairs))


def as_told(before: Try, after: Try) -> bool:
    """Whether it waited for as long as it was told, as near as clocks can tell."""
    return before.told is not None and (after.wait or 0.0) >= before.told * (1 - _NEAR) - _TICK * (before.told > 0)


def _backoff(asked: Asked) -> Iterator[Finding]:
    """How it waited where nobody told it how long."""
    pairs = [(before, after) for before, after in asked.pairs if before.ending == "passing" and before.told is None]
    waits = [after.wait or 0.0 for _, after in pairs]
    if not waits:
        return
    tries = _tries(pairs)
    shape, listed = shape_of(waits), ", ".join(map(_s, waits[:_MOST_NAMED]))
    if not all(waits):
        yield finding("backoff", "unknown", f"tried again after {_a(pairs[0][0])} while the clock stood still", tries)
    elif shape != "none":
        yield finding("backoff", "good", f"waited {listed} after {_a(pairs[0][0])}: {_SHAPES[shape]}", tries, shape)
    elif len(waits) == 1:
        message = f"tried again at once after {_a(pairs[0][0])}, and no second time that would show a backoff"
        yield finding("backoff", "unknown", message, tries, shape)
    else:
        message = f"tried again {len(waits)} times without a pause after {_a(pairs[0][0])}: wait longer each time"
        yield bad("backoff", message, tries, sure=all(after.sure for _, after in pairs))


_SHAPES: Final = {
    "single": "one wait shows no shape",
    "constant": "always as long",
    "growing": "longer each time",
    "jittered": "now longer, now shorter",
}


def shape_of(waits: Sequence[float]) -> Shape:
    """The shape of some waits."""
    if max(waits) < AT_ONCE:
        return "none"
    if len(waits) == 1:
        return "single"
    if max(waits) <= min(waits) * _ALIKE:
        return "constant"
    growing = all(later > earlier for earlier, later in pairwise(waits))
    return "growing" if growing else "jittered"


def _storm(asked: Asked) -> Iterator[Finding]:
    """Whether it asked too often in too short a time."""
    own = [asked.tries[0], *(after for before, after in asked.pairs if not as_told(before, after))]
    for first, last in zip(own, own[STORM:], strict=False):
        span = last.entry.time - first.entry.time
        if 0 < span <= STORM_SECONDS:
            message = f"asked for one thing {len(own)} times, {STORM + 1} of them within {_s(span)}: a retry storm"
            yield bad("storm", message, own, sure=all(each.sure for each in own))
            return


# --- whether it came back -------------------------------------------------------------------------------------------


def _no_retry(asked: Asked) -> Iterator[Finding]:
    """Whether it let be what no retry changes."""
    pairs, sure = _proven([pair for pair in asked.pairs if pair[0].ending == "lasting"])
    if pairs:
        times = "once more" if len(pairs) == 1 else f"{len(pairs)} times more"
        message = f"asked the same {times} after {_a(pairs[0][0])}, which no retry changes"
        yield bad("no-retry", message, _tries(pairs), sure=sure)
    elif asked.last.ending == "lasting":
        yield finding("no-retry", "good", f"did not ask the same again after {_a(asked.last)}", [asked.last])


_MAY_PASS: Final = ("passing", "broken", "left")


def _recovery(asked: Asked) -> Iterator[Finding]:
    """What became of what went wrong."""
    tries, last = asked.tries, asked.last
    went_wrong = [each for each in tries if each.ending in _MAY_PASS]
    if not went_wrong:
        return
    if last.ending == "answered":
        yield finding("recovery", "good", f"had its answer at try {len(tries)}, after {_a(went_wrong[0])}", tries)
    elif last.ending in _MAY_PASS:
        yield finding("recovery", "unknown", _given_up(tries), tries)


def _given_up(tries: Sequence[Try]) -> str:
    last = tries[-1]
    told = "" if last.told is None else f" that told it to wait {_s(last.told)}"
    if last.ending == "broken" and len(tries) == 1:
        return f"did not ask again for {_a(last)}: whether it noticed, the server cannot see"
    if len(tries) == 1:
        return f"did not try again after {_a(last)}{told}: whether it told its user, the server cannot see"
    return f"gave up after {len(tries)} tries and {_a(last)}{told}: whether it told its user, the server cannot see"


def _twice(asked: Asked) -> Iterator[Finding]:
    """Whether it asked for what it had been given."""
    again = [(before, after) for before, after in asked.pairs if _given(before) and after.entry.outcome == "repeated"]
    if not again:
        return
    before, after = again[0]
    if before.entry.ended is None or after.entry.time < before.entry.ended:
        message = "asked for the same again before the answer had ended"
    else:
        message = "asked again for an answer that had gone out whole: it was lost on its way, or asked for twice"
    yield finding("twice", "unknown", message, _tries(again))


def _given(each: Try) -> bool:
    return each.ending in ("answered", "going")


# --- words ----------------------------------------------------------------------------------------------------------


def _proven(pairs: list[Pair]) -> tuple[list[Pair], bool]:
    """Those that are one client's, and that they are; all of them where none is."""
    sure = [pair for pair in pairs if pair[1].sure]
    return (sure, True) if sure else (pairs, False)


def _tries(pairs: Sequence[Pair]) -> list[Try]:
    return list({id(each): each for pair in pairs for each in pair}.values())


def _s(seconds: float | None) -> str:
    return f"{seconds or 0.0:.3f}".rstrip("0").rstrip(".") + " s"


def _a(each: Try) -> str:
    """What a try came to."""
    entry = each.entry
    if each.ending == "left":
        return "an answer that it did not wait for"
    if each.ending == "broken":
        fault = broken_by(entry)
        return "an answer that failed" if fault is None else f'an answer that the fault "{fault.text}" broke'
    return described(entry)


def described(entry: Entry) -> str:
    """An error by its status, and its name where it has one."""
    name = error_name(entry)
    shown = f'the error "{name}" in a stream' if entry.status == 200 else f'a {entry.status} ("{name}")'
    return shown if name else f"a {entry.status}"
