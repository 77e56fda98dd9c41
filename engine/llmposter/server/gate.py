"""The gate before everything that a provider answers: credentials, limits, and what of both an answer has to tell.

It is asked only where a scenario or its user wants one of them, so that no other request pays for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from llmposter.access import Rejected, presented
from llmposter.model import Plan, Reply, Request, Response
from llmposter.server import resource
from llmposter.wire.headers import merged

if TYPE_CHECKING:
    from llmposter.access import Limited
    from llmposter.core.conversation import Step
    from llmposter.model import Turn, Wire
    from llmposter.server.service import Service

_FREE: Final = ("GET", "HEAD")
"""Methods that no provider counts against a limit."""


class Gate:
    """What one server lets in."""

    __slots__ = ("_service",)

    def __init__(self, service: Service) -> None:
        self._service = service

    def admit(self, request: Request, wire: Wire) -> Request | Rejected:
        """The request with its credential, or why it is not let in."""
        now = self._service.clock.now()
        return self._service.mock.admission.admit(request, tuple(presented(request, wire.access)), now)

    def limited(self, turn: Turn) -> Limited | None:
        """The limit that a request to a conversation is above."""
        return self._service.mock.limited(turn)

    def limited_beside(self, request: Request) -> Limited | None:
        """The limit that another request is above; it counts as one without tokens."""
        if request.method in _FREE:
            return None
        return self._service.mock.admission.ask(request, None, self._service.clock.now())

    def refusal(self, request: Request, refused: Rejected | Limited, wire: Wire, model: str = "") -> Response:
        """The answer to a request that is not let in."""
        now = self._service.clock.now()
        if not isinstance(refused, Rejected):
            return wire.access.limited(refused, model, now)
        answer = wire.access.rejected(refused, now)
        if answer.status != 401:
            return answer
        challenge = ("www-authenticate", self._challenge(request, refused))
        return replace(answer, headers=(*answer.headers, challenge))

    def _challenge(self, request: Request, rejected: Rejected) -> str:
        """What to come back with (RFC 6750, section 3), and who gives it (RFC 9728, section 5.1)."""
        told = ['Bearer realm="llmposter"']
        # Who came with nothing is told of no error.
        if rejected.why != "missing":
            said = {"unknown": "is not known", "revoked": "was revoked"}.get(rejected.why, "has expired")
            told += ['error="invalid_token"', f'error_description="The access token {said}"']
        if self._service.companion is not None:
            told.append(f'resource_metadata="{resource.address(request, self._service)}"')
        return ", ".join(told)

    def told(self, plan: Plan, turn: Turn, step: Step, wire: Wire) -> Plan:
        """The plan of an answer, with what is left of the limits; what the author says of them stands."""
        if not isinstance(reply := step.outcome, Reply):
            return plan
        headers = self._standing(turn.request, wire)
        return replace(plan, headers=merged(merged(plan.headers, headers), reply.headers)) if headers else plan

    def told_beside(self, answer: Response, request: Request, wire: Wire) -> Response:
        """The same for an answer beside the conversations."""
        if request.method in _FREE or answer.status >= 400 or not (headers := self._standing(request, wire)):
            return answer
        return replace(answer, headers=merged(answer.headers, headers))

    def _standing(self, request: Request, wire: Wire) -> tuple[tuple[str, str], ...]:
        now = self._service.clock.now()
        return wire.access.standing(self._service.mock.admission.windows(request, now), now)
