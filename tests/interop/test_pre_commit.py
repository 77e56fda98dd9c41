"""The hooks, as pre-commit itself installs and runs them: cloned, built and installed without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
WHEELS = Path(sys.prefix) / "wheelhouse"
"""What `make wheelhouse` fetched: what the package needs, to be built and to run."""

BUILT = ("engine", "dsl", "grammar", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
GOOD = "[[states.begin]]\nreply = 'Hello.'\n[[examples]]\nturns = [{ user = 'x', expect = 'reply == \"Hello.\"' }]\n"


def environment(home: Path) -> dict[str, str]:
    """Nothing of the user's, and packages from the wheelhouse alone."""
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": WHEELS.as_uri(), "PIP_CONFIG_FILE": os.devnull}
    who = {f"GIT_{role}_{what}": "tests@localhost" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    return {"PATH": path, "HOME": str(home), "PRE_COMMIT_HOME": str(home / "hooks"), **quiet, **pip, **who}


class Repository:
    """A repository whose commits the hooks look at."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.env = env
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        command = ["git", *arguments]
        ran = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=True)
        return ran.stdout.strip()

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")
        self.git("add", name)

    def run(self, hook: str, *arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "pre_commit", "run", hook, "--color=never", *arguments]
        ran = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False, timeout=280
        )
        return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """One that has the hooks of this working tree configured."""
    top = tmp_path_factory.mktemp("pre-commit")
    env = environment(top / "home")
    ours = Repository(top / "ours", env)
    for name in BUILT:
        copy = shutil.copytree if (TOP / name).is_dir() else shutil.copy
        copy(TOP / name, ours.folder / name)
    ours.git("add", "--all")
    ours.git("commit", "--quiet", "--message", "The hooks")
    theirs = Repository(top / "theirs", env)
    hooks = "\n".join(f"      - id: {each}" for each in ("llmposter-lint", "llmposter-test"))
    revision = ours.git("rev-parse", "HEAD")
    theirs.write(
        ".pre-commit-config.yaml",
        f"repos:\n  - repo: {ours.folder.as_uri()}\n    rev: {revision}\n    hooks:\n{hooks}\n",
    )
    return theirs


@pytest.mark.timeout(300)
def test_the_hooks_pass_what_is_right_and_stop_what_is_wrong(repository: Repository) -> None:
    """A clean scenario passes both; a misspelt key is found at its place; an example that fails stops its hook."""
    repository.write("scenarios/a.toml", GOOD)
    assert (0, "Passed") == _outcome(repository.run("llmposter-lint"))
    assert (0, "Passed") == _outcome(repository.run("llmposter-test"))

    repository.write("scenarios/a.toml", GOOD.replace("reply = 'H", "replay = 'H"))
    code, told = repository.run("llmposter-lint")
    assert (1, "Failed") == _outcome((code, told))
    assert "LP110" in told
    assert "scenarios/a.toml:2:1" in told

    repository.write("scenarios/a.toml", GOOD.replace('== "Hello', '== "Goodbye'))
    code, told = repository.run("llmposter-test")
    assert (1, "Failed") == _outcome((code, told))
    assert 'reply == "Goodbye."' in told


@pytest.mark.timeout(300)
def test_a_change_of_an_included_file_is_found_where_it_breaks(repository: Repository) -> None:
    """Only the fragment changed, and the scenario that includes it is told; the fragment alone is no scenario."""
    repository.write("scenarios/a.toml", "include = ['parts.toml']\n[[states.begin]]\nreply = 'x'\ngoto = 'end'\n")
    repository.write("scenarios/parts.toml", "[[states.end]]\nreply = 'x'\n")
    assert (0, "Passed") == _outcome(repository.run("llmposter-lint"))
    repository.git("commit", "--quiet", "--no-verify", "--message", "Both")
    repository.write("scenarios/parts.toml", "[[states.other]]\nreply = 'x'\n")
    code, told = repository.run("llmposter-lint")
    assert (1, "Failed") == _outcome((code, told))
    assert "LP201" in told


@pytest.mark.timeout(300)
def test_what_is_no_scenario_wakes_no_hook(repository: Repository) -> None:
    """A commit without TOML and YAML waits for nothing."""
    repository.write("README.md", "# Nothing\n")
    assert (0, "Skipped") == _outcome(repository.run("llmposter-lint", "--files", "README.md"))


def _outcome(ran: tuple[int, str]) -> tuple[int, str]:
    code, told = ran
    found = next((word for word in ("Passed", "Failed", "Skipped") if word in told), told)
    return code, found
