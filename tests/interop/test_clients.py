"""Clients that nobody here wrote, each in its own environment, hear what the scenario says and run a tool loop."""

from __future__ import annotations

import pytest
from client_cases import CASES
from client_hears import beside, heard
from client_table import CLIENTS
from clients import Ran, Task

from llmposter.server import Running

CASE = [(name, api, case) for name, client in CLIENTS.items() for api in client.cases for case in CASES]
LOOP = [(name, task) for name, client in CLIENTS.items() for task in client.tasks({}) if task.play == "loop"]

TOOL_LOOP = ("The warmest is Rome.", ["reply", "error", "reply", "reply"])
LOOPS = {"talk": ("Three.", ["error", "reply", "error", "reply", "error", "error", "reply"])}
"""How each kind of loop ends, and what the server sent on the way."""


@pytest.mark.parametrize(("client", "api", "case"), CASE)
def test_a_client_hears_what_the_scenario_says(ran: Ran, client: str, api: str, case: str) -> None:
    """Plain and streamed: text, calls, reasoning, refusal, finish reason and usage; or the SDK's own exception."""
    expected = heard(CLIENTS[client], api, case)
    assert expected == ran.heard[Task("case", api, case, stream=False)]
    assert expected == ran.heard[Task("case", api, case, stream=True)]


@pytest.mark.parametrize("client", [name for name, client in CLIENTS.items() if client.cases])
def test_nothing_that_a_client_sent_is_held_against_it(ran: Ran, client: str, server: Running) -> None:
    """Every request of its cases was one that the provider takes, and had an answer in the scenario."""
    session = next(task for task in ran.heard if task.play == "case").session(client)
    assert [] == server.mock.verify(session).lines()


@pytest.mark.parametrize(("client", "api"), [(name, api) for name, client in CLIENTS.items() for api in client.beside])
def test_a_client_hears_what_stands_beside_the_conversations(ran: Ran, client: str, api: str) -> None:
    """Models, vectors, moderations and counts of tokens, as its own methods ask for them."""
    assert beside(CLIENTS[client], api) == ran.heard[Task("beside", api, "", stream=False)]


@pytest.mark.parametrize(("client", "task"), LOOP, ids=str)
def test_a_client_runs_a_loop_to_its_end(ran: Ran, client: str, task: Task, server: Running) -> None:
    """Every error costs one retry, the end is reached, and `verify` finds nothing in the journal to fail on."""
    text, outcomes = LOOPS.get(task.case, TOOL_LOOP)
    assert {"text": text} == ran.heard[task]
    session = task.session(client)
    assert [] == server.mock.verify(session).lines()
    found = [entry["outcome"] for entry in server.mock.journal(session)["entries"]]
    # LlamaIndex looks the model up first.
    assert outcomes == [outcome for outcome in found if outcome != "endpoint"]
