"""The clock, the tokens and the OAuth server, for tests to move and to end: what the admin API does, without HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from llmposter.core.clock import ManualClock
from llmposter.server import admin_oauth, admin_tokens
from llmposter.server.admin_asked import Asked, Refused
from llmposter.testing.records import Token
from llmposter_dsl.delivery_forms import DURATION_FORMS, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llmposter.oauth.desk import Grant
    from llmposter.server.service import Service
    from llmposter.testing import tables


def ask(do: Callable[[Asked], Any], service: Service, session: str | None, body: Mapping[str, Any]) -> Any:
    """What the admin API answers to a body, in which what is None is left out.

    Raises:
        ValueError: it says no; the message says why.
    """
    given = {name: value for name, value in body.items() if value is not None}
    answer = do(Asked(service, session, {}, msgspec.json.encode(given)))
    if not isinstance(answer, Refused):
        return answer
    raise ValueError(answer.message)


class Clock:
    """The time of a server, which all its sessions share."""

    def __init__(self, service: Service) -> None:
        self._clock = service.clock

    @property
    def now(self) -> float:
        """Unix seconds."""
        return self._clock.now()

    def advance(self, by: str | float | timedelta) -> float:
        """Moves a manual clock on by a duration such as ``"15m"``, or by seconds; the time that it is then.

        Raises:
            ValueError: it is no duration, or goes back.
            RuntimeError: the clock is the real one.
        """
        seconds = _seconds(by)
        if isinstance(self._clock, ManualClock):
            self._clock.advance(seconds)
            return self.now
        raise RuntimeError('the clock is the real one and moves by itself: make the server with clock="manual"')


def _seconds(by: str | float | timedelta) -> float:
    if isinstance(by, timedelta):
        return by.total_seconds()
    if isinstance(by, int | float):
        return by
    if (seconds := duration(by)) is None:
        raise ValueError(f'"{by}" is no duration: {DURATION_FORMS}')
    return seconds


class Tokens:
    """The credentials of a server or of a session; those of no session are good in all."""

    def __init__(self, service: Service, session: str | None) -> None:
        self._service, self._session = service, session

    def issue(
        self, name: str, *, value: str | None = None, uses: int | None = None, lifetime: str | None = None
    ) -> str:
        """A new token: what a client sends as its key. Its value is made up where none is given.

        Raises:
            ValueError: no request needs one, or a bound is none.
        """
        body = {"name": name, "value": value, "uses": uses, "lifetime": lifetime}
        return str(ask(admin_tokens.issue, self._service, self._session, body)["value"])

    def expire(self, name: str, *, after: str | None = None) -> int:
        """The tokens of this name expire now, or *after* ``"2 uses"`` or ``"30s"``; how many there are.

        Raises:
            ValueError: there is none, or *after* is neither.
        """
        return int(ask(admin_tokens.expire, self._service, self._session, {"name": name, "after": after})["ended"])

    def revoke(self, name: str) -> int:
        """The tokens of this name are revoked; how many there are.

        Raises:
            ValueError: there is none.
        """
        return int(ask(admin_tokens.revoke, self._service, self._session, {"name": name})["ended"])

    def list(self) -> tuple[Token, ...]:
        """All of them, with what became of each."""
        told = ask(admin_tokens.tokens, self._service, self._session, {})["tokens"]
        names = Token.__dataclass_fields__
        return tuple(Token(**{name: each[name] for name in names}) for each in told)


class OAuth:
    """The OAuth server beside a server: what it was asked, and what a test decides for it.

    In a session it is the issuer whose tokens are good there alone.
    """

    def __init__(self, service: Service, session: str | None) -> None:
        self._service, self._session = service, session

    @property
    def url(self) -> str:
        """Its issuer, and the base of its endpoints.

        Raises:
            ValueError: there is none: no scenario has `oauth` in its `[auth]`.
        """
        return str(self._told()["url"])

    @property
    def grants(self) -> tuple[Grant, ...]:
        """What was asked of its token endpoint, first to last."""
        from llmposter.oauth.desk import Grant

        return tuple(Grant(**each) for each in self._told()["grants"])

    @property
    def refreshes(self) -> int:
        """How often a token was renewed."""
        return int(self._told()["refreshes"])

    @property
    def devices(self) -> tuple[str, ...]:
        """The user codes of the devices that wait for a decision."""
        return tuple(each["user_code"] for each in self._told()["devices"])

    def script(self, *answers: tables.AnAnswer) -> None:
        """What the next token requests get, after those that are still to come: ``503``, ``"invalid_grant"``, ``"ok"``.

        Raises:
            ValueError: what is wrong with them.
        """
        ask(admin_oauth.script, self._service, self._session, {"answers": answers})

    def approve(self, user_code: str) -> None:
        """The device that shows this code is let in.

        Raises:
            ValueError: none waits with it.
        """
        ask(admin_oauth.approve, self._service, self._session, {"user_code": user_code})

    def deny(self, user_code: str) -> None:
        """The device that shows this code is not let in; raises as `approve`."""
        ask(admin_oauth.deny, self._service, self._session, {"user_code": user_code})

    def sign_in(self, sub: str, **claims: Any) -> None:
        """Whom consents are of from now on, with the claims of userinfo and the id token.

        Raises:
            ValueError: what is wrong with them.
        """
        ask(admin_oauth.sign_in, self._service, self._session, {"sub": sub, **claims})

    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = ask(admin_oauth.told, self._service, self._session, {})
        return told
