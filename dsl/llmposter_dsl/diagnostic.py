"""What the checker has to say, with its place."""

from __future__ import annotations

from dataclasses import dataclass, field

from llmposter_dsl.codes import CODES, Severity
from llmposter_dsl.place import Place


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that the finding speaks of: the first of two equal keys, the rule that covers this one."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of a file, and the text that stands there afterwards; as the file is written, quotes included."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A change of the files that takes a finding away.

    Attributes:
        message: what it does, as an order: ``write `reply` ``.
        edits: all of them or none; no two overlap.
        safe: nothing but what was surely meant is changed; others want to be looked at.
    """

    message: str
    edits: tuple[Edit, ...]
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    Attributes:
        code: stable, ``LP201``; its severity and title stand in `llmposter_dsl.codes`.
        message: one sentence in lower case that quotes the user's own words.
        place: what to underline.
        help: what would be right, or None where the message says it.
        related: further places.
        fixes: what would take it away, the best first.
    """

    code: str
    message: str
    place: Place
    help: str | None = None
    related: tuple[Related, ...] = field(default=())
    fixes: tuple[Fix, ...] = field(default=())

    @property
    def severity(self) -> Severity:
        """The severity of the code."""
        return CODES[self.code].severity
