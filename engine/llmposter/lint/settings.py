"""What a project says of its checks, in `llmposter.toml` or under `[tool.llmposter]` of `pyproject.toml`.

The nearest such file from a scenario upward counts. What is wrong in it is told with its place, as in a scenario.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from llmposter.lint.selecting import Choice, Unknown, ignorable, known
from llmposter_dsl.diagnostic import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llmposter_dsl.place import Within

NAMES: Final = ("llmposter.toml", "pyproject.toml")


class Misconfigured(Exception):  # noqa: N818 - it says what the project is
    """A configuration that cannot be used, with all that is wrong in it."""

    def __init__(self, name: str, found: Sequence[Diagnostic]) -> None:
        super().__init__(f'the configuration in "{name}" cannot be used')
        self.found = tuple(found)


class Settings(msgspec.Struct, frozen=True):
    """What holds for the files of one project.

    Attributes:
        choice: the codes that are told.
        per_file: of files that a pattern fits, the codes that are not told.
        exclude: patterns of files and folders that a search leaves out.
        strict: warnings make `lint` fail.
        top: the folder that patterns start from.
    """

    choice: Choice = Choice()
    per_file: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = ()
    strict: bool = False
    top: str = ""

    def tells(self, found: Diagnostic) -> bool:
        """Whether a finding is told."""
        if not self.choice.tells(found.code):
            return False
        if not self.per_file:
            return True
        ignored = tuple(code for glob, codes in self.per_file if self._fits(glob, found) for code in codes)
        choice = self.choice
        return Choice(choice.select, choice.extend, (*choice.ignore, *ignored)).tells(found.code)

    def _fits(self, glob: str, found: Diagnostic) -> bool:
        return _fits(glob, found.place.source.path or found.place.source.name, self.top)

    def excluded(self, path: str) -> bool:
        """Whether a search leaves a file out."""
        return any(_fits(glob, path, self.top) for glob in self.exclude)


class Project:
    """The settings of each scenario, found as they are asked for.

    Args:
        config: the file that counts for all of them; None for the nearest of each.
        isolated: no file is looked for.
        given: what the command line makes of the settings.
    """

    def __init__(
        self,
        config: str | None = None,
        *,
        isolated: bool = False,
        given: Callable[[Settings], Settings] = lambda settings: settings,
    ) -> None:
        fixed = Settings() if isolated else None if config is None else _read(config, needed=True)
        self._fixed = fixed and given(fixed)
        self._given = given
        self._known: dict[str, Settings] = {}

    def of(self, path: str) -> Settings:
        """The settings for a file.

        Raises:
            Misconfigured: those that were found cannot be used.
        """
        return self._fixed or self._nearest(os.path.dirname(os.path.abspath(path)))  # noqa: PTH100, PTH120

    def _nearest(self, folder: str) -> Settings:
        if folder not in self._known:
            above = os.path.dirname(folder)  # noqa: PTH120
            own = _own(folder)
            if own is None and above != folder:
                self._known[folder] = self._nearest(above)
            else:
                self._known[folder] = self._given(own or Settings())
        return self._known[folder]


def _own(folder: str) -> Settings | None:
    """What a folder itself says."""
    files = (Path(folder, name) for name in NAMES)
    return next((found for file in files if file.is_file() and (found := _read(str(file))) is not None), None)


def _read(name: str, *, needed: bool = False) -> Settings | None:
    """The settings in a file; None of a `pyproject.toml` that has none, unless they are *needed*."""
    from llmposter_dsl import reading

    path = Path(name)
    own = path.name != NAMES[1]
    try:
        text = path.read_bytes()
    except OSError as error:
        raise Misconfigured(name, reading.read(path, name)) from error  # type: ignore[arg-type]
    if not own and b"llmposter" not in text:
        return Settings(top=str(path.parent)) if needed else None
    document = reading.read_text(text, name, path=str(path))
    if isinstance(document, tuple):
        if own and document[0].code == "LP108":  # an empty one says nothing
            return Settings(top=str(path.parent))
        raise Misconfigured(name, document)
    place = document.root() if own else document.root().child("tool", "llmposter")
    table = document.lookup(place.path)
    if table is None and not needed:
        return None
    found: list[Diagnostic] = []
    settings = _settings(table or {}, place, found.append)
    if found:
        raise Misconfigured(name, found)
    return msgspec.structs.replace(settings, top=str(path.resolve().parent))


def _settings(value: Any, place: Within, report: Callable[[Diagnostic], None]) -> Settings:
    from llmposter_dsl import bind, words

    if not isinstance(value, dict):
        report(Diagnostic("LP111", f"`llmposter` is {words.kind(value)}, expected a table", place))
        return Settings()
    table = bind.table(value, place, _keys(), report)
    select = _codes(table, "select", known) if "select" in table else None
    choice = Choice(select, _codes(table, "extend-select", known), _codes(table, "ignore", ignorable))
    exclude = bind.texts(table.get("exclude", []), table.at("exclude"), "a pattern", report)
    return Settings(choice, _per_file(table), tuple(text for text, _ in exclude), table.get("strict", False))


def _keys() -> Any:
    from llmposter_dsl.keys import BOOL, TABLE, TEXTS, Key

    keys = (
        Key("select", TEXTS, "Codes, or how they begin, that are told."),
        Key("extend-select", TEXTS, "Codes that are told beside those."),
        Key("ignore", TEXTS, "Codes that are not told."),
        Key("per-file-ignores", TABLE, "By pattern, codes that are not told of such files."),
        Key("exclude", TEXTS, "Patterns of files and folders that a search leaves out."),
        Key("strict", BOOL, "Whether warnings fail."),
    )
    return {key.name: key for key in keys}


def _codes(table: Any, name: str, of: Callable[[str], str]) -> tuple[str, ...]:
    return _each(table.get(name, []), table.at(name), of, table.report)


def _each(value: Any, place: Within, of: Callable[[str], str], report: Callable[[Diagnostic], None]) -> tuple[str, ...]:
    from llmposter_dsl import bind

    found = []
    for text, at in bind.texts(value, place, "a code", report):
        try:
            found.append(of(text))
        except Unknown as error:
            report(Diagnostic("LP114", str(error), at))
    return tuple(found)


def _per_file(table: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    from llmposter_dsl import words

    found = []
    for glob, codes in table.get("per-file-ignores", {}).items():
        at = table.at("per-file-ignores", glob)
        if isinstance(codes, list):
            found.append((glob, _each(codes, at, ignorable, table.report)))
        else:
            message = f"{words.shown(glob)} is {words.kind(codes)}, expected a list of texts"
            table.report(Diagnostic("LP111", message, at))
    return tuple(found)


def _fits(glob: str, path: str, top: str) -> bool:
    """Whether a pattern fits a file or a folder that it stands in; one without a slash fits at any depth."""
    absolute = os.path.abspath(path)  # noqa: PTH100 - links stay as they are
    inside = os.path.relpath(absolute, top or None).replace(os.sep, "/")
    return _pattern(glob.rstrip("/")).fullmatch(inside) is not None


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    forms = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob.removeprefix("./"))
    anywhere = "" if "/" in glob else "(?:.*/)?"
    return re.compile(f"{anywhere}{''.join(forms.get(part) or re.escape(part) for part in parts)}(?:/.*)?", re.DOTALL)
