"""Diagnostics for people and for programs: the only place that writes their text form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from llmposter_dsl.diagnostic import Diagnostic, Fix, Related
from llmposter_dsl.place import Place, where

Paint = Callable[[str, str], str]
"""Colours a text for what it is: ``error``, ``warning`` or ``info``, ``place`` or ``aside``."""


def plain(text: str, as_: str) -> str:  # noqa: ARG001 - it is a `Paint`
    """The text without any colour."""
    return text


_COLOURS = {"error": "1;31", "warning": "1;33", "info": "1;36", "place": "1", "aside": "36"}


def coloured(text: str, as_: str) -> str:
    """The text in the colour of what it is, for a terminal."""
    return f"\x1b[{_COLOURS[as_]}m{text}\x1b[0m"


def short(diagnostic: Diagnostic, paint: Paint = plain) -> str:
    """``file:line:col-line:col CODE message``; 1-based, the end exclusive, columns in code points."""
    place = diagnostic.place
    end_line, end_column = place.source.position(place.span.end)
    at, code = f"{where(place)}-{end_line}:{end_column}", diagnostic.code
    return f"{paint(at, 'place')} {paint(code, diagnostic.severity)} {diagnostic.message}"


def text(diagnostic: Diagnostic, paint: Paint = plain) -> str:
    """The short form, then the lines with carets, help, and related places on lines of their own."""
    return "\n".join(_lines(diagnostic, paint))


def _lines(diagnostic: Diagnostic, paint: Paint) -> Iterator[str]:
    from llmposter_dsl.snippet import snippet

    yield short(diagnostic, paint)
    for number, line, marks in snippet(diagnostic.place.source, diagnostic.place.span):
        if number is None:
            yield paint("  ... |", "aside")
            continue
        bar = paint(f"{number:5} |", "aside")
        yield f"{bar} {line}".rstrip()
        yield f"{paint('      |', 'aside')} {_painted(marks, diagnostic.severity, paint)}"
    if diagnostic.help is not None:
        yield f"    {paint('help:', 'aside')} {diagnostic.help}"
    for related in diagnostic.related:
        yield f"    {where(related.place)} {related.message}"


def _painted(marks: str, severity: str, paint: Paint) -> str:
    carets = marks.lstrip(" ")
    return marks[: len(marks) - len(carets)] + paint(carets, severity)


def record(diagnostic: Diagnostic) -> dict[str, Any]:
    """The finding as JSON data: lines and columns 1-based, the end exclusive, columns in code points."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        **region(diagnostic.place),
        "help": diagnostic.help,
        "related": [_related(each) for each in diagnostic.related],
        "fixes": [_fix(each) for each in diagnostic.fixes],
    }


def region(place: Place) -> dict[str, Any]:
    """A place as JSON data: file, line, column, and where it ends."""
    line, column = place.source.position(place.span.start)
    end_line, end_column = place.source.position(place.span.end)
    found = {"file": place.source.name, "line": line, "column": column}
    return {**found, "end_line": end_line, "end_column": end_column}


def _related(related: Related) -> dict[str, Any]:
    return {"message": related.message, **region(related.place)}


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [{**region(each.place), "text": each.text} for each in fix.edits]
    return {"message": fix.message, "safe": fix.safe, "edits": edits}


def sort(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By file, place and code, each finding once."""
    unique = {_order(diagnostic): diagnostic for diagnostic in diagnostics}
    return tuple(unique[order] for order in sorted(unique))


def _order(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
    span = diagnostic.place.span
    return diagnostic.place.source.name, span.start, span.end, diagnostic.code, diagnostic.message
