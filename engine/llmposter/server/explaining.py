"""What a request would get and why, as data: for `llmposter explain` and for the admin API. Nothing is moved by it.

A request is told as JSON: its body alone, or an object with `body`, and `path` or `provider`, `method` and `headers`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from llmposter.lint.said import Said
from llmposter.model import BadRequest, Connection, Request, Struct, Turn
from llmposter.server import target
from llmposter.server.gateways import named_model, with_model
from llmposter.server.routes import Beside, Routes
from llmposter.wire import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmposter.core.looking import Instead
    from llmposter.core.mock import Mock
    from llmposter.model import Wire
    from llmposter_dsl.program import Program

MEMBERS: Final = ("body", "path", "provider", "method", "headers")
EXAMPLE: Final = '{"path": "/v1/chat/completions", "body": {"model": "gpt-4o", "messages": […]}}'
_HOLE: Final = re.compile(r"\{[^}]*\}")


class NoRequest(Exception):  # noqa: N818 - it says what is wrong with what was given
    """What was given is no request that a wire reads; the message is for the user."""


class Read(Struct, frozen=True):
    """A request and the wire that read it; *assumed*: nobody said which, and it is the likeliest."""

    turn: Turn
    wire: Wire
    assumed: bool = False


def read(given: Any, provider: str | None = None, session: str = "") -> Read:
    """The request that *given* tells.

    Raises:
        NoRequest: it tells none.
    """
    if not isinstance(given, dict):
        raise NoRequest(f"the request is {_kind(given)}, and should be an object: {EXAMPLE}")
    told: dict[str, Any] = given if "body" in given and not given.keys() - set(MEMBERS) else {"body": given}
    path = told.get("path")
    provider = told.get("provider") if provider is None else provider
    if path is not None:
        return _by_path(told, str(path), session)
    wires = load()
    if provider is None:
        return _first(told, session)
    if provider not in wires:
        raise NoRequest(f'there is no provider "{provider}": it is one of {", ".join(wires)}')
    return _by_wire(told, wires[provider], session)


def _by_path(told: Mapping[str, Any], path: str, session: str) -> Read:
    where = target.parse(path)
    spot = Routes(load().values()).at(where.path)
    wire = spot.by(str(told.get("method", "POST")))
    if wire is None or isinstance(wire, Beside):
        raise NoRequest(f'"{path}" is no path of a conversation')
    body = _body(told)
    if (model := named_model(where.path)) and spot.path != where.path:
        body = with_model(body, model)
    return Read(_turn(told, wire, spot.path, body, where.session or session, target.query(where.query)), wire)


def _by_wire(told: Mapping[str, Any], wire: Wire, session: str, *, assumed: bool = False) -> Read:
    body = told["body"]
    model = body.get("model") if isinstance(body, dict) else None
    path = _HOLE.sub(lambda _: str(model or "model"), wire.routes[0].path)
    return Read(_turn(told, wire, path, _body(told), session, {}), wire, assumed)


def _first(told: Mapping[str, Any], session: str) -> Read:
    """By the wire that finds least wrong with it, the first of equals."""
    found: list[Read] = []
    wrong: list[str] = []
    for wire in load().values():
        try:
            found.append(_by_wire(told, wire, session, assumed=True))
        except NoRequest as trouble:
            wrong.append(str(trouble))
    if not found:
        raise NoRequest("; ".join(wrong))
    return min(found, key=lambda one: len(one.turn.breaches))


def _turn(  # noqa: PLR0913, PLR0917 - what a request is made of
    told: Mapping[str, Any], wire: Wire, path: str, body: bytes, session: str, query: Mapping[str, str]
) -> Turn:
    headers = {str(name).lower(): str(value) for name, value in (told.get("headers") or {}).items()}
    session = session or headers.get(target.SESSION_HEADER, "")
    found = wire.read(Request("POST", path, query, headers, body, Connection(0), session))
    if isinstance(found, BadRequest):
        raise NoRequest(f"{wire.name} refuses it: {found.message}")
    return found


def _body(told: Mapping[str, Any]) -> bytes:
    body = told["body"]
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def _kind(value: Any) -> str:
    return {list: "a list", str: "text", type(None): "null", bool: "a bool"}.get(type(value), "a number")


def explained(mock: Mock, read: Read, instead: Instead | None = None) -> dict[str, Any]:
    """What the request would get, and every rule that it meets on the way, JSON-able.

    Raises:
        NoRequest: its scenario has no such state or variable.
    """
    turn, wire = read.turn, read.wire
    found = mock.look(turn, instead)
    told: dict[str, Any] = {"provider": wire.name, "assumed": read.assumed, "session": turn.request.session}
    if found is None:
        return {**told, "scenario": None, "why": mock.unserved()}
    standing, seen = found
    program, stands, moment = standing.player.program, standing.stands, standing.moment
    if instead is not None:
        _known(program, instead)
    return {
        **told,
        "scenario": program.name, "file": program.place.source.name, "conversation": standing.conversation or None,
        "state": stands.state, "attempt": moment.attempt, "vars": dict(stands.vars), "foreign": standing.foreign,
        "refused": standing.refused, "fires": seen.fires or None, "closest": seen.closest or None,
        "why": seen.why or None, "answer": Said(seen.step, wire, moment.now).told,
        "state_after": seen.step.after.state,
        "violations": [violation.message for violation in seen.step.violations],
        "stages": msgspec.to_builtins(seen.stages),
    }  # fmt: skip


def _known(program: Program, instead: Instead) -> None:
    names = f'scenario "{program.name}" has no'
    if instead.state is not None and instead.state not in program.states:
        raise NoRequest(f'{names} state "{instead.state}": it has {", ".join(program.states)}')
    if strange := instead.vars.keys() - program.vars.keys():
        raise NoRequest(f'{names} variable "{min(strange)}": it has {", ".join(program.vars) or "none"}')
