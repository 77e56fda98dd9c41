"""Whether files are otherwise than they were checked, whatever becomes of them in that very moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from llmposter.lint import check
from llmposter.lint.checking import Checked
from llmposter.sources import Sources

SCENARIO = '[[states.a]]\nreply = "x"\n'


def nothing(_: Path) -> None:
    pass


def comes(folder: Path) -> None:
    (folder / "b.toml").write_text(SCENARIO)


def goes(folder: Path) -> None:
    (folder / "b.toml").unlink()


def changes(folder: Path) -> None:
    (folder / "a.toml").write_text(SCENARIO + "# longer\n")


def is_listed_alone(folder: Path) -> None:
    """As a file is that goes once its name was read."""
    (folder / "b.toml").symlink_to(folder / "nowhere")


@pytest.mark.parametrize(
    "at_first, before, after, changed",
    [
        (nothing, nothing, nothing, False),
        (nothing, nothing, comes, True),
        (nothing, comes, nothing, False),
        (nothing, changes, nothing, True),
        (nothing, nothing, changes, True),
        (comes, nothing, goes, True),
        (is_listed_alone, nothing, nothing, False),
        (is_listed_alone, nothing, goes, True),
        (nothing, is_listed_alone, goes, True),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
@pytest.mark.parametrize("again", [False, True])
def test_what_happens_while_files_are_checked_is_a_change(
    tmp_path: Path, at_first: Callable[[Path], None], before: Callable[[Path], None], after: Callable[[Path], None],
    changed: bool, again: bool,
) -> None:  # fmt: skip
    """Unless it was read already; whether they are read for the first time or again."""
    acting = False

    def checker(paths: Sequence[str]) -> Checked:
        if acting:
            before(tmp_path)
        checked = check(paths)
        if acting:
            after(tmp_path)
        return checked

    (tmp_path / "a.toml").write_text(SCENARIO)
    at_first(tmp_path)
    sources = Sources([str(tmp_path)], checker=checker)
    if again:
        sources.load()
    acting = True
    sources.load()
    assert changed == sources.changed()
    acting = False
    sources.load()
    assert not sources.changed()


def test_what_was_checked_stays_so_where_nothing_happens(tmp_path: Path) -> None:
    """Beside a folder without a scenario, a file that is not there, and one that nobody includes any more."""
    (tmp_path / "empty").mkdir()
    main, part = tmp_path / "main.toml", tmp_path / "part.toml"
    part.write_text(SCENARIO)
    main.write_text('include = ["part.toml"]\nscenario.name = "n"\n')
    sources = Sources([str(main)])
    beside = Sources([str(tmp_path / "empty"), str(tmp_path / "gone.toml"), str(main)])
    assert [(False, False), (True, False)] == [(each.load().failed, each.changed()) for each in (sources, beside)]
    part.write_text(SCENARIO + "# longer\n")
    assert [True, True] == [each.changed() for each in (sources, beside)]
    main.write_text(SCENARIO)
    assert [(False, False), (True, False)] == [(each.load().failed, each.changed()) for each in (sources, beside)]
    part.unlink()
    assert [False, True] == [each.changed() for each in (sources, beside)]


def test_a_relative_path_is_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also once the folder is gone in which it was named."""
    (here := tmp_path / "here").mkdir()
    monkeypatch.chdir(here)
    sources = Sources(["a.toml"])
    here.rmdir()
    assert ({str(tmp_path)}, True) == (sources.places(), sources.changed())
