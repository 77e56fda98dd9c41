"""The text of a converted scenario: what lint finds in it is in the other file too, so a comment answers it."""

from __future__ import annotations

import tempfile
from pathlib import Path as File
from typing import TYPE_CHECKING

from llmposter_dsl.codes import CODES
from llmposter_dsl.place import Path, Within
from llmposter_dsl.writing import Kind, write

if TYPE_CHECKING:
    from llmposter.convert.draft import Converted
    from llmposter_dsl.diagnostic import Diagnostic


def text(made: Converted, kind: Kind) -> str:
    """The scenario as a file of this kind."""
    plain = write(made.data, kind, made.comments)
    found: dict[Path, list[str]] = {}
    for each in _findings(plain, kind):
        if isinstance(each.place, Within):
            said = each.code if each.severity != "error" else f"This is not sound: {each.message}."
            known = found.setdefault(each.place.path, [])
            known += [] if said in known else [said]
    if not found:
        return plain
    comments = dict(made.comments)
    for path, told in found.items():
        codes = [each for each in told if each in CODES]
        lines = [comments[path]] if path in comments else []
        lines += [each for each in told if each not in CODES]
        lines += (
            [f"llmposter: ignore[{', '.join(codes)}] so it is in the file that this one comes from"] if codes else []
        )
        comments[path] = "\n".join(lines)
    return write(made.data, kind, comments)


def _findings(text: str, kind: Kind) -> tuple[Diagnostic, ...]:
    from llmposter.lint import check

    with tempfile.TemporaryDirectory() as folder:
        path = File(folder) / f"converted.{kind}"
        path.write_text(text, encoding="utf-8")
        return check([path]).diagnostics
