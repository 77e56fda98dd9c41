"""Who answers which path, and what to say where nobody does: the routes, and the mistake that is likely.

A path that clients are known to ask for in place of a route, for their base URL, is that route.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from llmposter.server.gateways import alike

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from llmposter.beside import Endpoint
    from llmposter.model import Request, Route, Wire

ANY: Final = "*"
_HOLE: Final = re.compile(r"\{[^}]*\}")
_SLASH: Final = re.compile("/")
_WORD: Final = re.compile(r"[A-Za-z_]{3,}")
"""What tells one path from another: no version."""


class Beside:
    """The endpoints that share a method of a path."""

    __slots__ = ("_choices",)

    def __init__(self) -> None:
        self._choices: list[tuple[Route, Endpoint]] = []

    def add(self, route: Route, endpoint: Endpoint) -> None:
        """One more; of those that claim a request, and of those that take any, the first added answers."""
        self._choices.append((route, endpoint))

    def of(self, request: Request) -> Endpoint | None:
        """Whom the request is meant for."""
        for route, endpoint in self._choices:
            if route.only is not None and route.only(request):
                return endpoint
        return next((endpoint for route, endpoint in self._choices if route.only is None), None)


Answerer: TypeAlias = "Wire | Beside"


class Spot(NamedTuple):
    """What is at a path: the path as a route has it, and who answers there, by method."""

    path: str
    methods: Mapping[str, Answerer]

    def by(self, method: str) -> Answerer | None:
        """Who answers this method."""
        return self.methods.get(method) or self.methods.get(ANY)


class _Pattern(NamedTuple):
    """A route as it is looked for; *rank* puts those that say more first."""

    rank: tuple[bool, int]
    path: re.Pattern[str]
    route: Route
    wire: Wire | None
    endpoint: Endpoint | None

    @property
    def words(self) -> set[str]:
        return set(_WORD.findall(_HOLE.sub("", self.route.path)))

    @property
    def provider(self) -> str:
        return self.wire.name if self.wire is not None else self.endpoint.provider if self.endpoint is not None else ""


class Routes:
    """The paths of all wires and endpoints.

    Raises:
        ValueError: two wires have one route.
    """

    def __init__(self, wires: Iterable[Wire], endpoints: Iterable[Endpoint] = ()) -> None:
        spoken = [_pattern(route, wire=wire) for wire in wires for route in wire.routes]
        beside = [_pattern(route, endpoint=each) for each in endpoints for route in each.routes]
        shown = [_shown(each.route) for each in spoken]
        if len(set(shown)) < len(shown):
            raise ValueError(f"two wires answer one route: {', '.join(sorted(shown))}")
        self.listed = list(dict.fromkeys(shown + [_shown(each.route) for each in beside]))
        self._main = list({each.provider: _shown(each.route) for each in reversed(spoken)}.values())[::-1]
        self._patterns = sorted(spoken + beside, key=lambda each: each.rank, reverse=True)
        self._fixed = sorted({each.route.path for each in self._patterns if "{" not in each.route.path})
        self._sought = lru_cache(maxsize=512)(self._seek)

    def at(self, path: str) -> Spot:
        """What is at a path; no methods where nothing is."""
        return self._sought(path)

    def _seek(self, path: str) -> Spot:
        for known in dict.fromkeys(alike(path)):
            if methods := self._methods(known):
                return Spot(known, methods)
        return Spot(path, {})

    def _methods(self, path: str) -> dict[str, Answerer]:
        methods: dict[str, Answerer] = {}
        for each in self._patterns:
            if not each.path.fullmatch(path):
                continue
            if each.wire is not None:
                methods.setdefault(each.route.method, each.wire)
            elif each.endpoint is not None:
                for method in _answered(each.route.method):
                    there = methods.setdefault(method, Beside())
                    if isinstance(there, Beside):
                        there.add(each.route, each.endpoint)
        return methods

    def resembled(self, request: Request) -> str:
        """The provider whose client asks, as far as its headers or its path tell; "" where they do not."""
        for each in self._patterns:
            if each.endpoint is not None and each.route.only is not None and each.route.only(request):
                return each.endpoint.provider
        words = set(_WORD.findall(request.path))
        # Those that claim some of the requests of a path would have claimed this one.
        others = [each for each in self._patterns if each.route.only is None]

        def nearness(pattern: _Pattern) -> tuple[bool, int]:
            # A thing is theirs of whom it can be read.
            read = pattern.route.method == "GET" and pattern.path.fullmatch(request.path) is not None
            return read, len(words & pattern.words)

        alike = max(others, key=nearness, default=None)
        return "" if alike is None or not words & alike.words else alike.provider

    def unknown(self, method: str, path: str) -> str:
        """What to tell who asked for a path that nobody answers."""
        hint = self._base(path) or self._close(path)
        answers = f"it answers {', '.join(self._main)} and more, which GET / lists"
        return f"llmposter has no route {method} {path}{hint and f': {hint}'}; {answers}"

    def not_allowed(self, method: str, path: str) -> str:
        """What to tell who asked with a method that the path does not take."""
        hint = self._base(path)
        return f"{path} takes {' or '.join(sorted(self.at(path).methods))}, not {method}{hint and f': {hint}'}"

    def _base(self, path: str) -> str:
        """What is wrong with the base URL, if that is the mistake."""
        if "/v1/v1" in path:
            return "/v1 stands twice, so the base URL should not end in /v1"
        for end in [at.start() for at in _SLASH.finditer(path, 1)]:
            before, rest = path[:end], path[end:]
            spot = self.at(rest)
            if spot.methods and self.at(before).methods:
                base = spot.path.removesuffix(rest)
                return f"the base URL should end {f'in {base}' if base else 'with the port'}, the SDK adds the rest"
            if spot.methods and spot.path == rest:
                return f"the base URL has {before} too much"
        return ""

    def _close(self, path: str) -> str:
        close = get_close_matches(path, self._fixed, n=1, cutoff=0.8)
        return f"did you mean {close[0]}?" if close else ""


def _pattern(route: Route, wire: Wire | None = None, endpoint: Endpoint | None = None) -> _Pattern:
    holes = ["(?s:.+)" if hole.endswith("*}") else "[^/]+" for hole in _HOLE.findall(route.path)]
    literal = [re.escape(part) for part in _HOLE.split(route.path)]
    path = "".join(part + hole for part, hole in zip(literal, [*holes, ""], strict=True))
    rank = "*}" not in route.path, len(_HOLE.sub("", route.path))
    return _Pattern(rank, re.compile(path), route, wire, endpoint)


def _shown(route: Route) -> str:
    return f"{route.method} {route.path}"


def _answered(method: str) -> tuple[str, ...]:
    # RFC 9110, section 9.3.2: whoever answers GET answers HEAD; the transport leaves the body away.
    return ("GET", "HEAD") if method == "GET" else (method,)
