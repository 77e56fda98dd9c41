"""Whose file it is, by what stands in it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from llmposter_dsl.diagnostic import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from llmposter.convert import Format
    from llmposter_dsl.tree import Document, Kind

KINDS: Mapping[str, Kind] = MappingProxyType({".json": "json", ".yaml": "yaml", ".yml": "yaml"})


def files(path: str | os.PathLike[str]) -> list[str]:
    """The file, or those right inside of a folder that might be read; the folder itself where there is none."""
    folder = Path(path)
    if not folder.is_dir():
        return [os.fspath(path)]
    inside = sorted(each for each in folder.iterdir() if each.suffix.lower() in KINDS and each.is_file())
    return list(map(str, inside)) or [os.fspath(path)]


def format_of(documents: Iterable[Document]) -> Format | None:
    """The format that files are written in, or None where there is none that all of them have."""
    found = {_format_of(document) for document in documents}
    return found.pop() if len(found) == 1 else None


def _format_of(document: Document) -> Format | None:
    match document.data:
        case {"fixtures": list(entries)}:
            return "aimock" if document.kind == "json" or _has(entries, "match", _OF_AIMOCK) else "llmposter"
        case {"rules": list(entries)} if any(isinstance(each, dict) and "path" in each for each in entries):
            return "mock-llm"
        case {"rules": list()}:
            return "fakellm"
        case _:
            return None


_OF_AIMOCK = frozenset(("userMessage", "systemMessage", "inputText", "toolName", "toolCallId", "turnIndex", "endpoint"))


def _has(entries: list[Any], name: str, keys: frozenset[str]) -> bool:
    return any(isinstance(each, dict) and not keys.isdisjoint(each.get(name) or ()) for each in entries)


_LISTS: Mapping[Format, str] = MappingProxyType({"aimock": "fixtures", "mock-llm": "rules", "fakellm": "rules"})
"""What the entries of each stand in; what llmposter 0.5 would say of a file is told by its own reader."""


def strange(documents: Sequence[Document], known: Format) -> tuple[Diagnostic, ...]:
    """That not one of the files is of a format, each with what it may be; nothing where one of them is."""
    name = _LISTS.get(known)
    if name is None or any(isinstance(document.data.get(name), list) for document in documents):
        return ()
    return tuple(_strange(document, known, name) for document in documents)


def _strange(document: Document, known: Format, name: str) -> Diagnostic:
    found, there = _format_of(document), name in document.data
    place = document.root().child(name) if there else document.root()
    message = f"this is no file of {known}: `{name}` is {'no list' if there else 'missing'}"
    return Diagnostic("LP108", message, place, f"it may be one of {found}: try `--from {found}`" if found else None)


def unread(found: Diagnostic) -> Diagnostic:
    """What kept a file from being read, without a word of scenarios, which it is not to be."""
    if found.code != "LP108":
        return found
    empty = not found.place.source.text.strip()
    return replace(found, message="the file is empty" if empty else _NOBODYS, help=_WANTED)


_NOBODYS = "this is no file of llmposter 0.5, aimock, mock-llm or fakellm"
_WANTED = "fixtures stand in a list `fixtures`, rules in a list `rules`"


def unknown(document: Document) -> Diagnostic:
    """That nobody's file looks like this, or that files are not of one format."""
    data: dict[str, Any] = document.data
    if "states" in data:
        return Diagnostic("LP108", "this is a scenario already", document.root())
    if "llm" in data and document.kind == "json":
        message = "this is the configuration of aimock, not its fixtures"
        return Diagnostic("LP108", message, document.root(), "give the file that `llm.fixtures` names")
    if _format_of(document) is not None:
        return Diagnostic(
            "LP108", "the files of this folder are not of one format", document.root(), "give one of them"
        )
    return Diagnostic("LP108", _NOBODYS, document.root(), _WANTED)
