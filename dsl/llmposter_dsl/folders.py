"""Which files of a folder are scenarios: those that could be read and have states, and those that cannot be read.

Left out are hidden files and folders, fragments without `states`, files that another one there includes, and what
tools keep in a project: their configuration, and the code of others.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

SUFFIXES = (".toml", ".yaml", ".yml")

_CONFIGURATION = frozenset(("llmposter.toml", "pyproject.toml"))
_OTHERS = frozenset(("node_modules", "__pycache__", "site-packages"))
_STATES = re.compile(rb"""^(?:\xef\xbb\xbf)?[\[\s"'{]*states\b""", re.MULTILINE)
"""How the key `states` may stand in a file: a word in a text begins no line so."""


def scenarios(folder: str) -> list[str]:
    """The scenarios in a folder and the folders below it, sorted by path."""
    found = [path for path in below(folder)[1] if _has_states(path) or _says(path, b"scenario", b"include")]
    included = {each for path in found for each in includes_of(path)}
    return [path for path in found if os.path.realpath(path) not in included]


def below(folder: str) -> tuple[list[str], list[str]]:
    """The folders that are looked through, this one first, and the files in them by their endings, sorted by path."""
    through, found = [], []
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _OTHERS)
        through.append(here)
        found += [str(Path(here, name)) for name in files if name.endswith(SUFFIXES) and not name.startswith(".")]
    return through, sorted(path for path in found if Path(path).name not in _CONFIGURATION)


def _has_states(path: str) -> bool:
    return _says(path, b"states") and (not os.access(path, os.R_OK) or bool(_STATES.search(Path(path).read_bytes())))


def _says(path: str, *words: bytes) -> bool:
    """Whether a file holds all these words, or cannot be read, which its reader will report."""
    try:
        text = Path(path).read_bytes()
    except OSError:
        return True
    return all(word in text for word in words)


def includes_of(path: str) -> list[str]:
    """The files that a file includes, whether or not they are there."""
    if not _says(path, b"include"):
        return []
    from llmposter_dsl import reading

    document = reading.read(path)
    data: Any = None if isinstance(document, tuple) else document.data
    given = data.get("include") if isinstance(data, dict) else None
    names = [each for each in given if isinstance(each, str) and "\0" not in each] if isinstance(given, list) else []
    return [os.path.realpath(Path(path).parent / name) for name in names]
