"""From the text of a scenario to a Program, or to all that is wrong with it, at once.

No stage stops the next unless its output is unusable, and nothing here raises for any text.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from llmposter_dsl import reading
from llmposter_dsl.codes import CODES
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.program import Program

if TYPE_CHECKING:
    from llmposter_dsl.tree import Document


class Compiled(NamedTuple):
    """What became of a scenario.

    Attributes:
        program: None if, and only if, one of the findings is an error.
        diagnostics: sorted by place; suppressed ones are left out.
        documents: the file and those that it includes, as far as they could be read.
        raw: all findings, suppressed ones too, for those who add theirs and apply suppressions again.
    """

    program: Program | None
    diagnostics: tuple[Diagnostic, ...]
    documents: tuple[Document, ...]
    raw: tuple[Diagnostic, ...] = ()


def compile_path(path: str | os.PathLike[str], name: str | None = None, wanted: Collection[str] = ()) -> Compiled:
    """The scenario in a file; *name* is how messages call the file.

    *wanted* are codes that are looked for only where somebody asks.
    """
    shown = os.fspath(path) if name is None else name
    if Path(path).is_dir():
        return _unreadable(shown, f"no scenario stands in the folder `{shown}`")
    return _compiled(lambda: reading.read(path, shown), wanted)


def compile_text(
    text: str | bytes,
    name: str = "scenario.toml",
    kind: Literal["toml", "yaml"] = "toml",
    path: str | None = None,
    wanted: Collection[str] = (),
) -> Compiled:
    """The scenario that a text is; *kind* is ``toml`` or ``yaml``.

    *path* is where it would stand on the disk, from where its includes are found.
    """
    return _compiled(lambda: reading.read_text(text, name, kind, path), wanted)


def compile_document(document: Document, wanted: Collection[str] = ()) -> Compiled:
    """The scenario in a document that was not read from a file or a text, such as one that a program made."""
    return _compiled(lambda: reading.faults(document) or document, wanted)


def scenario_files(
    paths: Iterable[str | os.PathLike[str]], excluded: Callable[[str], bool] = lambda _: False
) -> list[str]:
    """The scenarios that paths name: files as given; of folders what `folders.scenarios` finds, else the folder.

    *excluded* says of a file in a folder that it is left out.
    """
    from llmposter_dsl.folders import scenarios

    found: list[str] = []
    for path in paths:
        shown = os.fspath(path)
        inside = scenarios(shown) if Path(shown).is_dir() else None
        found += [shown] if not inside else [file for file in inside if not excluded(file)]
    return list(dict.fromkeys(found))


def _unreadable(name: str, message: str) -> Compiled:
    from llmposter_dsl.place import At
    from llmposter_dsl.source import Source, Span

    return Compiled(None, (Diagnostic("LP101", message, At(Source(name, ""), Span(0, 0))),), ())


def _compiled(read: Callable[[], Document | tuple[Diagnostic, ...]], wanted: Collection[str]) -> Compiled:
    document = read()
    if isinstance(document, tuple):
        return Compiled(None, settle(document, ()), (), document)
    from llmposter_dsl.build import build

    found: list[Diagnostic] = []
    program, documents = build(document, found.append, wanted)
    found += [each for one in documents for each in one.findings]
    diagnostics = settle(found, documents, wanted)
    failed = any(each.severity == "error" for each in diagnostics)
    return Compiled(None if failed else program, diagnostics, documents, tuple(found))


def settle(
    found: Iterable[Diagnostic], documents: Iterable[Document], wanted: Collection[str] = ()
) -> tuple[Diagnostic, ...]:
    """Findings as they are told: suppressions of the documents applied, sorted by place, each once."""
    told = tuple(found)
    for document in documents:
        told = _suppressed(document, told, wanted)
    if len(told) < 2:
        return told
    from llmposter_dsl.report import sort

    return tuple(sort(told))


def _suppressed(document: Document, found: tuple[Diagnostic, ...], wanted: Collection[str]) -> tuple[Diagnostic, ...]:
    if "llmposter: ignore" not in document.source.text:
        return found
    from llmposter_dsl import suppress

    own = tuple(each for each in found if each.place.source is document.source and CODES[each.code].silenceable)
    kept = tuple(each for each in found if not (each.place.source is document.source and CODES[each.code].silenceable))
    # Where something is broken much is not looked for, so that nothing can be said of what was not found.
    whole = all(each.severity != "error" for each in kept)
    return (*kept, *suppress.apply(document, own, wanted, whole=whole))


__all__ = ["Compiled", "compile_document", "compile_path", "compile_text", "scenario_files", "settle"]
