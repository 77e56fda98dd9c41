"""Generated examples cover what those of a scenario do not, and pass where they are pasted."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from processes import call
from random_machines import SCENARIOS, compiled

from llmposter import lint
from llmposter.lint import pathing
from llmposter.lint.coverage import coverage
from llmposter.lint.covered import all_of
from llmposter.lint.pathing import Paths
from llmposter_dsl import scenario_files
from llmposter_dsl.compiler import compile_path, compile_text
from llmposter_dsl.writing import write

TOP = Path(__file__).parents[2]
MANY = 2_000 if os.environ.get("LLMPOSTER_SOAK") else 15
GALLERY = [Path(file) for file in scenario_files([TOP / "scenarios"])]
NEVER = {"retries": {("branch", "busy#3", (), False)}}
"""What no request can do: the rule before takes all for which it would be so."""


def found(text: str, *, turns: int = 12, branches: bool = True, kind: str = "toml") -> Paths:
    compiled = compile_text(text, f"s.{kind}", kind)  # type: ignore[arg-type]
    assert compiled.program is not None, compiled.diagnostics
    return pathing.paths(compiled.program, compiled.documents[0], "openai", turns, branches=branches)


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_without_its_examples_the_gallery_is_covered_again(path: Path) -> None:
    """Every state, rule and branch that can be, by examples that stand in the file and pass without a finding."""
    document = compile_path(path).documents[0]
    bare = {name: value for name, value in document.data.items() if name != "examples"}
    kind = "yaml" if document.kind == "yaml" else "toml"
    without = compile_text(write(bare, kind), path.name, kind, str(path))
    assert without.program is not None
    made = pathing.paths(without.program, without.documents[0], "openai", 12, branches=True)
    assert NEVER.get(path.stem, set()) == made.missed
    whole = compile_text(write({**bare, "examples": list(made.examples)}, kind), path.name, kind, str(path))
    assert whole.program is not None, whole.diagnostics
    results = lint.play(whole.program, branches=True)
    assert lint.passed(results)
    shares = coverage(whole.program, results, branches=True).shares()
    assert len(made.missed) == sum(share.total - share.covered for share in shares.values())


ANSWER = '\n[[states.a]]\nreply = "else"\n'
CASES = {
    "texts": (
        """[[states.a]]
when = 'user starts with "Dear" and user contains "refund" and not (user mentions "decaf") and len(user) < 30'
reply = "x" """,
        [("branch", "a#1", (3,), False)],
    ),
    "several ways": (
        """[[states.a]]\nwhen = 'user == "b" or (user != "c" and model in ["m1", "m2"])'\nreply = 'x'""",
        [],
    ),
    "what a request carries": (
        """[[states.a]]
when = 'headers["x-tenant"] == "a" and params.temperature > 1 and system contains "cook" and stream'
reply = "x" """,
        [],
    ),
    "a format": ("""[[states.a]]\nwhen = 'provider == "gemini"'\nreply = 'x'""", []),
    "tools": ("""[[states.a]]\nwhen = 'tools contains "find"'\nreply = 'x'""", []),
    "a result, an error, and both of two": (
        """[[states.a]]
when = 'last == "user" and user == "go"'
call = ['find(q: "1")', 'pay()']
[[states.a]]
when = 'result("find").json.price > 10 and not result("pay").error'
reply = "dear"
[[states.a]]
when = 'result("pay").error'
reply = "failed" """,
        [],
    ),
    "attempts, on the way": (
        """[[states.a]]
when = 'user == "go"'
goto = "b"
[[states.b]]
when = 'attempt < 3'
error = "overloaded"
[[states.b]]
when = 'attempt == 3'
error = { name = "rate_limited", retry_after = "20s" }
[[states.b]]
reply = "at last"
goto = "c"
[[states.c]]
when = 'user == "never"'
reply = "x"
[[states.c]]
reply = "y" """,
        [],
    ),
    "time": ("""[[states.a]]\nwhen = 'elapsed > 1h or idle >= 30m'\nreply = 'x'""", []),
    "variables": (
        """[vars]
n = 0
[[states.a]]
when = 'n == 2'
reply = "two"
[[states.a]]
set = { n = "n + 1" }
when = 'user == "more"'
reply = "${n}" """,
        [],
    ),
    "how often": (
        """[[states.a]]
times = 2
reply = "x"
[[states.a]]
when = 'visits == 4'
reply = "four" """,
        [],
    ),
    "a credential": (
        """[auth]
tokens = [{ name = "one", value = "1", uses = 1 }, { name = "two", value = "2" }]
[[states.a]]
when = 'token.name == "two"'
reply = "x" """,
        [],
    ),
    "what a scenario serves and expects": (
        """[scenario]
serves = 'system contains "cook"'
expect = 'model starts with "gpt"'
[[states.a]]
when = 'user matches /^pot \\d{2}$/'
reply = "x" """,
        [],
    ),
    "a broken answer": ("""[[states.a]]\nwhen = 'attempt == 1'\nreply = 'x'\nfault = 'drop halfway'""", []),
    "what cannot be": (
        """[[states.a]]
when = 'user == "x" and conversation == "nobody"'
reply = "x" """,
        [("branch", "a#1", (1,), True), ("rule", "a#1")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_conditions_ask_for_is_sent(name: str) -> None:
    """All of it is covered, by examples that pass; what cannot be is told."""
    text, missed = CASES[name]
    made = found(text + ANSWER)
    assert set(missed) == made.missed
    pasted = f"{text}{ANSWER}\n{write({'examples': list(made.examples)})}"
    program = compile_text(pasted).program
    assert program is not None
    results = lint.play(program, branches=True)
    assert lint.passed(results)
    shares = coverage(program, results, branches=True).shares()
    assert len(missed) == sum(share.total - share.covered for share in shares.values())


def test_what_examples_cover_is_not_covered_again() -> None:
    """Only what is left; and nothing where nothing is."""
    text = """[[states.a]]
when = 'user == "x"'
reply = "1"
[[states.a]]
reply = "2"
[[examples]]
name = "a#2"
turns = [{ user = "x" }]
"""
    made = found(text)
    assert [{"name": "a#2 (2)", "turns": [{"user": "hello", "expect": 'reply == "2"', "state": "a"}]}] == list(
        made.examples
    )
    assert Paths((), frozenset()) == found(text + "[[examples]]\nturns = [{ user = 'y' }]")


def test_states_and_rules_alone_may_be_asked_for() -> None:
    """Then an `or` needs one of its sides; and no example is longer than it may be."""
    text = "[[states.a]]\nwhen = 'user == \"x\" or user == \"y\"'\ngoto = 'b'\n[[states.b]]\nreply = ''"
    assert 1 == len(found(text, branches=False).examples) < len(found(text).examples)
    text = """states.a = [{ reply = "1", goto = "b" }]
states.b = [{ reply = "2", goto = "c" }]
states.c = [{ reply = "3" }]
"""
    assert {("state", "c"), ("rule", "c#1")} == set(found(text, turns=1).missed) - {("rule", "b#1")}
    (example,) = found(text, turns=3).examples
    assert 3 == len(example["turns"])


def test_an_example_names_the_formats_on_which_it_goes_so() -> None:
    """Where an answer differs, it is expected of those that give it."""
    made = found("[[states.a]]\nreply = 'I am ${provider}'")
    assert [["openai"]] == [example["providers"] for example in made.examples]


def test_whatever_a_scenario_holds_what_is_made_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each example as it is pasted, all together cover what is not told to be missed, and nothing that is."""
    monkeypatch.setattr(pathing, "MOST_REQUESTS", 60)

    @settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
    @given(SCENARIOS)
    def check(scenario: dict[str, Any]) -> None:
        program = compiled(scenario)
        document = compile_text(json.dumps(scenario), "random.yaml", "yaml").documents[0]
        made = pathing.paths(program, document, "openai", 4, branches=True)
        whole = compiled({**scenario, "examples": list(made.examples)})
        results = lint.play(whole, branches=True)
        assert lint.passed(results)
        reached = pathing.met(all_of(result.covered for result in results))
        assert pathing.goals(program, branches=True) - reached == made.missed

    check()


# --- as a user has it -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["weather.toml", "two-tools.yaml"])
def test_what_is_printed_can_be_pasted(name: str, tmp_path: Path) -> None:
    """Behind the examples that are there; then nothing is left to cover."""
    file = tmp_path / name
    shutil.copy(TOP / "scenarios" / name, file)
    ran = call("paths", file)
    assert (0, "1 example to add, for what was not covered\n") == (ran.returncode, ran.stderr)
    with file.open("a", encoding="utf-8") as opened:
        opened.write("\n" + ran.stdout)
    again = call("test", file, "--coverage", "--fail-under", 100)
    assert 0 == again.returncode, again.stdout
    assert 0 == call("lint", file, "--strict").returncode
    ran = call("paths", file)
    assert (0, "", "the examples of the scenario cover all of it\n") == (ran.returncode, ran.stdout, ran.stderr)


def test_what_is_not_found_is_told_with_its_place(tmp_path: Path) -> None:
    """A rule, or a part of the condition of one that is reached; the exit code says so too."""
    text = """[[states.a]]
when = 'conversation == "nobody"'
reply = "x"
[[states.a]]
when = 'user == "y" or conversation == "no"'
reply = "y"
[[states.a]]
reply = "z"
"""
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    ran = call("paths", "s.toml", "--format", "yaml", cwd=tmp_path)
    assert ran.stdout.startswith("examples:\n  - name: ")
    assert (
        1,
        [
            'no way to rule "a#1" was found (s.toml:1:1)',
            'no way to make conversation == "no" true was found (s.toml:5:24)',
            "2 examples to add, for some of what was not covered",
        ],
    ) == (ran.returncode, ran.stderr.splitlines())


def test_what_cannot_be_done_is_told(tmp_path: Path) -> None:
    """A folder of several, a format that there is not, a file with a mistake."""
    (tmp_path / "a.toml").write_text("[[states.a]]\nreply = 'x'\n", encoding="utf-8")
    (tmp_path / "b.toml").write_text("[[states.a]]\nrepyl = 'x'\n", encoding="utf-8")
    ran = call("paths", ".", cwd=tmp_path)
    assert (2, 'llmposter: "." holds 2 scenarios: name the one\n') == (ran.returncode, ran.stderr)
    ran = call("paths", "a.toml", "--provider", "none", cwd=tmp_path)
    assert (2, True) == (ran.returncode, ran.stderr.startswith('llmposter: there is no provider "none": it is one of'))
    ran = call("paths", "b.toml", cwd=tmp_path)
    assert (1, "", True) == (ran.returncode, ran.stdout, "LP110" in ran.stderr)
