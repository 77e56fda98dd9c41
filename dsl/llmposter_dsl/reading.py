"""Bytes of a scenario file to a document, or to diagnostics that say exactly why not. Raises nothing."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path as File
from types import MappingProxyType
from typing import Any, Final, Literal

from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.place import At, Within
from llmposter_dsl.source import Source, Span
from llmposter_dsl.tree import DEEPEST, Document, Kind, Loaded, walk

LARGEST = 16 * 1024 * 1024
"""How many bytes a scenario file may have."""

UNSAVED: ContextVar[Mapping[str, str | bytes]] = ContextVar("UNSAVED", default=MappingProxyType({}))
"""What stands in place of files, by their absolute paths: what an editor has open, or what fixes would write."""

KINDS: dict[str, Literal["toml", "yaml"]] = {".toml": "toml", ".yaml": "yaml", ".yml": "yaml"}

_TOML: Final = re.compile(r"\ufeff?\s*(?:#[^\n]*\n\s*)*(?:\[|[\w.\"'-]+[ \t]*=)")


def kind_of(text: str) -> Literal["toml", "yaml"]:
    """What a text is that no name tells: TOML begins with a header or an assignment."""
    return "toml" if _TOML.match(text) else "yaml"


def read(
    path: str | os.PathLike[str], name: str | None = None, *, scenario: bool = True, kinds: Mapping[str, Kind] = KINDS
) -> Document | tuple[Diagnostic, ...]:
    """The document in the file at *path*, or at least one error.

    Args:
        path: a file whose name ends as one of *kinds*.
        name: how messages call it; the path as given by default.
        scenario: it is to be one; else any document will do, in YAML even with numbers that JSON cannot hold.
        kinds: what stands in a file, by how its name ends; those of scenarios by default.
    """
    file, name = File(path), os.fspath(path) if name is None else name
    kind = kinds.get(file.suffix.lower())
    if kind is None:
        *most, last = kinds
        what = "no scenario file" if kinds is KINDS else "no file that can be read here"
        return (_unreadable(name, f"`{file.name}` is {what}", f"its name must end in {', '.join(most)} or {last}"),)
    try:
        if file.exists() and not file.is_file():  # a pipe would be waited for
            return (_unreadable(name, f"`{name}` is not a file"),)
        absolute = str(file.resolve())
        content: str | bytes | None = UNSAVED.get().get(absolute)
        if content is None:
            with file.open("rb") as stream:
                content = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return (_unreadable(name, f"`{name}` cannot be read: {reason.lower()}"),)
    return read_text(content, name, kind, path=absolute, scenario=scenario)


def read_text(
    text: str | bytes,
    name: str,
    kind: Kind = "toml",
    path: str | None = None,
    *,
    scenario: bool = True,
) -> Document | tuple[Diagnostic, ...]:
    """The document that *text* is, or at least one error."""
    if len(text) > LARGEST:
        return (Diagnostic("LP106", f"`{name}` is larger than 16 MiB", At(Source(name, "", path), Span(0, 0))),)
    source = _decoded(text, name, path)
    if isinstance(source, Diagnostic):
        return (source,)
    match kind:
        case "toml":
            from llmposter_dsl import toml_tree

            loaded = toml_tree.load(source)
        case "yaml":
            from llmposter_dsl import yaml_tree

            loaded = yaml_tree.load(source, numbers=scenario)
        case "json":
            from llmposter_dsl import json_tree

            loaded = json_tree.load(source)
    if not isinstance(loaded, Loaded):
        return loaded
    document = Document(source, loaded.data, kind, loaded.findings)
    return (scenario and faults(document)) or document


def _unreadable(name: str, message: str, help_: str | None = None) -> Diagnostic:
    return Diagnostic("LP101", message, At(Source(name, ""), Span(0, 0)), help_)


def _decoded(text: str | bytes, name: str, path: str | None) -> Source | Diagnostic:
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        if isinstance(text, str):
            text.encode("utf-8")  # half of a surrogate pair is no text
    except UnicodeDecodeError as error:
        before, whole = error.object[: error.start].decode("utf-8"), error.object.decode("utf-8", "replace")
        return _not_utf8(
            Source(name, _normal(whole), path), len(_normal(before)), f"byte 0x{error.object[error.start]:02x}"
        )
    except UnicodeEncodeError as error:
        before, whole = error.object[: error.start], error.object.encode("utf-8", "replace").decode("utf-8")
        return _not_utf8(Source(name, _normal(whole), path), len(_normal(before)), "half of a surrogate pair")
    return Source(name, _normal(decoded), path)


def _normal(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def _not_utf8(source: Source, at: int, what: str) -> Diagnostic:
    place = At(source, Span(at, min(at + 1, len(source.text))))
    return Diagnostic("LP102", f"{what} is not UTF-8 text", place, "save the file as UTF-8")


def faults(document: Document) -> tuple[Diagnostic, ...]:
    """What a syntactically right document may still not be."""
    data = document.data
    if data is None or data == {}:
        return (Diagnostic("LP108", "the file is empty", At(document.source, Span(0, 0)), "`states` is missing"),)
    if not isinstance(data, dict):
        kind = "a list" if isinstance(data, list) else "one value"
        return (Diagnostic("LP108", f"a scenario is a map of keys, this is {kind}", document.root()),)
    found = []
    for path, value, _ in walk(data):
        if (what := _unknown_to_json(value)) is not None:
            found.append(_no_number(Within(document, path), what))
        elif len(path) > DEEPEST and isinstance(value, dict | list):
            place = Within(document, path, "key")
            return (Diagnostic("LP107", f"values are nested more than {DEEPEST} levels deep", place),)
    return tuple(found)


def no_numbers(data: Any, place: Within) -> Iterator[Diagnostic]:
    """The numbers in *data*, which stands at *place*, that JSON cannot hold."""
    for path, value, _ in walk(data):
        if (what := _unknown_to_json(value)) is not None:
            yield _no_number(place.child(*path), what)


def _unknown_to_json(value: Any) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return f"`{value}`"
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return "an integer beyond 64 bits"
    return None


def _no_number(place: Any, what: str) -> Diagnostic:
    return Diagnostic("LP114", f"{what} is no number that JSON can hold", place, "write it in quotes, as text")
