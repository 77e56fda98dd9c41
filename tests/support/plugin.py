"""pytest in pytest, with the plugin, whether or not it is installed as one; and agents for the tests in it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import agents
import httpcore
import pytest

import llmposter.testing.plugin.coverage
import llmposter.testing.plugin.playing

TOP = Path(__file__).parents[2]
GALLERY = TOP / "scenarios"
KEPT = (agents, httpcore, llmposter)
"""A run in this process forgets what it loads; what is loaded before is there for all of them, and loaded once."""
LOADED = (
    *("-p", "no:llmposter", "-p", "llmposter.testing.plugin", "-W", "ignore:Module already imported"),
    *("-p", "no:cacheprovider", "-p", "no:hypothesispytest"),
)
"""By its module's name, so that these tests see what stands here and not what is installed."""
RUNNERS = (
    *("CI", "BUILD_NUMBER", "GITHUB_ACTIONS", "TRAVIS", "TOX_ENV_DIR", "COLUMNS", "LINES"),
    *("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_THEME", "PYTEST_THEME_MODE", "PYTEST_TIMEOUT"),
    *("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_XDIST_AUTO_NUM_WORKERS"),
)
"""Variables by which whoever runs all tests changes what a run in them does or prints: on CI nothing is shortened."""

AGENT = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import pytest
from agents import Agent, posted, weather
from llmposter import Scenario, rule

def whole(session):
    weather(session.openai_url)

def stops(session):
    weather(session.openai_url, result=None)
"""


def given(pytester: pytest.Pytester, text: str, **files: str) -> None:
    """A file of tests that may use `AGENT`, and a scenario beside it."""
    pytester.makepyfile(AGENT + dedent(text))
    (pytester.path / "weather.toml").write_text((GALLERY / "weather.toml").read_text(encoding="utf-8"))
    for name, content in files.items():
        (pytester.path / f"{name}.toml").write_text(content)


def ran(pytester: pytest.Pytester, *arguments: str, **outcomes: int) -> pytest.RunResult:
    """What came of it in this process; *outcomes* are those of all tests."""
    result = pytester.runpytest_inprocess(*LOADED, *arguments)
    result.assert_outcomes(**outcomes)
    return result


def printed(result: pytest.RunResult) -> str:
    return result.stdout.str()
