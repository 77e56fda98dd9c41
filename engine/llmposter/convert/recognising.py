"""Whose file it is, by what stands in it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from llmposter_dsl.diagnostic import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmposter.convert import Format
    from llmposter_dsl.tree import Document, Kind

KINDS: Mapping[str, Kind] = MappingProxyType({".json": "json", ".yaml": "yaml", ".yml": "yaml"})


def format_of(document: Document) -> Format | None:
    """The format that a file is written in, or None."""
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


def unknown(document: Document) -> Diagnostic:
    """That nobody's file looks like this."""
    data: dict[str, Any] = document.data
    if "states" in data:
        return Diagnostic("LP108", "this is a scenario already", document.root())
    if "llm" in data and document.kind == "json":
        message = "this is the configuration of aimock, not its fixtures"
        return Diagnostic("LP108", message, document.root(), "give the file that `llm.fixtures` names")
    message = "this is no file of llmposter 0.5, aimock, mock-llm or fakellm"
    return Diagnostic("LP108", message, document.root(), "fixtures stand in a list `fixtures`, rules in a list `rules`")
