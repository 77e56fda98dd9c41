"""What the language server is made of, without a server: names, places, actions, and cursors in random prefixes."""

from __future__ import annotations

from pathlib import Path

import pytest
from editing import edited, position
from hypothesis import assume, given
from hypothesis import strategies as st
from lsprotocol import types

from llmposter.lsp import acting, completing, renaming, telling
from llmposter.lsp.cursor import MARK, cursor
from llmposter.lsp.desk import Desk
from llmposter.lsp.places import Places
from llmposter.lsp.uses import uses
from llmposter_dsl import reading, shapes
from llmposter_dsl.compiler import scenario_files
from llmposter_dsl.diagnostic import Diagnostic, Edit, Fix
from llmposter_dsl.source import Source
from llmposter_dsl.tree import Document, walk

GALLERY = [Path(each) for each in scenario_files([Path(__file__).parents[2] / "scenarios"])]
TEXTS = {path: path.read_text(encoding="utf-8") for path in GALLERY}


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.name)
def test_every_name_of_the_gallery_can_be_another(path: Path) -> None:
    """Each state, variable, rule and tool: the scenario stays as clean, and nothing of the old name is left."""
    desk, real = Desk(), str(path.resolve())
    document = reading.read(path)
    assert isinstance(document, Document)
    declared = {(use.kind, use.name): use for use in uses(document) if use.defines}
    assert declared
    for use in declared.values():
        changes = renaming.rename((document,), use, "renamed_now", desk.with_texts(real))
        again = reading.read_text(renaming.edited(TEXTS[path], changes), "again", document.kind)
        assert isinstance(again, Document)
        assert use.name not in {each.name for each in uses(again) if each.kind == use.kind}


@given(st.sampled_from(GALLERY), st.data())
def test_a_text_that_ends_anywhere_is_completed_and_explained(path: Path, data: st.DataObject) -> None:
    """Nothing breaks, whatever is cut off behind the cursor, and no mark gets into an answer."""
    text = TEXTS[path]
    at = data.draw(st.integers(0, len(text)))
    end = data.draw(st.sampled_from([at, len(text), min(len(text), at + 20)]))
    kind = "toml" if path.suffix == ".toml" else "yaml"
    found = cursor(text[:at] + text[end:], kind, at)
    if found is None:
        return
    desk, real = Desk(), str(path)
    desk.put(real, text[:at] + text[end:])
    known = desk.known(real, found.data)
    assert not [each for each in completing.complete(found, known, kind) if MARK in f"{each.label}{each.told}"]
    assert MARK not in (telling.hover(found, known) or "")


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.name)
def test_every_key_of_the_gallery_is_known_where_it_stands(path: Path) -> None:
    """Hovering over any key of a table of known keys tells what it means."""
    document = reading.read(path)
    assert isinstance(document, Document)
    known = [
        (path, spot.key)
        for path, _, holder in walk(document.data)
        if isinstance(holder, dict) and (spot := shapes.spot(path)).key is not None and not spot.beyond
    ]
    assert known
    for where, key in known[::5]:
        found = cursor(document.source.text, document.kind, document.key_span(where).start + 1)
        assert found is not None
        assert (where[-1], True) == (found.text, found.key)
        assert telling.key(key) == telling.hover(found, Desk().known("none"))


PIECES = st.lists(st.sampled_from(["a", "é", "€", "😀", "\n", "\r\n", "\r", "\u2028", "\u2029", "\x85", "\f", "\v"]))
"""Of which only a line feed, a carriage return, and both end a line to an editor."""


@given(PIECES, st.sampled_from(["utf-8", "utf-16", "utf-32"]), st.data())
def test_places_lead_back(pieces: list[str], encoding: str, data: st.DataObject) -> None:
    """From an offset to the protocol's place and back, in every unit; UTF-16 as another hand counts it."""
    text, at = "".join(pieces), len("".join(pieces[: data.draw(st.integers(0, len(pieces)))]))
    assume(text[at - 1 : at + 1] != "\r\n")
    places, source = Places(encoding), Source("x", text)
    assert at == places.offset(text, places.position(source, at))
    assert encoding != "utf-16" or position(text, at) == places.position(source, at)


def test_a_place_beyond_the_text_is_its_end() -> None:
    """Of a line, and of all lines."""
    assert (2, 5) == (
        Places().offset("ab\ncd", types.Position(0, 9)),
        Places().offset("ab\ncd", types.Position(9, 0)),
    )


def finding(document: Document, old: str, new: str, *, safe: bool = True) -> Diagnostic:
    place = document.root().child("states", "ask", 0, "reply").stretch(*_stretch(document, old))
    return Diagnostic(
        "LP110", f"`{old}` is wrong", place, None, (), (Fix(f"write `{new}`", (Edit(place, new),), safe),)
    )


def _stretch(document: Document, old: str) -> tuple[int, int]:
    start = document.lookup(("states", "ask", 0, "reply")).index(old)
    return start, start + len(old)


TEXT = '[[states.ask]]\nreply = "one two three"\n'


def test_fixes_are_actions_and_safe_ones_are_done_at_once() -> None:
    """A fix is offered for its finding; all safe ones together leave out what another one changes."""
    document = reading.read_text(TEXT, "a.toml")
    assert isinstance(document, Document)
    found = [
        finding(document, "one", "1"),
        finding(document, "one two", "12"),
        finding(document, "two", "2", safe=False),
        finding(document, "three", "3"),
    ]
    offered = list(acting.actions(found, Places(), lambda _: "file:///a.toml"))
    assert ["Write `1`", "Write `12`", "Write `2`", "Write `3`"] == [each.title for each in offered]
    assert [True, True, False, True] == [each.is_preferred for each in offered]
    whole = acting.fix_all(found, Places(), lambda _: "file:///a.toml")
    assert 'reply = "1 two 3"' in done(whole)
    assert 'reply = "one 2 three"' in done(offered[2])
    assert acting.fix_all(found[2:3], Places(), lambda _: "") is None


def done(action: types.CodeAction | None) -> str:
    assert action is not None
    assert action.edit is not None
    edits = (action.edit.changes or {})["file:///a.toml"]
    return edited(TEXT, [each for each in edits if isinstance(each, types.TextEdit)])
