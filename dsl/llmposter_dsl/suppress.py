"""Findings that the author has answered in a comment: ``# llmposter: ignore[LP301] reason``.

A suppression names its codes, and one that suppresses nothing is a finding itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from llmposter_dsl.codes import CODES
from llmposter_dsl.diagnostic import Diagnostic, Edit, Fix
from llmposter_dsl.place import At, Within
from llmposter_dsl.source import Source, Span
from llmposter_dsl.tree import Document

_MARK = "llmposter: ignore"
_FORM = re.compile(r"#\s*llmposter: (?P<what>ignore-file|ignore)\b(?:\[(?P<codes>[^\]\n]*)\])?")
_CODE = re.compile(r"[^\s,]+")


@dataclass(slots=True)
class _Suppression:
    """One code of one comment.

    Attributes:
        line: the line it speaks of, None for the whole file.
        comment: all of the comment.
        whole: where a rule begins in that line, it speaks of all of the rule.
    """

    code: str
    line: int | None
    whole: bool
    span: Span
    comment: Span
    used: bool = field(default=False)


def apply(
    document: Document, diagnostics: Iterable[Diagnostic], wanted: Collection[str] = (), *, whole: bool = True
) -> tuple[Diagnostic, ...]:
    """The findings that stay, and one for each suppression in *document* that none of them needed.

    Findings of other files stay as they are; of a code that was not looked for no suppression is unused, and of a
    document that is not *whole* no code was looked for with certainty.
    """
    diagnostics = tuple(diagnostics)
    source = document.source
    if _MARK not in source.text:
        return diagnostics
    suppressions, wrong = _read(document)
    stay = [found for found in diagnostics if not _suppressed(found, source, suppressions)]
    unused = [one for one in suppressions if not one.used and (one.code in wanted or not _asked(one.code))]
    unused = [one for one in unused if whole or one.code not in CODES or not CODES[one.code].silenceable]
    return (*stay, *wrong, *(_unused(source, one) for one in unused))


def _asked(code: str) -> bool:
    return code in CODES and CODES[code].asked


def _suppressed(found: Diagnostic, source: Source, suppressions: list[_Suppression]) -> bool:
    if found.place.source is not source:
        return False
    fitting = [one for one in suppressions if one.code == found.code]
    if not fitting:
        return False
    lines, rule = _lines(found, source), _rule(found)
    fitting = [one for one in fitting if one.line is None or one.line in lines or (one.whole and one.line == rule)]
    for one in fitting:
        one.used = True
    return bool(fitting)


def _lines(found: Diagnostic, source: Source) -> set[int]:
    """The lines that a comment may stand on: inside a string there are no comments, so its ends count too."""
    place = found.place
    lines = {source.position(place.span.start)[0]}
    if isinstance(place, Within):
        key = place.document.key_span(place.path)
        value = place.document.value_span(place.path)
        if place.inner is not None:
            lines |= {source.position(at)[0] for at in (key.start, value.start, value.end)}
    return lines


def _rule(found: Diagnostic) -> int | None:
    """The line in which the rule begins that a finding is in."""
    place = found.place
    if not isinstance(place, Within):
        return None
    depth = 3 if place.path[:1] == ("states",) else 2
    if len(place.path) < depth or not isinstance(place.path[depth - 1], int):
        return None
    return place.source.position(place.document.value_span(place.path[:depth]).start)[0]


def _read(document: Document) -> tuple[list[_Suppression], list[Diagnostic]]:
    source, text = document.source, document.source.text
    match document.kind:
        case "toml":
            from llmposter_dsl.toml_tree import comments
        case "yaml":
            from llmposter_dsl.yaml_tree import comments
        case "json":
            return [], []
    suppressions: list[_Suppression] = []
    wrong: list[Diagnostic] = []
    starts = list(comments(text))
    for start in starts:
        form = _FORM.match(text, start)
        if form is None:
            continue
        if problem := _problem(source, form):
            wrong.append(problem)
            continue
        line, whole = (None, True) if form["what"] == "ignore-file" else _line_meant(source, start)
        for code in _CODE.finditer(form["codes"]):
            at = form.start("codes")
            span, end = Span(at + code.start(), at + code.end()), text.find("\n", start)
            comment = Span(start, len(text) if end < 0 else end)
            suppressions.append(_Suppression(code[0], line, whole, span, comment))
    return suppressions, wrong


def _problem(source: Source, form: re.Match[str]) -> Diagnostic | None:
    place = At(source, Span(*form.span()))
    if not _CODE.search(form["codes"] or ""):
        return Diagnostic("LP901", f"`{form[0]}` names no code", place, "name the codes: `ignore[LP301]`")
    above = source.text[: form.start()].split("\n")
    if form["what"] == "ignore-file" and any(line.strip() and line.lstrip()[0] != "#" for line in above):
        return Diagnostic("LP901", "`ignore-file` must stand at the top of the file", place)
    return None


def _line_meant(source: Source, start: int) -> tuple[int, bool]:
    """The comment's own line; or, where it stands alone, the next line that is more than a comment.

    And whether all of a rule is meant that begins there: a comment behind a rule's header has nothing else to speak of.
    """
    line, column = source.position(start)
    if before := source.line(line)[: column - 1].strip():
        return line, before.startswith("[")
    last = source.position(len(source.text))[0]
    line += 1
    while line < last and source.line(line).lstrip().startswith("#"):
        line += 1
    return line, True


def _unused(source: Source, suppression: _Suppression) -> Diagnostic:
    code = suppression.code
    place, cure = At(source, suppression.span), "take the suppression out"
    fixes = _without(source, suppression)
    if code not in CODES:
        from llmposter_dsl import words

        meant = words.close(code.upper(), list(CODES))
        if meant is not None:
            cure, fixes = f"did you mean `{meant}`?", (Fix(f"write `{meant}`", (Edit(place, meant),)),)
        return Diagnostic("LP901", f"there is no code `{code}`", place, cure, (), fixes)
    message = f"there is no finding {code} here to ignore"
    if not CODES[code].silenceable:
        message = f"a finding {code} cannot be ignored: the scenario cannot be served"
    return Diagnostic("LP901", message, place, cure, (), fixes)


def _without(source: Source, suppression: _Suppression) -> tuple[Fix, ...]:
    """The code taken out of its comment, or the comment where nothing else is in it."""
    from llmposter_dsl import fixing

    text, span = source.text, suppression.span
    before, after = text.rindex("[", 0, span.start) + 1, text.index("]", span.end)
    left, right = text[before : span.start].rstrip(" ,"), text[span.end : after].lstrip(" ,")
    if not left and not right:
        place = fixing.whole_line(At(source, suppression.comment))
    elif right:
        place = At(source, Span(span.start, after - len(right)))
    else:
        place = At(source, Span(before + len(left), span.end))
    return (Fix("take the suppression out", (Edit(place, ""),), safe=True),)
