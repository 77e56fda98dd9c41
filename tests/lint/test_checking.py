"""`lint.check` finds what no single floor of the language can see, and stays fast."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from llmposter import lint
from llmposter_dsl import compile_text
from llmposter_dsl.report import text as told

FINE = "[[states.a]]\nreply = 'x'\n"


def lines(folder: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    checked = lint.check([folder])
    return [told(finding).replace(f"{folder}/", "").splitlines()[0] for finding in checked.diagnostics]


EXAMPLE = FINE + "[[examples]]\nname = 'n'\n"
WRONG = "turns = [{ user = 'u', expect = 'reply == \"y\"' }]"
PAUSE = (
    'a.toml:3:10-3:17 LP401 OpenAI Chat has no finish reason "pause": '
    'it knows "stop", "length", "tool_calls", "content_filter", "function_call"'
)
KEY = "[auth]\ntokens = [{ name = 'k', value = 'sk-k', uses = 3 }]\n"
SERVER = "[auth]\noauth = true\n"
CASES: list[tuple[dict[str, str], list[str]]] = [
    ({"a": FINE}, []),
    ({"a": FINE + "finish = 'pause'"}, [PAUSE]),
    ({"a": EXAMPLE + WRONG}, ['a.toml:5:33-5:47 LP307 example "n" fails: expected reply == "y": reply is "x"']),
    ({"a": EXAMPLE + "# llmposter: ignore[LP307] on purpose\n" + WRONG}, []),
    (
        {"a": EXAMPLE + "# llmposter: ignore[LP307]\nturns = [{ user = 'u' }]"},
        ["a.toml:5:21-5:26 LP901 there is no finding LP307 here to ignore"],
    ),
    ({"a": FINE, "b": "scenario.name = 'a'\n" + FINE}, ['b.toml:1:17-1:20 LP310 two scenarios are called "a"']),
    (
        {"a": KEY + FINE, "b": KEY.replace("3", "4") + FINE},
        ['b.toml:2:11-2:51 LP502 the token "k" is another one in the scenario "a"'],
    ),
    ({"a": KEY + FINE, "b": KEY + FINE}, []),
    (
        {"a": KEY + FINE, "b": KEY.replace("sk-k", "sk-b") + FINE},
        ['b.toml:2:11-2:51 LP502 the token "k" is another one in the scenario "a"'],
    ),
    ({"a": "[[states.a]]\nreplay = 'x'\n", "b": FINE}, ["a.toml:2:1-2:7 LP110"]),
    ({"a": SERVER + FINE, "b": FINE, "c": "auth = { oauth = {} }\n" + FINE}, []),
    (
        {"a": FINE, "b": SERVER + FINE, "c": SERVER.replace("true", "{ refresh = 'keep' }") + FINE},
        ['c.toml:2:1-2:6 LP506 the OAuth server is another one in the scenario "b"'],
    ),
]


@pytest.mark.parametrize("files, expected", CASES)
def test_findings_of_all_floors_come_together(tmp_path: Path, files: dict[str, str], expected: list[str]) -> None:
    """Findings of wires and examples stand beside the compiler's, at their places, and can be suppressed."""
    found = lines(tmp_path, **files)
    assert expected == [want for want in expected if any(line.startswith(want) for line in found)]
    assert expected or not found


def test_a_failing_example_keeps_its_program() -> None:
    """`llmposter test` can still print what the examples covered."""
    program = compile_text(FINE + "[[examples]]\nturns = [{ user = 'u', state = 'a', expect = 'cut' }]").program
    assert program is not None
    assert not lint.passed(lint.play(program))


def test_programs_and_results_go_together(tmp_path: Path) -> None:
    """A broken file has no program, every other one has one, and its results stand at the same index."""
    lines(tmp_path, a=FINE, b="states = [", c=FINE + "[[examples]]\nturns = [{ user = 'u', expect = 'cut' }]")
    checked = lint.check([tmp_path])
    assert ["a", "c"] == [program.name for program in checked.programs]
    assert [0, 1] == [len(results) for results in checked.results]
    assert 3 == len(checked.files)
    assert checked.failed


def test_a_finding_in_a_file_that_two_scenarios_include_is_told_once(tmp_path: Path) -> None:
    """It has one place, whoever includes it."""
    (tmp_path / "parts.toml").write_text("[vars]\nuser = 1\n", encoding="utf-8")
    found = lines(tmp_path, a="include = ['parts.toml']\n" + FINE, b="include = ['parts.toml']\n" + FINE)
    assert ["parts.toml:2:1-2:5 LP214"] == [line[:25].strip() for line in found]


def test_a_path_that_does_not_exist_is_a_finding(tmp_path: Path) -> None:
    """It is told like any other, and nothing is raised."""
    checked = lint.check([tmp_path / "none.toml"])
    assert ["LP101"] == [finding.code for finding in checked.diagnostics]


def test_the_first_scenario_is_clean_and_covers_itself(tmp_path: Path) -> None:
    """What `llmposter init` writes has no finding, and its examples try every rule."""
    (tmp_path / "scenario.toml").write_text(lint.init_text(), encoding="utf-8")
    checked = lint.check([tmp_path])
    assert () == checked.diagnostics
    assert "  states 3/3, rules 4/4" == lint.report(checked.programs[0], checked.results[0])[-1]


def test_checking_loads_no_server_and_no_state_machine_that_it_does_not_need(tmp_path: Path) -> None:
    """A scenario without examples is checked without tornado and transitions."""
    (tmp_path / "s.toml").write_text(FINE, encoding="utf-8")
    code = (
        "import sys; from llmposter import lint; assert not lint.check(sys.argv[1:]).failed;"
        "print([name for name in ('tornado', 'transitions', 'structlog', 'lark') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "[]" == ran.stdout.strip()
