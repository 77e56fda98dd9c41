"""What a test lets pass of all that `verify` fails on. Light, so that the pytest plugin may know it at its start."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from llmposter.core.verify import Problem, Verification


class Allowed(NamedTuple):
    """What is let pass.

    Attributes:
        unmet: an `expect` that did not hold. violations: what else a client did and should not have.
        misses: requests that no rule answered. unanswered: those that were none, or went to a path that is not there.
        open: conversations that ended outside of a final state.
    """

    unmet: bool = False
    violations: bool = False
    misses: bool = False
    unanswered: bool = False
    open: bool = False

    def within(self, verification: Verification) -> Verification:
        """What is left of it."""
        from msgspec.structs import replace

        left = tuple(each for each in verification.problems if not self._lets(each))
        return replace(verification, ok=not left, problems=left)

    def _lets(self, problem: Problem) -> bool:
        match problem.kind:
            case "violation":
                # Only an `expect` has a place in a scenario (core/verify.py).
                return self.unmet if problem.place else self.violations
            case "miss":
                return self.misses
            case "refused" | "unrouted":
                return self.unanswered
            case "unfinished":
                return self.open
            case _:
                return False
