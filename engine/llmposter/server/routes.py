"""Which wire answers which path, and what to say where none does: the routes, and the mistake that is likely."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmposter.model import Route, Wire


class Routes:
    """The paths of all wires."""

    def __init__(self, wires: Iterable[Wire]) -> None:
        self._fixed: dict[str, dict[str, Wire]] = {}
        self._patterns: list[tuple[re.Pattern[str], str, Wire]] = []
        self.listed: list[str] = []
        for wire in wires:
            for route in wire.routes:
                self._add(route, wire)

    def _add(self, route: Route, wire: Wire) -> None:
        self.listed.append(f"{route.method} {route.path}")
        if "{" in route.path:
            parts = re.split(r"\{[^}]*\}", route.path)
            self._patterns.append((re.compile("[^/]+".join(map(re.escape, parts))), route.method, wire))
        else:
            self._fixed.setdefault(route.path, {})[route.method] = wire

    def at(self, path: str) -> dict[str, Wire]:
        """What answers at a path, by method; nothing for an unknown path."""
        if (fixed := self._fixed.get(path)) is not None:
            return fixed
        return {method: wire for pattern, method, wire in self._patterns if pattern.fullmatch(path)}

    def unknown(self, method: str, path: str) -> str:
        """What to tell who asked for a path that nobody answers."""
        hint = self._hint(path)
        return f"llmposter has no route {method} {path}{hint and f': {hint}'}; it answers {', '.join(self.listed)}"

    def not_allowed(self, method: str, path: str) -> str:
        """What to tell who asked with a method that the path does not take."""
        return f"{path} takes {' or '.join(sorted(self.at(path)))}, not {method}"

    def _hint(self, path: str) -> str:
        if "/v1/v1" in path:
            return "/v1 stands twice, so the base URL should not end in /v1"
        tails = [fixed for fixed in self._fixed if fixed.endswith(path) and path != "/"]
        if tails:
            return f"the base URL should end in {tails[0].removesuffix(path)}"
        if any(path.startswith(f"{fixed}/") for fixed in self._fixed):
            return "the base URL should end in /v1, the SDK adds the rest"
        if any(path != fixed and path.endswith(fixed) for fixed in self._fixed):
            return "the base URL has too much before /v1"
        close = get_close_matches(path, self._fixed, n=1, cutoff=0.8)
        return f"did you mean {close[0]}?" if close else ""
