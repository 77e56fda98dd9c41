"""The admin API's part for credentials: list them, issue one, and end those of a name.

A value is told whole once, to who issues it. Without a session an issued one is good in all, and ends are of all.
"""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from llmposter.core.credentials import Issued, issuable
from llmposter.server.admin_asked import Answer, Asked, Refused, fields
from llmposter_dsl.auth import end
from llmposter_dsl.delivery_forms import DURATION_FORMS, duration
from llmposter_dsl.program import TokenEnd

if TYPE_CHECKING:
    from llmposter.core.credentials import Credentials

_ISSUE: Final = '{"name": "short", "uses": 3, "lifetime": "15m"}'
_EXPIRE: Final = '{"name": "short"}, or {"name": "short", "after": "2 uses"}'
_REVOKE: Final = '{"name": "short"}'
_NONE_NEEDED: Final = (
    "no request needs a credential: give a scenario `[auth]`, or start llmposter with `--token` or `--oauth`, in "
    "Python with `tokens=` or `oauth=True`"
)


def tokens(asked: Asked) -> Answer:
    held = _credentials(asked)
    return {"auth": held.on, "tokens": held.listed(asked.service.clock.now(), asked.session)}


def issue(asked: Asked) -> Answer:
    held, now = _credentials(asked), asked.service.clock.now()
    if not held.on:
        return Refused(409, _NONE_NEEDED)
    body = fields(asked, _ISSUE, "name", "value", "uses", "lifetime")
    made = body if isinstance(body, Refused) else _issued(body)
    if isinstance(made, Refused):
        return made
    held.issue(made, now, asked.session)
    return {"ok": True, "name": made.name, "value": made.value, "session": asked.session}


def _issued(body: dict[str, Any]) -> Issued | Refused:
    name, value = body.get("name"), body.get("value", f"sk-{token_hex(12)}")
    uses, lifetime = body.get("uses"), body.get("lifetime")
    if not isinstance(name, str) or not name.strip():
        return Refused(400, f"the body says not which name the token has: send {_ISSUE}")
    if not isinstance(value, str) or not issuable(value):
        return Refused(400, "the value cannot be sent in a header: write visible ASCII characters, and no space")
    if uses is not None and (type(uses) is not int or uses < 1):
        return Refused(400, '"uses" should be a whole number from 1 on')
    if lifetime is None:
        return Issued(name, value, uses)
    if not isinstance(lifetime, str) or not (seconds := duration(lifetime)):
        return Refused(400, f'"lifetime" is no duration: {DURATION_FORMS}')
    return Issued(name, value, uses, float(seconds))


def expire(asked: Asked) -> Answer:
    body = fields(asked, _EXPIRE, "name", "after")
    if isinstance(body, Refused):
        return body
    after = body.get("after")
    ending = TokenEnd("expire") if after is None else end(f"expire after {after}")
    if isinstance(ending, str):
        return Refused(400, f'"after" is "{after}" and should be like "2 uses" or "30s"')
    return _ended(asked, body, ending, _EXPIRE)


def revoke(asked: Asked) -> Answer:
    body = fields(asked, _REVOKE, "name")
    return body if isinstance(body, Refused) else _ended(asked, body, TokenEnd("revoke"), _REVOKE)


def _ended(asked: Asked, body: dict[str, Any], ending: TokenEnd, example: str) -> Answer:
    name, held, now = body.get("name"), _credentials(asked), asked.service.clock.now()
    if not isinstance(name, str):
        return Refused(400, f"the body says not which token: send {example}")
    if not (count := held.end_named(name, ending, now, asked.session)):
        known = sorted({each["name"] for each in held.listed(now, asked.session)})
        return Refused(404, f'there is no token "{name}"; the names are: {", ".join(known) or "none"}')
    return {"ok": True, "ended": count}


def _credentials(asked: Asked) -> Credentials:
    return asked.service.mock.admission.credentials
