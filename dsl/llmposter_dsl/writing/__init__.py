"""A scenario as plain data to the text of a file, as a person would write it.

What is written reads back as the same data, but for the order of keys, which is that of the documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, assert_never

if TYPE_CHECKING:
    from llmposter_dsl.place import Path

Kind: TypeAlias = Literal["toml", "yaml"]

NO_COMMENTS: Mapping[Path, str] = MappingProxyType({})


class Unwritable(ValueError):  # noqa: N818 - it says what the data is
    """The data holds what the format has no words for.

    Attributes:
        path: where it stands.
    """

    def __init__(self, message: str, path: Path) -> None:
        super().__init__(message)
        self.path = path


def write(data: Mapping[str, Any], kind: Kind = "toml", comments: Mapping[Path, str] = NO_COMMENTS) -> str:
    """The text of a scenario file.

    Args:
        data: what a file of this text is to hold: dict, list, str, int, float, bool and None only.
        kind: ``toml`` or ``yaml``.
        comments: by the path of what they stand above; ``()`` is the head of the file. Several lines may be one text.

    Raises:
        Unwritable: TOML has no null, other than in `json` and `arguments` of a rule, where a template can say it.
    """
    from llmposter_dsl.writing.order import in_order

    whole = in_order(data)
    match kind:
        case "toml":
            from llmposter_dsl.writing.to_toml import text
        case "yaml":
            from llmposter_dsl.writing.to_yaml import text
        case _:
            assert_never(kind)
    return text(whole, comments)


__all__ = ["Kind", "Unwritable", "write"]
