"""The tables of docs/providers/index.md are what each provider's own SDK hears, not what somebody believes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import pytest
from judging import Heard, Judge, judges, said
from speaker import Speaker, speaking
from wire_cases import REPLIES, reply

from llmposter.model import Reply, Text, Turn
from llmposter.wire import load

INDEX = Path(__file__).parents[2] / "docs" / "providers" / "index.md"
REASONED, PLAIN = REPLIES["reasoning then text"], REPLIES["text"]


class Seen(NamedTuple):
    """What an SDK heard of a reply, and the request that it sent next."""

    reply: Reply
    heard: Heard
    next: Turn
    judge: Judge


Can = Callable[[Seen], bool]


def heard(name: str) -> Can:
    """What is heard of this is what was said."""
    return lambda seen: getattr(seen.heard, name) == getattr(said(seen.reply), name)


# What a row says, the reply that it is tried with, and how it is seen whether the provider can.
FEATURES: dict[str, tuple[Reply, Can]] = {
    "text of any characters": (REPLIES["long astral text"], heard("texts")),
    "`reply` and `json` stay two texts": (REPLIES["text and structured"], heard("texts")),
    "several calls at once": (REPLIES["two parallel calls"], heard("calls")),
    "arguments that are not JSON": (REPLIES["call with broken arguments"], heard("calls")),
    "`think`": (REASONED, heard("thinking")),
    "reasoning comes back in the history": (REASONED, lambda seen: "weather" in seen.next.messages[1].thinking),
    "what comes back names its answer": (REASONED, lambda seen: seen.next.messages[1].answer == seen.reply.id),
    "`refuse`": (REPLIES["refusal"], heard("refusal")),
    "a refusal has usage of its own": (REPLIES["refusal"], heard("used")),
    '`finish = "length"`': (REPLIES["cut short"], heard("finish")),
    '`finish = "content_filter"`': (reply(Text("It is"), finish="content_filter"), heard("finish")),
    '`finish = "pause"`': (reply(Text("It is"), finish="pause"), heard("finish")),
    "cached and reasoning tokens in `usage`": (PLAIN, heard("used")),
    "the SDK tells its retries from new requests": (PLAIN, lambda seen: seen.next.retry is not None),
    "the SDK asks again after `quota_exceeded`": (PLAIN, lambda seen: "quota_exceeded" in seen.judge.retried),
}


def table(first: str) -> list[list[str]]:
    """The cells of the table that begins with this one, the heading with them."""
    lines = INDEX.read_text(encoding="utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith(f"| {first}"))
    rows = []
    for line in lines[at:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return [rows[0], *rows[2:]]


WIRES = [cell.strip("`") for cell in table("| `openai`")[0][1:]]
ROWS = {row[0]: row[1:] for row in table("| `openai`")[1:]}


@pytest.fixture(scope="module")
def speakers() -> Iterator[dict[str, Speaker]]:
    with ExitStack() as stack:
        yield {wire: stack.enter_context(speaking(load()[wire])) for wire in WIRES}


def seen(speaker: Speaker, reply: Reply) -> Seen:
    speaker.say(reply)
    judge = judges()[speaker.wire.name]
    with closing(judge.agent(speaker.url, stream=True, retries=0)) as agent:
        found = agent.say("hi")
        if found.calls:
            agent.result(*((call, "{}") for call in found.calls))
        else:
            agent.say("and now?")
    return Seen(reply, found, speaker.turns[-1], judge)


def test_the_tables_are_of_all_providers() -> None:
    """Every wire has a column and a row, and every feature is tried."""
    assert load().keys() == set(WIRES)
    assert FEATURES.keys() == ROWS.keys()
    assert [f"`{wire}`" for wire in WIRES] == [row[0] for row in table("`provider`")[1:]]


@pytest.mark.parametrize("feature", FEATURES)
def test_a_provider_can_what_the_table_says(speakers: dict[str, Speaker], feature: str) -> None:
    """ "yes" where what the SDK hears, or sends back, is what was said; "no" and why where it is not."""
    reply_, can = FEATURES[feature]
    found = ["yes" if can(seen(speakers[wire], reply_)) else "no" for wire in WIRES]
    assert [cell.partition(":")[0] for cell in ROWS[feature]] == found


@pytest.mark.parametrize("row", table("`provider`")[1:], ids=lambda row: row[0])
def test_a_route_is_where_the_sdk_goes(row: list[str]) -> None:
    """The path of the table is the wire's, and its base URL is what leads the SDK there."""
    wire, _, route, base = (cell.strip("`") for cell in row)
    assert route.split("`")[0].removeprefix("POST ") in {each.path for each in load()[wire].routes}
    assert base.removesuffix("/v1") == "http://127.0.0.1:2112"
    assert base.endswith("/v1") == (wire in ("openai", "responses"))


def test_every_page_of_a_provider_can_be_found() -> None:
    """The first table links each page beside it."""
    linked = {page for row in table("`provider`")[1:] for page in re.findall(r"\((\S+\.md)\)", row[1])}
    assert linked == {page.name for page in INDEX.parent.glob("*.md")} - {INDEX.name}
