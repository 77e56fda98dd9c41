"""SARIF 2.1.0, which code scanning and editors read: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.

Every code is one of its rules, with its documentation; columns count code points, as everywhere in llmposter.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from llmposter.lint.selecting import matching
from llmposter_dsl import documentation
from llmposter_dsl.codes import Severity

if TYPE_CHECKING:
    from llmposter.lint.formats import Told
    from llmposter_dsl.diagnostic import Diagnostic, Fix
    from llmposter_dsl.documentation import Documentation
    from llmposter_dsl.place import Place

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_TOP: Final = "%SRCROOT%"
_LEVELS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "info": "note"}


def write(told: Told) -> str:
    from importlib.metadata import version

    codes = matching(())
    driver = {
        "name": "llmposter",
        "version": version("llmposter"),
        "rules": [_rule(documentation.of(code)) for code in codes],
    }
    index = {code: at for at, code in enumerate(codes)}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_TOP: {"uri": f"{told.top.as_uri()}/"}},
        "results": [_result(told, index, *each) for each in told.fingerprinted()],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _rule(told: Documentation) -> dict[str, Any]:
    return {
        "id": told.code,
        "name": "".join(word.capitalize() for word in told.name.split("-")),
        "shortDescription": {"text": f"{told.meta.title[:1].upper()}{told.meta.title[1:]}."},
        "fullDescription": {"text": documentation.unlinked(told.summary)},
        "help": {"text": told.plain, "markdown": told.plain},
        "defaultConfiguration": {"level": _LEVELS[told.meta.severity], "enabled": not told.meta.asked},
    }


def _result(told: Told, index: dict[str, int], found: Diagnostic, fingerprint: str) -> dict[str, Any]:
    message = found.message if found.help is None else f"{found.message}\n{found.help}"
    result: dict[str, Any] = {
        "ruleId": found.code,
        "ruleIndex": index[found.code],
        "level": _LEVELS[found.severity],
        "message": {"text": message},
        "locations": [_location(told, found.place)],
        "partialFingerprints": {"llmposter/v1": fingerprint},
    }
    if found.related:
        result["relatedLocations"] = [
            {"id": number, **_location(told, each.place), "message": {"text": each.message}}
            for number, each in enumerate(found.related, 1)
        ]
    if found.fixes:
        result["fixes"] = [_fix(told, each) for each in found.fixes]
    return result


def _location(told: Told, place: Place) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": _artifact(told, place), "region": _region(place)}}


def _artifact(told: Told, place: Place) -> dict[str, Any]:
    name = place.source.name
    inside = told.inside(name)
    if inside is not None:
        return {"uri": quote(inside), "uriBaseId": _TOP}
    return {"uri": Path(told.top, name).resolve().as_uri()}


def _region(place: Place) -> dict[str, Any]:
    (line, column), (end_line, end_column) = map(place.source.position, (place.span.start, place.span.end))
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _fix(told: Told, fix: Fix) -> dict[str, Any]:
    changes: dict[str, dict[str, Any]] = {}
    for edit in fix.edits:
        change = {"artifactLocation": _artifact(told, edit.place), "replacements": []}
        replaced = {"deletedRegion": _region(edit.place), "insertedContent": {"text": edit.text}}
        changes.setdefault(edit.place.source.name, change)["replacements"].append(replaced)
    return {"description": {"text": fix.message}, "artifactChanges": list(changes.values())}
