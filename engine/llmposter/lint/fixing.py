"""Fixes carried out: round after round, until nothing is left to fix, and then written to the files.

Of fixes that touch the same stretch the first is carried out, the others in the next round if they are still there.
A file keeps its line ends, its byte order mark, its permissions, and every character that no fix speaks of.
"""

from __future__ import annotations

import os
import stat
import tempfile
from bisect import bisect_left, insort
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from llmposter_dsl import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from llmposter.lint.checking import Checked
    from llmposter_dsl.diagnostic import Diagnostic, Edit, Fix

    Check = Callable[[Mapping[str, bytes]], Checked]

_MOST_ROUNDS: Final = 20
_UNREADABLE: Final = "LP10"
"""Codes of files that cannot be read; no fix may leave one behind."""
_BOM: Final = b"\xef\xbb\xbf"


class Fixed(NamedTuple):
    """What became of the files.

    Attributes:
        checked: what is still found.
        files: those that changed, by absolute paths: what they held, and what they are to hold.
        names: what messages call them.
        done: how many fixes were carried out.
    """

    checked: Checked
    files: Mapping[str, tuple[bytes, bytes]]
    names: Mapping[str, str]
    done: int


def fixed(check: Check, *, unsafe: bool, given: Mapping[str, bytes] | None = None) -> Fixed:
    """What *check* finds once all fixes are carried out; nothing is written.

    *given* are texts that no file holds, by the paths they would have. Unsafe fixes are carried out where *unsafe*.
    """
    before: dict[str, bytes] = {}
    after: dict[str, bytes] = dict(given or {})
    names: dict[str, str] = {}
    done = 0
    with _unsaved(after):
        checked = check(after)
        for _ in range(_MOST_ROUNDS):
            chosen = _chosen(checked.diagnostics, unsafe=unsafe)
            if not chosen:
                break
            _note(chosen, names, before, after)
            made = _carried_out(check, checked, chosen, after)
            if made is None:
                break
            checked = made[0]
            done += made[1]
    changed = {path: (old, after[path]) for path, old in before.items() if after.get(path, old) != old}
    return Fixed(checked, changed, names, done)


def fixable(diagnostics: Iterable[Diagnostic], *, unsafe: bool = False) -> int:
    """How many findings have a fix that would be carried out."""
    return sum(_best(each, unsafe=unsafe) is not None for each in diagnostics)


def write(files: Mapping[str, tuple[bytes, bytes]]) -> Iterator[str]:
    """Writes what files are to hold, each at once or not at all; answers the paths of those that others have changed.

    Raises:
        OSError: a file cannot be written.
    """
    for path, (old, new) in files.items():
        if Path(path).read_bytes() != old:
            yield path
            continue
        _replace(Path(path), new)


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).chmod(stat.S_IMODE(path.stat().st_mode))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _best(found: Diagnostic, *, unsafe: bool) -> Fix | None:
    return next((fix for fix in found.fixes if (fix.safe or unsafe) and _of_files(fix)), None)


def _of_files(fix: Fix) -> bool:
    return all(edit.place.source.path is not None for edit in fix.edits)


def _chosen(diagnostics: Iterable[Diagnostic], *, unsafe: bool) -> list[Fix]:
    """A fix for each finding that has one, without those that touch what an earlier one changes."""
    taken: dict[str, list[tuple[int, int, str]]] = {}
    chosen: list[Fix] = []
    # Safe ones first, so that no unsafe one keeps them from being carried out.
    fixes = [fix for each in diagnostics if (fix := _best(each, unsafe=unsafe)) is not None]
    for fix in sorted(fixes, key=lambda fix: not fix.safe):
        edits = [(str(edit.place.source.path), _flat(edit)) for edit in fix.edits]
        if all(_free(edit, taken.get(path, [])) for path, edit in edits):
            chosen.append(fix)
            for path, edit in edits:
                insort(taken.setdefault(path, []), edit)
    return chosen


def _flat(edit: Edit) -> tuple[int, int, str]:
    span = edit.place.span
    return span.start, span.end, edit.text


def _free(edit: tuple[int, int, str], taken: list[tuple[int, int, str]]) -> bool:
    """Whether an edit touches none of those in a sorted list, which do not touch each other."""
    at = bisect_left(taken, edit)
    return not any(_touches(edit, other) for other in taken[max(0, at - 1) : at + 1])


def _touches(edit: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    return edit[0] <= other[1] and other[0] <= edit[1]


def _note(chosen: Iterable[Fix], names: dict[str, str], before: dict[str, bytes], after: Mapping[str, bytes]) -> None:
    for fix in chosen:
        for edit in fix.edits:
            source = edit.place.source
            path = str(source.path)
            names.setdefault(path, source.name)
            if path not in before:
                before[path] = after[path] if path in after else Path(path).read_bytes()


def _carried_out(
    check: Check, checked: Checked, chosen: list[Fix], after: dict[str, bytes]
) -> tuple[Checked, int] | None:
    """All of the fixes, or as many as leave no file that cannot be read; None where not one does."""
    made = _tried(check, checked, chosen, after)
    if made is not None:
        return made, len(chosen)
    if len(chosen) == 1:
        return None
    for fix in chosen:
        made = _tried(check, checked, [fix], after)
        if made is not None:
            return made, 1
    return None


def _tried(check: Check, checked: Checked, chosen: Iterable[Fix], after: dict[str, bytes]) -> Checked | None:
    was = dict(after)
    _edit(chosen, after)
    made = check(after)
    if _unread(made) <= _unread(checked):
        return made
    after.clear()
    after.update(was)
    return None


def _unread(checked: Checked) -> Counter[tuple[str, str]]:
    return Counter(
        (each.place.source.name, each.code)
        for each in checked.diagnostics
        if each.code.startswith(_UNREADABLE) and each.severity == "error"
    )


def _edit(fixes: Iterable[Fix], texts: dict[str, bytes]) -> None:
    edits: dict[str, set[tuple[int, int, str]]] = {}
    for fix in fixes:
        for edit in fix.edits:
            edits.setdefault(str(edit.place.source.path), set()).add(_flat(edit))
    for path, each in edits.items():
        texts[path] = edited(texts[path] if path in texts else Path(path).read_bytes(), each)


def edited(content: bytes, edits: Iterable[tuple[int, int, str]]) -> bytes:
    """The bytes of a file after edits, whose offsets count as those of a `Source` do."""
    bom = content.startswith(_BOM)
    text = content.decode("utf-8-sig")
    pairs = [at for at in range(len(text) - 1) if text[at] == "\r" and text[at + 1] == "\n"]
    # An offset behind so many line ends of two characters, in the text where each has one.
    ends = [at - number for number, at in enumerate(pairs)]
    crlf = "\n" in text and text[: text.index("\n")].endswith("\r")
    for start, end, new in sorted(edits, reverse=True):
        first, last = start + bisect_left(ends, start), end + bisect_left(ends, end)
        text = text[:first] + (new.replace("\n", "\r\n") if crlf else new) + text[last:]
    return (_BOM if bom else b"") + text.encode("utf-8")


@contextmanager
def _unsaved(texts: Mapping[str, bytes]) -> Iterator[None]:
    token = reading.UNSAVED.set(texts)
    try:
        yield
    finally:
        reading.UNSAVED.reset(token)
