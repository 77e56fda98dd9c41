"""Which endpoint answers a request, and errors as the answers that they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from authlib.oauth2 import OAuth2Error

from llmposter.oauth.endpoints import DeviceAuthorization, EndSession, Introspection, Revocation, userinfo
from llmposter.oauth.registration import Registration

if TYPE_CHECKING:
    from llmposter.oauth.asked import Answer, Asked
    from llmposter.oauth.provider import Provider

_BESIDE: Final[Mapping[str, Mapping[str, Callable[[Provider, Asked], Any]]]] = {
    "/revoke": {"POST": lambda server, asked: Revocation(server)(asked)},
    "/introspect": {"POST": lambda server, asked: Introspection(server)(asked)},
    "/device_authorization": {"POST": lambda server, asked: DeviceAuthorization(server, asked)(asked)},
    "/userinfo": {"GET": userinfo, "POST": userinfo},
    "/register": {"POST": lambda server, asked: Registration(server)(asked)},
}


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The session has ended, and the browser is to go nowhere."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """A person has to say so first."""


def methods(server: Provider, path: str) -> tuple[str, ...]:
    """Those of an endpoint beside the token endpoint; none where there is no such endpoint."""
    if path == "/register" and not server.settings.registration:
        return ()
    return tuple(_BESIDE.get(path, ()))


def beside(server: Provider, path: str, asked: Asked) -> Answer:
    """The answer of that endpoint."""
    with server.lock:
        try:
            return server.handle_response(*_BESIDE[path][asked.method](server, asked))
        except OAuth2Error as error:
            return server.handle_error_response(asked, error)


def logout(server: Provider, asked: Asked, *, confirmed: bool) -> Answer | Confirm | LoggedOut:
    """The end of a session; without an id token that proves who asks, only once a person has confirmed it."""
    endpoint = EndSession(server)
    with server.lock:
        try:
            request = endpoint.validate_request(asked)
        except OAuth2Error as error:
            return server.handle_error_response(asked, error)
        if request.needs_confirmation and not confirmed:
            return Confirm()
        answer = endpoint.create_response(request)
        return LoggedOut() if answer is None else server.handle_response(*answer)
