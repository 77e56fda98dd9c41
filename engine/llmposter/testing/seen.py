"""What a server and a session have in common: URLs, what was asked and answered, and assertions on it.

A server looks at all that came to it, a session at its own alone. Nothing here starts or stops anything.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

from llmposter.server import admin_chaos
from llmposter.testing import failures, recorded
from llmposter.testing.allowed import Allowed
from llmposter.testing.failures import Observed
from llmposter.testing.handles import Clock, OAuth, Tokens, ask
from llmposter.testing.records import Call, Conversation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmposter.core.mock import Mock
    from llmposter.core.resilience import Verdict
    from llmposter.core.verify import Verification
    from llmposter.server.running import Server as Listening
    from llmposter.testing import tables
    from llmposter.testing.recorded import Fired
    from llmposter.testing.records import Request, Violation

ANY_KEY: Final = "llmposter"
"""A key where none is asked for."""
__tracebackhide__ = True
"""pytest shows a failed assertion where it stands in the test, and nothing of this file."""


class Seen(ABC):
    """What was asked and answered, in one session or in all."""

    _session: str | None = None

    @abstractmethod
    def _listening(self) -> Listening:
        """The server that listens, or did."""

    @property
    def _mock(self) -> Mock:
        return self._listening().mock

    # --- where it is ------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        reach = self._listening().reach
        return reach if self._session is None else f"{reach}/@{self._session}"

    @property
    def openai_url(self) -> str:
        """The base URL for OpenAI's SDKs."""
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        """The base URL for Anthropic's SDKs."""
        return self.url

    @property
    def gemini_url(self) -> str:
        """The base URL for Google's SDKs."""
        return self.url

    @property
    def oauth_url(self) -> str:
        """The issuer of the OAuth server beside it; see `oauth`."""
        return self.oauth.url

    @property
    def key(self) -> str:
        """What a client presents as its key: the first credential that is given, or any text where none is needed."""
        given = self._mock.admission.credentials.given
        return given[0].value if given else ANY_KEY

    # --- what was asked and answered --------------------------------------------------------------------------------

    @property
    def requests(self) -> tuple[Request, ...]:
        """All requests that are remembered, oldest first."""
        return tuple(self._observed().requests)

    @property
    def matched(self) -> tuple[Request, ...]:
        """Those that a rule answered, be it with an error."""
        return tuple(each for each in self.requests if each.matched)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The tool calls of all answers, each with the result that the agent brought."""
        return self._observed().calls

    @property
    def conversations(self) -> tuple[Conversation, ...]:
        """All conversations that are held."""
        return tuple(self._observed().conversations)

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What clients did and should not have, and every `expect` that did not hold."""
        return tuple(each for entry in self._mock.entries(self._session) for each in recorded.violations(entry))

    def conversation(self, conversation: str | None = None, *, scenario: str | None = None) -> Conversation:
        """The conversation of this id, or of this scenario; the only one where neither is given.

        Raises:
            LookupError: there is none, or there are several; the message shows them.
        """
        held = failures.the_only(self._observed(), conversation, scenario)
        if isinstance(held, Conversation):
            return held
        raise LookupError(held.message)

    def state(self, conversation: str | None = None, *, scenario: str | None = None) -> str:
        """The state of a conversation; see `conversation`."""
        return self.conversation(conversation, scenario=scenario).state

    def scenario_state(self, name: str) -> str | None:
        """The state of a `scenario` of fixtures, "" at first, as their files share it; None where none has the name."""
        found: str | None = self._mock.shared(self._session or "").get(name)
        return found

    # --- what tests change ------------------------------------------------------------------------------------------

    @property
    def clock(self) -> Clock:
        """The time of the server."""
        return Clock(self._listening().service)

    @property
    def tokens(self) -> Tokens:
        """Credentials: those of the session, or of all."""
        return Tokens(self._listening().service, self._session)

    @property
    def oauth(self) -> OAuth:
        """The OAuth server beside it, where a scenario has one."""
        return OAuth(self._listening().service, self._session)

    def set_chaos(
        self, rate: float, *, faults: str | Sequence[str] | None = None, errors: Sequence[tables.AnError] | None = None
    ) -> None:
        """From now on this share of the requests gets one of these, in place of what the scenarios say.

        Raises:
            ValueError: what is wrong with it.
        """
        body = {"rate": rate, "faults": faults, "errors": errors}
        ask(admin_chaos.put, self._listening().service, self._session, body)

    def clear_chaos(self) -> None:
        """The chaos that the scenarios say, again."""
        self._mock.set_chaos(None, self._session)

    def reset(self) -> None:
        """Forgets conversations and requests; tokens, limits and chaos are as in the beginning."""
        self._mock.reset(self._session)

    # --- assertions -------------------------------------------------------------------------------------------------

    def assert_called(self, tool: str, /, **arguments: Any) -> Call:
        """The model called *tool* with these arguments, among others, and the agent sent its result.

        Returns:
            The last such call.

        Raises:
            AssertionError: it did not, or no result came back; the message shows the calls there were.
        """
        found = failures.called(self._observed(), tool, arguments)
        if isinstance(found, Call):
            return found
        raise AssertionError(found)

    def assert_not_called(self, tool: str, /, **arguments: Any) -> None:
        """No answer called *tool* with these arguments, whether or not the agent ran it."""
        _hold(failures.not_called(self._observed(), tool, arguments))

    def assert_path(
        self, states: Sequence[str], *, conversation: str | None = None, scenario: str | None = None
    ) -> None:
        """The conversation was in these states, from first to last, staying in one counted once; see `conversation`."""
        _hold(failures.path(self._observed(), states, conversation, scenario))

    def assert_final(self, *, conversation: str | None = None, scenario: str | None = None) -> None:
        """There is a conversation, and each that there is may end where it stands."""
        _hold(failures.final(self._observed(), conversation, scenario))

    def assert_matched(self, text: str) -> None:
        """A request that a rule answered has this text in its body."""
        _hold(failures.matched(self._observed(), text))

    def assert_not_matched(self, text: str) -> None:
        """No request that a rule answered has this text in its body."""
        _hold(failures.not_matched(self._observed(), text))

    def verify(
        self,
        *,
        allow_unmet: bool = False,
        allow_violations: bool = False,
        allow_misses: bool = False,
        allow_unanswered: bool = False,
        allow_open: bool = False,
    ) -> None:
        """The run was clean: no violation, no miss, no request that nobody answers, no conversation left open.

        Args:
            allow_unmet: an `expect` may not hold.
            allow_violations: clients may do what else they should not.
            allow_misses: a request may find no rule.
            allow_unanswered: a request may be none, or go to a path that is not there.
            allow_open: a conversation may end outside of a final state.
        """
        allowed = Allowed(allow_unmet, allow_violations, allow_misses, allow_unanswered, allow_open)
        _hold(failures.verified(self._observed(), allowed.within(self._verification())))

    def verdict(self) -> Verdict:
        """What clients did with trouble, good, bad or unknown: `assert verdict.ok, verdict` shows it line by line."""
        return self._mock.resilience(self._session)

    def _verification(self) -> Verification:
        return self._mock.verify(self._session)

    def _fired(self) -> list[Fired]:
        return [fired for entry in self._mock.entries(self._session) if (fired := recorded.fired(entry)) is not None]

    def _observed(self) -> Observed:
        mock, session = self._mock, self._session
        held, entries, dropped = mock.conversations(session), mock.entries(session), mock.dropped(session)
        programs = {program.name: program for program in mock.programs}
        requests = recorded.read(entries, self._wire_at)
        conversations = [recorded.conversation(each, final(programs, each), requests) for each in held]
        return Observed(requests, conversations, programs, dropped)

    def _wire_at(self, method: str, path: str) -> Any:
        return self._listening().service.routes.at(path).by(method)


def final(programs: Mapping[str, Any], held: Mapping[str, Any]) -> frozenset[str]:
    program = programs.get(held["scenario"])
    return frozenset() if program is None else program.final


def _hold(failed: str | None) -> None:
    if failed is not None:
        raise AssertionError(failed)
