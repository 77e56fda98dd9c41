"""Chaos: a share of the requests gets a fault or an error in place of its answer.

Drawn as all chance is: the same run strikes the same requests, and a retry draws anew. What a request would have done
to its conversation it does not do, so that the answer is still there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from llmposter.core import answer
from llmposter.core.chance import Chance
from llmposter.core.conversation import Step
from llmposter.core.facts import Facts
from llmposter_dsl.program import Fail, Fault

if TYPE_CHECKING:
    from llmposter.core.conversation import Conversation, Moment
    from llmposter.model import Turn
    from llmposter_dsl.program import Chaos, Program


def struck(chaos: Chaos, program: Program, stands: Conversation, turn: Turn, moment: Moment) -> Fault | Step | None:
    """What takes this request: a fault of its answer, or the step of an error; None if it gets its answer."""
    chance = Chance(program.seed, moment, program.name)
    taken = _drawn(chaos, chance)
    if not isinstance(taken, Fail):
        return taken
    failure = answer.failure(taken, Facts(turn, stands, chance))
    told = f"error {failure.name or failure.status}"
    return Step(stands, replace(stands, last=moment.now), failure, chaos=told)


def _drawn(chaos: Chaos, chance: Chance) -> Fault | Fail | None:
    choices: tuple[Fault | Fail, ...] = (*chaos.faults, *chaos.errors)
    if not choices or chance.unit("chaos") >= chaos.rate:
        return None
    return choices[int(chance.unit("which chaos") * len(choices))]
