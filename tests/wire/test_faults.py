"""Every fault at every point, on every wire, whole and streamed, as bytes on a socket and the end of a connection."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from breaking_off import Ended, ask, broken, phrases
from judging import judges

PAGE = Path(__file__).parents[2] / "docs" / "faults-on-the-wire.md"
DIGESTS = Path(__file__).parent / "faults.json"
WIRES = {"openai": "OpenAI Chat", "responses": "OpenAI Responses", "anthropic": "Anthropic", "gemini": "Gemini"}
WAYS = {"streamed": True, "plain": False}
BEGIN, END = "<!-- made by tests/wire/test_faults.py -->", "<!-- end -->"

Heard = Mapping[tuple[str, str, str], Ended]


@pytest.fixture(scope="module")
def heard() -> Heard:
    """What came, by phrase, wire and way; "" is the answer without a fault."""
    cases = {
        (phrase, wire, way): made
        for phrase in ("", *phrases())
        for made in (broken(phrase),)
        for wire in WIRES
        for way in WAYS
    }
    with ThreadPoolExecutor(4) as pool:
        told = pool.map(lambda case: ask(cases[case], case[1], stream=WAYS[case[2]]), cases)
        return dict(zip(cases, told, strict=True))


def test_every_wire_is_here() -> None:
    """A new wire is held to all faults."""
    assert judges().keys() == WIRES.keys()


def test_the_same_seed_gives_the_same_bytes(heard: Heard) -> None:
    """What came and how it ended is what it was when the digests were written down."""
    made = {"/".join(case): ended.digest for case, ended in heard.items()}
    if os.environ.get("LLMPOSTER_GOLDEN") == "write":
        DIGESTS.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert json.loads(DIGESTS.read_text(encoding="utf-8")) == made


def test_the_page_shows_what_came(heard: Heard) -> None:
    """Its tables are made of what a socket saw."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    made = f"{before}{BEGIN}\n{tables(heard)}{END}{rest.partition(END)[2]}"
    if os.environ.get("LLMPOSTER_GOLDEN") == "write":
        PAGE.write_text(made, encoding="utf-8")
    assert made == PAGE.read_text(encoding="utf-8")


def test_a_fault_whose_point_the_answer_lacks_changes_nothing(heard: Heard) -> None:
    """The answer is that without a fault, byte for byte."""
    lacking = [(case, ended) for case, ended in heard.items() if not ended.struck]
    assert lacking
    assert [] == [case for case, ended in lacking if ended.body != heard["", case[1], case[2]].body]


@pytest.mark.parametrize(("action", "end"), [("drop", "reset"), ("close", "closed"), ("hang", "open")])
def test_what_ends_a_connection_ends_it_so(heard: Heard, action: str, end: str) -> None:
    """And what the client has before it is the beginning of the answer."""
    struck = {case: each for case, each in heard.items() if case[0].startswith(action) and each.struck}
    assert {end} == {each.end for each in struck.values()}
    assert [] == [case for case, each in struck.items() if not heard["", case[1], case[2]].body.startswith(each.body)]


def test_a_stall_loses_nothing(heard: Heard) -> None:
    """All of the answer comes, later."""
    stalled = {case: each for case, each in heard.items() if case[0].startswith("stall")}
    assert [] == [case for case, each in stalled.items() if each.body != heard["", case[1], case[2]].body]


def test_what_came_before_a_point_inside_the_stream_is_some_of_the_answer(heard: Heard) -> None:
    """Partial answers have a part: more than nothing, less than all."""
    inside = ("after 1 chunk", "halfway", "inside tool arguments", "between tool calls", "before finish")
    wrong = [
        case
        for case, each in heard.items()
        if case[0].startswith(("drop", "close")) and case[0].endswith(inside) and each.struck
        if not 0 < len(each.body) < len(heard["", case[1], case[2]].body)
    ]
    assert [] == wrong


# --- the page -------------------------------------------------------------------------------------------------------


def tables(heard: Heard) -> str:
    """A table for streams and one for whole answers."""
    return "\n".join(f"{line}\n" for way, title in _TITLES.items() for line in _table(heard, way, title))


_TITLES = {"streamed": "Streamed", "plain": "Whole"}


def _table(heard: Heard, way: str, title: str) -> list[str]:
    lines = [f"\n## {title}\n", f"| fault | {' | '.join(WIRES.values())} |\n|---|{'---|' * len(WIRES)}"]
    whole = [f"{len(heard['', wire, way].body):,} bytes" for wire in WIRES]
    rows = [f"| none | {' | '.join(whole)} |"]
    for phrase in dict.fromkeys(case[0] for case in heard if case[0]):
        cells = [_cell(heard[phrase, wire, way], heard["", wire, way]) for wire in WIRES]
        rows.append(f"| `{phrase}` | {' | '.join(cells)} |")
    return ["\n".join((*lines, *rows))]


def _cell(ended: Ended, whole: Ended) -> str:
    if not ended.struck:
        return "-"
    if not ended.headed:
        size = "some of the head" if ended.head else "nothing"
    elif not ended.head.startswith(b"HTTP/1.1 200"):
        size = f"status {ended.head.split()[1].decode()}"
    else:
        size = "all" if ended.body == whole.body else f"{len(ended.body):,} bytes"
    return size if ended.end == "complete" else f"{size}, {ended.end}"
