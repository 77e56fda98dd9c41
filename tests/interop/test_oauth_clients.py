"""OAuth libraries that nobody here wrote, each through its whole flow, and with its tokens at a provider's endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from clients import Ran, Task, run
from oauth_clients import ASKED, FLOWS, HEARD, ROWS, SCENARIO, asking
from serving import serving

from llmposter.server import Running

DOCS = Path(__file__).parents[2] / "docs" / "oauth.md"


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Running]]:
    """For each flow one: that lets everybody in, or asks a person about devices, which ask too soon or wait."""
    patient, soon = asking('device_interval = "1m"'), asking('device_interval = "1s"')
    with serving(SCENARIO) as auto, serving(patient) as device, serving(soon) as polled:
        yield dict.fromkeys(ASKED, auto) | {"device": device, "polled": polled}


@pytest.fixture(scope="module")
def played(servers: dict[str, Running], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Ran]]]:
    """What each program told, two at a time."""
    home = tmp_path_factory.mktemp("home")

    def play(name: str) -> Ran:
        tasks = [task for who, task in FLOWS if who == name]
        return run(ROWS[name][0], name, {task: servers[task.api].url for task in tasks}, home)

    pool = ThreadPoolExecutor(2)
    try:
        yield {name: pool.submit(play, name) for name in ROWS}
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(("client", "task"), FLOWS, ids=str)
def test_a_library_goes_through_the_whole_flow(played: dict[str, Future[Ran]], client: str, task: Task) -> None:
    """It gets tokens that verify, refreshes once, and hears of every end, in the words of the RFCs."""
    assert HEARD[task.api] == played[client].result().heard[task]


@pytest.mark.parametrize(("client", "task"), FLOWS, ids=str)
def test_the_server_saw_what_the_library_did(
    played: dict[str, Future[Ran]], servers: dict[str, Running], client: str, task: Task
) -> None:
    """Its token requests are those of the flow and no others, and `verify` has nothing against its conversation."""
    played[client].result()
    server, session = servers[task.api], task.session(client)
    assert server.oauth is not None
    assert ASKED[task.api] == [(each["grant_type"], each["outcome"]) for each in server.oauth.grants(session)]
    assert [] == server.mock.verify(session).lines()


SHOWN = {
    "Authlib, for `httpx` and for `requests`": "newest/authlib",
    "`requests-oauthlib`": "newest/requests-oauthlib",
    "`openid-client`, on `oauth4webapi`": "node/openid-client",
    "MCP's Python SDK": "newest/mcp",
}
"""What the docs call the programs."""

COLUMNS = {
    "code": {"a consent"},
    "public": {"no secret"},
    "registered": {"no secret", "registers"},
    "itself": {"for itself"},
    "device": {"a device"},
    "polled": {"a device"},
    "early": {"in time"},
    "found": {"a consent", "no secret", "registers", "in time", "finds it"},
    "found-itself": {"for itself", "finds it"},
}
"""And the flows."""


def test_the_docs_tell_what_each_library_is_tried_on() -> None:
    """Every library that is played, with the flows that it goes through."""
    table = DOCS.read_text(encoding="utf-8").partition("\n| client |")[2].partition("\n\n")[0]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
    found = {SHOWN[shown]: {column for column, cell in zip(head, cells, strict=True) if cell} for shown, *cells in rows}
    assert {name: set().union(*(COLUMNS[flow] for flow in flows)) for name, (_, flows) in ROWS.items()} == found
