"""What the endpoints of providers tell of the OAuth server beside them (RFC 9728): who gives tokens, and for what.

A resource is named as its client reached it: by the `Host` that it asked, with the session of its base URL.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec

from llmposter.model import Response
from llmposter.server.target import SESSION_HEADER

if TYPE_CHECKING:
    from llmposter.model import Request
    from llmposter.server.oauth import Companion
    from llmposter.server.service import Service

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")
_PORT: Final = re.compile(r":[0-9]+$")
_SAFE: Final = "/@:~!$&'()*+,;="
"""What a path may hold as it is (RFC 3986, section 3.3)."""
_SESSION: Final = re.compile(r"/@([^/]+)")


def metadata(request: Request, service: Service) -> Response | None:
    """The metadata of the resource that a path asks for; None where it asks for none, or there is no such server."""
    if service.companion is None or not request.path.startswith(WELL_KNOWN):
        return None
    path = request.path.removeprefix(WELL_KNOWN)
    if path and not path.startswith("/"):
        return None
    # Before the well-known part a session is this server's way, behind it that of RFC 9728 (section 3.1).
    path = f"{_session(request)}{path}"
    session = _SESSION.match(path)
    told = {
        "resource": f"{_origin(request, service)}{quote(path, safe=_SAFE)}",
        "authorization_servers": [_issuer(request, service.companion, "" if session is None else session[1])],
        "scopes_supported": service.companion.settings.scopes,
        "bearer_methods_supported": ["header"],
        "resource_name": "llmposter",
    }
    return Response(200, (("content-type", "application/json"),), msgspec.json.encode(told))


def address(request: Request, service: Service) -> str:
    """Where the metadata of the resource stands that a request asked for."""
    return f"{_origin(request, service)}{WELL_KNOWN}{_session(request)}"


def _issuer(request: Request, companion: Companion, session: str) -> str:
    """By the name that the client has for this machine, which need not be the one that this machine has for itself."""
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host) or not companion.named((name := _PORT.sub("", host)).strip("[]")):
        return companion.session_url(session)
    return f"http://{name}:{companion.port}" + (f"/@{session}" if session else "")


def _origin(request: Request, service: Service) -> str:
    host = request.headers.get("host", "")
    return f"http://{host}" if _HOST.fullmatch(host) else service.reach


def _session(request: Request) -> str:
    """``/@ID`` where the base URL names the session; a header does not change what is asked."""
    named = request.session and request.session != request.headers.get(SESSION_HEADER)
    return f"/@{request.session}" if named else ""
