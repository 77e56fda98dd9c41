"""Checks of whole scenarios and of several together, one module each: what plays, or asks the wires.

A module has a `check(seen)` for one scenario, or a `between(programs)`; a code that the language knows too is told of
in `llmposter_dsl.checks`, and only looked for here.
"""

from __future__ import annotations

from llmposter_dsl.codes import CODES

CODES.add(__name__)
