"""A scenario's own file and the files that it includes, as one: states, vars, tools and defaults by name, each once.

A value keeps the place where it was written, so that a finding names the file that has to change.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from llmposter_dsl import bind, keys, words
from llmposter_dsl.diagnostic import Diagnostic, Related
from llmposter_dsl.place import Within
from llmposter_dsl.program import Value

if TYPE_CHECKING:
    from llmposter_dsl.tree import Document

_MERGED = {"states": "state", "vars": "variable", "tools": "tool", "defaults": "default"}


class Placed(NamedTuple):
    """A value, and where it was written."""

    value: Value
    place: Within


class Gathered:
    """What a scenario consists of.

    Attributes:
        root: the keys of the scenario's own file.
        named: for `states`, `vars`, `tools` and `defaults`, what stands under each name.
    """

    def __init__(self, root: bind.Table, report: bind.Report) -> None:
        self.root = root
        self.report = report
        self.documents: list[Document] = []
        self.named: dict[str, dict[str, Placed]] = {section: {} for section in _MERGED}

    def merge(self, file: bind.Table) -> None:
        """Takes over what *file* has; a name that is there already is refused."""
        for section, noun in _MERGED.items():
            for name, value in file.get(section, {}).items():
                first = self.named[section].get(name)
                if first is None:
                    self.named[section][name] = Placed(value, file.at(section, name))
                else:
                    self._clash(noun, name, file.place.key(section, name), first.place)

    def _clash(self, noun: str, name: str, place: Within, first: Within) -> None:
        message = f"{noun} {words.shown(name)} is already given in {first.source.name}"
        related = (Related(Within(first.document, first.path, "key"), "it is given here first"),)
        self.report(Diagnostic("LP116", message, place, "give one of the two another name", related))


def gather(document: Document, report: bind.Report) -> Gathered:
    """The document and all that it includes; the own file comes first."""
    gathered = Gathered(bind.table(document.data, document.root(), keys.DOCUMENT, report), report)
    _take(gathered, document, gathered.root, (_identity(document.source.path),))
    return gathered


def _identity(path: Path | str | None) -> str:
    return "" if path is None else os.path.realpath(path)


def _take(gathered: Gathered, document: Document, file: bind.Table, chain: tuple[str, ...]) -> None:
    gathered.documents.append(document)
    _version(file)
    gathered.merge(file)
    for name, place in bind.texts(file.get("include", []), file.at("include"), "a file to include", gathered.report):
        _include(gathered, name, place, chain)


def _version(file: bind.Table) -> None:
    version = file.get("llmposter", "1")
    if version != "1":
        file.refuse(
            "LP114", f"version {words.shown(version)} of the language is not known", "llmposter", cure='write `"1"`'
        )


def _include(gathered: Gathered, name: str, place: Within, chain: tuple[str, ...]) -> None:
    here = place.source
    if here.path is None:
        _refuse(gathered, place, f"{words.shown(name)} cannot be found from a text without a file")
        return
    path = Path(here.path).parent / name
    if not path.is_file():
        _refuse(gathered, place, f"{words.shown(name)} is no file", "a path starts at the file that includes it")
        return
    identity = _identity(path)
    if identity in chain:
        _refuse(gathered, place, f"{words.shown(name)} includes this file again")
    elif all(_identity(each.source.path) != identity for each in gathered.documents):
        # normpath, which pathlib lacks, so that messages say `b.toml` and not `parts/../b.toml`.
        _read(gathered, path, os.path.normpath(Path(here.name).parent / name), (*chain, identity))


def _read(gathered: Gathered, path: Path, name: str, chain: tuple[str, ...]) -> None:
    from llmposter_dsl import reading

    document = reading.read(path, name)
    if isinstance(document, tuple):
        for diagnostic in document:
            gathered.report(diagnostic)
        return
    included = {key: keys.DOCUMENT[key] for key in keys.INCLUDED}
    file = bind.table(document.data, document.root(), included, gathered.report, _misplaced)
    _take(gathered, document, file, chain)


def _misplaced(name: str, place: Within) -> Diagnostic | None:
    if name not in keys.DOCUMENT:
        return None
    help_ = f"an included file has {words.listed(keys.INCLUDED[2:], 'and')}"
    return Diagnostic("LP116", f"`{name}` has no place in an included file", place.key(name), help_)


def _refuse(gathered: Gathered, place: Within, message: str, cure: str | None = None) -> None:
    gathered.report(Diagnostic("LP116", message, place, cure))
