"""The pages of the reference, made from the tables in code: `python -m llmposter_dsl.pages docs/language` writes them.

A test fails where a page in the repository is not what is made here.
"""

from __future__ import annotations

import sys
from pathlib import Path

from llmposter_dsl import keys, reference

_MADE = "<!-- Made from the code by `python -m llmposter_dsl.pages docs/language`; change it there. -->"


def whole() -> dict[str, str]:
    """The pages that are made as a whole, by name."""
    return {
        "keys.md": _page(
            "Keys",
            "Every key that a scenario may have, table by table.\n"
            "A key that stands nowhere here is a finding, with the key that was probably meant.",
            keys.reference_keys(),
        ),
        "facts.md": _page(
            "Facts",
            "What expressions can ask, the same for every provider.\n"
            "`serves` and `conversation` of a scenario know the facts of the request; rules know those of the "
            "conversation too, and its variables by name.",
            reference.facts(),
        ),
        "functions.md": _page(
            "Functions",
            "`it` is the item that a condition of `any`, `all` and `count` looks at.\n"
            "A function of null is null, unless it says otherwise.",
            reference.functions(),
        ),
    }


def parts() -> dict[str, dict[str, str]]:
    """What is made inside of other pages, by page and by the comment that begins it."""
    return {"expressions.md": {"operators": reference.operators()}}


def made(folder: Path) -> dict[Path, str]:
    """Every page of a folder that is made, or holds a part that is, as it should be."""
    pages = {folder / name: text for name, text in whole().items()}
    for name, inside in parts().items():
        text = (folder / name).read_text(encoding="utf-8")
        for mark, part in inside.items():
            text = _put(text, mark, part)
        pages[folder / name] = text
    return pages


def _page(title: str, about: str, tables: str) -> str:
    return f"{_MADE}\n\n# {title}\n\n{about}\n\n{tables.rstrip()}\n"


def _put(text: str, mark: str, part: str) -> str:
    before, begin, rest = text.partition(f"<!-- {mark} -->\n")
    _, end, after = rest.partition("<!-- end -->")
    return f"{before}{begin}{part}{end}{after}" if begin and end else text


def main(folder: str) -> None:
    """Write the pages of a folder."""
    for path, text in made(Path(folder)).items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
