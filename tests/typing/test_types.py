"""The types of the library, as mypy, pyright and ty see them: right uses are right, and every wrong one is found."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TOP = HERE.parents[1]
ROOTS = [str(TOP / name) for name in ("engine", "dsl", "grammar")]
BIN = Path(sys.executable).parent


def ran(*command: str | Path, **variables: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=HERE,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode in (0, 1), done.stderr or done.stdout
    return done.stdout


def mypy(file: str) -> set[int]:
    told = ran(
        *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary", "--hide-error-context"),
        *("--cache-dir", TOP / ".mypy_cache" / "typing", file),
        MYPYPATH=os.pathsep.join(ROOTS),
    )
    return {int(line) for line in re.findall(rf"^{file}:(\d+): error", told, re.MULTILINE)}


def pyright(file: str) -> set[int]:
    config = HERE / "pyrightconfig.json"
    script = TOP / "tests/interop/js/node_modules/pyright/index.js"
    told = json.loads(ran(BIN / "node", script, "--outputjson", "--pythonpath", sys.executable, "-p", config))
    return {
        found["range"]["start"]["line"] + 1
        for found in told["generalDiagnostics"]
        if Path(found["file"]).name == file and found["severity"] == "error"
    }


def ty(file: str) -> set[int]:
    roots = [word for root in ROOTS for word in ("--extra-search-path", root)]
    told = ran(BIN / "ty", "check", "--python", sys.prefix, "--output-format", "concise", *roots, file)
    return {int(line) for line in re.findall(rf"^{file}:(\d+):\d+: error", told, re.MULTILINE)}


CHECKERS = [mypy, pyright, ty]


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda each: each.__name__)
def test_what_users_write_is_right(checker: Callable[[str], set[int]]) -> None:
    """And has the types that are asserted; the strictest settings find nothing."""
    assert set() == checker("uses.py")


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda each: each.__name__)
def test_what_users_get_wrong_is_found(checker: Callable[[str], set[int]]) -> None:
    """Each mistake, and nothing beside them."""
    lines = (HERE / "misuses.py").read_text(encoding="utf-8").splitlines()
    expected = {n for n, line in enumerate(lines, 1) if line.endswith("  # wrong")}
    assert len(expected) > 30
    assert expected == checker("misuses.py")


@pytest.mark.parametrize("package", ["llmposter", "llmposter_dsl", "llmposter_grammar"])
def test_a_package_says_that_it_is_typed(package: str) -> None:
    """PEP 561: without this file a checker looks at none of its types."""
    (marker,) = [file for root in ROOTS for file in Path(root).glob(f"{package}/py.typed")]
    assert "" == marker.read_text(encoding="utf-8")
