"""The pages of the checks, made from the codes' modules: `python -m llmposter.lint.pages docs/checks` writes them.

What `llmposter lint` says of an example is asked of it; a test fails where a page is not what is made here.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from llmposter.fixtures import is_fixture_file, load
from llmposter.lint import checking
from llmposter.lint.selecting import Choice, level
from llmposter.lint.settings import Settings
from llmposter_dsl import compiler, documentation, report
from llmposter_dsl.codes import CODES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from llmposter_dsl.diagnostic import Diagnostic
    from llmposter_dsl.documentation import Documentation, File

_MADE: Final = "<!-- Made from the code by `python -m llmposter.lint.pages docs/checks`; change it there. -->"
_FAMILIES: Final = {
    "LP1": "Reading",
    "LP2": "Names and types",
    "LP3": "The machine",
    "LP4": "Providers",
    "LP5": "Credentials and delivery",
    "LP6": "Fixture files",
    "LP9": "Style",
}
_INDEX: Final = """# Checks

Every finding of `llmposter lint` has a code that stays the same, and a page that says why it is a mistake, with an \
example and what to write instead.
`llmposter rule LP301` prints such a page, `llmposter rule` lists them all; [Checking](../language/checking.md) says \
what is looked at, and [Linting](../lint.md) how findings are shown, selected and suppressed.
"""


def findings(folder: Path, files: Sequence[File], wanted: Collection[str] = ()) -> tuple[Diagnostic, ...]:
    """What is found in files that are given together; messages call them by their names alone."""
    for file in files:
        (folder / file.name).write_bytes(file.content())
    settings = Settings(Choice(extend=tuple(wanted)))
    if all(is_fixture_file(folder / file.name) for file in files):
        loaded = load([folder / file.name for file in files], shown=[file.name for file in files])
        return checking.settled(loaded.files, loaded.compiled, lambda _: settings).diagnostics
    # Of several the folder is given, so that those which another one includes are left out.
    given = compiler.scenario_files([folder if len(files) > 1 else folder / files[0].name])
    made = [compiler.compile_path(each, Path(each).name, wanted) for each in given]
    return checking.settled(given, made, lambda _: settings).diagnostics


def made(folder: Path) -> dict[Path, str]:
    """Every page of a folder as it should be."""
    told = [documentation.of(code) for code in CODES]
    return {folder / "index.md": _index(), **{folder / f"{each.code}.md": _page(each) for each in told}}


def _index() -> str:
    parts = [_MADE, "", _INDEX]
    for family, codes in groupby(CODES, lambda code: code[:3]):
        parts += [f"## {_FAMILIES.get(family, family)}", "", "| code | what is found | severity |", "|---|---|---|"]
        parts += [f"| [{code}]({code}.md) | {CODES[code].title} | {level(CODES[code])} |" for code in codes]
        parts.append("")
    return "\n".join(parts)


def _page(told: Documentation) -> str:
    before, after = told.text.split("\n## Instead\n")
    facts = f"`{told.name}`, {level(told.meta)}"
    with TemporaryDirectory() as folder:
        wanted = (told.code,) if told.meta.asked else ()
        said = "\n".join(report.text(each) for each in findings(Path(folder), told.example, wanted))
    output = f"`llmposter lint` says:\n\n```text\n{said}\n```\n"
    text = documentation.shown(f"{before}\n{output}\n## Instead\n{after}")
    return f"{_MADE}\n\n# {told.code}: {told.meta.title}\n\n{facts}\n\n{text}\n"


def main(folder: str) -> None:
    """Write the pages of a folder, and take away those of codes that are no more."""
    pages = made(Path(folder))
    Path(folder).mkdir(parents=True, exist_ok=True)
    for path in Path(folder).glob("*.md"):
        if path not in pages:
            path.unlink()
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
