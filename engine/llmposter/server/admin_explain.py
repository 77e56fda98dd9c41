"""The admin API's part that tells what a request would get and why, without answering it."""

from __future__ import annotations

from typing import Final

from llmposter.server.admin_asked import Answer, Asked, Refused, an_object

_EXAMPLE: Final = '{"path": "/v1/chat/completions", "body": {…}}, with "state" or "vars" to look from elsewhere'


def explain(asked: Asked) -> Answer:
    """The rules that the request in the body would meet, its conversation standing where it stands now."""
    from llmposter.core.looking import Instead
    from llmposter.server import explaining

    body = an_object(asked, _EXAMPLE)
    if isinstance(body, Refused):
        return body
    state, vars_ = body.pop("state", None), body.pop("vars", {})
    if not isinstance(state, str | None) or not isinstance(vars_, dict):
        return Refused(400, f'"state" is a text and "vars" an object: send {_EXAMPLE}')
    try:
        read = explaining.read(body, session=asked.session or "")
        return explaining.explained(asked.service.mock, read, Instead(state, vars_) if state or vars_ else None)
    except explaining.NoRequest as wrong:
        return Refused(400, str(wrong))
