"""GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from llmposter.lint.formats import Told
    from llmposter_dsl.diagnostic import Diagnostic

_SEVERITIES: Final = {"error": "major", "warning": "minor", "info": "info"}


def write(told: Told) -> str:
    return json.dumps([_issue(told, *each) for each in told.fingerprinted()], ensure_ascii=False, indent=2)


def _issue(told: Told, found: Diagnostic, fingerprint: str) -> dict[str, Any]:
    place, name = found.place, found.place.source.name
    (line, column), (end_line, end_column) = map(place.source.position, (place.span.start, place.span.end))
    begin, end = {"line": line, "column": column}, {"line": end_line, "column": end_column}
    return {
        "type": "issue",
        "check_name": found.code,
        "description": f"{found.code}: {found.message}" + (f" ({found.help})" if found.help else ""),
        "categories": ["Bug Risk"],
        "severity": _SEVERITIES[found.severity],
        "fingerprint": fingerprint,
        "location": {"path": told.inside(name) or name, "positions": {"begin": begin, "end": end}},
    }
