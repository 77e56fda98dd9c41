"""One request played: its place settled, its lane found, the machine advanced one step, what came of it recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from llmposter.core.chaos import struck
from llmposter.core.conversation import Conversation, Moment, Step, interrupted
from llmposter.core.fingerprint import Prints
from llmposter.core.lanes import NOWHERE, Caller, Lane
from llmposter.core.positions import Position, Talk
from llmposter.core.replay import made_ids, shown_ids
from llmposter.model import BadRequest, Breach, Failure, Miss, Reply, Struct, Text, ToolCall, Turn, Unpaired, Violation
from llmposter_dsl.place import where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llmposter.core.conversation import Damage
    from llmposter.core.dispatch import Found
    from llmposter.core.journal import Entry
    from llmposter.core.sessions import Session, Sessions
    from llmposter_dsl.program import Fault


class Refused(Struct, frozen=True):
    """The scenario wants such a history refused: no conversation moves."""

    message: str
    foreign: int


class Play(msgspec.Struct, eq=False):
    """What one request needs while it is played."""

    sessions: Sessions
    session: Session
    found: Found
    turn: Turn
    prints: Prints
    entry: Entry
    now: float
    damage: Callable[[Step], Damage]

    def step(self, findings: tuple[Breach, ...]) -> Step:
        """The machine's step, recorded; *findings* are those on the client's history."""
        if findings and self.found.player.program.conformance == "reject":
            return self._refusal(findings[0], findings)
        settled = self._settled()
        if isinstance(settled, Refused):
            return self._refuse_foreign(settled)
        places, asks = self._places(settled)
        origin = settled if settled is not None and self.found.space.crowded(settled.print) else None
        lane = self.found.space.lanes.find(asks, places, self.now, origin)
        if lane is None:
            begun = self._begun(settled)
            if isinstance(begun, Refused):
                return self._refuse_foreign(begun)
            lane = Lane(*begun, settled, places[0], asks.who, asks.input, asks.connection, asks.retry)
        elif lane.answer is not None:
            if not self._anew(lane.answer):
                return self._again(lane, asks, findings)
            begun = self._begun(settled)
            if isinstance(begun, Refused):
                return self._refuse_foreign(begun)
            tries = lane.attempts + 1
            lane = Lane(*begun, settled, places[0], asks.who, asks.input, asks.connection, asks.retry, tries)
        else:
            self._go_on(lane)
            lane.place = places[0]
            lane.came(asks)
        return self._advance(lane, findings)

    def _anew(self, answer: Step) -> bool:
        """Whether what was answered is asked anew: by fixtures, unless its conversation would move twice."""
        program, before, after = self.found.player.program, answer.before.vars, answer.after.vars
        own = program.vars.keys() - program.shared
        return program.kind == "fixtures" and all(before.get(name) == after.get(name) for name in own)

    # --- where it stands --------------------------------------------------------------------------------------------

    def _settled(self) -> Position | Refused | None:
        """The position after the last answer, a replay recorded; None at an opening."""
        walk = self.found.walk
        if walk is None:
            if (position := self.found.position) is not None and position.closed is not None:
                # The client has the answer: it will not ask for it again.
                self.found.space.lanes.forget(position.closed)
            return position
        if walk.foreign is not None:
            if self.found.player.program.foreign == "reject":
                return Refused(f"messages[{walk.foreign}] is not an answer of this conversation", walk.foreign)
            if self.found.player.program.foreign == "latest" and (talk := self.found.space.latest) is not None:
                talk.foreign = walk.foreign
                return self._record(talk, self.prints.last + 1, talk.latest)
        return self._walked()

    def _walked(self) -> Position | None:
        """The marks of a replay, recorded as positions of one conversation."""
        walk, base = self.found.walk, self.found.position
        assert walk is not None
        first, position = walk.marks[0], base
        if base is not None and not first.root and not base.root:
            talk = self._talk_from(base, self._input_before(first.count - 1))
        else:
            talk = self.sessions.begin(self.session, self.found.space, first.stands, self.now)
            talk.foreign = base.talk.foreign if walk.foreign is None and base is not None else walk.foreign
        last = walk.marks[-1]
        for mark, following in zip(walk.marks, (*walk.marks[1:], None), strict=True):
            position = self._record(talk, mark.count, mark.stands, mark.ids, root=mark.root)
            if following is not None:
                self.found.space.goes_on(position, self._input_before(following.count - 1))
        talk.latest = last.stands
        return position

    def _input_before(self, index: int) -> bytes:
        """The fingerprint of what the answer at *index* of the history answered."""
        return self.prints.upto(index)

    def _record(
        self, talk: Talk, count: int, stands: Conversation, ids: tuple[str, ...] = (), *, root: bool = False
    ) -> Position:
        return self.found.space.record(self._position(talk, self.prints.upto(count), stands, ids, root=root))

    def _position(
        self, talk: Talk, print_: bytes, stands: Conversation, ids: tuple[str, ...], *, root: bool = False
    ) -> Position:
        caller = self.found.caller
        return Position(talk, print_, stands, caller.who, caller.connection.number, self.turn.provider, ids, root=root)

    def _places(self, position: Position | None) -> tuple[tuple[bytes, ...], Caller]:
        """Where lanes may hang for this request, longest first; and what tells there who asks."""
        caller = self.found.caller
        if position is None or position.root:
            return self.prints.openings, caller
        if self.found.space.named(shown_ids(self.turn.messages[self.prints.last])) is position:
            # No other client can stand here; Node's fetch retries on whichever connection of its pool is free.
            return (position.print + position.talk.id.encode(),), Caller(b"", NOWHERE, caller.input, caller.retry)
        return (position.print,), caller

    # --- lanes ------------------------------------------------------------------------------------------------------

    def _go_on(self, lane: Lane) -> None:
        self.found.space.lanes.take(lane)
        origin = lane.origin
        if origin is not None and origin.talk is lane.talk and not origin.root:
            origin.went = self.prints.full

    def _begun(self, position: Position | None) -> tuple[Talk, Conversation] | Refused:
        """The conversation that a new lane is of, and how it stands there."""
        if position is None:
            if self.found.space.key is not None and self.found.space.stood:
                return self._rewritten()
            stands = self.found.player.machine.begin(self.now)
            return self._begin(stands, None), stands
        if not position.root:
            return self._talk_from(position, self.prints.full), position.stands
        stands = self.found.player.opening(self.now, foreign=True)
        if position.went is not None:
            return self._begin(stands, position.talk.foreign), stands
        self.found.space.goes_on(position, self.prints.full)
        self.found.space.number(position.talk, self.prints.full)
        return position.talk, stands

    def _rewritten(self) -> tuple[Talk, Conversation] | Refused:
        """An opening under a key that has stood somewhere: the client rewrote its history."""
        if self.found.player.program.foreign == "reject":
            return Refused("messages[0] begins a history, and this conversation has one already", 0)
        if self.found.player.program.foreign == "latest" and (talk := self.found.space.latest) is not None:
            talk.foreign = 0
            return talk, talk.latest
        stands = self.found.player.opening(self.now, foreign=True)
        return self._begin(stands, 0), stands

    def _begin(self, stands: Conversation, foreign: int | None) -> Talk:
        space = self.found.space
        talk = self.sessions.begin(self.session, space, stands, self.now)
        space.number(talk, self.prints.full)
        talk.foreign = foreign
        return talk

    def _talk_from(self, position: Position, went: bytes) -> Talk:
        """The conversation that goes on from there, a fork if it went on with something else already."""
        if position.went is None:
            self.found.space.goes_on(position, went)
        elif position.went != went:
            parent = position.talk
            talk = self.sessions.begin(self.session, self.found.space, position.stands, self.now)
            talk.number, talk.forked_from, talk.foreign = parent.number, parent.id, parent.foreign
            return talk
        return position.talk

    # --- the step ---------------------------------------------------------------------------------------------------

    def _advance(self, lane: Lane, findings: tuple[Breach, ...]) -> Step:
        talk = lane.talk
        moment = Moment(self.now, lane.attempts, talk.id, self.session.name, talk.number, self.prints.full.hex())
        step = self._stepped(lane, moment)
        if findings:
            step = _behind(self._noted(step, talk, findings), findings)
        broken = False
        if step.faults:
            step, broken = self._damaged(lane, step)
        if (position := lane.origin) is not None and position.broken is not None:
            step = _accepted(step, position.broken)
            position.broken = None
        self.entry.took(step)
        self._tell(lane)
        if isinstance(step.outcome, Reply) and not broken:
            self._close(lane, step, step.outcome)
        else:
            lane.stands = talk.latest = step.after
            self.found.space.lanes.leave_open(lane)
        return step

    def _stepped(self, lane: Lane, moment: Moment) -> Step:
        """The machine's step, or what chaos makes of it."""
        program, taken = self.found.player.program, None
        if (chaos := self.sessions.chaos_of(self.session, program)) is not None:
            taken = struck(chaos, program, lane.stands, self.turn, moment)
        if isinstance(taken, Step):
            return taken
        stands = self.session.seen(program, lane.stands)
        step = self.found.player.machine.advance(stands, self.turn, moment)
        if taken is None and program.shared:
            self.session.shared[program.name] = {name: step.after.vars[name] for name in program.shared}
        if taken is None or isinstance(step.outcome, Miss):
            return step
        return replace(step, faults=(taken,), chaos=taken.text)

    def _damaged(self, lane: Lane, step: Step) -> tuple[Step, bool]:
        """With what the faults of an answer do to it; and whether they break it, so that it counts as an error.

        What the client has of it leads on all the same, should it take that for the whole.
        """
        damage = self.damage(step)
        step = replace(step, struck=damage.struck)
        fault = damage.broken
        if isinstance(reply := step.outcome, Reply) and damage.heard is not None and (fault or not damage.intact):
            heard = replace(reply, parts=damage.heard or (Text(""),))
            position = self._given(lane.talk, step, heard)
            # Bytes that are wrong or too many may leave all of it there, and nothing is wrong with taking that.
            position.broken = None if damage.intact else fault
            self.found.space.record(position)
        return (step, False) if fault is None else (replace(step, after=interrupted(step)), True)

    def _given(self, talk: Talk, step: Step, reply: Reply) -> Position:
        """The position after an answer."""
        ids: tuple[str, ...] = ()
        if isinstance(reply.parts[-1], ToolCall):
            ids = made_ids(step, [part.id for part in reply.parts if isinstance(part, ToolCall)])
        if self.turn.echoes:
            ids = (reply.id, *ids)
        return self._position(talk, self.prints.after_answer(reply), step.after, ids)

    def _close(self, lane: Lane, step: Step, reply: Reply) -> None:
        talk, space = lane.talk, self.found.space
        position = self._given(talk, step, reply)
        if space.record(position).went is None:
            talk.latest = step.after
        space.latest, space.stood = talk, True
        space.lanes.close(lane, step, position, self.now)

    def _again(self, lane: Lane, asks: Caller, findings: tuple[Breach, ...]) -> Step:
        """The answer of a closed lane once more, at once, and nothing moves."""
        assert lane.answer is not None
        self.found.space.lanes.asked_again(lane, asks)
        whole = replace(lane.answer, latency=0.0, rhythm=None, violations=(), faults=(), struck=())
        step = self._noted(whole, lane.talk, findings)
        self.entry.took(step)
        self._tell(lane)
        self.entry.outcome = "repeated"
        return step

    def _tell(self, lane: Lane) -> None:
        talk, entry = lane.talk, self.entry
        talk.last = self.now
        talk.requests += 1
        self.sessions.recent.asked(talk)
        self.session.asked(talk)
        self.turn.request.connection.used = True
        entry.conversation, entry.attempt = talk.id, lane.attempts
        entry.foreign, entry.forked_from = talk.foreign, talk.forked_from

    def _noted(self, step: Step, talk: Talk, findings: tuple[Breach, ...]) -> Step:
        """With what is new about the client's history; the old stays in it and is told once."""
        new = [sentence for sentence in map(_sentence, findings) if sentence not in talk.findings]
        if not new:
            return step
        talk.findings |= frozenset(new)
        return replace(step, violations=(*step.violations, *_violations(new)))

    def _refuse_foreign(self, refused: Refused) -> Step:
        self.entry.foreign = refused.foreign
        return self._refusal(refused.message, ())

    def _refusal(self, told: Breach, findings: tuple[Breach, ...]) -> Step:
        nowhere = Conversation(state="")
        said = told.refusal if isinstance(told, Unpaired) else told
        if isinstance(said, BadRequest):
            failure = Failure("bad_request", said.status, code=said.code, message=said.message, param=said.param)
        else:
            failure = Failure("bad_request", message=said)
        step = Step(nowhere, nowhere, failure, violations=_violations(map(_sentence, findings)))
        self.entry.took(step)
        return step


def _sentence(told: Breach) -> str:
    if isinstance(told, Unpaired):
        return told.sentence
    return told.message if isinstance(told, BadRequest) else told


def _behind(step: Step, findings: tuple[Breach, ...]) -> Step:
    """A miss with what is wrong with the history, which is often why no rule matched."""
    if not isinstance(step.outcome, Miss):
        return step
    why = "; ".join(dict.fromkeys(map(_sentence, findings)))
    return replace(step, outcome=Miss(f"{step.outcome.message}. The history breaks the protocol: {why}"))


def _accepted(step: Step, fault: Fault) -> Step:
    message = f'a truncated answer was taken for a whole one: the fault "{fault.text}" had broken it'
    return replace(step, violations=(*step.violations, Violation("truncated", message, where(fault.place))))


def _violations(sentences: Iterable[str]) -> tuple[Violation, ...]:
    return tuple(Violation("conformance", sentence) for sentence in sentences)
