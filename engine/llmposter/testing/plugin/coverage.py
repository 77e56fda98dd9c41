"""Coverage of scenarios by a whole run: each test's part travels in its report, so that xdist's workers need no more.

Loaded with `--llmposter-coverage` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import pytest

from llmposter.lint.coverage import coverage
from llmposter_dsl.place import where

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator

    from llmposter.testing.seen import Seen
    from llmposter_dsl.program import Program

Part: TypeAlias = dict[str, Any]
"""What a test covered of a scenario, in plain values: its `extent`, and the `states` and `rules` that were covered."""
PART: Final = pytest.StashKey[list[Part]]()
_IN_REPORT: Final = "llmposter_covered"


class Extent(NamedTuple):
    """What there is of a scenario to be covered.

    Attributes:
        title: its name and file.
        states: by name the place. rules: by name the place, and the state or group of the rule.
    """

    title: str
    states: dict[str, str]
    rules: dict[str, tuple[str, str]]

    @classmethod
    def of(cls, program: Program) -> Extent:
        known = coverage(program, ())
        return cls(
            f"{program.name} ({program.place.source.name})",
            {each.name: where(each.place) for each in known.states},
            {each.rule.name: (where(each.rule.place), each.rule.group) for each in known.rules},
        )

    def lines(self, states: Collection[str], rules: Collection[str]) -> Iterator[str]:
        """How much of it these are, and what else there is; the rules of a state that is not covered are left out."""
        unseen = [state for state in self.states if state not in states]
        untried = [rule for rule in self.rules if rule not in rules]
        yield self.title
        yield f"  states {_share(self.states, unseen)}, rules {_share(self.rules, untried)}"
        for state in unseen:
            yield f'      state "{state}" is not covered ({self.states[state]})'
        for rule in untried:
            place, group = self.rules[rule]
            if group not in unseen:
                yield f'      rule "{rule}" is not covered ({place})'


def _share(all_: Collection[str], left: Collection[str]) -> str:
    return f"{len(all_) - len(left)}/{len(all_)}"


def of(seen: Seen) -> list[Part]:
    """What came to a session has covered this."""
    observed, parts = seen._observed(), []  # noqa: SLF001 - of the same house
    for name, program in observed.programs.items():
        own = [each for each in seen._fired() if each.scenario == name]  # noqa: SLF001 - likewise
        if own:
            states = {state for each in own for state in each.states}
            rules = {rule for each in own for rule in each.rules}
            # xdist carries plain tuples, and no others.
            parts.append({"extent": tuple(Extent.of(program)), "states": sorted(states), "rules": sorted(rules)})
    return parts


class Coverage:
    """Gathers the parts of all tests, and tells what they come to.

    Args:
        under: the run fails where less than this share, in percent, is covered.
    """

    def __init__(self, under: float | None) -> None:
        self._under = under
        self._extents: dict[str, Extent] = {}
        self._states: dict[str, set[str]] = {}
        self._rules: dict[str, set[str]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.when == "teardown" and (parts := item.stash.get(PART, [])):
            setattr(report, _IN_REPORT, parts)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for part in getattr(report, _IN_REPORT, ()):
            self._add(part)

    def _add(self, part: Part) -> None:
        known = Extent(*part["extent"])
        # Scenarios of one name, such as those that are written in tests, are not the same for that.
        key = repr(known)
        self._extents[key] = known
        self._states.setdefault(key, set()).update(part["states"])
        self._rules.setdefault(key, set()).update(part["rules"])

    @property
    def percent(self) -> float:
        """Of all states and rules."""
        total = sum(len(each.states) + len(each.rules) for each in self._extents.values())
        found = sum(
            len(self._states[key] & each.states.keys()) + len(self._rules[key] & each.rules.keys())
            for key, each in self._extents.items()
        )
        return 100 * found / total if total else 0.0

    @property
    def _too_little(self) -> bool:
        return self._under is not None and self.percent < self._under

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        # What else went wrong has the say; a worker knows too little to judge.
        if self._too_little and session.exitstatus == pytest.ExitCode.OK and not hasattr(session.config, "workerinput"):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        write = terminalreporter.write_line
        terminalreporter.section("llmposter coverage")
        for key, known in sorted(self._extents.items(), key=lambda each: each[1].title):
            for line in known.lines(self._states[key], self._rules[key]):
                write(line)
        told = (
            f"{self.percent:.0f} % of all states and rules are covered" if self._extents else "no scenario was played"
        )
        if self._too_little:
            write(f"{told}, and {self._under:g} % should be (--llmposter-fail-under)", red=True)
        else:
            write(told)
