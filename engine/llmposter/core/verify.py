"""Whether a run was clean: everything that `verify` fails on, as data and as lines."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from llmposter.model import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llmposter.core.journal import Entry
    from llmposter.core.positions import Talk
    from llmposter.core.replay import Player


class Problem(Struct, frozen=True):
    """One reason to fail.

    Attributes:
        kind: ``violation``, ``miss``, ``unrouted``, ``refused``, ``unfinished``, ``dropped``.
        number: of the journal entry, where there is one.
    """

    kind: str
    message: str
    session: str = ""
    scenario: str = ""
    conversation: str = ""
    place: str = ""
    number: int | None = None

    def line(self) -> str:
        who = " ".join(filter(None, (self.session and f"@{self.session}", self.scenario, self.conversation)))
        return ": ".join(filter(None, (self.place, who, self.message)))


class Verification(Struct, frozen=True):
    """What `verify` gives: *ok* if there is no problem; *chaos* are the entries whose requests chaos took."""

    ok: bool
    problems: tuple[Problem, ...] = ()
    chaos: tuple[int, ...] = ()

    def data(self) -> dict[str, Any]:
        """JSON-able; `lines` included, for people."""
        fields = Problem.__struct_fields__
        problems = [{name: getattr(problem, name) for name in fields} for problem in self.problems]
        return {"ok": self.ok, "problems": problems, "lines": self.lines(), "chaos": list(self.chaos)}

    def lines(self) -> list[str]:
        """A line for each problem, equal ones told once with their count."""
        counted = Counter(problem.line() for problem in self.problems)
        return [line if times == 1 else f"{line} ({times} times)" for line, times in counted.items()]


def verified(
    players: Sequence[Player], entries: Sequence[Entry], talks: Iterable[Talk], dropped: int, lost: int
) -> Verification:
    """Whether these entries and conversations are clean, and nothing of them is gone."""
    problems = [problem for entry in entries for problem in _of_entry(entry)]
    problems += [problem for talk in talks if (problem := _of_talk(players[talk.space.program], talk)) is not None]
    if dropped:
        problems.append(
            Problem(
                "dropped", f"the journal dropped {dropped} of its oldest entries; a larger --journal-size keeps them"
            )
        )
    if lost:
        problems.append(
            Problem("dropped", f"{lost} idle conversations were dropped; a larger --conversations keeps them")
        )
    taken = tuple(entry.number for entry in entries if entry.step is not None and entry.step.chaos)
    return Verification(not problems, tuple(problems), taken)


def _of_entry(entry: Entry) -> Iterable[Problem]:
    def problem(kind: str, message: str, place: str = "") -> Problem:
        return Problem(kind, message, entry.session, entry.scenario, entry.conversation, place, entry.number)

    for violation in entry.violations:
        yield problem("violation", violation.message, violation.place)
    match entry.outcome:
        case "miss" | "refused" | "unrouted" as kind:
            yield problem(kind, entry.detail)


def _of_talk(player: Player, talk: Talk) -> Problem | None:
    final, state = player.program.final, talk.latest.state
    if not final or state in final:
        return None
    ends = " or ".join(f'"{name}"' for name in sorted(final))
    message = f'the conversation ended in state "{state}" and should end in {ends}'
    return Problem("unfinished", message, talk.space.session, player.program.name, talk.id)
