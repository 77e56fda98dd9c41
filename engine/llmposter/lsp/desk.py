"""What lies open in an editor: texts before they are saved, the last of each that could be read, and what is known.

Nothing here waits or speaks to anybody; `check` may run in a thread of its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from llmposter.lint.checking import check_text
from llmposter.lint.settings import Misconfigured, Project
from llmposter.lsp.uses import table
from llmposter_dsl import folders, reading
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.tree import Document

_SCENARIO: Final = re.compile(r"""^[\["'{]*(?:states|always|otherwise|scenario|llmposter)\b""", re.MULTILINE)
"""What only a scenario begins a line with: editors attach a server to every file of a kind."""


class Known(NamedTuple):
    """What the files of a scenario declare; of what two of them have, the first."""

    states: Mapping[str, Any]
    vars: Mapping[str, Any]
    tools: Mapping[str, Any]
    rules: tuple[str, ...]
    tokens: tuple[str, ...]


class Desk:
    """The texts of one editor; files are called by their real paths."""

    def __init__(self) -> None:
        self.folders: list[str] = []
        self.texts: dict[str, str] = {}
        self._good: dict[str, Document] = {}
        self._including: dict[str, frozenset[str]] | None = None
        self._project = Project()

    def put(self, path: str, text: str) -> None:
        """A text was opened or changed."""
        self.texts[path] = text
        read = self._read(path)
        if isinstance(read, Document):
            self._good[path] = read

    def drop(self, path: str) -> None:
        """A text was closed; the file counts again."""
        self.texts.pop(path, None)
        self._good.pop(path, None)

    def refresh(self) -> None:
        """Files may have changed."""
        self._including = None
        self._project = Project()

    # --- documents --------------------------------------------------------------------------------------------------

    def document(self, path: str) -> Document | None:
        """The document as it is, or as it was when it could last be read."""
        if path in self.texts:
            return self._good.get(path)
        read = self._read(path)
        return read if isinstance(read, Document) else None

    def whole(self, path: str) -> bool:
        """Whether the text can be read as it is now."""
        document = self.document(path)
        return document is not None and (path not in self.texts or isinstance(self._read(path), Document))

    def text(self, path: str) -> str:
        """The text of a file, as the editor has it."""
        held = self.texts.get(path)
        return Path(path).read_text(encoding="utf-8", errors="replace") if held is None else held

    def _read(self, path: str) -> Document | tuple[Diagnostic, ...]:
        kind = reading.KINDS.get(Path(path).suffix.lower(), "toml")
        if path in self.texts:
            return reading.read_text(self.texts[path], _shown(path), kind, path, scenario=False)
        return reading.read(path, _shown(path), scenario=False)

    def family(self, path: str) -> tuple[Document, ...]:
        """The documents of every scenario that a file belongs to, its own first."""
        found: dict[str, Document] = {}
        for each in (path, *(member for root in self.roots(path) for member in self._members(root))):
            document = None if each in found else self.document(each)
            if document is not None:
                found[each] = document
        return tuple(found.values())

    def _members(self, root: str) -> Iterator[str]:
        """A file and all that it includes."""
        pending, seen = [root], {root}
        while pending:
            path = pending.pop(0)
            yield path
            more = [each for each in self._included(path) if each not in seen]
            seen.update(more)
            pending += more

    def _included(self, path: str) -> list[str]:
        document = self.document(path)
        given = document.data.get("include") if document is not None and isinstance(document.data, dict) else None
        names = (
            [each for each in given if isinstance(each, str) and "\0" not in each] if isinstance(given, list) else []
        )
        return [os.path.realpath(Path(path).parent / name) for name in names]

    def roots(self, path: str) -> list[str]:
        """The scenarios that a file belongs to: itself, or those that include it."""
        if self._including is None:
            files = {os.path.realpath(each) for folder in self.folders for each in folders.below(folder)[1]}
            found = ((each, frozenset(map(os.path.realpath, folders.includes_of(each)))) for each in files)
            self._including = {each: included for each, included in found if included}
        including = {**self._including, **{each: frozenset(self._included(each)) for each in self.texts}}
        above = [path]
        for each in above:
            above += [one for one, included in including.items() if each in included and one not in above]
        tops = [each for each in above[1:] if not any(each in included for included in including.values())]
        return tops or [path]

    # --- what is known ----------------------------------------------------------------------------------------------

    def known(self, path: str, more: Any = None) -> Known:
        """What the scenarios of a file declare, and what *more*, a part that could be read alone."""
        every = [*(document.data for document in self.family(path)), more]
        named = {
            section: {name: each for data in reversed(every) for name, each in table(data, section).items()}
            for section in ("states", "vars", "tools")
        }
        final = [table(data, "scenario").get("final") for data in every]
        named["states"] = {**dict.fromkeys(name for each in final for name in _strings(each)), **named["states"]}
        rules = [name for data in every for name in _rules(data)]
        tokens = [name for data in every for name in _names(table(data, "auth").get("tokens"))]
        return Known(**named, rules=tuple(dict.fromkeys(rules)), tokens=tuple(dict.fromkeys(tokens)))

    def with_texts(self, path: str) -> Callable[[Mapping[str, str]], tuple[Diagnostic, ...]]:
        """What checks the scenarios of a file as if other texts were typed."""

        def check(texts: Mapping[str, str]) -> tuple[Diagnostic, ...]:
            other = Desk()
            other.texts = {**self.texts, **texts}
            return tuple(found for root in self.roots(path) for found in other.check(root))

        return check

    def check(self, root: str) -> tuple[Diagnostic, ...]:
        """Every finding on a scenario as it would be told if all were saved."""
        text = self.text(root)
        if root in self.texts and not _SCENARIO.search(text):
            return ()
        token = reading.UNSAVED.set(dict(self.texts))
        try:
            return check_text(text.encode("utf-8", "surrogatepass"), _shown(root), self._project).diagnostics
        except Misconfigured as error:
            return error.found
        finally:
            reading.UNSAVED.reset(token)


def _shown(path: str) -> str:
    """A path as messages call it."""
    try:
        return os.path.relpath(path)
    except ValueError:  # another drive
        return path


def _rules(data: Any) -> Iterator[str]:
    groups = [*table(data, "states").values()]
    groups += [data.get(name) for name in ("always", "otherwise")] if isinstance(data, dict) else []
    for group in groups:
        yield from _names(group)


def _strings(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _names(tables: Any) -> Iterator[str]:
    for each in tables if isinstance(tables, list) else ():
        if isinstance(each, dict) and isinstance(each.get("name"), str):
            yield each["name"]
