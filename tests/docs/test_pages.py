"""The pages of the reference are those that the code makes, complete, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from llmposter_dsl import keys, pages
from llmposter_dsl.facts import ANSWER_FACTS, CONVERSATION_FACTS, REQUEST_FACTS

TOP = Path(__file__).parents[2]
LANGUAGE = TOP / "docs" / "language"
PAGES = [TOP / "README.md", TOP / "CONTRIBUTING.md", TOP / "scenarios/README.md", *sorted(TOP.glob("docs/**/*.md"))]


@pytest.mark.parametrize("path", pages.made(LANGUAGE), ids=lambda path: path.stem)
def test_a_page_made_from_the_code_is_not_stale(path: Path) -> None:
    """`python -m llmposter_dsl.pages docs/language` would change nothing."""
    assert pages.made(LANGUAGE)[path] == path.read_text(encoding="utf-8")


def test_the_generator_writes_what_is_missing(tmp_path: Path) -> None:
    """From pages with empty parts come the pages of the repository."""
    for name in pages.parts():
        text = (LANGUAGE / name).read_text(encoding="utf-8")
        emptied = re.sub(r"(<!-- operators -->\n).*?(?=<!-- end -->)", r"\1", text, flags=re.DOTALL)
        assert emptied != text
        (tmp_path / name).write_text(emptied, encoding="utf-8")
    pages.main(str(tmp_path))
    for path in tmp_path.iterdir():
        assert (LANGUAGE / path.name).read_text(encoding="utf-8") == path.read_text(encoding="utf-8")


def test_every_key_and_fact_is_in_the_reference() -> None:
    """No key of the binder, and no fact of the compiler, is left out."""
    told = (LANGUAGE / "keys.md").read_text(encoding="utf-8")
    for _, heading, table in keys.TABLES_IN_ORDER:
        section = told.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        assert [] == [name for name in table if f"| `{name}` |" not in section]
    facts = (LANGUAGE / "facts.md").read_text(encoding="utf-8")
    every = {**REQUEST_FACTS, **CONVERSATION_FACTS, **ANSWER_FACTS}
    assert [] == [name for name in every if f"| `{name}` |" not in facts]


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_something_that_is_there(page: Path) -> None:
    """Files exist, and so do the headings in them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_prose_has_one_sentence_a_line(page: Path) -> None:
    """So that a change shows only what changed."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^(\||- |\d\. |\* ).*$", "", text, flags=re.MULTILINE)
    found = [line for line in text.splitlines() if re.search(r"[a-z`)][.!?] [A-Z`]", line)]
    assert [] == found
