"""The admin API's part for the OAuth server: what it was asked, what it answers next, who consents, and to what.

With a session it is the issuer of that session, without one the issuer whose tokens are good in all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from llmposter.server.admin_asked import Answer, Asked, Refused, an_object, fields, sentence

if TYPE_CHECKING:
    from llmposter.server.oauth import Companion

_NONE: Final = (
    "there is no OAuth server: give a scenario `oauth` in its `[auth]`, or start llmposter with `--oauth`, in Python "
    "with `oauth=True`"
)
_DECIDE: Final = '{"user_code": "BCDF-GHJK"}'
_USER: Final = '{"sub": "bob", "email": "bob@example.com"}'
_SCRIPT: Final = '{"answers": [503, "invalid_grant", "ok"]}'


def told(asked: Asked) -> Answer:
    companion = _companion(asked)
    return companion if isinstance(companion, Refused) else _told(companion, asked.session or "")


def _told(companion: Companion, session: str) -> dict[str, Any]:
    state = companion.state(session)
    return {"url": state.pop("issuer"), **state}


def approve(asked: Asked) -> Answer:
    return _decided(asked, approved=True)


def deny(asked: Asked) -> Answer:
    return _decided(asked, approved=False)


def _decided(asked: Asked, *, approved: bool) -> Answer:
    companion, body = _companion(asked), fields(asked, _DECIDE, "user_code")
    if isinstance(companion, Refused) or isinstance(body, Refused):
        return companion if isinstance(companion, Refused) else body
    if not isinstance(code := body.get("user_code"), str):
        return Refused(400, f"the body says not which device: send {_DECIDE}")
    if not companion.decide_device(code, approved=approved, session=asked.session):
        waiting = [each["user_code"] for each in companion.state(asked.session or "")["devices"]]
        return Refused(404, f'no device waits with the user code "{code}"; there wait: {", ".join(waiting) or "none"}')
    return {"ok": True, "user_code": code, "approved": approved}


def script(asked: Asked) -> Answer:
    companion, body = _companion(asked), fields(asked, _SCRIPT, "answers")
    if isinstance(companion, Refused) or isinstance(body, Refused):
        return companion if isinstance(companion, Refused) else body
    if not isinstance(given := body.get("answers"), list):
        return Refused(400, f"the body says not which answers: send {_SCRIPT}")
    from llmposter_dsl.oauth import read

    made, wrong = read(given)
    if wrong:
        return Refused(400, "; ".join(sentence(each, "answers") for each in wrong))
    companion.script(made, asked.session or "")
    return {"ok": True, "session": asked.session, "answers": companion.state(asked.session or "")["answers"]}


def sign_in(asked: Asked) -> Answer:
    companion, body = _companion(asked), an_object(asked, _USER)
    if isinstance(companion, Refused) or isinstance(body, Refused):
        return companion if isinstance(companion, Refused) else body
    if "sub" not in body:
        return Refused(400, f"the body says not whom: send {_USER}")
    from llmposter_dsl.oauth import read_user

    user, wrong = read_user(body)
    if wrong:
        return Refused(400, "; ".join(sentence(each) for each in wrong))
    companion.sign_in(user, asked.session or "")
    return {"ok": True, "session": asked.session, "subject": user.subject}


def _companion(asked: Asked) -> Companion | Refused:
    return asked.service.companion or Refused(409, _NONE)
