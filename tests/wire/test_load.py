"""Wires are found by being in the package, or by an entry point; each says what it cannot."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from llmposter import wire as wires
from llmposter.model import Route
from llmposter_dsl.place import At
from llmposter_dsl.source import Source, Span

PLACE = At(Source("fake.toml", "fake"), Span(0, 4))
OTHER = SimpleNamespace(name="other")


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """`load` as if it was never called, with an installed package that has these entry points."""

    def found(*entries: str, group: str = wires.GROUP, archive: bool = False, kind: str = "dist-info"):
        text = "\n".join([f"[{group}]", *entries])
        folder = f"other-1.{kind}"
        place = tmp_path / "archive.zip" if archive else tmp_path
        if archive:
            with zipfile.ZipFile(place, "w") as zipped:
                zipped.writestr(f"{folder}/entry_points.txt", text)
                zipped.writestr(f"{folder}/METADATA", "Name: other\nVersion: 1\n")
        else:
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "entry_points.txt").write_text(text, encoding="utf-8")
            (tmp_path / folder / ("METADATA" if kind == "dist-info" else "PKG-INFO")).write_text(
                "Name: other\nVersion: 1\n", encoding="utf-8"
            )
        monkeypatch.syspath_prepend(str(place))
        return wires.load.__wrapped__()

    return found


def test_the_wires_of_the_package_are_found() -> None:
    """By their names, each with its routes; the same ones each time."""
    assert {"openai", "responses", "anthropic", "gemini"} == set(wires.load())
    assert all(name == wire.name for name, wire in wires.load().items())
    assert wires.load()["openai"].routes == (Route("POST", "/v1/chat/completions"),)
    assert wires.load() is wires.load()


def test_no_two_wires_answer_one_route() -> None:
    """Each path with its method is one wire's."""
    routes = [route for wire in wires.load().values() for route in wire.routes]
    assert len(routes) == len({(route.method, route.path) for route in routes})


def test_what_stands_beside_the_wires_is_found() -> None:
    """Endpoints and dialects speak in the words of a wire, or of none, and are the same ones each time."""
    assert {each.provider for each in wires.endpoints()} <= {*wires.load(), ""}
    assert {each.name for each in wires.dialects()} <= set(wires.load())
    assert wires.endpoints() is wires.endpoints()


def test_nobody_can_change_what_was_found() -> None:
    """The mapping is read-only."""
    with pytest.raises(TypeError):
        wires.load()["mine"] = OTHER


@pytest.mark.parametrize("how", [{}, {"kind": "egg-info"}, {"archive": True}], ids=["wheel", "egg", "archive"])
def test_a_wire_of_another_package_is_found(how: dict, fresh) -> None:
    """An entry point of the group names a wire, wherever the package is installed."""
    assert {*wires.load(), "other"} == set(fresh(f"other = {__name__}:OTHER", **how))


def test_another_group_names_no_wire(fresh) -> None:
    """An entry point of another group is left alone."""
    assert set(wires.load()) == set(fresh("no = no:no", group="other.group"))


def test_a_finder_of_another_kind_is_asked(fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not only Python itself says what is installed, `importlib.metadata` is asked, and gives the same."""
    from importlib.metadata import DistributionFinder

    class Finder(DistributionFinder):
        def find_spec(self, *_: object) -> None: ...
        def find_distributions(self, context: object = None) -> list:
            asked.append(context)
            return []

    asked: list = []
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert set(wires.load()) == set(fresh("no = no:no", group="other.group"))
    assert asked


def test_two_wires_of_one_name_are_refused(fresh) -> None:
    """The message says which name."""
    with pytest.raises(ValueError, match='two wires are called "openai"'):
        fresh("again = llmposter.wire.openai_chat:WIRE")
