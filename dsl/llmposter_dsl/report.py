"""Diagnostics for people and for programs: the only place that writes their text form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.place import where


def text(diagnostic: Diagnostic) -> str:
    """``file:line:col-line:col CODE message``, then help and related places on lines of their own."""
    place = diagnostic.place
    end_line, end_column = place.source.position(place.span.end)
    lines = [f"{where(place)}-{end_line}:{end_column} {diagnostic.code} {diagnostic.message}"]
    if diagnostic.help is not None:
        lines.append(f"    help: {diagnostic.help}")
    lines += [f"    {where(related.place)} {related.message}" for related in diagnostic.related]
    return "\n".join(lines)


def record(diagnostic: Diagnostic) -> dict[str, Any]:
    """The finding as JSON data: lines and columns 1-based, the end exclusive, columns in code points."""
    span, source = diagnostic.place.span, diagnostic.place.source
    line, column = source.position(span.start)
    end_line, end_column = source.position(span.end)
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "file": source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "help": diagnostic.help,
    }


def sort(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By file, place and code, each finding once."""
    unique = {_order(diagnostic): diagnostic for diagnostic in diagnostics}
    return tuple(unique[order] for order in sorted(unique))


def _order(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
    span = diagnostic.place.span
    return diagnostic.place.source.name, span.start, span.end, diagnostic.code, diagnostic.message
