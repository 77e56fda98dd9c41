"""What a request is said to meet is what it then meets, in every turn of every example of the gallery."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmposter.core.conversation import Step
from llmposter.core.machine import Machine
from llmposter.lint.player import Run
from llmposter.model import Failure, Miss, Reply, Turn, Wire
from llmposter.wire import load
from llmposter_dsl.compiler import compile_path, scenario_files

GALLERY = scenario_files([Path(__file__).parents[2] / "scenarios"])


class Foreseen(Run):
    """Looks at each request before it is answered."""

    def _answered(self, asked: Turn, wire: Wire, token: str | int | None) -> tuple[Step, bool]:
        admission = self.mock.admission
        if not admission.free:
            return super()._answered(asked, wire, token)
        before = self.mock.look(asked)
        step, served = super()._answered(asked, wire, token)
        if before is None:
            assert not served
            return step, served
        standing, seen = before
        assert (seen.fires, seen.step.after.state) == (step.rule.name if step.rule else "", step.after.state)
        assert standing.stands.state == step.before.state
        assert outcome(seen.step) == outcome(step)
        return step, served


def outcome(step: Step) -> object:
    match step.outcome:
        case Reply(parts=parts):
            return [type(part).__name__ for part in parts]
        case Failure(name=name, status=status):
            return name, status
        case Miss(message=message):
            return message


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: Path(path).name)
@pytest.mark.parametrize("provider", list(load()))
def test_what_is_foreseen_comes(path: str, provider: str) -> None:
    """The rule, the state after it and the kind of answer; attempts, variables and forks included."""
    program = compile_path(path).program
    assert program is not None
    for example in program.examples:
        if not example.providers or provider in example.providers:
            run = Foreseen(program, Machine(program), load(), provider)
            assert [[]] * len(example.turns) == [list(run.turn(turn)) for turn in example.turns]
