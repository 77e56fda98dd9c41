"""Which codes are meant: by their names or by how they begin, ``LP3``; the longer beginning wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import llmposter.fixtures.checks
import llmposter.lint.checks  # noqa: F401 - their codes are known then
from llmposter_dsl import words
from llmposter_dsl.codes import CODES, Code

if TYPE_CHECKING:
    from collections.abc import Iterable


class Unknown(ValueError):  # noqa: N818 - it says what the text is
    """A text that no code begins with; the message is one sentence for the user."""


def matching(prefixes: Iterable[str]) -> list[str]:
    """The codes that begin with one of these, in order; all of them without any.

    Raises:
        Unknown: no code begins with one of them.
    """
    given = list(prefixes)
    for prefix in given:
        known(prefix)
    return [code for code in CODES if not given or code.startswith(tuple(map(str.upper, given)))]


def known(prefix: str) -> str:
    """A beginning of codes, in upper case.

    Raises:
        Unknown: no code begins with it.
    """
    if prefix and any(code.startswith(prefix.upper()) for code in CODES):
        return prefix.upper()
    families = sorted({code[:3] for code in CODES})
    meant = words.close(prefix.upper(), list(CODES)) or words.close(prefix.upper(), families)
    cure = f"did you mean `{meant}`?" if meant else f"there are {words.listed(families, 'and')}"
    raise Unknown(f"no check is called {words.shown(prefix)}; {cure}")


def level(code: Code) -> str:
    """How bad a finding is, in words."""
    severity = {"error": "error", "warning": "warning", "info": "information"}[code.severity]
    return f"{severity}, only where it is selected" if code.asked else severity
