"""The pytest plugin: a session of llmposter for each test, a marker, SDKs that find it, and tests that fail unclean.

It is loaded wherever pytest runs beside llmposter, so that it imports nothing but pytest before a test asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from llmposter.testing.plugin import guard, wishes

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from llmposter.testing.elsewhere import Elsewhere
    from llmposter.testing.handles import Clock
    from llmposter.testing.plugin.playing import Played
    from llmposter.testing.plugin.servers import Servers
    from llmposter.testing.server import Server, Session

PLAYED: pytest.StashKey[Played] = pytest.StashKey()
WATCH: pytest.StashKey[guard.Watch] = pytest.StashKey()

MARKER = (
    "llmposter(*scenarios, seed=None, clock='real', tokens=(), oauth=False, diagnostics=False, guard=None, "
    "verify=True, allow_unmet=False, "
    "allow_violations=False, allow_misses=False, allow_unanswered=False, allow_open=False, environment=True): "
    "serves these scenarios to the test, in a session of its own; paths are as seen from the test's file."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("llmposter")
    told = "play all tests against the server that runs at URL; each has a session of its own on it"
    group.addoption("--llmposter-server", metavar="URL", help=told)
    told = "tell which states and rules of the scenarios all tests together covered"
    group.addoption("--llmposter-coverage", action="store_true", help=told)
    told = "fail where less than this percentage of all states and rules is covered; implies --llmposter-coverage"
    group.addoption("--llmposter-fail-under", type=float, metavar="PERCENT", help=told)
    parser.addini("llmposter_scenarios", "what llmposter serves where no marker says it", type="args", default=[])
    parser.addini("llmposter_server", "as --llmposter-server", default="")
    told = "which tests are kept from real providers: used (those that use llmposter), all or off"
    parser.addini("llmposter_guard", told, default="used")
    for name, (default, told) in wishes.SWITCHES.items():
        parser.addini(f"llmposter_{name}", f"{told}, where no marker says it", type="bool", default=default)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    if (given := config.getini("llmposter_guard")) not in ("used", "all", "off"):
        raise pytest.UsageError(f'llmposter_guard is "{given}" and should be used, all or off')
    under: float | None = config.getoption("--llmposter-fail-under")
    if under is not None or config.getoption("--llmposter-coverage"):
        from llmposter.testing.plugin.coverage import Coverage

        config.pluginmanager.register(Coverage(under), "llmposter_coverage")


# --- which tests are played


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The marker is enough; and the variables are set before a fixture of the test makes a client."""
    for item in items:
        names: list[str] | None = getattr(item, "fixturenames", None)
        if names is not None and ("llmposter" in names or item.get_closest_marker("llmposter") is not None):
            _put_first(item, names)


def _put_first(item: Any, names: list[str]) -> None:
    """Before all fixtures of its scope; `names` is shared by the parametrisations of a function."""
    if "llmposter" in names:
        names.remove("llmposter")
    known = item._fixtureinfo.name2fixturedefs  # noqa: SLF001 - nothing else tells scopes at this time
    own = (n for n, name in enumerate(names) if name in known and known[name][-1].scope == "function")
    names.insert(next(own, len(names)), "llmposter")


# --- fixtures


@pytest.fixture(scope="session")
def _llmposter_servers(pytestconfig: pytest.Config) -> Iterator[Servers]:
    from llmposter.testing.plugin.servers import Servers

    servers = Servers(wishes.elsewhere(pytestconfig))
    yield servers
    servers.stop()


@pytest.fixture(scope="session")
def llmposter_server(pytestconfig: pytest.Config) -> Iterator[Server | Elsewhere]:
    """The server of the tests that name no scenarios: of those that `llmposter_scenarios` in the ini-file names."""
    from llmposter.testing.plugin.playing import serving

    with serving(pytestconfig) as server:
        yield server


@pytest.fixture
def llmposter(request: pytest.FixtureRequest, _llmposter_servers: Servers) -> Iterator[Session | Elsewhere]:
    """A session for this test alone: URLs, requests, assertions; SDKs find it by environment variables."""
    from llmposter.testing.plugin.playing import playing

    with playing(request, _llmposter_servers) as played:
        request.node.stash[PLAYED] = played
        yield played.session
        del request.node.stash[PLAYED]


@pytest.fixture
def llmposter_clock(llmposter: Session) -> Clock:
    """A clock that never sleeps: `advance("15m")` moves it, and the test has a server of its own."""
    return llmposter.clock


# --- the course of a test


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """No real provider is reached from the first fixture to the last."""
    if not _guarded(item):
        return (yield)
    item.stash[WATCH] = guard.begin()
    try:
        return (yield)
    finally:
        guard.end()


def _guarded(item: pytest.Item) -> bool:
    said = item.get_closest_marker("llmposter")
    if said is not None and said.kwargs.get("guard") is not None:
        return bool(said.kwargs["guard"])
    mode = item.config.getini("llmposter_guard")
    used = not {"llmposter", "llmposter_server"}.isdisjoint(getattr(item, "fixturenames", ()))
    return mode == "all" or (mode == "used" and used)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """A test that goes well fails where its run was not clean; one that fails shows what llmposter saw."""
    if WATCH in item.stash:
        guard.over_uvloop()
    try:
        yield
    except (Exception, pytest.fail.Exception) as error:
        _tell(item, error)
        raise
    if getattr(item, "_excinfo", None):  # a test of unittest, which raises nothing (_pytest/unittest.py)
        _tell(item, None)
    elif told := "\n\n".join(_wrong(item)):
        pytest.fail(told, pytrace=False)


def _wrong(item: pytest.Item) -> Iterator[str]:
    if WATCH in item.stash and (reached := item.stash[WATCH].told()):
        yield "\n".join(reached)
    if PLAYED in item.stash and (told := item.stash[PLAYED].wrong()):
        yield told


def _tell(item: pytest.Item, error: BaseException | None) -> None:
    """A section of the report, unless an assertion of the library has told it all."""
    told = item.stash[WATCH].told() if WATCH in item.stash else []
    if PLAYED in item.stash and not _of_ours(error):
        told.append(item.stash[PLAYED].told())
    if told:
        item.add_report_section("call", "llmposter", "\n\n".join(told) + "\n")


def _of_ours(error: BaseException | None) -> bool:
    trace = None if error is None else error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == "llmposter.testing.seen"
