"""`llmposter lint --fix` and `--diff` as a user has them: processes, and the files that they leave."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from commands import call

from llmposter.lint import fixing

FAULTY = '[[states.a]]\nrepyl = "x"  # said\n'
MENDED = '[[states.a]]\nreply = "x"  # said\n'
UNSURE = f'[vars]\ncity = ""\n\n{MENDED}'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_fix_writes_what_is_safe_and_tells_what_is_left(folder: Path) -> None:
    """Safe fixes change the file; others wait for `--unsafe-fixes`, and the summary says so."""
    file = folder / "a.toml"
    file.write_text(UNSURE.replace("reply", "repyl"), encoding="utf-8")
    ended = call("lint", "--fix", "a.toml")
    assert (0, UNSURE) == (ended.returncode, file.read_text(encoding="utf-8"))
    assert "a.toml:2:1-2:5 LP305" in ended.stdout
    assert ended.stderr == "1 file: 1 warning, 1 fixed; can be fixed: 1 with `--fix --unsafe-fixes`\n"
    ended = call("lint", "--fix", "--unsafe-fixes", "a.toml")
    assert (0, "", "1 file: no findings, 1 fixed\n") == (ended.returncode, ended.stdout, ended.stderr)
    assert f"[vars]\n\n{MENDED}" == file.read_text(encoding="utf-8")


def test_what_can_be_fixed_is_offered(folder: Path) -> None:
    """Without `--fix` nothing is changed."""
    (folder / "a.toml").write_text(FAULTY, encoding="utf-8")
    ended = call("lint", "a.toml")
    assert ended.stderr == "1 file: 1 error; can be fixed: 1 with `--fix`\n"
    assert (1, FAULTY) == (ended.returncode, (folder / "a.toml").read_text(encoding="utf-8"))


def test_diff_shows_a_patch_and_changes_nothing(folder: Path) -> None:
    """Its exit code says whether there is something to fix."""
    file = folder / "a.toml"
    file.write_text(FAULTY, encoding="utf-8")
    ended = call("lint", "--diff", "a.toml")
    patch = '--- a.toml\n+++ a.toml\n@@ -1,2 +1,2 @@\n [[states.a]]\n-repyl = "x"  # said\n+reply = "x"  # said\n'
    assert (1, patch, "would fix 1 finding\n") == (ended.returncode, ended.stdout, ended.stderr)
    assert FAULTY == file.read_text(encoding="utf-8")
    assert call("lint", "--diff", "--exit-zero", "a.toml").returncode == 0
    file.write_text(MENDED, encoding="utf-8")
    ended = call("lint", "--diff", "a.toml")
    assert (0, "", "nothing to fix\n") == (ended.returncode, ended.stdout, ended.stderr)


def test_a_line_of_a_patch_ends_where_a_line_of_the_file_does(folder: Path) -> None:
    """A separator of Unicode or a form feed ends none."""
    (folder / "a.toml").write_text('[[states.a]]\nrepyl = "x\u2028y" # \x85\n', "utf-8")
    shown = call("lint", "--diff", "a.toml").stdout
    assert shown.endswith('\n-repyl = "x\u2028y" # \x85\n+reply = "x\u2028y" # \x85\n')


def test_a_diff_of_a_last_line_without_an_end_says_so(folder: Path) -> None:
    """As `patch` reads it."""
    (folder / "a.toml").write_text(FAULTY.removesuffix("\n"), encoding="utf-8")
    shown = call("lint", "--diff", "a.toml").stdout
    no_end = "\n\\ No newline at end of file\n"
    assert shown.endswith(f'-repyl = "x"  # said{no_end}+reply = "x"  # said{no_end}')


def test_standard_input_is_written_to_standard_output(folder: Path) -> None:
    """Fixed, with what is left on stderr; nothing is written to the file of that name."""
    ended = call("lint", "--fix", "--stdin-filename", "a.toml", stdin=UNSURE.replace("reply", "repyl"))
    assert (0, UNSURE) == (ended.returncode, ended.stdout)
    assert "a.toml:2:1-2:5 LP305" in ended.stderr
    assert list(folder.iterdir()) == []
    assert call("lint", "--fix", "-", stdin=MENDED).stdout == MENDED


def test_an_included_file_is_fixed_where_it_is(folder: Path) -> None:
    """A finding in an included file changes that file, once, though two scenarios include it."""
    (folder / "parts").mkdir()
    part = folder / "parts" / "b.yaml"
    part.write_text("states:\n  b:\n    - reply: 'you said ${usr}'\n", encoding="utf-8")
    text = 'include = ["parts/b.yaml"]\n\n[[states.a]]\nreply = "x"\ngoto = "b"\n'
    for name in ("one.toml", "two.toml"):
        (folder / name).write_text(text, encoding="utf-8")
    ended = call("lint", "--fix", "one.toml", "two.toml")
    assert (0, "2 files: no findings, 1 fixed\n") == (ended.returncode, ended.stderr)
    assert part.read_text(encoding="utf-8") == "states:\n  b:\n    - reply: 'you said ${user}'\n"
    assert (folder / "one.toml").read_text(encoding="utf-8") == text


def test_permissions_links_line_ends_and_mark_are_kept(folder: Path) -> None:
    """What is not the text stays as it was, and nothing else is left in the folder."""
    file, link = folder / "a.toml", folder / "link.toml"
    file.write_bytes(b"\xef\xbb\xbf" + FAULTY.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    link.symlink_to(file)
    assert call("lint", "--fix", "link.toml").returncode == 0
    assert file.read_bytes() == b"\xef\xbb\xbf" + MENDED.replace("\n", "\r\n").encode()
    assert (0o640, True) == (stat.S_IMODE(file.stat().st_mode), link.is_symlink())
    assert sorted(path.name for path in folder.iterdir()) == ["a.toml", "link.toml"]


def test_a_file_that_others_have_changed_is_left_alone(folder: Path) -> None:
    """What is to be written is what became of the text that was read, and of no other; the others are written."""
    for name in ("a.toml", "b.toml"):
        (folder / name).write_bytes(b"new")
    files = {str(folder / "a.toml"): (b"old", b"x"), str(folder / "b.toml"): (b"new", b"y")}
    assert [str(folder / "a.toml")] == list(fixing.write(files))
    assert (b"new", b"y") == ((folder / "a.toml").read_bytes(), (folder / "b.toml").read_bytes())


def test_a_file_that_cannot_be_replaced_stays_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk is full the old text is there, and nothing beside it."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (folder / "a.toml").write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        list(fixing.write({str(folder / "a.toml"): (b"old", b"x")}))
    assert [("a.toml", b"old")] == [(path.name, path.read_bytes()) for path in folder.iterdir()]


def test_only_what_is_told_is_fixed(folder: Path) -> None:
    """A code that is not selected, and a finding that is suppressed, keep what they speak of."""
    text = UNSURE.replace('city = ""', 'city = ""  # llmposter: ignore[LP305] later\ntown = ""')
    (folder / "a.toml").write_text(text, encoding="utf-8")
    call("lint", "--fix", "--unsafe-fixes", "--ignore", "LP305", "a.toml")
    assert text == (folder / "a.toml").read_text(encoding="utf-8")
    call("lint", "--fix", "--unsafe-fixes", "a.toml")
    assert text.replace('town = ""\n', "") == (folder / "a.toml").read_text(encoding="utf-8")


def test_unsafe_fixes_alone_is_a_mistake(folder: Path) -> None:
    """It says what it goes with."""
    (folder / "a.toml").write_text(MENDED, encoding="utf-8")
    ended = call("lint", "--unsafe-fixes", "a.toml")
    assert ended.returncode == 2
    assert "--unsafe-fixes goes with --fix or --diff" in ended.stderr


def test_json_and_sarif_have_the_fixes(folder: Path) -> None:
    """With the place of every edit and its text; SARIF in its own words."""
    import json

    (folder / "a.toml").write_text(FAULTY, encoding="utf-8")
    (told,) = json.loads(call("lint", "--format", "json", "a.toml").stdout)
    edit = {"file": "a.toml", "line": 2, "column": 1, "end_line": 2, "end_column": 6, "text": "reply"}
    assert [{"message": "write `reply`", "safe": True, "edits": [edit]}] == told["fixes"]
    (result,) = json.loads(call("lint", "--format", "sarif", "a.toml").stdout)["runs"][0]["results"]
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    assert {"text": "reply"} == change["replacements"][0]["insertedContent"]
    assert {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 6} == change["replacements"][0][
        "deletedRegion"
    ]
