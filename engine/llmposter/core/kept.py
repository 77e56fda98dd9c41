"""What a client may come back to by its id: answers, with the history that led to them, and conversation objects.

Each session sees its own alone. Bounded by number and by bytes for the whole server: what was not asked for longest is
forgotten first, and who asks for it is told so.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import Final, Generic, TypeVar

from msgspec.structs import replace

from llmposter.beside import Kept, Thread
from llmposter.core.fingerprint import spoken
from llmposter.model import Failure, Message, Reply, ToolCall, Turn

T = TypeVar("T")

MOST: Final = 10_000
"""Answers, and as many conversation objects, that are held."""
MOST_BYTES: Final = 64 * 1024 * 1024
"""Bytes of them, roughly: requests and answers as text."""
_BESIDE: Final = 2_000
"""Bytes, roughly, that one takes beside its text."""
_POINTER: Final = 8


class Shelf(Generic[T]):
    """Values by session and id; the one that was not asked for longest goes first."""

    __slots__ = ("_bytes", "_held", "_of", "most", "most_bytes")

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self.most, self.most_bytes = most, most_bytes
        self._held: OrderedDict[tuple[str, str], tuple[T, int]] = OrderedDict()
        self._of: dict[str, set[str]] = {}
        self._bytes = 0

    def put(self, session: str, name: str, value: T, size: int) -> None:
        if (session, name) in self._held:
            self.drop(session, name)
        self._held[session, name] = value, size
        if (names := self._of.get(session)) is None:
            names = self._of[session] = set()
        names.add(name)
        self._bytes += size
        while len(self._held) > self.most or (self._bytes > self.most_bytes and len(self._held) > 1):
            self.drop(*next(iter(self._held)))

    def get(self, session: str, name: str) -> T | None:
        if (found := self._held.get((session, name))) is None:
            return None
        self._held.move_to_end((session, name))
        return found[0]

    def drop(self, session: str, name: str) -> bool:
        """Forgets it; whether it was there."""
        if (found := self._held.pop((session, name), None)) is None:
            return False
        self._bytes -= found[1]
        names = self._of[session]
        names.discard(name)
        if not names:
            del self._of[session]
        return True

    def reset(self, session: str) -> None:
        """Forgets all of a session."""
        for name in list(self._of.get(session, ())):
            self.drop(session, name)

    def __len__(self) -> int:
        return len(self._held)


class Library:
    """All answers and conversation objects of the server."""

    __slots__ = ("_made", "answers", "threads")

    def __init__(self) -> None:
        self._made: dict[str, int] = {}
        self.answers: Shelf[Kept] = Shelf()
        self.threads: Shelf[Thread] = Shelf()

    def reset(self, session: str) -> None:
        self.answers.reset(session)
        self.threads.reset(session)
        self._made.pop(session, None)

    def fresh(self, session: str) -> str:
        """24 letters and digits that no other id made here for this session has; the same run makes the same."""
        self._made[session] = number = self._made.get(session, 0) + 1
        return blake2b(repr((session, number)).encode("utf-8", "backslashreplace"), digest_size=12).hexdigest()

    # --- going on from what is held ---------------------------------------------------------------------------------

    def told(self, turn: Turn) -> Turn:
        """*turn* with the history that its ids stand for; what is not held is a breach, or `lost` is the answer."""
        session = turn.request.session
        turn = self._resolved(session, turn)
        if not turn.previous and not turn.thread:
            return turn
        if turn.previous:
            before = self.answers.get(session, turn.previous)
            known = before is not None
        else:
            thread = self.threads.get(session, turn.thread)
            before, known = _last(thread, turn), thread is not None
        if not known and turn.lost is not None:
            message = f"{turn.lost.message} {_bounds()}"
            if isinstance(turn.lost, Failure):
                return replace(turn, lost=replace(turn.lost, message=message))
            # Nothing is before it, least of all an answer of its own id: a run that begins again makes the same ones.
            return replace(turn, previous="", breaches=(replace(turn.lost, message=message), *turn.breaches))
        turn = replace(turn, lost=None)
        return turn if before is None else following(before, turn)

    def _resolved(self, session: str, turn: Turn) -> Turn:
        """With the answers in place of what only refers to them."""
        if not turn.references:
            return turn
        messages, missing = list(turn.messages), []
        for each in turn.references:
            kept = self.answers.get(session, each.answer)
            if kept is None or kept.reply is None:
                missing.append(replace(each.lost, message=f"{each.lost.message} {_bounds()}"))
            else:
                messages[each.index] = said(kept.reply)
        return replace(turn, messages=tuple(messages), breaches=(*missing, *turn.breaches))

    # --- holding ----------------------------------------------------------------------------------------------------

    def keep(self, turn: Turn, reply: Reply) -> None:
        """An answer to a request that has its whole history."""
        session, kept = turn.request.session, Kept(turn, reply)
        if turn.keep:
            self.answers.put(session, reply.id, kept, _size(kept))
        if turn.thread and (thread := self.threads.get(session, turn.thread)) is not None:
            last = thread.kept[-1].reply if thread.kept else None
            if last is None or last.id != reply.id:
                self.hold(session, replace(thread, kept=(*thread.kept, kept)))

    def add(self, turn: Turn) -> bool:
        """What a turn says goes into its conversation object without an answer; whether that is there."""
        session = turn.request.session
        if (thread := self.threads.get(session, turn.thread)) is None:
            return False
        self.hold(session, replace(thread, kept=(*thread.kept, Kept(self.told(turn), None))))
        return True

    def hold(self, session: str, thread: Thread) -> None:
        """A conversation object, new or changed."""
        self.threads.put(session, thread.id, thread, _BESIDE + sum(map(_size, thread.kept)))


def said(reply: Reply) -> Message:
    """The message that an answer is in the history that follows it."""
    return replace(spoken(reply), answer=reply.id)


def following(before: Kept, turn: Turn) -> Turn:
    """*turn* with the history of *before* in front of what it says itself."""
    history = before.turn.messages if before.reply is None else (*before.turn.messages, said(before.reply))
    own = turn.system.removesuffix(turn.carried).removesuffix("\n")
    return replace(
        turn,
        messages=_joined(history, turn.messages),
        tools=before.turn.tools if turn.inherits else turn.tools,
        system=_lines(own, before.turn.carried, turn.carried),
        carried=_lines(before.turn.carried, turn.carried),
    )


def _joined(history: tuple[Message, ...], messages: tuple[Message, ...]) -> tuple[Message, ...]:
    if not history or not messages or not history[-1].role == "tool" == messages[0].role:
        return history + messages
    results = Message("tool", results=history[-1].results + messages[0].results)
    return (*history[:-1], results, *messages[1:])


def _last(thread: Thread | None, turn: Turn) -> Kept | None:
    """What a request to a conversation object goes on from; one that the SDK sends again, from what it did before."""
    if thread is None or not thread.kept:
        return None
    last = thread.kept[-1]
    if turn.retry and last.reply is not None and last.turn.request.body == turn.request.body:
        return thread.kept[-2] if len(thread.kept) > 1 else None
    return last


def _lines(*texts: str) -> str:
    return "\n".join([text for text in texts if text])


def _size(kept: Kept) -> int:
    parts = () if kept.reply is None else kept.reply.parts
    said = sum([len(part.arguments if isinstance(part, ToolCall) else part.text) for part in parts])
    return _BESIDE + len(kept.turn.request.body) + said + _POINTER * len(kept.turn.messages)


def _bounds() -> str:
    return (
        f"llmposter holds the last {MOST} answers, up to {MOST_BYTES // 1024 // 1024} MiB, none from before it "
        "was started or reset, and none that the client did not want kept."
    )
