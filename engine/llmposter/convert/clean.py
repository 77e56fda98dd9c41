"""The text of a converted scenario: what lint finds in it is in the other file too, so a comment answers it."""

from __future__ import annotations

import tempfile
from pathlib import Path as File
from typing import TYPE_CHECKING

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
        if each.severity != "error" and isinstance(each.place, Within):
            codes = found.setdefault(each.place.path, [])
            codes += [] if each.code in codes else [each.code]
    if not found:
        return plain
    comments = dict(made.comments)
    for path, codes in found.items():
        line = f"llmposter: ignore[{', '.join(codes)}] so it is in the file that this one comes from"
        comments[path] = f"{comments[path]}\n{line}" if path in comments else line
    return write(made.data, kind, comments)


def _findings(text: str, kind: Kind) -> tuple[Diagnostic, ...]:
    from llmposter.lint import check

    with tempfile.TemporaryDirectory() as folder:
        path = File(folder) / f"converted.{kind}"
        path.write_text(text, encoding="utf-8")
        return check([path]).diagnostics
