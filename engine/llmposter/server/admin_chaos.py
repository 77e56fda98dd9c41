"""The admin API's part for chaos: what holds, what a test sets in its place, and back to what the scenarios say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from llmposter.server.admin_asked import Answer, Asked, Refused, an_object, sentence
from llmposter_dsl import chaos

if TYPE_CHECKING:
    from llmposter_dsl.program import Chaos

_SET: Final = '{"rate": 0.2, "faults": ["drop after 3 chunks"], "errors": ["overloaded"]}'


def told(asked: Asked) -> Answer:
    """What was set for the session, else for all; None where the scenarios decide."""
    held = asked.service.mock.chaos(asked.session)
    return {"chaos": None if held is None else _shown(held)}


def put(asked: Asked) -> Answer:
    body = an_object(asked, _SET)
    if isinstance(body, Refused):
        return body
    made = chaos.read(body)
    if isinstance(made, tuple):
        return Refused(400, "; ".join(map(sentence, made)))
    asked.service.mock.set_chaos(made, asked.session)
    return {"ok": True, "session": asked.session, "chaos": _shown(made)}


def delete(asked: Asked) -> Answer:
    asked.service.mock.set_chaos(None, asked.session)
    return {"ok": True, "session": asked.session, **told(asked)}


def _shown(held: Chaos) -> dict[str, Any]:
    errors = [error.name or error.status for error in held.errors]
    return {"rate": held.rate, "faults": [fault.text for fault in held.faults], "errors": errors}
