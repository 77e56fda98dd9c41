"""Comments of a file by the entries of its list that they speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmposter_dsl.tree import Document


def remarks(document: Document, name: str, count: int) -> tuple[list[str], dict[int, list[str]]]:
    """Lines for the head of the file, and those of each entry: what stands above it, in it, or on its last line."""
    if document.kind != "yaml" or "#" not in document.source.text:
        return [], {}
    from llmposter_dsl.yaml_tree import comments

    source = document.source
    begin = source.position(document.key_span((name,)).start)[0]
    ends = [source.position(document.value_span((name, index)).end)[0] for index in range(count)]
    head: list[str] = []
    said: dict[int, list[str]] = {}
    for at in comments(source.text):
        line, column = source.position(at)
        text = source.line(line)[column - 1 :].lstrip("#").removeprefix(" ")
        entry = next((index for index, end in enumerate(ends) if line <= end), count - 1)
        if line < begin or not count:
            head.append(text)
        else:
            said.setdefault(entry, []).append(text)
    return head, said
