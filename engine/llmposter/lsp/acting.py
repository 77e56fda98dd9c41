"""Findings as an editor shows them, and what can be done about each: its fixes, or a comment that takes it away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from lsprotocol import types

from llmposter.lsp.places import Places
from llmposter_dsl.codes import CODES
from llmposter_dsl.diagnostic import Diagnostic, Fix
from llmposter_dsl.place import Within
from llmposter_dsl.source import Source

Uri = Callable[[Source], str]

_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "info": types.DiagnosticSeverity.Information,
}
_UNNECESSARY = frozenset(("LP301", "LP302", "LP305", "LP306", "LP901"))
"""Codes of what could as well not be there."""
FIX_ALL = "source.fixAll.llmposter"


def diagnostic(found: Diagnostic, places: Places, uri: Uri) -> types.Diagnostic:
    """A finding in the protocol's words; its cure stands below its sentence."""
    related = [
        types.DiagnosticRelatedInformation(
            types.Location(uri(each.place.source), places.range(each.place.source, each.place.span)), each.message
        )
        for each in found.related
    ]
    return types.Diagnostic(
        range=places.range(found.place.source, found.place.span),
        severity=_SEVERITIES[found.severity],
        code=found.code,
        source="llmposter",
        message=found.message if found.help is None else f"{found.message}\n{found.help}",
        tags=[types.DiagnosticTag.Unnecessary] if found.code in _UNNECESSARY else None,
        related_information=related or None,
    )


def actions(found: Sequence[Diagnostic], places: Places, uri: Uri) -> Iterator[types.CodeAction]:
    """What can be done about findings, fixes first."""
    for each in found:
        for fix in each.fixes:
            yield types.CodeAction(
                title=fix.message[:1].upper() + fix.message[1:],
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[diagnostic(each, places, uri)],
                is_preferred=fix.safe and fix is each.fixes[0],
                edit=_edit([fix], places, uri),
            )
    yield from (_silence(each, places, uri) for each in found if CODES[each.code].silenceable)


def fix_all(found: Iterable[Diagnostic], places: Places, uri: Uri) -> types.CodeAction | None:
    """All safe fixes at once, those left out that would change what another one does."""
    taken: list[tuple[Source, int, int]] = []
    fixes: list[Fix] = []
    for fix in (each.fixes[0] for each in found if each.fixes and each.fixes[0].safe):
        spans = [(edit.place.source, edit.place.span.start, edit.place.span.end) for edit in fix.edits]
        if not any(one[0] is two[0] and one[1] <= two[2] and two[1] <= one[2] for one in spans for two in taken):
            taken += spans
            fixes.append(fix)
    if not fixes:
        return None
    title = "Fix all that is safe to fix"
    return types.CodeAction(title=title, kind=FIX_ALL, edit=_edit(fixes, places, uri))


def _edit(fixes: Iterable[Fix], places: Places, uri: Uri) -> types.WorkspaceEdit:
    changes: dict[str, list[types.TextEdit]] = {}
    for edit in (each for fix in fixes for each in fix.edits):
        source = edit.place.source
        changes.setdefault(uri(source), []).append(types.TextEdit(places.range(source, edit.place.span), edit.text))
    return types.WorkspaceEdit(changes=dict(changes))


def _silence(found: Diagnostic, places: Places, uri: Uri) -> types.CodeAction:
    """A comment above the line, as the line is indented; of a finding in a long text, above its key."""
    source, place = found.place.source, found.place
    start = place.document.key_span(place.path).start if isinstance(place, Within) else place.span.start
    line, _ = source.position(start)
    text = source.line(line)
    indent = text[: len(text) - len(text.lstrip())]
    at = types.Position(line - 1, 0)
    comment = f"{indent}# llmposter: ignore[{found.code}]\n"
    return types.CodeAction(
        title=f"Ignore {found.code} here",
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[diagnostic(found, places, uri)],
        edit=types.WorkspaceEdit(changes={uri(source): [types.TextEdit(types.Range(at, at), comment)]}),
    )
