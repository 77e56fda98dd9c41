"""Every fenced block of the docs is run: scenarios are linted, Python talks to a real server, commands are called.

The word after the language says what a block is:

- ``toml`` and ``yaml``: a whole scenario without findings; ``fragment``: only read; ``LP201``: has just this finding;
  ``file=NAME``: the commands and servers of its page find it under this name.
- ``python``: run against a server of `scenarios/weather.toml`, or of ``serve=NAME``; ``pytest``: a file of tests that
  pass, with the plugin; ``in=ENVIRONMENT``: likewise, in an environment of other clients.
- ``console``: lines after ``$ `` are commands; what follows is their standard output, where anything follows.
  A command may end in ``< FILE``.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

import pytest
from clients import INTEROP, environment, node, python
from plugin import LOADED
from serving import serving

from llmposter import lint
from llmposter_dsl import reading
from llmposter_dsl.codes import CODES

TOP = Path(__file__).parents[2]
CHECKS = TOP / "docs" / "checks"
"""What stands there is made, and held to the checker, by tests/lint/test_documentation.py."""
DOCS = [page for page in sorted(TOP.glob("docs/**/*.md")) if page.parent != CHECKS]
PAGES = [TOP / "README.md", TOP / "CONTRIBUTING.md", TOP / "scenarios/README.md", *DOCS]
FENCE = re.compile(r"^( *)```(\w*) ?([^\n]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
BORROWED = [*(str(TOP / each) for each in ("engine", "dsl", "grammar")), sysconfig.get_path("purelib")]
"""After an environment's own packages."""
KNOWN = {"js", "toml", "yaml", "python", "console", "mermaid", "json", "text", "sh", "make", ""}


class Block(NamedTuple):
    page: Path
    line: int
    language: str
    info: str
    text: str

    @property
    def named(self) -> dict[str, str]:
        return dict(word.split("=", 1) for word in self.info.split() if "=" in word)

    @property
    def codes(self) -> list[str]:
        return [word for word in self.info.split() if word in CODES]


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, found[2], found[3].strip(), found[4])
        for found in FENCE.finditer(text)
    ]


ALL = [block for page in PAGES for block in blocks(page)]


def of(*languages: str) -> pytest.MarkDecorator:
    chosen = [block for block in ALL if block.language in languages]
    return pytest.mark.parametrize("block", chosen, ids=[f"{b.page.stem}:{b.line}" for b in chosen])


@pytest.fixture
def desk(tmp_path: Path, block: Block, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that has what the page speaks of: the gallery, a first scenario, and the files that the page shows."""
    shutil.copytree(TOP / "scenarios", tmp_path / "scenarios")
    (tmp_path / "scenario.toml").write_text(lint.init_text(), encoding="utf-8")
    for other in blocks(block.page):
        if "file" in other.named:
            (tmp_path / other.named["file"]).write_text(other.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@of("toml", "yaml")
def test_a_scenario_in_the_docs_is_what_the_docs_say(block: Block, tmp_path: Path) -> None:
    """Clean, or with just the finding that it stands for; a fragment can at least be read."""
    if "fragment" in block.info:
        assert not isinstance(reading.read_text(block.text, "fragment", block.language), tuple)
        return
    (tmp_path / f"docs.{block.language}").write_text(block.text, encoding="utf-8")
    found = [finding.code for finding in lint.check([tmp_path / f"docs.{block.language}"]).diagnostics]
    assert block.codes == sorted(set(found))


def run_by_pytest(block: Block, desk: Path) -> subprocess.CompletedProcess[str]:
    """As a file of tests, with the plugin; in the Python that the block is for, which borrows pytest and llmposter."""
    (desk / "test_page.py").write_text(block.text, encoding="utf-8")
    (desk / "node_modules").symlink_to(INTEROP / "js" / "node_modules")
    command = ["pytest", *LOADED, "-q", "-p", "no:timeout", "test_page.py"]
    start = f"import runpy, sys; sys.path += {BORROWED}; sys.argv = {command}; runpy.run_module('pytest', run_name='x')"
    where = python(block.named["in"]) if "in" in block.named else [sys.executable]
    own = environment(desk) | {"PATH": f"{Path(node()[0]).parent}{os.pathsep}{os.defpath}", "PYTEST_ADDOPTS": ""}
    return subprocess.run(
        [*where, "-c", start.replace("'x'", "'__main__'")], env=own, capture_output=True, text=True, check=False,
        timeout=110,
    )  # fmt: skip


@of("python")
def test_a_program_in_the_docs_runs(block: Block, desk: Path) -> None:
    """It gets the answers that it asserts, from a real server on a real socket."""
    if "pytest" in block.info.split():
        ran = run_by_pytest(block, desk)
        assert 0 == ran.returncode, ran.stdout + ran.stderr
        return
    with serving(desk / block.named.get("serve", "scenarios/weather.toml")) as server:
        text = block.text.replace("http://127.0.0.1:2112", server.url)
        ran = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False, timeout=60)
    assert (0, "") == (ran.returncode, ran.stderr)


def commands(block: Block) -> list[tuple[list[str], str]]:
    found = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE)
    return [(shlex.split(command, comments=True), output) for command, output in found]


@of("console")
def test_a_command_in_the_docs_does_what_it_shows(block: Block, desk: Path) -> None:
    """Commands that end are called and print what is shown; of one that serves, its options and paths exist."""
    assert commands(block), "a console block has lines after `$ `"
    for (program, *arguments), output in commands(block):
        if program == "make":
            assert all(f"\n{target}:" in (TOP / "Makefile").read_text() for target in arguments if "=" not in target)
        if program != "llmposter":
            continue
        if arguments[0] == "run":
            usage = call("run", "--help").stdout
            assert all(f" {word.partition('=')[0]}" in usage for word in arguments if word.startswith("--"))
            assert all((desk / word).exists() for word in arguments if "/" in word or word.endswith((".toml", ".yaml")))
            continue
        *called, _, typed = arguments if "<" in arguments else [*arguments, "<", ""]
        ran = call(*called, given=(desk / typed).read_text(encoding="utf-8") if typed else "")
        assert ran.returncode in (0, 1), ran.stderr
        if output.strip():
            assert output == ran.stdout


def call(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "llmposter", *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=60)


def test_no_block_is_in_a_language_that_nothing_looks_at() -> None:
    """Every block is run, or is a picture, data or plain output."""
    assert [] == [f"{block.page}:{block.line}" for block in ALL if block.language not in KNOWN]
    assert len(ALL) > 60
