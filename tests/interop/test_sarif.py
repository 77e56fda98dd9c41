"""Microsoft's `sarif-multitool` reads our SARIF: it breaks no rule of SARIF or of GitHub, and its places are right."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clients import INTEROP, environment

from llmposter import lint
from llmposter.lint.formats import Told, write
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.place import Place

TESTS = Path(__file__).parents[1]
FAULTY = [TESTS / "dsl" / "err", TESTS / "fixtures" / "err"]
ODD = {
    "ä b%#.toml": "# é\r\n[[states.talk]]\r\nrepl = 'ü'\t# wide: 漢\r\nreply = 'x'\r\n",
    "bom.yaml": "\ufeffstates:\n  talk:\n    - repli: x\n",
    "deep/er/less.toml": "[[states.a]]\nwhen = '''\nuser contains 1 or\nnobody is here\n'''\nreply = 'x'\n",
}
MISSED = [("SARIF2005", "llmposter")]
"""What it would like to have, with a warning: the address of the tool's home page, and there is none."""


def multitool(home: Path, *arguments: str) -> dict[str, Any]:
    """What it writes, which is SARIF again, of the log in its folder."""
    tool = INTEROP / f"js/node_modules/@microsoft/sarif-multitool-{sys.platform}" / "Sarif.Multitool"
    # Its package makes it executable in a script of its installation, and none of those is run here.
    tool.chmod(0o755)
    verb, *options = arguments
    # Without ICU .NET does not start: https://learn.microsoft.com/dotnet/core/runtime-config/globalization
    variables = {**environment(home), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    ran = subprocess.run(
        [tool, verb, "log.sarif", "--output", "told.sarif", "--log", "ForceOverwrite", *options],
        capture_output=True, text=True, encoding="utf-8", check=False, timeout=100, env=variables, cwd=home,
    )  # fmt: skip
    assert 0 == ran.returncode, ran.stdout + ran.stderr
    told: dict[str, Any] = json.loads((home / "told.sarif").read_text("utf-8-sig"))["runs"][0]
    return told


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All faulty files of the tests, and some with odd names, line ends and characters."""
    top = tmp_path_factory.mktemp("sarif")
    for faulty in FAULTY:
        shutil.copytree(faulty, top / faulty.parent.name, ignore=shutil.ignore_patterns("*.out"))
    for name, text in ODD.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(text.encode())
    return top


@pytest.fixture(scope="module")
def found(folder: Path) -> tuple[Diagnostic, ...]:
    diagnostics = lint.check([folder]).diagnostics
    assert len(diagnostics) > 400
    assert {*ODD} <= {Path(each.place.source.name).relative_to(folder).as_posix() for each in diagnostics}
    assert any(each.fixes for each in diagnostics)
    return diagnostics


@pytest.fixture
def log(folder: Path, found: tuple[Diagnostic, ...]) -> Any:
    return json.loads(write("sarif", Told(found, (), top=folder)))


def broken(log: Any, home: Path) -> list[tuple[str, str]]:
    """The rules that it says are broken, each with what breaks it."""
    (home / "log.sarif").write_text(json.dumps(log), encoding="utf-8")
    told = multitool(home, "validate", "--rule-kind", "Sarif;Ghas")
    return [(result["ruleId"], result["message"]["arguments"][1]) for result in told["results"]]


def test_no_other_rule_is_broken(log: Any, tmp_path: Path) -> None:
    """Neither one of SARIF nor one of GitHub's code scanning, by findings with fixes, related places and odd names."""
    assert MISSED == broken(log, tmp_path)


@pytest.mark.parametrize(
    ("expected", "spoil"),
    [
        ("SARIF1002", lambda run: place(run)["artifactLocation"].update(uri="a b%zz")),
        ("SARIF1004", lambda run: run["originalUriBaseIds"]["%SRCROOT%"].update(uri="file:///no/slash")),
        ("SARIF1007", lambda run: place(run)["region"].update(startLine=9, endLine=8)),
        ("GH1015", lambda run: run["results"][0].pop("locations")),
        ("GH2012", lambda run: run["tool"]["driver"]["rules"][0].pop("help")),
    ],
)
def test_a_broken_rule_would_be_told(expected: str, spoil: Callable[[Any], None], log: Any, tmp_path: Path) -> None:
    """Of addresses, of places, and of what code scanning wants beyond SARIF."""
    del log["runs"][0]["results"][3:]
    spoil(log["runs"][0])
    assert expected in dict(broken(log, tmp_path))


def place(run: Any) -> Any:
    return run["results"][0]["locations"][0]["physicalLocation"]


def test_places_hold_what_was_found(log: Any, found: tuple[Diagnostic, ...], tmp_path: Path) -> None:
    """It finds the files by their addresses, and by line and column the text of every finding and relation in them."""
    (tmp_path / "log.sarif").write_text(json.dumps(log), encoding="utf-8")
    told = multitool(tmp_path, "rewrite", "--insert", "RegionSnippets")
    places = [[each.place, *(related.place for related in each.related)] for each in found]
    read = [[*result["locations"], *result.get("relatedLocations", [])] for result in told["results"]]
    compared = 0
    for ours, theirs in zip(places, read, strict=True):
        for each, location in zip(ours, theirs, strict=True):
            if narrow(each):
                compared += 1
                assert held(each) == location["physicalLocation"]["region"]["snippet"]["text"].replace("\r\n", "\n")
    assert compared > 400


def held(place: Place) -> str:
    return place.source.text[place.span.start : place.span.end]


def narrow(place: Place) -> bool:
    """It counts columns in UTF-16, whatever `columnKind` says, and so reads another place behind a wide character."""
    line = place.source.text.rfind("\n", 0, place.span.start) + 1
    return max(place.source.text[line : place.span.end], default="") < "\U00010000"
