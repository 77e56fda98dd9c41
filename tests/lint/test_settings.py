"""Which findings are told: what a project says, what the command line says, and what nobody can silence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmposter import lint
from llmposter.lint.selecting import Choice, Unknown, ignorable, known, matching
from llmposter.lint.settings import Misconfigured, Project
from llmposter_dsl import report
from llmposter_dsl.codes import CODES, Code

SCENARIO = """
[vars]
unread = ""

[[states.a]]
reply = "x"

[[states.b]]
reply = "y"
"""
UNUSED, UNREACHED = "LP305", "LP301"
BOTH = [UNREACHED, UNUSED]

# select, extend-select, ignore: what is told of these two codes
CHOICES = [
    (None, (), (), BOTH),
    (("LP3",), (), (), BOTH),
    (("LP301",), (), (), [UNREACHED]),
    (("LP9",), (), (), []),
    (("LP9",), ("LP305",), (), [UNUSED]),
    (None, (), ("LP3",), []),
    (None, (), ("LP301",), [UNUSED]),
    (None, ("LP301",), ("LP3",), [UNREACHED]),
    (("LP301",), (), ("LP3",), [UNREACHED]),
    (("LP3",), (), ("LP301",), [UNUSED]),
    (("LP3",), (), ("LP3",), []),
    (("LP",), (), ("LP30",), []),
    ((), (), (), []),
]


@pytest.mark.parametrize("select, extend, ignore, expected", CHOICES)
def test_the_longer_beginning_wins(select, extend, ignore, expected) -> None:
    """Of two alike what is ignored; what is not spoken of is told where nothing is selected."""
    choice = Choice(select, extend, ignore)
    assert expected == [code for code in BOTH if choice.tells(code)]


@pytest.mark.parametrize("ignore", ["LP201", "LP", "LP2"])
def test_what_leaves_nothing_to_serve_is_always_told(ignore: str) -> None:
    """Neither a choice nor its opposite takes it away."""
    assert Choice(select=("LP9",), ignore=(ignore,)).tells("LP201")
    assert Choice(select=("LP9",)).tells("LP103")


def test_what_is_asked_for_only_is_told_where_it_is_selected(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name, by its family, or beside the others; and wanted then, so that it is looked for."""
    module = CODES.module(UNUSED)
    monkeypatch.setattr(module, "CODE", Code("info", "x", asked=True))
    assert not Choice().tells(UNUSED)
    assert not Choice(ignore=("LP9",)).tells(UNUSED)
    for choice in (Choice(select=("LP3",)), Choice(extend=(UNUSED,)), Choice(select=("LP",))):
        assert choice.tells(UNUSED)
        assert UNUSED in choice.wanted
    assert UNUSED not in Choice(extend=("LP9",)).wanted


@pytest.mark.parametrize(
    "given, told",
    [
        ("LP35", "no check is called `LP35`: did you mean `LP315`?"),
        ("F-1", "no check is called `F-1`: there are `LP1`, "),
        ("", 'no check is called `""`: there are `LP1`, '),
    ],
)
def test_an_unknown_code_is_told(given: str, told: str) -> None:
    """With the one that was probably meant, or the families that there are."""
    with pytest.raises(Unknown) as failed:
        known(given)
    assert str(failed.value).startswith(told)


def test_what_cannot_be_ignored_is_told() -> None:
    """A code of which no finding may rest; a family with one that may is fine."""
    with pytest.raises(Unknown, match="`LP201` cannot be ignored: a scenario with such a finding cannot be served"):
        ignorable("lp201")
    assert "LP1" == ignorable("lp1")
    assert ["LP301", "LP302"] == matching(["LP302", "LP301"])


# --- files of a project -----------------------------------------------------------------------------------------------


def codes(project: Project, *paths: Path) -> list[str]:
    return [f"{Path(each.place.source.name).name} {each.code}" for each in lint.check(paths, project).diagnostics]


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("a.toml", "deep/b.toml", "deep/er/c.toml"):
        (tmp_path / name).write_text(SCENARIO.replace("[vars]", f'scenario.name = "{name[-6]}"\n[vars]'), "utf-8")
    return tmp_path


def every(*names: str, told: list[str] = BOTH) -> list[str]:
    return [f"{name} {code}" for name in names for code in sorted(told, reverse=True)]


def test_the_nearest_configuration_counts(top: Path) -> None:
    """From each file upward; a `pyproject.toml` without our table is passed over, and ours comes first."""
    (top / "pyproject.toml").write_text('[tool.llmposter]\nignore = ["LP3"]\n', "utf-8")
    (top / "deep" / "pyproject.toml").write_text("[project]\nname = 'llmposter'\n", "utf-8")
    (top / "deep" / "er" / "pyproject.toml").write_text('[tool.llmposter]\nignore = ["LP301"]\n', "utf-8")
    (top / "deep" / "er" / "llmposter.toml").write_text('ignore = ["LP305"]\n', "utf-8")
    assert ["c.toml LP301"] == codes(Project(), top)
    assert every("a.toml", "b.toml", "c.toml") == codes(Project(isolated=True), top)
    assert [] == codes(Project(str(top / "pyproject.toml")), top)
    assert every("a.toml", "b.toml", "c.toml") == codes(Project(str(top / "deep" / "pyproject.toml")), top)


@pytest.mark.parametrize(
    "pattern, left",
    [
        ("deep", ["a.toml"]),
        ("deep/", ["a.toml"]),
        ("er", ["a.toml", "b.toml"]),
        ("*.toml", []),
        ("./*.toml", ["b.toml", "c.toml"]),
        ("deep/*.toml", ["a.toml", "c.toml"]),
        ("deep/**", ["a.toml"]),
        ("**/c.toml", ["a.toml", "b.toml"]),
        ("**/e?/*", ["a.toml", "b.toml"]),
        ("eep", ["a.toml", "b.toml", "c.toml"]),
    ],
)
def test_patterns_leave_files_out(top: Path, pattern: str, left: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a search, from the folder of the configuration, wherever it is asked from; and their codes per file."""
    monkeypatch.chdir(top / "deep")
    (top / "llmposter.toml").write_text(f'exclude = ["{pattern}"]\n', "utf-8")
    expected = every(*left)
    found = codes(Project(), top)
    assert expected == (found if left else [])
    (top / "llmposter.toml").write_text(f'[per-file-ignores]\n"{pattern}" = ["LP3"]\n', "utf-8")
    project = Project(str(top / "llmposter.toml"))
    assert expected == codes(project, Path(".."))
    assert every("c.toml") == codes(Project(isolated=True), top / "deep" / "er" / "c.toml")


WRONG = {
    "an unknown key": ('selekt = ["LP3"]\n', ["1:1-1:7 LP110 unknown key `selekt`"]),
    "an unknown code": ('select = ["LP3", "LP3x"]\n', ["1:18-1:24 LP114 no check is called `LP3x`"]),
    "what cannot be ignored": ('[per-file-ignores]\n"a" = ["LP2"]\n', ["2:8-2:13 LP114 `LP2` cannot be ignored"]),
    "a wrong type": ('select = "LP3"\nstrict = 1\n', ["1:10-1:15 LP111 `select`", "2:10-2:11 LP111 `strict`"]),
    "codes that are none": ('[per-file-ignores]\na = "LP3"\n', ["2:5-2:10 LP111 `a` is a text, expected a list"]),
    "broken TOML": ("select = [\n", ["2:1-2:1 LP103 expected a value, found the end"]),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("name", ["llmposter.toml", "pyproject.toml"])
def test_what_is_wrong_in_a_configuration_is_told_with_its_place(top: Path, case: str, name: str) -> None:
    """As in a scenario, in either file."""
    text, expected = WRONG[case]
    shift = 0
    if name == "pyproject.toml":
        text, shift = "[tool.llmposter]\n" + text.replace("[per", "[tool.llmposter.per"), 1
    (top / name).write_text(text, "utf-8")
    with pytest.raises(Misconfigured) as failed:
        lint.check([top], Project())
    said = [report.short(each).removeprefix(f"{top / name}:") for each in failed.value.found]
    for line, one in zip(expected, said, strict=True):
        at, words = line.split(" ", 1)
        (start, end) = at.split("-")
        moved = "-".join(f"{int(p.split(':')[0]) + shift}:{p.split(':')[1]}" for p in (start, end))
        assert one.startswith((f"{moved} {words}", f"{at} {words}"))


def test_an_empty_configuration_says_nothing(top: Path) -> None:
    """And a file that is not there is told."""
    (top / "llmposter.toml").write_text("# nothing yet\n", "utf-8")
    assert every("a.toml", "b.toml", "c.toml") == codes(Project(), top)
    with pytest.raises(Misconfigured, match=r"nowhere\.toml") as failed:
        Project(str(top / "nowhere.toml"))
    assert ["LP101"] == [each.code for each in failed.value.found]


def test_a_folder_is_searched_for_scenarios_alone(top: Path) -> None:
    """Configurations, packages of others and files that only speak of states are none."""
    (top / "pyproject.toml").write_text('[tool.states]\nx = "llm"\n', "utf-8")
    (top / "llmposter.toml").write_text('# states\nextend-select = ["LP9"]\nexclude = ["states"]\n', "utf-8")
    (top / "node_modules").mkdir()
    (top / "node_modules" / "x.yaml").write_text("states: 1\n", "utf-8")
    (top / "compose.yaml").write_text("services:\n  a: {image: united-states}\n", "utf-8")
    files = [os.path.relpath(file, top) for file in lint.check([top], Project()).files]
    assert ["a.toml", "deep/b.toml", "deep/er/c.toml"] == files
