"""Names across the files of a scenario: what a cursor names, where else that stands, and how it is given another name.

A name is changed everywhere or nowhere: what comes of the texts has to be read and checked as it was before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from llmposter.lsp.uses import Kind, Use, uses
from llmposter_dsl import facts, names
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.source import Span
from llmposter_dsl.tree import Document

_VARIABLE: Final = re.compile(r"[^\W\d]\w*")
_TOOL: Final = re.compile(r"\w[\w.-]*")


class Refused(Exception):  # noqa: N818 - it says why
    """Why a name cannot be given, for the user."""


class Change(NamedTuple):
    """A stretch of a file, and what stands there afterwards."""

    path: str
    span: Span
    text: str


def at(document: Document, offset: int) -> Use | None:
    """What is named at an offset."""
    found = (use for use in uses(document) if use.span.start <= offset <= use.span.end)
    return min(found, key=lambda use: use.span.end - use.span.start, default=None)


def everywhere(documents: Iterable[Document], kind: Kind, name: str) -> list[Use]:
    """Every place where it is named, file by file."""
    found = (use for document in documents for use in uses(document) if (use.kind, use.name) == (kind, name))
    return sorted(found, key=lambda use: (use.document.source.path or "", use.span))


def declared(documents: Iterable[Document], kind: Kind, name: str) -> list[Use]:
    """Where it is declared, each table once."""
    return [use for use in everywhere(documents, kind, name) if use.defines]


def rename(
    documents: tuple[Document, ...],
    use: Use,
    name: str,
    check: Callable[[Mapping[str, str]], tuple[Diagnostic, ...]],
) -> list[Change]:
    """The changes that give what *use* names the name *name*; *check* finds what is wrong with texts by their paths.

    Raises:
        Refused: it cannot have the name, or something else would change.
    """
    _allowed(documents, use.kind, name)
    changes = [
        Change(each.document.source.path or "", each.span, name) for each in everywhere(documents, use.kind, use.name)
    ]
    before = {document.source.path or "": document.source.text for document in documents}
    after = {path: edited(text, [each for each in changes if each.path == path]) for path, text in before.items()}
    if _codes(check(before)) != _codes(check(after)):
        raise Refused(f"`{use.name}` cannot be called `{name}`: the scenario would not be the same")
    return changes


def edited(text: str, changes: Iterable[Change]) -> str:
    """A text with changes made, from the last to the first."""
    for change in sorted(changes, key=lambda each: each.span, reverse=True):
        text = text[: change.span.start] + change.text + text[change.span.end :]
    return text


def _codes(found: Iterable[Diagnostic]) -> Counter[str]:
    return Counter(each.code for each in found)


def _allowed(documents: Iterable[Document], kind: Kind, name: str) -> None:
    if everywhere(documents, kind, name):
        raise Refused(f"`{name}` is a name here already")
    why = _wrong(kind, name)
    if why is not None:
        raise Refused(f"`{name}` cannot be the name of a {kind}: {why}")


def _wrong(kind: Kind, name: str) -> str | None:
    match kind:
        case "state":
            if name in names.GROUPS:
                return "rules for every state stand under it"
            return None if names.is_identifier(name) else "a name has letters, digits, `_` and `-`"
        case "variable":
            if not _VARIABLE.fullmatch(name):
                return "a variable has letters, digits and `_`, and no digit first"
            why = facts.reserved(name)
            return None if why is None else f"it is {why}"
        case "tool":
            return None if _TOOL.fullmatch(name) else "it could not be called in an expression"
        case "rule":
            return None if name and not re.search(r"[\"'\\\x00-\x1f]", name) else "it has quotes, or nothing"
