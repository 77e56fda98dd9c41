"""One issuer: what Authlib's framework asks of whoever uses it, consents, and the token endpoint.

A request is answered at once and under a lock, so that of two that bring one code or one refresh token one comes first.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, cast

from authlib.common.urls import add_params_to_uri
from authlib.consts import default_json_headers
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidClientError, InvalidRequestError

from llmposter.oauth.asked import Answer, Asked
from llmposter.oauth.desk import Desk
from llmposter.oauth.grants import ClientGrant, CodeGrant, DeviceGrant, Particulars, Proof, RefreshGrant
from llmposter.oauth.metadata import grants
from llmposter.oauth.mint import Mint
from llmposter.oauth.records import METHODS, SECRET_METHODS, Device, Registered
from llmposter.oauth.store import Shelf, Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmposter.core.clock import Clock
    from llmposter.core.credentials import Credentials
    from llmposter.oauth.ids import Ids
    from llmposter_dsl.companion import OAuth, TokenAnswer, User

# Authlib writes tokens and codes whole at DEBUG, which a test run may well have on.
logging.getLogger("authlib").setLevel(logging.INFO)
_SAYABLE: Final = frozenset(map(chr, (*range(0x20, 0x22), *range(0x23, 0x5C), *range(0x5D, 0x7F))))
"""What the description of an error may be of (RFC 6749, section 5.2)."""
_CHALLENGE: Final = ("WWW-Authenticate", 'Basic realm="llmposter"')


@dataclass(frozen=True, slots=True)
class Consent:
    """A question for a person, the user *subject*: whether this client may have this."""

    ticket: str
    client: Registered
    subject: str
    scopes: tuple[str, ...]
    redirect_uri: str


@dataclass(slots=True)
class Ticket:
    """A question that was asked, until when it can be decided, and what came of it."""

    grant: CodeGrant
    until: float
    answer: Answer | None = None
    approved: bool = False


class Provider(AuthorizationServer):  # type: ignore[misc]
    """An authorization server without sockets.

    Args:
        session: where its tokens are good; None for everywhere.
    """

    def __init__(
        self, settings: OAuth, clock: Clock, credentials: Credentials, ids: Ids, session: str | None = None
    ) -> None:
        super().__init__(scopes_supported=list(settings.scopes))
        self.settings, self.clock, self.ids = settings, clock, ids
        self._credentials, self._session = credentials, session
        self.lock = RLock()
        self._begin()
        self.register_grant(CodeGrant, [Proof(), Particulars()])
        for each in (ClientGrant, RefreshGrant, DeviceGrant):
            self.register_grant(each)

    def _begin(self) -> None:
        given, scopes = self.settings.client, self.settings.scopes
        self.store, self.desk = Store(self._credentials, self._session), Desk(self.settings.answers)
        self.mint = Mint(self.settings, self.store, self.ids)
        self.user: User = self.settings.user
        self._tickets: Shelf[Ticket] = Shelf()
        methods = METHODS[2:] if given.secret is None else SECRET_METHODS
        client = Registered(given.id, given.secret, methods, scopes, given.redirect_uris, tuple(grants(self.settings)))
        self.store.clients.put(given.id, client)

    def now(self) -> float:
        return self.clock.now()

    def reset(self) -> None:
        """As in the beginning; all tokens have ended."""
        with self.lock:
            for value in self.store.tokens:
                self.store.revoke(value, self.now())
            self._begin()

    # What Authlib asks.

    def query_client(self, client_id: str) -> Registered | None:
        return self.store.clients.get(client_id)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Asked) -> Asked:
        return request

    create_json_request = create_oauth2_request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Answer:
        told = body if isinstance(body, dict) else None
        if told is not None and "error_description" in told:
            said = "".join(each if each in _SAYABLE else "?" for each in str(told["error_description"]))
            told = {**told, "error_description": said}
        return Answer(status, told, tuple(headers))

    def handle_error_response(self, request: Asked, error: OAuth2Error) -> Answer:
        answer = super().handle_error_response(request, error)
        if isinstance(error, InvalidClientError) and answer.location is None:
            headers = [each for each in answer.headers if each[0] != _CHALLENGE[0]]
            return Answer(401, answer.body, (*headers, _CHALLENGE))
        return answer  # type: ignore[no-any-return]

    def authenticate_client(self, request: Asked, methods: Sequence[str], endpoint: str = "token") -> Registered:
        """Raises an error that says what is wrong with the client, and not which half of its secret."""
        if request.headers.get("Authorization") and "client_secret" in request.form:
            raise InvalidRequestError("the client authenticates in two ways (RFC 6749, section 2.3)")
        try:
            client: Registered = super().authenticate_client(request, methods, endpoint)
        except InvalidClientError:
            told = "the client is unknown, or its secret is wrong or missing, or it authenticates in another way"
            raise InvalidClientError(f"{told}: {', '.join(methods)}", status_code=401) from None
        if request.payload.client_id not in (None, client.id):
            raise InvalidRequestError("client_id names another client than the one that authenticates")
        return client

    # A consent in a browser.

    def get_authorization_grant(self, request: Asked) -> CodeGrant:
        """Authlib's, but for its error, which quotes what may not be said (RFC 6749, section 4.1.2.1)."""
        asked = request.payload.response_type
        if asked == "code":
            return cast("CodeGrant", super().get_authorization_grant(request))
        if (client := self.query_client(request.payload.client_id)) is None:
            raise InvalidClientError("the client is unknown")
        error = "unsupported_response_type" if asked else "invalid_request"
        where = CodeGrant.validate_authorization_redirect_uri(request, client)
        raise OAuth2Error("response_type must be code", redirect_uri=where, error=error)

    def authorize(self, asked: Asked) -> Answer | Consent:
        """Where the browser is to go, an error to show, or a question to ask first."""
        with self.lock:
            try:
                grant: CodeGrant = self.get_consent_grant(asked)
            except OAuth2Error as error:
                return self._with_issuer(self.handle_error_response(asked, error), asked)
            if self.settings.approval == "auto":
                return self._answered(grant, approved=True)
            ticket = self.ids.value()
            self._tickets.put(ticket, Ticket(grant, self.now() + self.settings.code_lifetime))
            return Consent(ticket, asked.client, self.user.subject, tuple(asked.scope.split()), grant.redirect_uri)

    def decide(self, ticket: str, *, approved: bool) -> Answer | None:
        """What comes of a consent; None where nothing was asked, or too long ago, or it was decided otherwise.

        The same decision again leads to the same answer: of two clicks a browser follows the second.
        """
        with self.lock:
            asked = self._tickets.get(ticket)
            if asked is None or self.now() >= asked.until:
                return None
            if asked.answer is None:
                asked.answer, asked.approved = self._answered(asked.grant, approved=approved), approved
            return asked.answer if asked.approved == approved else None

    def _answered(self, grant: CodeGrant, *, approved: bool) -> Answer:
        asked = grant.request
        user = self.user if approved else None
        return self._with_issuer(self.create_authorization_response(asked, user, grant), asked)

    def _with_issuer(self, answer: Answer, asked: Asked) -> Answer:
        """Who it was that answered (RFC 9207)."""
        if answer.location is None:
            return answer
        uri = add_params_to_uri(answer.location, [("iss", asked.issuer)])
        return Answer(answer.status, None, (("Location", uri),))

    # A consent elsewhere than on the device that asks.

    def waiting(self) -> list[Device]:
        """Devices for which nobody has decided yet."""
        now = self.now()
        return [each for each in self.store.devices.values() if each.state == "pending" and now < each.until]

    def device(self, user_code: str) -> Device | None:
        """The one with this code, however a person writes it (RFC 8628, section 6.1)."""
        wanted = plain(user_code)
        return next((each for each in self.store.devices.values() if wanted and plain(each.user_code) == wanted), None)

    def pending(self, user_code: str) -> Device | None:
        """That one, if it waits."""
        found = self.device(user_code)
        return found if found is not None and found.state == "pending" and self.now() < found.until else None

    # Tokens.

    def token(self, asked: Asked, scripted: TokenAnswer) -> Answer:
        """The answer of the token endpoint; *scripted* is what was to come in its place."""
        with self.lock:
            asked.scripted = scripted
            answer = self._failed(scripted) if scripted.error or scripted.status else self._token(asked)
            line = asked.line
            self.desk.note(
                grant_type=asked.what, client=asked.who, outcome=answer.outcome,
                status=answer.status, time=self.now(), line=None if line is None else line.number,
                grant=None if line is None else line.granted,
            )  # fmt: skip
            return answer

    def _token(self, asked: Asked) -> Answer:
        if asked.payload.repeated is not None:
            return self.handle_error_response(asked, InvalidRequestError("a parameter is given twice"))
        if (wanted := asked.payload.grant_type) is None:
            told = "grant_type is missing: send a form, application/x-www-form-urlencoded"
            return self.handle_error_response(asked, InvalidRequestError(told))
        if wanted not in (known := grants(self.settings)):
            told = f"grant_type must be one of {', '.join(known)}"
            return self.handle_error_response(asked, OAuth2Error(told, error="unsupported_grant_type"))
        return self.create_token_response(asked)  # type: ignore[no-any-return]

    def _failed(self, said: TokenAnswer) -> Answer:
        """As it was written, whatever RFC 6749 lets stand there."""
        usual = {429: "temporarily_unavailable", 503: "temporarily_unavailable"}
        status = said.status or (401 if said.error == "invalid_client" else 400)
        error = said.error or usual.get(status, "server_error" if status >= 500 else "invalid_request")
        told = {"error": error, "error_description": said.description or "the scenario has it so"}
        headers = (*default_json_headers, *([_CHALLENGE] if status == 401 else []))
        return Answer(status, told, tuple(headers))


def plain(user_code: str) -> str:
    return "".join(letter for letter in user_code.upper() if letter.isalnum())
