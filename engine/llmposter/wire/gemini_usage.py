"""The token counts of a Gemini answer: every event of a stream tells them, as far as it has come.

`promptTokenCount` includes what was cached; `candidatesTokenCount` leaves out what was thought.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmposter.model import Reply


class Spent:
    """The token counts of an answer, and of what of it was said so far."""

    __slots__ = ("_before", "_form", "_most", "_rest", "_said", "_thought", "_tokens")

    def __init__(self, reply: Reply) -> None:
        used = self._tokens = reply.tokens
        cached = b',"cachedContentTokenCount":%d' % used.cached if used.cached else b""
        details = b',"promptTokensDetails":[{"modality":"TEXT","tokenCount":%d}]}' % used.input
        self._rest = b'"promptTokenCount":%d%b%b' % (used.input, cached, details)
        # Reasoning is over, and counted, before anything is said. JSON of protocol buffers leaves zeros out.
        thoughts = b'"thoughtsTokenCount":%d,' % used.reasoning if used.reasoning else b""
        self._form = b'{"candidatesTokenCount":%%d,%b"totalTokenCount":%%d,%b' % (thoughts, self._rest)
        self._before = used.input + used.reasoning
        self._most = used.output - used.reasoning
        self._said = self._thought = 0

    def after(self, text: str) -> bytes:
        """Once this was said too."""
        self._said += len(text)
        # About four characters a token, and at the end as many as the answer has.
        return self._answered(min(-(-self._said // 4), self._most))

    def all(self) -> bytes:
        """Of the whole answer."""
        return self._answered(self._most)

    def _answered(self, said: int) -> bytes:
        if said > 0:
            return self._form % (said, self._before + said)
        return self._without_answer(self._tokens.reasoning)

    def thought(self, text: str) -> bytes:
        """Once this was thought too, and nothing said yet."""
        self._thought += len(text)
        return self._without_answer(min(-(-self._thought // 4), self._tokens.reasoning))

    def prompt(self) -> bytes:
        """Of a prompt that got no answer."""
        return self._without_answer(0)

    def _without_answer(self, thought: int) -> bytes:
        thoughts = b'"thoughtsTokenCount":%d,' % thought if thought > 0 else b""
        return b'{%b"totalTokenCount":%d,%b' % (thoughts, self._tokens.input + thought, self._rest)
