"""The token counts of a Gemini answer: every event of a stream tells them, as far as it has come.

`promptTokenCount` includes what was cached; `candidatesTokenCount` leaves out what was thought.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmposter.model import Reply


class Spent:
    """The token counts of an answer, and of what of it was said so far: Gemini tells them with every event."""

    __slots__ = ("_rest", "_said", "_thought", "_tokens")

    def __init__(self, reply: Reply) -> None:
        used = self._tokens = reply.tokens
        cached = b',"cachedContentTokenCount":%d' % used.cached if used.cached else b""
        details = b',"promptTokensDetails":[{"modality":"TEXT","tokenCount":%d}]}' % used.input
        self._rest = b'"promptTokenCount":%d%b%b' % (used.input, cached, details)
        self._said = self._thought = 0

    def after(self, text: str) -> bytes:
        """Once this was said too."""
        self._said += len(text)
        return self._told()

    def thought(self, text: str) -> bytes:
        """Once this was thought too."""
        self._thought += len(text)
        return self._told()

    def all(self) -> bytes:
        """Of the whole answer."""
        used = self._tokens
        return self._counted(used.output - used.reasoning, used.reasoning)

    def prompt(self) -> bytes:
        """Of a prompt that got no answer."""
        return b'{"totalTokenCount":%d,%b' % (self._tokens.input, self._rest)

    def _told(self) -> bytes:
        # About four characters a token, and at the end as many as the answer has.
        used = self._tokens
        said = min(-(-self._said // 4), used.output - used.reasoning)
        # Reasoning is over, and counted, before anything is said.
        thought = used.reasoning if self._said else min(-(-self._thought // 4), used.reasoning)
        return self._counted(said, thought)

    def _counted(self, said: int, thought: int) -> bytes:
        # JSON of protocol buffers leaves zeros out.
        candidates = b'"candidatesTokenCount":%d,' % said if said > 0 else b""
        thoughts = b'"thoughtsTokenCount":%d,' % thought if thought > 0 else b""
        total = self._tokens.input + said + thought
        return b'{%b%b"totalTokenCount":%d,%b' % (candidates, thoughts, total, self._rest)
