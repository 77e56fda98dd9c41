"""The verdict on a client's resilience: what it did with trouble, read from the journal, good, bad or unknown.

Pure, and no part of answering: all of it is worked out when somebody asks. `verify` is another thing: it says whether
the scenario was played as it should be.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any

from llmposter.core.conformance import TWO_RESULTS
from llmposter.core.findings import Finding, finding, findings
from llmposter.core.renewals import renewals
from llmposter.core.tries import Try, asked, ending
from llmposter.model import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmposter.core.journal import Entry


class Verdict(Struct, frozen=True):
    """What a client did with trouble.

    Attributes:
        ok: nothing is bad.
        findings: in the order of the journal.
        dropped: entries that the journal had to drop, of which nothing is known.
    """

    ok: bool
    findings: tuple[Finding, ...] = ()
    dropped: int = 0

    @property
    def bad(self) -> tuple[Finding, ...]:
        """The findings that are bad."""
        return tuple(each for each in self.findings if each.verdict == "bad")

    @property
    def counts(self) -> dict[str, int]:
        """How many findings are good, bad and unknown."""
        counted = Counter(each.verdict for each in self.findings)
        return {"good": counted["good"], "bad": counted["bad"], "unknown": counted["unknown"]}

    def __str__(self) -> str:
        return "\n".join(self.lines()) or "no client met with trouble"

    def lines(self) -> list[str]:
        """A line for each finding."""
        return [each.line() for each in self.findings]

    def data(self) -> dict[str, Any]:
        """JSON-able; `lines` included, for people."""
        told = [each.data() for each in self.findings]
        return {"ok": self.ok, **self.counts, "findings": told, "lines": self.lines(), "dropped": self.dropped}


def judged(entries: Sequence[Entry], dropped: int = 0) -> Verdict:
    """The verdict on the clients of these entries, which are in order."""
    every = chain.from_iterable(map(findings, asked(entries)))
    found = sorted(chain(every, renewals(entries), _violated(entries)), key=_first)
    if dropped:
        told = f"the journal dropped {dropped} of its oldest entries; a larger --journal-size keeps them"
        found.insert(0, Finding("journal", "unknown", told))
    return Verdict(not any(each.verdict == "bad" for each in found), tuple(found), dropped)


def _first(found: Finding) -> int:
    return found.evidence[0].number


def _violated(entries: Sequence[Entry]) -> Iterator[Finding]:
    """What the machine found out by the client's own history."""
    for entry in entries:
        for violation in entry.violations:
            if violation.kind == "truncated":
                yield finding("truncated", "bad", violation.message, [Try(entry, ending(entry))])
            elif violation.kind == "conformance" and TWO_RESULTS in violation.message:
                yield finding("twice", "bad", violation.message, [Try(entry, ending(entry))])
