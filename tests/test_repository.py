"""Laws of the repository that no linter knows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
CODE = [*TOP.glob("engine/**/*.py"), *TOP.glob("dsl/**/*.py"), *TOP.glob("grammar/**/*.py")]


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=TOP, check=True, capture_output=True
    )
    return [path for name in names.stdout.decode().splitlines() if (path := TOP / name).is_file()]


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(TOP)))
def test_a_module_is_short_and_says_what_it_is_for(path: Path) -> None:
    """A module has at most 500 lines and begins with what it is for."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 500
    assert text == "" or text.startswith(('"""', 'r"""', "#!/")), "no docstring"


def test_only_the_log_configures_structlog() -> None:
    """structlog is configured in one place."""
    assert ["log.py"] == [path.name for path in CODE if "structlog.configure" in path.read_text(encoding="utf-8")]


def test_nothing_is_left_undone() -> None:
    """No test is skipped or expected to fail, and no code says that it is not written yet."""
    undone = re.compile(r"\b(x" + r"fail\(|pytest\.skip|mark\.skip|T" + r"ODO|FIX" + r"ME|raise NotImpl" + r"emented)")
    found = [f"{path}:{n}" for path in [*CODE, *TOP.glob("tests/**/*.py")] for n in lines_with(path, undone)]
    assert [] == found


def test_the_repository_speaks_of_the_project_alone() -> None:
    """No file names a package registry's host or a path of the machine it was written on."""
    hosts = ("py" + "pi.org", "python" + "hosted", "registry." + "npmjs", "crates" + ".io", "proxy.go" + "lang")
    foreign = re.compile("|".join(map(re.escape, (*hosts, "/wo" + "rk/", "/ro" + "ot/"))))
    assert [] == [f"{path}:{n}" for path in tracked() for n in lines_with(path, foreign)]


def test_what_a_reader_has_to_replace_is_told_before_it_is_used() -> None:
    """The project has no account of its own, so a page that has to name one says whose stands there."""
    for page in (each for each in tracked() if each.suffix == ".md" and f"{'OWN'}ER/" in each.read_text("utf-8")):
        told, _, _ = page.read_text("utf-8").partition(f"{'OWN'}ER/")
        assert re.search(r"^`OWNER` .*is to be replaced by", told, re.MULTILINE), page


def lines_with(path: Path, pattern: re.Pattern[str]) -> list[int]:
    text = path.read_text(encoding="utf-8", errors="replace")
    return [n for n, line in enumerate(text.splitlines(), 1) if pattern.search(line)]
