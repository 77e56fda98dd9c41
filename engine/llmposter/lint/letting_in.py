"""What stands before the rules in an example, as it does in a server: credentials and limits.

A request presents what its headers say, else the token that its example names, as a client does that was given it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from llmposter.access import Limited, Rejected, presented
from llmposter.core.conversation import Conversation, Step
from llmposter.core.credentials import Issued
from llmposter.lint.said import told_by
from llmposter.model import Failure
from llmposter_dsl.companion import OAuth

if TYPE_CHECKING:
    from llmposter.core.mock import Mock
    from llmposter.model import Turn, Wire
    from llmposter_dsl.program import Auth


def let_in(mock: Mock, turn: Turn, wire: Wire, stands: Conversation, key: str) -> Turn | Step:
    """The turn with its credential; or the step that a request not let in is, which moves nothing.

    *key* is what it presents where its headers say nothing.
    """
    admission, now = mock.admission, mock.clock.now()
    if admission.free:
        return turn
    keys = tuple(presented(turn.request, wire.access)) or ((True, key),)
    admitted = admission.admit(turn.request, keys, now)
    if isinstance(admitted, Rejected):
        return _kept_out(admitted, turn, wire, stands, now)
    turn = replace(turn, request=admitted)
    limited = mock.limited(turn)
    return turn if limited is None else _kept_out(limited, turn, wire, stands, now)


def key_of(mock: Mock, auth: Auth | None, token: str | int | None) -> str:
    """What an example presents: the token of this name, or of the grant of this number; else the first."""
    given = () if auth is None else auth.tokens
    if isinstance(token, str):
        return next(each.value for each in given if each.name == token)
    if token is None and given:
        return given[0].value
    return "" if auth is None else _granted(mock, auth.oauth or OAuth(), token or 1)


def _granted(mock: Mock, oauth: OAuth, grant: int) -> str:
    """The access token of a grant, given when it is first presented: what a client does before is nothing of ours."""
    value, held, now = f"granted-{grant}", mock.admission.credentials, mock.clock.now()
    if held.find(value, now) is None:
        given = [answer for answer in oauth.answers if answer.error is None and answer.status is None]
        scripted = given[grant - 1].lifetime if grant <= len(given) else None
        lifetime = oauth.access_lifetime if scripted is None else scripted
        held.issue(Issued(oauth.user.subject, value, lifetime=lifetime, grant=grant), now)
    return value


def _kept_out(refused: Rejected | Limited, turn: Turn, wire: Wire, stands: Conversation, now: float) -> Step:
    if isinstance(refused, Limited):
        name, sent, wait = "rate_limited", wire.access.limited(refused, turn.model, now), refused.wait
    else:
        sent, wait = wire.access.rejected(refused, now), None
        name = "permission_denied" if sent.status == 403 else "invalid_api_key"
    return Step(stands, stands, Failure(name, sent.status, message=told_by(sent.body), retry_after=wait))
