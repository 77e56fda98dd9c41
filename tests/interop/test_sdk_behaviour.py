"""What each official SDK makes of trouble is what docs/sdk-behaviour.md says, whose tables `make behaviour` renews."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trouble_page
from serving import serving
from trouble_cases import ACCESS, CREDENTIALS, FAILS, FAULTS, NO_FAULT, WAITS, scenario
from trouble_clients import PROGRAMS, Told, Trial, play, trials

from llmposter.server import Running

PAGE = Path(__file__).parents[2] / "docs" / "sdk-behaviour.md"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """The one that has a case, by the case."""
    path = tmp_path_factory.mktemp("scenarios") / "trouble.yaml"
    path.write_text(json.dumps(scenario()), encoding="utf-8")
    with serving(path, journal_size=100_000) as open_, serving(CREDENTIALS, clock="manual") as closed:
        yield dict.fromkeys([*FAILS, *WAITS, *NO_FAULT, *FAULTS], open_) | dict.fromkeys(ACCESS, closed)


@pytest.fixture(scope="module")
def heard(servers: dict[str, Running], tmp_path_factory: pytest.TempPathFactory) -> trouble_page.Heard:
    """What every program told of everything, three programs at a time, for some wait."""
    home = tmp_path_factory.mktemp("home")

    def played(program: str) -> dict[Trial, Told]:
        return play(program, [(trial, servers[trial.case]) for trial in trials(program, servers)], home)

    with ThreadPoolExecutor(3) as pool:
        told = pool.map(played, PROGRAMS)
        return {(name, trial): of for name, all_ in zip(PROGRAMS, told, strict=True) for trial, of in all_.items()}


def test_the_page_says_what_the_sdks_do(heard: trouble_page.Heard) -> None:
    """Its tables are made of what they did; a version that does otherwise shows as a difference."""
    page = PAGE.read_text(encoding="utf-8")
    made = trouble_page.put(page, trouble_page.tables(heard))
    if os.environ.get("LLMPOSTER_GOLDEN") == "write":
        PAGE.write_text(made, encoding="utf-8")
    assert made == PAGE.read_text(encoding="utf-8")


def test_no_error_is_taken_for_an_answer(heard: trouble_page.Heard) -> None:
    """Every way to ask raises, before the application got any text."""
    errors = {**FAILS, **WAITS, **ACCESS}
    assert [] == [key for key, told in heard.items() if key[1].case in errors and (told.raised is None or told.heard)]


def test_an_exception_tells_what_the_provider_said(heard: trouble_page.Heard) -> None:
    """Its message and status are the provider's, as the SDK has them, in every way to ask."""
    for (program, trial), told in heard.items():
        if trial.case in FAILS:
            true = trouble_page.truth(trial.api, trial.case)
            values = list(trouble_page.held(told).values())
            assert true["status"] in values, (program, trial, told.trace)
            said = (true["message"], json.dumps(true["message"])[1:-1])
            assert any(message in str(value) for value in values for message in said), (program, trial, told.trace)
