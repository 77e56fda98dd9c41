"""Every code of the checker: found by its module's name, and loaded only when somebody asks for it.

A module of a package of checks is called by its code and by what it finds, ``lp201_unknown_state``; it holds a `CODE`,
and its docstring is the code's documentation. Nothing else registers it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from types import ModuleType

Severity: TypeAlias = Literal["error", "warning", "info"]

_MODULE: Final = re.compile(r"(lp\d{3})_(\w+)")


@dataclass(frozen=True, slots=True)
class Code:
    """What is the same for every finding of one code.

    Attributes:
        severity: how bad it is; only an error keeps a scenario from being served.
        title: a few words.
        asked: whether it is looked for only where somebody selects it.
        rests: whether it can be suppressed or ignored although it is an error: there is a Program in spite of it.
    """

    severity: Severity
    title: str
    asked: bool = False
    rests: bool = False

    @property
    def silenceable(self) -> bool:
        """Whether a comment or a configuration may take findings of it away."""
        return self.severity != "error" or self.rests


class Codes(Mapping[str, Code]):
    """The codes of some packages by name, in order."""

    def __init__(self, *packages: str) -> None:
        self._packages = list(packages)
        self._known: dict[str, str] = {}

    def add(self, package: str) -> None:
        """Makes the codes of a further package known: a floor adds its own to those of the floors below."""
        if package not in self._packages:
            self._packages.append(package)
            self._known = {}

    def module(self, code: str) -> ModuleType:
        """The module of a code.

        Raises:
            KeyError: there is no such code.
        """
        return import_module(self._modules[code])

    def name(self, code: str) -> str:
        """What a code finds, as one word: ``unknown-state``."""
        return self._modules[code].rpartition(".")[2].partition("_")[2].replace("_", "-")

    @property
    def _modules(self) -> dict[str, str]:
        if not self._known:
            found: dict[str, str] = {}
            for package in self._packages:
                for code, module in modules(package):
                    found.setdefault(code, module)
            self._known = dict(sorted(found.items()))
        return self._known

    def __getitem__(self, code: str) -> Code:
        found: Code = self.module(code).CODE
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __contains__(self, code: object) -> bool:
        return code in self._modules


@cache
def modules(package: str) -> tuple[tuple[str, str], ...]:
    """The modules of a package of checks, each with the code that it is of."""
    found = [each.name for each in iter_modules(import_module(package).__path__)]
    named = [(match[1].upper(), f"{package}.{name}") for name in found if (match := _MODULE.fullmatch(name))]
    return tuple(named)


CODES: Final = Codes("llmposter_dsl.checks")
