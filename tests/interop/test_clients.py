"""Clients that nobody here wrote, each in its own environment, hear what the scenario says and run a tool loop."""

from __future__ import annotations

import pytest
from client_cases import CASES
from client_hears import heard
from client_table import CLIENTS
from clients import Ran, Task

from llmposter.server import Running

CASE = [(name, api, case) for name, client in CLIENTS.items() for api in client.cases for case in CASES]
LOOP = [(name, task) for name, client in CLIENTS.items() for task in client.tasks({}) if task.play == "loop"]


@pytest.mark.parametrize(("client", "api", "case"), CASE)
def test_a_client_hears_what_the_scenario_says(ran: Ran, client: str, api: str, case: str) -> None:
    """Plain and streamed: text, calls, reasoning, refusal, finish reason and usage; or the SDK's own exception."""
    expected = heard(CLIENTS[client], api, case)
    assert expected == ran.heard[Task("case", api, case, stream=False)]
    assert expected == ran.heard[Task("case", api, case, stream=True)]


@pytest.mark.parametrize(("client", "task"), LOOP, ids=str)
def test_a_client_runs_the_tool_loop_to_its_end(ran: Ran, client: str, task: Task, server: Running) -> None:
    """Three steps, a 429 on the way, two calls at once; nothing in the journal that `verify` would fail on."""
    assert {"text": "The warmest is Rome."} == ran.heard[task]
    session = task.session(client)
    assert [] == server.mock.verify(session).lines()
    outcomes = [entry["outcome"] for entry in server.mock.journal(session)["entries"]]
    # LlamaIndex looks the model up first.
    assert ["reply", "error", "reply", "reply"] == [outcome for outcome in outcomes if outcome != "endpoint"]
