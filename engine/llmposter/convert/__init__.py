"""Files of other mocks to scenarios: what each of them answers, and what of it cannot be carried over, with its place.

A converter only reads; what it gives is plain data, which `llmposter_dsl.writing` writes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, TypeAlias

from llmposter.convert.draft import Converted, Remark

if TYPE_CHECKING:
    from llmposter_dsl.diagnostic import Diagnostic
    from llmposter_dsl.tree import Document

Format: TypeAlias = Literal["llmposter", "aimock", "mock-llm", "fakellm"]
FORMATS: tuple[Format, ...] = ("llmposter", "aimock", "mock-llm", "fakellm")


def convert(
    path: str | os.PathLike[str],
    format: Format | None = None,  # noqa: A002 - the option's name
) -> Converted | tuple[Diagnostic, ...]:
    """The scenario that says what the file at *path* says, or the errors that keep it from being read.

    Args:
        path: JSON or YAML; or a folder, whose files are read as one, sorted by name.
        format: whose it is; None to know it by what stands in it.
    """
    from llmposter.convert import recognising
    from llmposter_dsl.reading import read

    documents: list[Document] = []
    for file in recognising.files(path):
        document = read(file, kinds=recognising.KINDS)
        if isinstance(document, tuple):
            return tuple(map(recognising.unread, document))
        documents.append(document)
    known = format or recognising.format_of(documents)
    if known is None:
        return (recognising.unknown(documents[-1]),)
    return recognising.strange(documents, known) or _converted(documents, known)


def _converted(documents: list[Document], known: Format) -> Converted | tuple[Diagnostic, ...]:
    match known:
        case "llmposter":
            from llmposter.convert.from_llmposter import converted as of_fixtures

            return of_fixtures(documents)
        case "aimock":
            from llmposter.convert.from_aimock import converted
        case "mock-llm":
            from llmposter.convert.from_mock_llm import converted
        case "fakellm":
            from llmposter.convert.from_fakellm import converted
    return converted(documents)


def text_of(made: Converted, kind: Literal["toml", "yaml"] = "toml") -> str:
    """The text of the scenario, which lints clean: what lint would say of it is answered in comments.

    Raises:
        llmposter_dsl.writing.Unwritable: it holds a null where TOML has no word for it.
    """
    from llmposter.convert.clean import text

    return text(made, kind)


__all__ = ["FORMATS", "Converted", "Format", "Remark", "convert", "text_of"]
