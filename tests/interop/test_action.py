"""The GitHub Action: what GitHub would refuse of it, or take from a stranger, and its steps as a runner runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

TOP = Path(__file__).parents[2]
WHEELS = Path(sys.prefix) / "wheelhouse"
ACTION: dict[str, Any] = yaml.safe_load((TOP / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def expressions(value: Any) -> list[str]:
    """Every `${{ … }}` in some data, and what stands after `if`, which is one without."""
    match value:
        case str():
            return EXPRESSION.findall(value)
        case list():
            return [found for each in value for found in expressions(each)]
        case dict():
            bare = [value["if"]] if isinstance(value.get("if"), str) else []
            return bare + [found for each in value.values() for found in expressions(each)]
        case _:
            return []


def test_it_has_what_a_composite_action_needs() -> None:
    """Names, a description and a default that is a text for each input, a shell for each script, known keys only."""
    assert {"name", "description", "runs"} <= ACTION.keys() <= {*ACTION, "author", "branding", "inputs", "outputs"}
    assert "composite" == ACTION["runs"]["using"]
    for given in ACTION["inputs"].values():
        assert {"description", "default"} == given.keys()
        assert isinstance(given["default"], str)
    for step in STEPS:
        assert ("uses" in step) != ("run" in step)
        assert "run" not in step or step["shell"] == "bash"
        assert step.keys() <= {"id", "if", "uses", "with", "run", "shell", "env", "name"}


def test_its_expressions_speak_of_what_is_there() -> None:
    """Each input is used and declared, each step that is asked has run before, and outputs come from steps."""
    told = expressions(ACTION)
    inputs = {name for each in told for name in re.findall(r"inputs\.([\w-]+)", each)}
    assert set(ACTION["inputs"]) == inputs
    before: set[str] = set()
    for step in STEPS:
        asked = {name for each in expressions(step) for name in re.findall(r"steps\.([\w-]+)", each)}
        assert asked <= before
        before |= {step["id"]} if "id" in step else set()
    for output in ACTION["outputs"].values():
        (step, name), *more = re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", output["value"])
        assert not more
        script = next(each["run"] for each in STEPS if each.get("id") == step)
        assert f"{name}=" in script


def test_nothing_that_a_stranger_wrote_gets_into_a_script() -> None:
    """GitHub puts expressions into scripts as they are, so they come as variables of the environment."""
    assert [] == [each for step in STEPS for each in expressions(step.get("run"))]


def test_actions_that_it_uses_have_a_version() -> None:
    """Of each a major, or a commit."""
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@(?:v\d+|[0-9a-f]{40})", step["uses"]) for step in STEPS if "uses" in step)


class Runner:
    """Runs the scripts of the action as GitHub's does, with the inputs that a workflow gives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outputs: dict[str, str] = {}
        self.bin = ""

    def run(self, step: str, **given: str) -> tuple[int, str]:
        script = next(each for each in STEPS if each.get("id") == step)
        inputs = {name: given.get(name.replace("-", "_"), each["default"]) for name, each in ACTION["inputs"].items()}
        values = {f"inputs.{name}": value for name, value in inputs.items()}
        values |= {"github.action_path": str(TOP), "steps.install.outputs.bin": self.bin}
        env = {name: EXPRESSION.sub(lambda found: values[found[1]], text) for name, text in script["env"].items()}
        told = self.folder / "output"
        told.write_text("", encoding="utf-8")
        runner = {"RUNNER_TEMP": str(self.folder / "temp"), "GITHUB_OUTPUT": str(told), "HOME": str(self.folder)}
        pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": WHEELS.as_uri(), "PIP_CONFIG_FILE": os.devnull}
        path = os.pathsep.join((str(Path(sys.executable).parent), os.defpath))
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script["run"]],
            cwd=self.folder, env={"PATH": path, **runner, **pip, **env}, capture_output=True, text=True,
            check=False, timeout=280,
        )  # fmt: skip
        self.outputs = dict(line.split("=", 1) for line in told.read_text(encoding="utf-8").splitlines())
        return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """One that has installed the action's own version."""
    made = Runner(tmp_path_factory.mktemp("runner"))
    code, told = made.run("install")
    assert code == 0, told
    made.bin = made.outputs["bin"]
    warned = "[[states.a]]\nreply = 'x'\n[[states.lost]]\nreply = 'x'\n"
    failing = "[[states.a]]\nreply = 'x'\n[[examples]]\nturns = [{ user = 'x', expect = 'reply == \"y\"' }]\n"
    for name, text in (
        ("good", warned[:25]),
        ("warned", warned),
        ("bad", "[[states.a]]\nreplay = 'x'\n"),
        ("f", failing),
    ):
        (made.folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return made


RUNS = [
    ({"paths": "good.toml"}, 0, "false", ""),
    ({"paths": "good.toml\nwarned.toml"}, 0, "false", "::warning file=warned.toml"),
    ({"paths": "good.toml warned.toml", "fail_on": "warning"}, 1, "true", "LP301"),
    ({"paths": "bad.toml"}, 1, "true", "::error file=bad.toml"),
    ({"paths": "bad.toml", "fail_on": "never"}, 0, "true", "LP110"),
    ({"paths": "bad.toml", "format": "short", "command": "lint"}, 1, "true", "bad.toml:2:1"),
    ({"paths": "f.toml", "command": "test"}, 1, "true", 'reply == "y"'),
    ({"paths": "nowhere"}, 2, "true", "there is no file or folder"),
    ({"paths": "nowhere", "fail_on": "never"}, 2, "true", "there is no file or folder"),
    ({"paths": "good.toml", "fail_on": "always"}, 2, None, "expected `error`, `warning` or `never`"),
    ({"paths": "good.toml", "command": "run"}, 2, None, "expected `lint` or `test`"),
    ({"paths": "$(touch hacked) `touch hacked`; touch hacked"}, 2, "true", "there is no file or folder"),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("given", "code", "findings", "told"), RUNS, ids=lambda value: str(value)[:50])
def test_its_script_ends_as_its_inputs_say(
    runner: Runner, given: dict[str, str], code: int, findings: str | None, told: str
) -> None:
    """Annotations for GitHub, the exit code, and the output; what an input holds is never run."""
    ended, output = runner.run("run", **given)
    assert (code, findings) == (ended, runner.outputs.get("findings")), output
    assert told in output
    assert not (runner.folder / "hacked").exists()


def test_what_it_tells_can_be_written_to_a_file(runner: Runner) -> None:
    """As SARIF, for GitHub to show."""
    code, told = runner.run("run", paths="bad.toml", format="sarif", output="found.sarif", command="lint")
    assert code == 1, told
    assert '"LP110"' in (runner.folder / "found.sarif").read_text(encoding="utf-8")
