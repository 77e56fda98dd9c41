"""A scenario that is being put together from the entries of another file, with all that is to be said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from llmposter_dsl.place import Path, Within, where

if TYPE_CHECKING:
    from llmposter_dsl.tree import Document

STATE = "answer"
"""The formats that are read here know no states but in variables."""


SHARED = """\
The variables below are one for all requests of this key.
A request that comes again is a retry, unless its client counts retries as the providers' SDKs do."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be said of a part of the other file.

    Attributes:
        place: where it stands there.
        sentence: what becomes of it.
        lost: it cannot be carried over; else it is said in another way, which a client may notice.
    """

    place: Within
    sentence: str
    lost: bool

    def __str__(self) -> str:
        """``file:line:col: lost: sentence``."""
        return f"{where(self.place)}: {'lost' if self.lost else 'otherwise'}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Converted:
    """A scenario.

    Attributes:
        data: what the file of the scenario is to hold.
        comments: by the path of what they stand above.
        remarks: what could not be carried over, or is said otherwise, by the places of the other files.
    """

    data: Mapping[str, Any]
    comments: Mapping[Path, str]
    remarks: tuple[Remark, ...]


@dataclass(slots=True)
class Entry:
    """One entry of the other file.

    Attributes:
        place: where it stands.
        said: comments for what it becomes.
    """

    place: Within
    value: dict[str, Any]
    remarks: list[Remark]
    said: list[str] = field(default_factory=list)

    def lost(self, sentence: str, *path: str | int) -> None:
        """Something of it cannot be carried over."""
        self._note(sentence, path, lost=True)

    def otherwise(self, sentence: str, *path: str | int) -> None:
        """Something of it is said in another way, which a client may notice."""
        self._note(sentence, path, lost=False)

    def _note(self, sentence: str, path: Path, *, lost: bool) -> None:
        self.remarks.append(Remark(self.place.child(*path), sentence, lost))
        self.said.append(f"{sentence[:1].upper()}{sentence[1:]}.")


class Draft:
    """Gathers rules in the order in which they are to be tried."""

    def __init__(self, documents: Sequence[Document], of: str) -> None:
        self.documents = documents
        self.remarks: list[Remark] = []
        names = [PurePath(document.source.name).name for document in documents]
        what = "a file" if len(names) == 1 else "files"
        self.head = [f"Converted from {' and '.join(names)}, {what} of {of}."]
        self.scenario: dict[str, Any] = {}
        self.vars: dict[str, Any] = {}
        self.defaults: dict[str, Any] = {}
        self.rules: list[tuple[dict[str, Any], list[str]]] = []
        self.embeddings: list[tuple[dict[str, Any], list[str]]] = []
        self._homeless: list[str] = []

    def entries(self, name: str, shape: Any) -> list[Entry]:
        """The entries of a list that have the shape, with the comments that stand at them; the others are left out."""
        return [entry for document in self.documents for entry in self._entries(document, name, shape)]

    def _entries(self, document: Document, name: str, shape: Any) -> Iterator[Entry]:
        from llmposter.convert.remarks import remarks
        from llmposter.convert.shapes import misshapen

        values = document.data.get(name)
        if not isinstance(values, list):
            self.whole(document, name, f"`{name}` is no list")
            return
        head, said = remarks(document, name, len(values))
        self.head += ["", *head] if head else []
        for index, value in enumerate(values):
            entry = Entry(document.root().child(name, index), value, self.remarks, list(said.get(index, ())))
            if (wrong := misshapen(value, shape)) is None:
                yield entry
            else:
                entry.lost(f"{wrong[0]}; it is left out", *wrong[1])
                self.leave_out(entry)

    def answer(self, rule: dict[str, Any], entry: Entry) -> None:
        """The rule that an entry becomes, or one of them: what is to be said of it stands above the first."""
        self.rules.append((rule, self._said(entry)))

    def remain(self, rule: dict[str, Any]) -> None:
        """A rule for what no entry is for, after all others."""
        self.rules.append((rule, []))

    def embed(self, rule: dict[str, Any], entry: Entry) -> None:
        """Likewise, for inputs of embeddings."""
        self.embeddings.append((rule, self._said(entry)))

    def whole(self, document: Document, name: str, sentence: str) -> None:
        """A key of a whole file that cannot be carried over."""
        self.remarks.append(Remark(document.root().key(name), sentence, lost=True))
        self.head.append(f"{sentence[:1].upper()}{sentence[1:]}.")

    def share(self, name: str, key: str) -> None:
        """The variables are one for all requests of a key, as counters and states of the other server were.

        Args:
            name: the list that the entries stand in.
            key: an expression for the key.
        """
        self.scenario |= {"conversation": key, "foreign": "latest"}
        sentence = "a request that comes again is a retry, unless its client counts retries as the providers' SDKs do"
        self.remarks.append(Remark(self.documents[0].root().key(name), sentence, lost=False))

    def leave_out(self, entry: Entry) -> None:
        """An entry that becomes no rule is spoken of above the next one."""
        self._homeless += entry.said
        entry.said = []

    def _said(self, entry: Entry) -> list[str]:
        said = [*self._homeless, *entry.said]
        self._homeless, entry.said = [], []
        return said

    def finished(self) -> Converted:
        """The scenario."""
        rules = [rule for rule, _ in self.rules]
        if not rules:
            # A state without rules may be one to end in.
            self.scenario["final"] = [STATE]
        data = {
            "scenario": self.scenario,
            "vars": self.vars,
            "defaults": self.defaults,
            "states": {STATE: rules},
            "embeddings": [rule for rule, _ in self.embeddings],
        }
        comments: dict[Path, str] = {(): "\n".join([*self.head, *self._homeless])}
        if "foreign" in self.scenario:
            comments["scenario",] = SHARED
        comments |= {("states", STATE, at): "\n".join(said) for at, (_, said) in enumerate(self.rules) if said}
        comments |= {("embeddings", at): "\n".join(said) for at, (_, said) in enumerate(self.embeddings) if said}
        kept = {name: value for name, value in data.items() if value}
        told = sorted(self.remarks, key=lambda remark: (remark.place.source.name, remark.place.span))
        return Converted(kept, comments, tuple(told))
