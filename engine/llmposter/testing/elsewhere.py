"""A server that runs elsewhere, such as one for all workers of a run: looked at and reset over its admin API.

It answers and asserts as a session of this process does. What only the server's own process can do is not here.
"""

from __future__ import annotations

import json
from copy import copy
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib import error, request
from urllib.parse import quote

import msgspec

from llmposter import wire
from llmposter.core.verify import Verification
from llmposter.model import Connection
from llmposter.model import Request as Sent
from llmposter.server.routes import Routes
from llmposter.testing import recorded, seen
from llmposter.testing.failures import Observed
from llmposter.testing.recorded import Fired
from llmposter.testing.records import Answer, Request, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmposter_dsl.program import Program

_SECONDS: Final = 30
_DIRECT: Final = request.build_opener(request.ProxyHandler({}))
"""No proxy of the environment is between."""


class Elsewhere(seen.Seen):
    """A server that runs already, or a session of it.

    Args:
        url: where it listens.
        programs: what it serves, as far as that is known here; failures tell places of these.
        session: None for all that came to it.

    Raises:
        ValueError: nothing answers there as llmposter does.
    """

    def __init__(self, url: str, programs: Sequence[Program] = (), session: str | None = None) -> None:
        self._at, self._programs, self._session = url.rstrip("/"), tuple(programs), session
        served = {each["name"]: each for each in self._asked("scenarios")["scenarios"]}
        if strange := [each.name for each in programs if each.name not in served]:
            raise ValueError(f'{self._at} serves no scenario "{strange[0]}": it serves {", ".join(served) or "none"}')
        self._final = {name: frozenset(each["final"]) for name, each in served.items()}

    def __repr__(self) -> str:
        return f"<Elsewhere {self.url}>"

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return self._at if self._session is None else f"{self._at}/@{quote(self._session)}"

    @property
    def key(self) -> str:
        """The first credential of the scenarios that are known here, or any text."""
        tokens = (token for each in self._programs if each.auth for token in each.auth.tokens)
        return next((token.value for token in tokens), seen.ANY_KEY)

    def session(self, name: str) -> Elsewhere:
        """The session of this name."""
        made = copy(self)
        made._session = name  # noqa: SLF001 - its own
        return made

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What clients did and should not have, and every `expect` that did not hold."""
        return tuple(each for request in self.requests for each in request.violations)

    def reset(self) -> None:
        """Forgets conversations and requests; tokens, limits and chaos are as in the beginning."""
        self._asked("reset", "POST")

    def _listening(self) -> NoReturn:
        raise RuntimeError(f"{self._at} is no server of this process: its admin API has more, {self._at}/_llmposter/")

    def _verification(self) -> Verification:
        return msgspec.convert(self._asked("verify"), Verification)

    def _fired(self) -> list[Fired]:
        entries = self._asked("journal")["entries"]
        return [
            Fired(each["scenario"], each["states"], [name for name in (*each["passed"], each["rule"]) if name])
            for each in entries
            if each["scenario"] and "method" in each
        ]

    def _observed(self) -> Observed:
        journal = self._asked("journal")
        requests = [_request(each) for each in journal["entries"] if "method" in each]
        held = self._asked("conversations")["conversations"]
        conversations = [
            recorded.conversation(each, self._final.get(each["scenario"], frozenset()), requests) for each in held
        ]
        programs = {each.name: each for each in self._programs}
        return Observed(requests, conversations, programs, journal["dropped"])

    def _asked(self, name: str, method: str = "GET") -> Any:
        asked = request.Request(f"{self.url}/_llmposter/{name}", method=method)  # noqa: S310 - the user's own server
        try:
            with _DIRECT.open(asked, timeout=_SECONDS) as answer:
                return json.load(answer)
        except (error.URLError, OSError, ValueError) as wrong:
            raise ValueError(f"no llmposter answers at {self._at}: {wrong}") from wrong


@cache
def _routes() -> Routes:
    return Routes((*wire.load().values(), *wire.dialects()), wire.endpoints())


def _wire_at(method: str, path: str) -> Any:
    return _routes().at(path).by(method)


def _request(shown: Mapping[str, Any]) -> Request:
    """An entry of the journal, as `llmposter.core.journal.render` shows it."""
    text, answer = shown["body"] or "", shown["answer"]
    path = _routes().at(shown["path"]).path
    sent = Sent(shown["method"], path, shown["query"], shown["headers"], text.encode(), Connection(0))
    whole = shown["conversation"] and shown["body"] is not None and not shown["body_cut"]
    at = (shown["number"], shown["session"], shown["scenario"], shown["conversation"], shown["before"])
    return Request(
        number=shown["number"], time=shown["time"], session=shown["session"], method=shown["method"],
        path=shown["path"], query=shown["query"], headers=shown["headers"], provider=shown["provider"],
        model=shown["model"], stream=shown["stream"], text=text, cut=shown["body_cut"],
        kept=shown["body"] is not None, outcome=shown["outcome"], detail=shown["detail"], status=shown["status"],
        how=shown["how"], answer=None if answer is None else _answer(answer), scenario=shown["scenario"],
        conversation=shown["conversation"], before=shown["before"], after=shown["after"],
        path_taken=tuple(shown["states"]), rule=shown["rule"], place=shown["place"], attempt=shown["attempt"],
        violations=tuple(Violation(each["kind"], each["message"], each["place"], *at) for each in shown["violations"]),
        faults=tuple(each["fault"] for each in shown["faults"]), token=shown["token"], seconds=shown["seconds"],
        history=partial(recorded.turn, sent, _wire_at) if whole else recorded.no_turn,
    )  # fmt: skip


def _answer(shown: Mapping[str, Any]) -> Answer:
    if "error" in shown:
        return Answer(error=shown["error"] or shown["status"], message=shown["message"])
    calls = tuple(recorded.tool_call(each["tool"], each["arguments"], each["id"]) for each in shown["calls"])
    return Answer(shown["text"], shown["thinking"], calls, shown["finish"])
