"""`llmposter lint` and `llmposter rule` as a user has them: processes, with their output and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import call

CLEAN = '[[states.a]]\nreply = "x"\n'
WARNED = f'{CLEAN}\n[[states.b]]\nreply = "y"\n'
FAULTY = '[[states.a]]\nreply = "${usr}"\n'
FILES = {"clean.toml": CLEAN, "warned.toml": WARNED, "faulty.toml": FAULTY}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def codes(*arguments: str, stdin: str | None = None) -> tuple[int, list[str]]:
    """The exit code, and file and code of every finding."""
    ended = call("lint", "--format", "jsonl", *arguments, stdin=stdin)
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    return ended.returncode, [f"{each['file']} {each['code']}" for each in found]


EVERY = ["faulty.toml LP202", "warned.toml LP301"]
CALLS = [
    ([], 1, EVERY),
    (["."], 1, EVERY),
    (["clean.toml"], 0, []),
    (["warned.toml"], 0, ["warned.toml LP301"]),
    (["--strict", "warned.toml"], 1, ["warned.toml LP301"]),
    (["--exit-zero"], 0, EVERY),
    (["--strict", "--exit-zero"], 0, EVERY),
    (["--ignore", "LP3"], 1, ["faulty.toml LP202"]),
    (["--ignore", "lp301,LP9", "--ignore", "LP4"], 1, ["faulty.toml LP202"]),
    (["--select", "LP9"], 1, ["faulty.toml LP202"]),
    (["--select", "LP9", "--extend-select", "LP301"], 1, EVERY),
]


@pytest.mark.parametrize("arguments, code, found", CALLS)
def test_options_say_what_is_told_and_how_it_ends(folder: Path, arguments, code, found) -> None:
    """0 without errors, 1 with them, warnings too with `--strict`."""
    assert (code, found) == codes(*arguments)


def test_a_project_says_what_is_told(folder: Path) -> None:
    """`--select` takes the place of it, `--isolated` and `--config` leave it out."""
    (folder / "pyproject.toml").write_text('[tool.llmposter]\nignore = ["LP3"]\nexclude = ["faulty.toml"]\n', "utf-8")
    (folder / "other.toml").write_text("strict = true\n", "utf-8")
    assert (0, []) == codes()
    assert (0, ["warned.toml LP301"]) == codes("--select", "LP3")
    assert (1, EVERY) == codes("--isolated")
    assert (1, EVERY) == codes("--config", "other.toml")
    assert (1, ["faulty.toml LP202"]) == codes("faulty.toml")
    assert (0, []) == codes("--force-exclude", "faulty.toml", "warned.toml")


def test_a_project_may_be_strict(folder: Path) -> None:
    """As `--strict` is."""
    (folder / "llmposter.toml").write_text("strict = true\n", "utf-8")
    assert (1, ["warned.toml LP301"]) == codes("warned.toml")


def test_a_project_is_heard_by_run_and_test_too(folder: Path) -> None:
    """A configuration that cannot be used keeps them from starting, with what is wrong in it."""
    (folder / "llmposter.toml").write_text('ingore = ["LP3"]\n', "utf-8")
    for command in ("lint", "run", "test"):
        ended = call(command, "clean.toml")
        assert (2, "") == (ended.returncode, ended.stdout)
        first, *_, last = ended.stderr.splitlines()
        assert first == f"{folder}/llmposter.toml:1:1-1:7 LP110 unknown key `ingore`"
        assert last == f'llmposter: the configuration in "{folder}/llmposter.toml" cannot be used'


def test_standard_input_is_linted_as_the_file_that_it_will_be(folder: Path) -> None:
    """By name its kind, its includes and its configuration are known, whether it is there or not."""
    (folder / "sub").mkdir()
    (folder / "sub" / "part.toml").write_text('[[states.b]]\nreply = "b"\n', "utf-8")
    (folder / "sub" / "llmposter.toml").write_text('ignore = ["LP305"]\n', "utf-8")
    text = "include: [part.toml]\nvars: {x: 1}\nstates: {a: [{reply: a}]}\n"
    assert (0, ["sub/part.toml LP301"]) == codes("--stdin-filename", "sub/new.yaml", stdin=text)
    assert (1, ["stdin LP202"]) == codes("-", stdin=FAULTY)
    assert (1, ["clean.toml LP202"]) == codes("-", "--stdin-filename", "clean.toml", stdin=FAULTY)
    ended = call("lint", "-", "clean.toml", stdin=FAULTY)
    assert (2, "") == (ended.returncode, ended.stdout)
    assert ended.stderr.startswith("llmposter: standard input is read alone")


SCENARIO = "states: {a: [{reply: x, goto: b}]}\n"
FIXTURES = "# mine\nfixtures:\n  - match: {user_message: hi}\n    response: {content: x}\n    priorty: 1\n"


@pytest.mark.parametrize(
    ("expected", "name", "text"),
    [
        ((1, ["f.yaml LP110"]), "f.yaml", FIXTURES),
        ((1, ["f.yaml LP110"]), "f.yaml", f"\ufeff{FIXTURES}"),
        ((1, ["stdin LP110"]), None, FIXTURES),
        ((1, ["stdin LP201"]), None, SCENARIO),
        ((1, ["stdin LP202"]), None, f"\ufeff# mine\n{FAULTY}"),
        ((1, ["f.toml LP103"]), "f.toml", FIXTURES),
    ],
)
def test_standard_input_is_what_its_name_or_its_text_says(
    folder: Path, expected: object, name: str | None, text: str
) -> None:
    """A fixture file or a scenario, in YAML or TOML; the text is asked where there is no name."""
    assert expected == codes(*(["--stdin-filename", name] if name else ["-"]), stdin=text)


def test_fixtures_of_standard_input_can_be_fixed(folder: Path) -> None:
    """As those of a file are."""
    ended = call("lint", "--fix", "-", stdin=FIXTURES)
    assert (0, FIXTURES.replace("priorty:", "priority:")) == (ended.returncode, ended.stdout)


def test_output_goes_to_a_file(folder: Path) -> None:
    """Nothing else is printed but the summary; a file that cannot be written is told."""
    ended = call("lint", "--format", "sarif", "--output", "lint.sarif")
    assert (1, "") == (ended.returncode, ended.stdout)
    assert ended.stderr.startswith("3 files: 1 error, 1 warning; can be fixed: 1 with")
    assert "2.1.0" == json.loads((folder / "lint.sarif").read_text("utf-8"))["version"]
    ended = call("lint", "--output", "no/where")
    assert (2, 'llmposter: cannot write "no/where": no such file or directory\n') == (ended.returncode, ended.stderr)


def test_colour_is_for_terminals_and_for_those_who_ask(folder: Path) -> None:
    """A pipe gets none; `FORCE_COLOR` gives it, and `NO_COLOR` takes it from all."""
    assert "\x1b" not in call("lint").stdout
    assert "\x1b" not in call("lint", FORCE_COLOR="1", NO_COLOR="1").stdout
    assert "\x1b" not in call("lint", "--output", "x", FORCE_COLOR="1").stdout + (folder / "x").read_text("utf-8")
    coloured = call("lint", FORCE_COLOR="1").stdout
    assert "\x1b[1;31mLP202\x1b[0m" in coloured
    assert "\x1b[1;33m^\x1b[0m" in coloured


def test_a_terminal_gets_colour(folder: Path) -> None:
    """One that can; a dumb one gets none."""
    import pty

    for term, expected in (("xterm", True), ("dumb", False)):
        here, there = pty.openpty()
        command = [sys.executable, "-m", "llmposter", "lint", "faulty.toml"]
        kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        subprocess.run(command, stdout=there, stderr=subprocess.DEVNULL, env={**kept, "TERM": term}, check=False)
        os.close(there)
        assert expected == (b"\x1b" in os.read(here, 10_000))
        os.close(here)


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["--select", "LP8"], "no check is called `LP8`"),
        (["--ignore", "LP201"], "`LP201` cannot be ignored: a scenario with such a finding cannot be served"),
        (["--ignore", "LP301,"], 'no check is called `""`'),
        (["--config", "nowhere.toml"], 'the configuration in "nowhere.toml" cannot be used'),
        (["--format", "xml"], "invalid value for '--format': 'xml' is not one of 'text', 'short'"),
        (["nowhere"], 'there is no file or folder "nowhere"'),
    ],
)
def test_what_cannot_be_linted_says_why(folder: Path, arguments: list[str], told: str) -> None:
    """Exit code 2, and no finding."""
    ended = call("lint", *arguments)
    assert (2, "") == (ended.returncode, ended.stdout)
    assert f"llmposter: {told}" in ended.stderr


def test_a_rule_is_explained() -> None:
    """By its code; families and all are listed; JSON has everything."""
    page = call("rule", "LP301").stdout
    assert page.startswith("# LP301: unreachable state\n\n`unreachable-state`, warning\n")
    assert [page.index(f"## {each}") for each in ("Why it is a mistake", "Example", "Instead")]
    assert "](" not in call("rule", "LP126", "LP402").stdout
    listed = call("rule").stdout.splitlines()
    assert "LP301  warning      unreachable state" in listed
    assert len(listed) > 55
    family = json.loads(call("rule", "lp3", "--format", "json").stdout)
    assert {"LP3"} == {each["code"][:3] for each in family}
    assert ("unreachable-state", True) == (family[0]["name"], family[0]["selected"])
    unknown = call("rule", "LP999")
    assert (2, "") == (unknown.returncode, unknown.stdout)
    assert unknown.stderr.startswith("llmposter: no check is called `LP999`")
