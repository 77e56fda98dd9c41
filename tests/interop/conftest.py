"""One server for all client programs, and the programs that the chosen tests ask for, two at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from client_cases import CASES, scenario
from client_table import CLIENTS
from clients import Ran, run
from serving import serving

from llmposter.server import Running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    cases = tmp_path_factory.mktemp("scenarios") / "cases.yaml"
    # JSON is YAML, but that PyYAML takes a raw U+2028 for a line break, as YAML 1.1 did.
    text = json.dumps(scenario(), ensure_ascii=False).replace("\u2028", "\\u2028")
    cases.write_text(text, encoding="utf-8")
    here = Path(__file__).parent
    with serving(*sorted(here.glob("*.toml")), cases) as running:
        yield running


@pytest.fixture(scope="session")
def programs(
    server: Running, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Ran]]]:
    """What each program that a chosen test asks for will have told."""
    chosen = dict.fromkeys(
        item.callspec.params["client"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and "programs" in item.fixturenames
    )
    home = tmp_path_factory.mktemp("home")
    pool = ThreadPoolExecutor(2)
    try:
        yield {
            name: pool.submit(run, CLIENTS[name], name, dict.fromkeys(CLIENTS[name].tasks(CASES), server.url), home)
            for name in chosen
        }
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.fixture
def ran(programs: dict[str, Future[Ran]], client: str) -> Ran:
    return programs[client].result()
