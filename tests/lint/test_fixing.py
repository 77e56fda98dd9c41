"""Fixes, carried out on the faulty scenarios: `fixed/NAME` is what becomes of one, in `fixed/unsafe/` with all fixes.

`LLMPOSTER_GOLDEN=write` writes them, to be read: is that what was meant?
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Literal

import pytest

from llmposter.lint.checking import check
from llmposter.lint.fixing import edited, fixed
from llmposter_dsl.compiler import compile_path, compile_text

HERE = Path(__file__).parent / "fixed"
FAULTY = Path(__file__).parents[1] / "dsl" / "err"
EVERY = sorted(path.name for path in FAULTY.iterdir() if path.suffix in (".toml", ".yaml"))
CASES = [(name, unsafe) for unsafe in (False, True) for name in EVERY]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FAULTY)


def fix(name: str, *, unsafe: bool = False):
    return fixed(lambda _: check([name]), unsafe=unsafe)


def content(name: str, *, unsafe: bool) -> bytes:
    """What becomes of a file."""
    path = (FAULTY / name).resolve()
    made = fix(name, unsafe=unsafe).files
    return made.get(str(path), (b"", path.read_bytes()))[1]


@pytest.mark.parametrize("name, unsafe", CASES)
def test_fixes_give_what_was_meant(name: str, unsafe: bool, here: None) -> None:
    """Every fix of a faulty scenario gives this file, byte for byte; without a fix it stays as it is."""
    golden, got = (HERE / "unsafe" if unsafe else HERE) / name, content(name, unsafe=unsafe)
    before = content(name, unsafe=False) if unsafe else (FAULTY / name).read_bytes()
    if os.environ.get("LLMPOSTER_GOLDEN") == "write" and got != before:
        golden.write_bytes(got)
    assert (golden.read_bytes() if golden.exists() else before) == got


@pytest.mark.parametrize("name", sorted(path.name for path in HERE.iterdir() if path.is_file()))
def test_what_safe_fixes_leave_has_no_other_error_than_before(name: str, here: None) -> None:
    """The errors after are some of those before, and none can be fixed; without any it is a Program."""
    left = fix(name).checked
    before = [each.code for each in compile_path(name).diagnostics if each.severity == "error"]
    errors = [each.code for each in left.diagnostics if each.severity == "error"]
    revealed = {"lp126_chaos.yaml", "lp111_tokens.toml"}  # behind one mistake stood another
    assert name in revealed or [code for code in errors if code not in before] == []
    kind: Literal["toml", "yaml"] = "toml" if name.endswith("toml") else "yaml"
    made = compile_text((HERE / name).read_bytes(), name, kind, str(FAULTY / name))
    assert (made.program is None) == bool(errors)
    assert not [fix for each in left.diagnostics for fix in each.fixes if fix.safe]


@pytest.mark.parametrize("name, unsafe", [(name, unsafe) for name, unsafe in CASES if (HERE / name).exists() or unsafe])
def test_a_second_run_changes_nothing(name: str, unsafe: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fixes made of a file has nothing left that they would change."""
    shutil.copytree(FAULTY / "parts", tmp_path / "parts")
    monkeypatch.chdir(FAULTY)
    (tmp_path / name).write_bytes(content(name, unsafe=unsafe))
    monkeypatch.chdir(tmp_path)
    assert fix(name, unsafe=unsafe).files == {}


SAFE = (105, 110, 111, 114, 120, 122, 123, 125, 126, 201, 202, 203, 204, 206, 209, 210, 211, 213, 901)
UNSAFE = (105, 113, 206, 301, 302, 305, 402, 503)


def test_each_code_with_a_clear_cure_is_in_the_table() -> None:
    """Fixes of these codes are carried out somewhere in it."""
    assert {f"lp{code}" for code in SAFE} <= {path.name[:5] for path in HERE.iterdir() if path.is_file()}
    assert {f"lp{code}" for code in UNSAFE} <= {path.name[:5] for path in (HERE / "unsafe").iterdir()}


EDITS = [
    ("ends of lines stay as they are", b"a\r\nb\nc\r\n", [(2, 3, "x"), (4, 5, "y")], b"a\r\nx\ny\r\n"),
    ("a new line ends as the first one does", b"a\r\nb\r\n", [(4, 4, "c\nd\n")], b"a\r\nb\r\nc\r\nd\r\n"),
    ("a line end is taken out whole", b"a\r\nb\r\nc", [(2, 4, "")], b"a\r\nc"),
    ("the byte order mark stays", b"\xef\xbb\xbfab", [(0, 1, "x")], b"\xef\xbb\xbfxb"),
    ("offsets count characters", "é🌤b".encode(), [(2, 3, "x")], "é🌤x".encode()),
    ("a lone carriage return is a character", b"a\rb", [(2, 3, "x")], b"a\rx"),
]


@pytest.mark.parametrize("before, edits, after", [row[1:] for row in EDITS], ids=[row[0] for row in EDITS])
def test_edits_change_their_stretch_and_nothing_else(before, edits, after) -> None:
    """Offsets are those of the text as it is read; line ends, mark and everything else stay."""
    assert after == edited(before, edits)
