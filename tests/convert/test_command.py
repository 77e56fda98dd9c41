"""`llmposter convert`: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def convert(*arguments: object) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "llmposter", "convert", *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return ran.returncode, ran.stdout, ran.stderr


@pytest.fixture
def fixtures(tmp_path: Path) -> Path:
    path = tmp_path / "fixtures.json"
    entries = [
        {"match": {"userMessage": "pic", "endpoint": "image"}, "response": {"image": {"url": "u"}}},
        {"match": {"userMessage": "hello"}, "response": {"content": "Hi!"}},
    ]
    path.write_text(json.dumps({"fixtures": entries}), encoding="utf-8")
    return path


TOML = """\
# Converted from fixtures.json, a file of aimock.

# The endpoint `image` is not served here; the fixture is left out.
[[states.answer]]
when  = 'user contains "hello"'
reply = "Hi!"
"""


def test_a_scenario_is_printed_and_what_is_lost_is_told_beside_it(fixtures: Path) -> None:
    """On standard error, each with its place; it ends well unless asked to be strict."""
    lost = "lost: the endpoint `image` is not served here; the fixture is left out"
    told = f"{fixtures}:1:60: {lost}\n1 rule, 1 part lost\n"
    assert (0, TOML, told) == convert(fixtures)
    assert (1, TOML, told) == convert(fixtures, "--strict")


def test_a_scenario_is_written_as_the_name_of_its_file_says(fixtures: Path, tmp_path: Path) -> None:
    """Unless another kind is asked for; a file that is there is left as it is."""
    assert 0 == convert(fixtures, "-o", tmp_path / "a.toml")[0]
    assert TOML == (tmp_path / "a.toml").read_text(encoding="utf-8")
    assert convert(fixtures, "-o", tmp_path / "b.yaml")[2].endswith(f"1 rule in {tmp_path / 'b.yaml'}, 1 part lost\n")
    assert (tmp_path / "b.yaml").read_text(encoding="utf-8") == convert(fixtures, "--to", "yaml")[1]
    code, _, told = convert(fixtures, "-o", tmp_path / "b.yaml")
    assert (2, True) == (code, told.endswith("is there already, and is left as it is\n"))
    assert 2 == convert(fixtures, "-o", tmp_path / "none" / "b.yaml")[0]


def test_what_is_written_passes_lint(fixtures: Path, tmp_path: Path) -> None:
    """Without a finding."""
    convert(fixtures, "-o", tmp_path / "a.toml")
    command = [sys.executable, "-m", "llmposter", "lint", "--strict", str(tmp_path / "a.toml")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (0, "") == (ran.returncode, ran.stdout)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """With its place, and exit code 1; one that is not there with 2."""
    (tmp_path / "a.json").write_text('{"fixtures": [}', encoding="utf-8")
    code, out, told = convert(tmp_path / "a.json")
    assert (1, "") == (code, out)
    assert told.startswith(f"{tmp_path / 'a.json'}:1:15-1:16 LP104 broken JSON: expecting value")
    code, _, told = convert(tmp_path / "b.json")
    assert (2, True) == (code, told.startswith("llmposter: there is no file or folder"))


def test_the_format_can_be_said(tmp_path: Path) -> None:
    """Where a file does not tell whose it is."""
    (tmp_path / "r.yaml").write_text("rules: []\n", encoding="utf-8")
    assert "a file of fakellm" in convert(tmp_path / "r.yaml")[1]
    assert "a file of mock-llm" in convert(tmp_path / "r.yaml", "--from", "mock-llm")[1]
