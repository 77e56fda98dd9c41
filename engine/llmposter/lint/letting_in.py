"""What stands before the rules in an example, as it does in a server: credentials and limits.

A request presents what its headers say, else the first token of the scenario, as a client does that was given it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from llmposter.access import Limited, Rejected, presented
from llmposter.core.conversation import Conversation, Step
from llmposter.core.credentials import Issued
from llmposter.lint.said import told_by
from llmposter.model import Failure

if TYPE_CHECKING:
    from llmposter.core.mock import Mock
    from llmposter.model import Turn, Wire

_GRANTED: Final = "granted"
"""The value of what an example presents where a scenario has no tokens, but OAuth."""


def let_in(mock: Mock, turn: Turn, wire: Wire, stands: Conversation) -> Turn | Step:
    """The turn with its credential; or the step that a request not let in is, which moves nothing."""
    admission, now = mock.admission, mock.clock.now()
    if admission.free:
        return turn
    keys = tuple(presented(turn.request, wire.access)) or ((True, _own(mock)),)
    admitted = admission.admit(turn.request, keys, now)
    if isinstance(admitted, Rejected):
        return _kept_out(admitted, turn, wire, stands, now)
    turn = replace(turn, request=admitted)
    limited = mock.limited(turn)
    return turn if limited is None else _kept_out(limited, turn, wire, stands, now)


def _own(mock: Mock) -> str:
    held = mock.admission.credentials
    if held.given:
        return held.given[0].value
    if held.on and not held.listed(mock.clock.now()):
        held.issue(Issued(_GRANTED, _GRANTED, grant=1), mock.clock.now())
    return _GRANTED


def _kept_out(refused: Rejected | Limited, turn: Turn, wire: Wire, stands: Conversation, now: float) -> Step:
    if isinstance(refused, Limited):
        name, sent, wait = "rate_limited", wire.access.limited(refused, turn.model, now), refused.wait
    else:
        sent, wait = wire.access.rejected(refused, now), None
        name = "permission_denied" if sent.status == 403 else "invalid_api_key"
    return Step(stands, stands, Failure(name, sent.status, message=told_by(sent.body), retry_after=wait))
