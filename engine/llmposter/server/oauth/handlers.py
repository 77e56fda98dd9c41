"""The authorization server's endpoints as Tornado serves them, for one issuer at ``/`` and one at ``/@ID`` each."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final, assert_never
from urllib.parse import urlsplit

import msgspec
from tornado.web import Application, HTTPError, RequestHandler, stream_request_body

from llmposter.oauth import answering, keys
from llmposter.oauth.asked import MOST_FIELDS, Answer, Asked
from llmposter.oauth.metadata import metadata
from llmposter.oauth.provider import Consent
from llmposter.oauth.records import Device
from llmposter.server import sharing, target
from llmposter.server.oauth import pages

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

    from llmposter.oauth.provider import Provider
    from llmposter.server.oauth.companion import Companion

_BEHIND: Final = re.compile(r"(/\.well-known/[a-z-]+)/@(.+)")
_HOST: Final = re.compile(r"[\w.-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
_NUMBER: Final = re.compile(r"[0-9]{1,15}")
MOST_OF_BODY: Final = 64 * 1024
MOST_READ: Final = 1024 * 1024
"""Bytes of a body that are kept, for what is too large to be told so; on more in chunks Tornado hangs up."""
_MOST_PASSED: Final = 16 * 1024 * 1024
_UNBOUNDED: Final = 1 << 62
_DISCOVERY: Final = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


class Refused(HTTPError):  # noqa: N818 - it reads as what happened
    """A request that is told why it is refused."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status)
        self.message = message


def _too_large() -> Refused:
    return Refused(413, f"the body has more than {MOST_OF_BODY} bytes")


def located(path: str) -> tuple[str, str]:
    """The session of a path and the rest of it: RFC 8414 has an issuer's path behind the well-known one (section 3)."""
    where = target.parse(path)
    if where.session is None and (found := _BEHIND.fullmatch(where.path)) is not None:
        return found[2], found[1]
    return where.session or "", where.path


class Base(RequestHandler):
    """What all endpoints have in common."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "OPTIONS")
    shared = True
    """Whether web pages of this machine may read it."""

    def initialize(self, companion: Companion) -> None:
        """Takes the place of a constructor, as Tornado wants it."""
        self.companion = companion
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def prepare(self) -> None:
        self.session, self.where = located(self.request.path)
        if self.session and (wrong := target.faulty(self.session)) is not None:
            raise Refused(400, wrong)
        host = self.request.headers.get("Host", "")
        if not _HOST.fullmatch(host) or not self.companion.named(_name(host)):
            raise Refused(403, "that is no name of this server")
        self.issuer = f"http://{host}" + (f"/@{self.session}" if self.session else "")
        if len(self.request.body) > MOST_OF_BODY:
            raise _too_large()

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        headers = {name.lower(): value for name, value in self.request.headers.items()}
        if self.shared and sharing.own(origin := headers.get("origin")):
            leave = sharing.preflight(self.request.method or "", headers)
            for name, value in sharing.leave(str(origin), () if leave is None else leave.headers):
                self.set_header(name, value)

    @property
    def provider(self) -> Provider:
        return self.companion.provider(self.session)

    def asked(self) -> Asked:
        """The request as the provider reads it."""
        method = self.request.method or ""
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        form = self.request.body.decode("latin-1") if kind == "application/x-www-form-urlencoded" else ""
        raw = form if method == "POST" else self.request.query
        if raw.count("&") >= MOST_FIELDS:
            raise Refused(400, "too many parameters")
        return Asked(method, self.issuer, dict(self.request.headers), raw, self.request.body)

    def options(self) -> None:
        self.set_status(204)

    def on_connection_close(self) -> None:
        if not self.gone.done():
            self.gone.set_result(None)

    def check_etag_header(self) -> bool:
        return False

    def tell(self, answer: Answer) -> None:
        self.set_status(answer.status)
        for name, value in answer.headers:
            if name.lower() != "content-type":
                self.set_header(name, value)
        if answer.body is not None:
            self.json(answer.body)

    def json(self, body: Any) -> None:
        self.set_header("Content-Type", "application/json")
        self.write(msgspec.json.encode(body))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        code = "server_error" if status_code >= 500 else "invalid_request"
        self.json({"error": code, "error_description": self._said(status_code, error)})
        self.finish()

    def _said(self, status: int, error: BaseException | None) -> str:
        if isinstance(error, Refused):
            return error.message
        if status >= 500:
            return f"llmposter failed inside ({type(error).__name__}); its log has more"
        return f"there is no {self.request.method} {self.request.path}"

    def log_exception(self, typ: object, value: BaseException | None, tb: object) -> None:  # noqa: ARG002 - Tornado's
        if value is not None and not isinstance(value, HTTPError):
            self.companion.watch.broke(value, f"{self.request.method} {self.where}")


class Token(Base):
    """The token endpoint, which may be slow or fail as it is told to."""

    async def post(self) -> None:
        await self.companion.ready()
        asked, provider = self.asked(), self.provider
        with provider.lock:
            scripted = provider.desk.next()
        if scripted.delay and not await self.companion.wait(scripted.delay, self.gone):
            self._auto_finish = False  # whoever left is granted nothing, and there is no answer at the end
            return
        self.tell(provider.token(asked, scripted))


class Beside(Base):
    """Endpoints that answer at once."""

    def _serve(self) -> None:
        allowed = answering.methods(self.provider, self.where)
        if self.request.method not in allowed:
            raise HTTPError(405 if allowed else 404)
        self.tell(answering.beside(self.provider, self.where, self.asked()))

    get = post = _serve


class Told(Base):
    """What never changes: metadata and keys."""

    async def get(self) -> None:
        if self.where == "/jwks.json":
            await self.companion.ready()
            self.json(keys.published())
        elif self.where in _DISCOVERY:
            self.json(metadata(self.issuer, self.companion.settings))
        else:
            raise HTTPError(404)

    head = get


class Page(Base):
    """What a person sees: no other site may frame it, read it or send its forms."""

    shared = False

    def prepare(self) -> None:
        super().prepare()
        origin = self.request.headers.get("Origin")
        own = f"{urlsplit(self.issuer).scheme}://{urlsplit(self.issuer).netloc}"
        self.foreign = origin is not None and origin != own

    def set_default_headers(self) -> None:
        super().set_default_headers()
        for name, value in pages.HEADERS:
            self.set_header(name, value)

    def refuse_foreign(self) -> None:
        if self.foreign:
            raise Refused(403, "another site sent this form")

    def field(self, name: str) -> str:
        return self.asked().payload.data.get(name, "")

    def show(self, page: str, status: int = 200) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.write(page)

    def go(self, answer: Answer) -> None:
        """On to the client, or an error that must not go there (RFC 6749, section 4.1.2.1)."""
        if answer.location is None:
            body = answer.body or {}
            self.show(pages.wrong(str(body.get("error")), str(body.get("error_description", ""))), 400)
        else:
            self.set_status(303)
            self.set_header("Location", answer.location)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        self.show(pages.wrong(str(status_code), self._said(status_code, error)), status_code)
        self.finish()


class Authorize(Page):
    """The authorization endpoint."""

    def serve(self) -> None:
        found = self.provider.authorize(self.asked())
        if isinstance(found, Consent):
            self.show(pages.consent(found, self.issuer))
        else:
            self.go(found)

    get = post = serve


class Decision(Page):
    """What a person said to the question of the authorization endpoint."""

    def post(self) -> None:
        self.refuse_foreign()
        said = self.field("decision")
        if said not in ("approve", "deny"):
            raise Refused(400, "the decision is approve or deny")
        answer = self.provider.decide(self.field("ticket"), approved=said == "approve")
        if answer is None:
            self.show(pages.wrong("expired", "this question was answered before, or too long ago: start again"), 400)
        else:
            self.go(answer)


class DevicePage(Page):
    """Where a person enters the code that a device shows (RFC 8628, section 3.3)."""

    def get(self) -> None:
        code = self.field("user_code")
        if not code:
            self.show(pages.enter_code(self.issuer))
        elif (device := self.provider.pending(code)) is None:
            self.nothing_waits(code)
        else:
            client = self.provider.query_client(device.client)
            called = device.client if client is None else client.called
            self.show(pages.device(self.issuer, device, called, self.provider.user.subject))

    def post(self) -> None:
        self.refuse_foreign()
        said, code = self.field("decision"), self.field("user_code")
        if said not in ("approve", "deny"):
            raise Refused(400, "the decision is approve or deny")
        approved = said == "approve"
        decided = self.companion.decide_device(code, approved=approved, session=self.session)
        # The same form may come again: by a second click, the back button, or when the page is loaded anew.
        if decided or ((device := self.provider.device(code)) is not None and device.approved is approved):
            self.show(pages.done("Access was given." if approved else "Access was refused."))
        else:
            self.nothing_waits(code)

    def nothing_waits(self, code: str) -> None:
        """Another code may be entered."""
        match self.provider.device(code):
            case None:
                why = "No device waits with the code {}."
            case Device(approved=None):
                why = "The code {} has expired: begin again on your device."
            case Device():
                why = "The code {} was answered before."
        self.show(pages.enter_code(self.issuer, code, why), 404)


class Logout(Page):
    """The end of a session, which a person confirms where no id token proves who asks."""

    async def get(self) -> None:
        await self._serve(confirmed=False)

    async def post(self) -> None:
        if confirmed := self.field("decision") == "approve":
            self.refuse_foreign()
        await self._serve(confirmed=confirmed)

    async def _serve(self, *, confirmed: bool) -> None:
        await self.companion.ready()
        asked = self.asked()
        match answering.logout(self.provider, asked, confirmed=confirmed):
            case answering.Confirm():
                self.show(pages.logout(self.issuer, asked.payload.data, self.provider.user.subject))
            case answering.LoggedOut():
                self.show(pages.done("You are logged out."))
            case Answer() as answer:
                self.go(answer)
            case never:
                assert_never(never)


def _name(host: str) -> str:
    """The host without its port, in lower case, an IPv6 address without brackets."""
    return (urlsplit(f"//{host}").hostname or "").rstrip(".")


@stream_request_body
class TooLarge(Base):
    """What a body gets that is too large to be kept: passed over to its end, so that the client hears the answer.

    Of one that is far too large the end is not waited for.
    """

    def prepare(self) -> None:
        super().prepare()
        if int(self.request.headers["Content-Length"]) > _MOST_PASSED:
            raise _too_large()

    def data_received(self, chunk: bytes) -> None:
        """Dropped."""

    def get(self) -> None:
        raise _too_large()

    head = post = get


class _Endpoints(Application):
    """The endpoints, but for what says of itself that it is more than anybody reads."""

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        length = request.headers.get("Content-Length", "")
        if _NUMBER.fullmatch(length) and int(length) > MOST_READ:
            connection: Any = request.connection
            connection.set_max_body_size(_UNBOUNDED)
            return self.get_handler_delegate(request, TooLarge, self.settings["given"])
        return super().find_handler(request, **kwargs)


def application(companion: Companion) -> Application:
    """All of it."""
    given = {"companion": companion}
    at = r"(?:/(?:@|%40)[^/]*)?"
    kinds: dict[str, type[Base]] = {
        "/token": Token, "/authorize": Authorize, "/authorize/decision": Decision, "/device": DevicePage,
        "/logout": Logout, r"/jwks\.json": Told, r"/\.well-known/.*": Told,
    }  # fmt: skip
    routes: list[Any] = [(at + path, kind, given) for path, kind in kinds.items()]
    return _Endpoints([*routes, (".*", Beside, given)], log_function=lambda _: None, given=given)
