"""The admin API: `/_llmposter/` for the whole server, `/@ID/_llmposter/` for one session; JSON throughout.

Only who names this host by its own name is answered, so that no web page can reach it by a name of its choosing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec
from tornado.web import Application, HTTPError, RequestHandler

from llmposter.core.clock import ManualClock
from llmposter.server import admin_chaos, admin_explain, admin_oauth, admin_tokens, sharing, target
from llmposter.server.admin_asked import Answer, Asked, Refused, fields
from llmposter.server.answers import ADMIN, own_version
from llmposter_dsl.delivery_forms import DURATION_FORMS, duration
from llmposter_dsl.report import record

if TYPE_CHECKING:
    from llmposter.server.service import Service


def health(asked: Asked) -> Answer:
    service = asked.service
    return {
        "ok": True,
        "version": own_version(),
        "clock": "manual" if service.manual else "real",
        "now": service.clock.now(),
        "scenarios": [each["name"] for each in service.mock.scenarios()],
        "oauth_url": None if service.companion is None else service.companion.session_url(asked.session or ""),
    }


def scenarios(asked: Asked) -> Answer:
    return {"scenarios": asked.service.mock.scenarios()}


def conversations(asked: Asked) -> Answer:
    return {"conversations": asked.service.mock.conversations(asked.session)}


def journal(asked: Asked) -> Answer:
    after, limit = _whole(asked, "after", 0), _whole(asked, "limit", 1)
    for number in (after, limit):
        if isinstance(number, Refused):
            return number
    assert not isinstance(after, Refused)
    assert not isinstance(limit, Refused)
    # One more than asked for tells whether there are more.
    told = asked.service.mock.journal(asked.session, after=after or 0, limit=None if limit is None else limit + 1)
    more = limit is not None and len(told["entries"]) > limit
    return {"entries": told["entries"][:limit], "more": more, "dropped": told["dropped"]}


def violations(asked: Asked) -> Answer:
    mock = asked.service.mock
    return {"violations": mock.violations(asked.session), "dropped": mock.dropped(asked.session)}


def verify(asked: Asked) -> Answer:
    return asked.service.mock.verify(asked.session).data()


def verdict(asked: Asked) -> Answer:
    return asked.service.mock.resilience(asked.session).data()


def reset(asked: Asked) -> Answer:
    asked.service.mock.reset(asked.session)
    return {"ok": True}


def advance(asked: Asked) -> Answer:
    clock = asked.service.clock
    if not isinstance(clock, ManualClock):
        return Refused(409, "the clock is the real one and moves by itself: start llmposter with `--clock manual`")
    body = fields(asked, '{"by": "15m"}', "by")
    if isinstance(body, Refused):
        return body
    if not isinstance(by := body.get("by"), str):
        return Refused(400, 'the body says not how far: send {"by": "15m"}')
    if (seconds := duration(by)) is None:
        return Refused(400, f'"{by}" is no duration: {DURATION_FORMS}')
    clock.advance(seconds)
    return {"ok": True, "now": clock.now()}


async def reload(asked: Asked) -> Answer:
    if (reloader := asked.service.reloader) is None:
        return Refused(409, "what is served was read from no files that could be read again")
    reloaded = await asyncio.to_thread(reloader.reload, "request")
    findings = [record(each) for each in reloaded.diagnostics]
    if reloaded.swap is None:
        message = "one of the findings is an error, so that what was served goes on being served"
        return Refused(422, message, {"findings": findings})
    ended = [msgspec.structs.asdict(each) for each in reloaded.swap.ended]
    return {
        "ok": True, "scenarios": reloaded.scenarios, "going_on": reloaded.swap.going_on, "ended": ended,
        "findings": findings, "later": reloaded.later,
    }  # fmt: skip


def index(asked: Asked) -> Answer:  # noqa: ARG001 - as every answer of the API
    return {"routes": _listed()}


def _listed() -> list[str]:
    return [f"{method} {ADMIN}/{name}" for name, methods in ROUTES.items() for method in methods]


def _whole(asked: Asked, name: str, least: int) -> int | Refused | None:
    text = asked.query.get(name)
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < 16 and int(text) >= least:
        return int(text)
    return Refused(400, f'"{name}" is "{text}" and should be a whole number from {least} on')


ROUTES: Final[Mapping[str, Mapping[str, Callable[[Asked], Answer]]]] = {
    "": {"GET": index},
    "health": {"GET": health},
    "scenarios": {"GET": scenarios},
    "conversations": {"GET": conversations},
    "journal": {"GET": journal},
    "violations": {"GET": violations},
    "verify": {"GET": verify},
    "explain": {"POST": admin_explain.explain},
    "verdict": {"GET": verdict},
    "reset": {"POST": reset},
    "reload": {"POST": reload},
    "tokens": {"GET": admin_tokens.tokens},
    "tokens/issue": {"POST": admin_tokens.issue},
    "tokens/expire": {"POST": admin_tokens.expire},
    "tokens/revoke": {"POST": admin_tokens.revoke},
    "oauth": {"GET": admin_oauth.told},
    "oauth/approve": {"POST": admin_oauth.approve},
    "oauth/deny": {"POST": admin_oauth.deny},
    "oauth/answers": {"POST": admin_oauth.script},
    "oauth/user": {"POST": admin_oauth.sign_in},
    "chaos": {"GET": admin_chaos.told, "PUT": admin_chaos.put, "DELETE": admin_chaos.delete},
    "clock/advance": {"POST": advance},
}
"""What each name does with each method."""


class Handler(RequestHandler):
    """All of the admin API; `ROUTES` says what there is."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")

    def initialize(self, service: Service) -> None:
        """Takes the place of a constructor, as Tornado wants it."""
        self.service = service

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self._share()

    def _share(self) -> None:
        """Pages of this machine may read the answer, as they may read those of the wires."""
        headers = {name.lower(): value for name, value in self.request.headers.items()}
        if not sharing.own(origin := headers.get("origin")):
            return
        leave = sharing.preflight(self.request.method or "", headers)
        for name, value in sharing.leave(str(origin), () if leave is None else leave.headers):
            self.set_header(name, value)

    def check_etag_header(self) -> bool:
        return False

    async def serve(self) -> None:
        """The answer to any method."""
        where = target.parse(self.request.path)
        name = where.path.removeprefix(ADMIN).strip("/")
        if (wrong := self._unwelcome()) is not None:
            self._tell(Refused(403, wrong))
        elif name not in ROUTES:
            self._tell(Refused(404, f"the admin API has no {where.path}; it has {', '.join(_listed())}"))
        else:
            await self._serve(name, where)

    get = post = put = patch = delete = head = options = serve

    async def _serve(self, name: str, where: target.Target) -> None:
        methods, asked = ROUTES[name], self.request.method or ""
        do = methods.get("GET" if asked == "HEAD" else asked)
        session = where.session
        if session is None:
            session = self.request.headers.get(target.SESSION_HEADER)
        if asked == "OPTIONS":
            self.set_status(204)
            self.set_header("Allow", ", ".join((*methods, "OPTIONS")))
        elif do is None:
            self.set_header("Allow", ", ".join((*methods, "OPTIONS")))
            self._tell(Refused(405, f"{ADMIN}/{name} takes {', '.join(methods)}, not {asked}"))
        elif session is not None and (wrong := target.faulty(session)) is not None:
            self._tell(Refused(400, wrong))
        else:
            answer = do(Asked(self.service, session, target.query(self.request.query), self.request.body))
            self._tell(await answer if isawaitable(answer) else answer)

    def _unwelcome(self) -> str | None:
        """Why a request by this `Host`, or from this `Origin`, is none for us."""
        allowed = self.service.hosts
        origin = self.request.headers.get("Origin")
        for named in (self.request.host, *([] if origin is None else [origin.partition("://")[2] or origin])):
            host = _name(named)
            if allowed is not None and host not in allowed and not host.endswith(".localhost"):
                return f'"{named}" is no name of this server: it answers {", ".join(sorted(allowed))}'
        return None

    def _tell(self, answer: Answer) -> None:
        if isinstance(answer, Refused):
            self.set_status(answer.status)
            kind = "invalid_request_error" if answer.status < 500 else "server_error"
            error = {"message": answer.message, "type": kind, "param": None, "code": None}
            answer = {"error": error, **answer.more}
        self.write(msgspec.json.encode(answer))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if status_code >= 500 and error is not None:
            message = f"llmposter failed inside ({type(error).__name__}); its log has more"
        else:
            message = str(error or "no such request")
        self._tell(Refused(status_code, message))
        self.finish()

    def log_exception(self, typ: object, value: BaseException | None, tb: object) -> None:  # noqa: ARG002 - Tornado's
        if value is not None and not isinstance(value, HTTPError):
            self.service.watch.broke(value, f"{self.request.method} {self.request.path}")


def _name(host: str) -> str:
    """The host without its port, in lower case, an IPv6 address without brackets."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def application(service: Service) -> Application:
    """The admin API as Tornado serves it."""
    return Application([(".*", Handler, {"service": service})], log_function=lambda _: None)
