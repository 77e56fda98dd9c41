"""The pytest plugin: what is served to a test, who finds it, and which tests fail at their end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import openai  # noqa: F401 - loaded once for all runs in this process
import pytest
from plugin import LOADED, RUNNERS, TOP, given, printed, ran

pytest_plugins = ["pytester"]

HELLO = '[[states.talk]]\nreply = "Hello!"\n'
GOLDEN = Path(__file__).parent / "golden_pytest"


def test_a_marker_is_enough(pytester: pytest.Pytester) -> None:
    """SDKs find the session by their variables, also where a fixture makes them that knows nothing of it."""
    given(
        pytester,
        """
        from openai import OpenAI

        @pytest.fixture
        def client():
            return OpenAI()

        @pytest.mark.llmposter("weather.toml")
        def test_without_the_fixture(client):
            weather(str(client.base_url).rstrip("/"))

        @pytest.mark.llmposter("weather.toml")
        class TestAll:
            @pytest.mark.parametrize("city", ["Paris", "Oslo"])
            def test_with_it(self, client, city, llmposter):
                weather(str(client.base_url).rstrip("/"), city)
                llmposter.assert_called("get_weather", city=city)
                assert len(llmposter.conversations) == 1
        """,
    )
    ran(pytester, passed=3)


SOURCES = {
    "a path beside the test": "'weather.toml'",
    "a path from the root": "'deep/hello.toml'",
    "a folder": "'deep'",
    "a text": "'[[states.talk]]\\nreply = \"Hello!\"\\n'",
    "a scenario in Python": "Scenario(name='built').state('talk', rule(reply='Hello!'))",
    "several": "'deep/hello.toml', Scenario(name='built', serves='model == \"x\"').state('a', rule(reply='x'))",
}


@pytest.mark.parametrize("named", SOURCES)
def test_a_marker_takes_what_a_server_takes(named: str, pytester: pytest.Pytester) -> None:
    """Paths are seen from the test's file, and from the root of the tests."""
    (pytester.mkdir("deep") / "hello.toml").write_text(HELLO)
    given(
        pytester,
        f"""
        @pytest.mark.llmposter({SOURCES[named]})
        def test_it(llmposter):
            assert posted(llmposter.openai_url, "the weather in Paris").status_code == 200
            assert 1 == len(llmposter.matched)
        """,
    )
    ran(pytester, "-o", "llmposter_verify=false", passed=1)


def test_a_file_deep_below_has_its_own_folder(pytester: pytest.Pytester) -> None:
    """What is beside a test comes before what is in the root."""
    given(pytester, "", talk=HELLO.replace("Hello", "Root"))
    deep = pytester.mkdir("deep")
    (deep / "talk.toml").write_text(HELLO)
    (deep / "test_deep.py").write_text(
        "import pytest\nfrom agents import posted\n"
        "@pytest.mark.llmposter('talk.toml')\ndef test_it(llmposter):\n"
        "    assert 'Hello!' in posted(llmposter.openai_url, 'hi').text\n"
    )
    ran(pytester, passed=1)


def test_different_scenarios_do_not_meet(pytester: pytest.Pytester) -> None:
    """Each set is served for itself; the marker of the test comes before that of its module, options add up."""
    given(
        pytester,
        """
        pytestmark = pytest.mark.llmposter("weather.toml", allow_open=True)

        def test_the_module(llmposter):
            stops(llmposter)
            assert ["weather"] == [each.name for each in llmposter.server._programs]

        @pytest.mark.llmposter("hello.toml")
        def test_its_own(llmposter):
            assert "Hello!" in posted(llmposter.openai_url, "the weather in Paris").text

        @pytest.mark.llmposter(seed=7)
        def test_the_module_with_a_seed(llmposter):
            stops(llmposter)
            assert [("weather", 7)] == [(each.name, each.seed) for each in llmposter.server._programs]

        @pytest.mark.llmposter(allow_open=False)
        def test_another_option(llmposter):
            stops(llmposter)
        """,
        hello=HELLO,
    )
    ran(pytester, passed=3, failed=1)


def test_servers_are_shared_and_bounded(pytester: pytest.Pytester) -> None:
    """All tests of a set have one; of more than sixteen sets the one wanted longest ago ends, and begins anew."""
    given(
        pytester,
        """
        TEXTS = [f'[scenario]\\nname = "s{n}"\\n[[states.talk]]\\nreply = "{n}"\\n' for n in range(18)]
        urls = {}

        PLAYED = [pytest.param(n, marks=pytest.mark.llmposter(TEXTS[n])) for n in (*range(18), 17, 0)]

        @pytest.mark.parametrize("n", PLAYED)
        def test_it(n, llmposter):
            assert str(n) in posted(llmposter.openai_url, "hi").text
            again = urls.setdefault(n, llmposter.server.url) == llmposter.server.url
            assert again or n == 0
            assert 1 == len(llmposter.server.requests)
        """,
    )
    ran(pytester, passed=20)


def test_what_all_share_is_named_once(pytester: pytest.Pytester) -> None:
    """`llmposter_scenarios` in the ini-file is served to tests without a marker, by `llmposter_server`."""
    given(
        pytester,
        """
        def test_the_session(llmposter, llmposter_server):
            weather(llmposter.openai_url)
            assert llmposter.server is llmposter_server

        def test_another(llmposter):
            assert llmposter.requests == ()
            whole(llmposter)
            assert 2 <= len(llmposter.requests)
        """,
    )
    pytester.makeini("[pytest]\nllmposter_scenarios = weather.toml\n")
    ran(pytester, passed=2)


def test_a_project_may_bring_a_server_of_its_own(pytester: pytest.Pytester) -> None:
    """A fixture of the name `llmposter_server` is the one that tests without a marker have their sessions on."""
    pytester.makeconftest(
        f"import pytest\nfrom llmposter import Server\n@pytest.fixture(scope='session')\ndef llmposter_server():\n"
        f"    with Server({HELLO!r}, journal_size=5) as server:\n        yield server\n"
    )
    given(pytester, "def test_it(llmposter):\n    assert 'Hello!' in posted(llmposter.openai_url, 'hi').text")
    ran(pytester, passed=1)


MISTAKES = {
    "nothing to serve": ("", "nothing says what to serve: write @pytest.mark.llmposter"),
    "no such file": ("@pytest.mark.llmposter('wether.toml')", "wether.toml"),
    "a wrong scenario": (
        "@pytest.mark.llmposter('[[states.a]]\\nreply = 1\\n')",
        "scenario.toml:2:9-2:10 LP111",
    ),
    "a wrong option": (
        "@pytest.mark.llmposter('weather.toml', allow_mises=True)",
        'the marker "llmposter" has no "allow_mises": it has scenarios and allow_misses',
    ),
    "no scenario": ("@pytest.mark.llmposter(7)", "7 is nothing to serve"),
    "a wrong token": ("@pytest.mark.llmposter('weather.toml', tokens='a b')", '"a b" is no name of a token'),
    "a wrong clock": ("@pytest.mark.llmposter('weather.toml', clock='slow')", 'the clock is "slow" and should be'),
}


@pytest.mark.parametrize("named", MISTAKES)
def test_a_mistake_is_told_in_a_sentence(named: str, pytester: pytest.Pytester) -> None:
    """Before the test runs, and without the way it came."""
    marker, expected = MISTAKES[named]
    given(pytester, f"{marker}\ndef test_it(llmposter):\n    pass")
    out = printed(ran(pytester, errors=1))
    assert expected in out
    assert "During handling" not in out
    assert "plugin/playing.py" not in out


def test_a_wrong_guard_ends_the_run(pytester: pytest.Pytester) -> None:
    """As any wrong use of pytest does."""
    given(pytester, "")
    pytester.makeini("[pytest]\nllmposter_guard = sometimes\n")
    result = pytester.runpytest_subprocess(*LOADED)
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    assert 'llmposter_guard is "sometimes" and should be used, all or off' in result.stderr.str()


# --- time


def test_time_is_in_the_hand_of_a_test(pytester: pytest.Pytester) -> None:
    """On a server of its own, so that no other test's time moves."""
    given(
        pytester,
        """
        pytestmark = pytest.mark.llmposter("weather.toml")

        @pytest.mark.parametrize("n", [1, 2])
        def test_it(llmposter_clock, llmposter, n):
            assert 1767225600 == llmposter_clock.now
            assert 1767225600 + 900 == llmposter_clock.advance("15m") == llmposter.clock.now

        @pytest.mark.llmposter(clock="manual")
        def test_by_the_marker(llmposter):
            assert 1767225660 == llmposter.clock.advance(60)

        def test_the_real_one(llmposter):
            with pytest.raises(RuntimeError, match="moves by itself"):
                llmposter.clock.advance(1)

        def test_late(llmposter, request):
            assert request.getfixturevalue("llmposter_clock").now > 1767225600 + 3600
        """,
    )
    ran(pytester, passed=5)


# --- the end of a test

AT_THE_END = {
    "open": ("stops(llmposter)", "allow_open", 'the conversation ended in state "lookup" and should end in "done"'),
    "a miss": (
        "weather(llmposter.openai_url).say('More!')",
        "allow_misses",
        'state "done" is final and has no rules',
    ),
    "an expect": (
        'weather(llmposter.openai_url, result=\'{"temp": "warm"}\')',
        "allow_unmet",
        "weather.toml:",
    ),
    "a wrong URL": (
        "posted(llmposter.openai_url + '/chat/completions', 'hi')",
        "allow_unanswered",
        "llmposter has no route POST /v1/chat/completions/chat/completions",
    ),
    "no request": (
        "posted(llmposter.openai_url, 'hi', )",
        "allow_open",
        'ended in state "ask"',
    ),
}


@pytest.mark.parametrize("way", ["marker", "ini"])
@pytest.mark.parametrize("named", AT_THE_END)
def test_a_test_fails_whose_run_was_not_clean(named: str, way: str, pytester: pytest.Pytester) -> None:
    """Unless the marker or the ini-file lets it pass."""
    does, switch, expected = AT_THE_END[named]
    open_ = ", allow_open=True" if "open" not in switch else ""
    allowing = f", {switch}=True" if way == "marker" else ""
    given(
        pytester,
        f"""
        @pytest.mark.llmposter("weather.toml"{open_})
        def test_fails(llmposter):
            {does}

        @pytest.mark.llmposter("weather.toml"{open_}, verify=False)
        def test_unasked(llmposter):
            {does}

        @pytest.mark.llmposter("weather.toml"{open_}{allowing})
        def test_let_pass(llmposter):
            {does}
        """,
    )
    result = ran(pytester, "-k", "not let_pass", passed=1, failed=1)
    assert expected in printed(result)
    assert "ERROR" not in printed(result)
    ini = () if way == "marker" else ("-o", f"llmposter_{switch}=true")
    ran(pytester, "-k", "let_pass", *ini, passed=1)


def test_nothing_is_asked_where_the_ini_file_says_so(pytester: pytest.Pytester) -> None:
    """And asked all the same where the marker does."""
    given(
        pytester,
        """
        pytestmark = pytest.mark.llmposter("weather.toml")
        def test_unasked(llmposter):
            stops(llmposter)
        @pytest.mark.llmposter(verify=True)
        def test_asked(llmposter):
            stops(llmposter)
        """,
    )
    ran(pytester, "-o", "llmposter_verify=false", passed=1, failed=1)


def test_a_test_that_fails_tells_its_own_reason(pytester: pytest.Pytester) -> None:
    """Once, with what llmposter saw below it; one that is skipped or expected to fail is that."""
    given(
        pytester,
        """
        from pytest import skip
        pytestmark = pytest.mark.llmposter("weather.toml")
        def test_fails(llmposter):
            stops(llmposter)
            assert not "its own reason"
        def test_fails_by_word(llmposter):
            stops(llmposter)
            pytest.fail("its own word")
        def test_skips(llmposter):
            stops(llmposter)
            skip("why not")
        @pytest.mark.xfail
        def test_expected(llmposter):
            stops(llmposter)
        """,
    )
    out = printed(ran(pytester, failed=2, skipped=1, xfailed=1))
    assert 2 == out.count("Captured llmposter call")
    assert "the run was not clean" not in out.partition("short test summary")[0]
    assert 2 == out.partition("short test summary")[0].count('the agent sent: user "What is the weather in Paris?"')


def test_a_test_of_unittest_fails_alike(pytester: pytest.Pytester) -> None:
    """The marker stands at its class."""
    given(
        pytester,
        """
        import os, unittest

        @pytest.mark.llmposter("weather.toml")
        class TestIt(unittest.TestCase):
            def test_whole(self):
                weather(os.environ["OPENAI_BASE_URL"])
            def test_stops(self):
                weather(os.environ["OPENAI_BASE_URL"], result=None)
            def test_fails(self):
                weather(os.environ["OPENAI_BASE_URL"], result=None)
                self.fail("its own reason")
        """,
    )
    out = printed(ran(pytester, passed=1, failed=2))
    assert 1 == out.count("the run was not clean: 1 thing is wrong\n")
    assert 1 == out.count("Captured llmposter call")


def test_an_asynchronous_test_is_played_alike(pytester: pytest.Pytester) -> None:
    """By any plugin that runs them; here it is anyio's."""
    given(
        pytester,
        """
        import httpx

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        @pytest.mark.llmposter("weather.toml")
        async def test_it(llmposter):
            body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "the weather in Paris"}]}
            async with httpx.AsyncClient() as client:
                await client.post(f"{llmposter.openai_url}/chat/completions", json=body)
        """,
    )
    assert 'ended in state "lookup"' in printed(ran(pytester, failed=1))


# --- the output of a test that failed

FAILING = {
    "an_agent_that_stops": "def test_weather(llmposter):\n    stops(llmposter)",
    "an_agent_that_never_minds": (
        "def test_weather(llmposter):\n    weather(llmposter.openai_url, result=None).say('Never mind')"
    ),
    "an_agent_with_a_wrong_result": (
        'def test_weather(llmposter):\n    weather(llmposter.openai_url, result=\'{"temp": "warm"}\')'
    ),
    "an_agent_with_a_wrong_url": (
        "def test_weather(llmposter):\n    posted(llmposter.openai_url + '/chat/completions', 'the weather in Paris')"
    ),
    "an_agent_that_asks_nobody": "def test_weather(llmposter):\n    assert 'sunny' == None",
    "a_test_that_fails_by_itself": (
        "def test_weather(llmposter):\n    agent = weather(llmposter.openai_url, result=None)\n"
        "    assert 'It is 22°C' in str(agent.messages[-1]['content'])"
    ),
    "an_assertion_of_the_library": (
        "def test_weather(llmposter):\n    stops(llmposter)\n    llmposter.assert_called('get_weather', city='Rome')"
    ),
    "a_real_provider": (
        "import socket\ndef test_weather(llmposter):\n    try:\n"
        "        socket.create_connection(('api.openai.com', 443))\n    except OSError:\n        pass"
    ),
}


@pytest.mark.parametrize("name", FAILING)
def test_the_output_of_a_failed_test_reads_by_itself(name: str, pytester: pytest.Pytester) -> None:
    """What the agent sent, what was expected, and where in the scenario that stands."""
    given(pytester, 'pytestmark = pytest.mark.llmposter("weather.toml")\n' + FAILING[name])
    out = printed(ran(pytester, "--tb=short", failed=1))
    told = out[out.index("= FAILURES =") :].split("\n", 1)[1].partition("\n=====")[0]
    told = re.sub(r"-[0-9a-f]{8}\b", "-ab12cd34", told)
    told = re.sub(r"test_\w+\.py:\d+: in test", "test_agent.py:LINE: in test", told)
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("LLMPOSTER_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(f"{told}\n", encoding="utf-8")
    assert file.read_text(encoding="utf-8") == f"{told}\n"


def test_every_golden_output_is_of_a_failure() -> None:
    """None is left over."""
    assert sorted(FAILING) == sorted(file.stem for file in GOLDEN.iterdir())


# --- the plugin itself


def entry_points(folder: Path) -> Path:
    """A folder that tells Python of the entry points which `pyproject.toml` has, as an installed package does."""
    told = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    made = folder / "of_a_test-1.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: of-a-test\nVersion: 1\n")
    lines = "".join(f"{name} = {module}\n" for name, module in told.items())
    (made / "entry_points.txt").write_text(f"[pytest11]\n{lines}")
    return folder


CHECK = """
import sys
def test_it(request):
    heavy = {"tornado", "lark", "openai", "llmposter.server", "llmposter_dsl.program", "uvloop"} & sys.modules.keys()
    assert (EXPECTED, set()) == (request.config.pluginmanager.has_plugin("llmposter"), heavy)
"""


@pytest.mark.parametrize("on", [True, False])
def test_pytest_finds_it_and_does_without_it(on: bool, tmp_path: Path) -> None:
    """By its entry point; `-p no:llmposter` keeps it out. Whoever has no use for it loads nothing heavy for it."""
    (tmp_path / "test_it.py").write_text(CHECK.replace("EXPECTED", str(on)))
    path = os.pathsep.join([str(entry_points(tmp_path)), *filter(None, sys.path)])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *([] if on else ["-p", "no:llmposter"])]
    own = {name: value for name, value in os.environ.items() if name not in RUNNERS} | {"PYTHONPATH": path}
    result = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, check=False)
    assert 0 == result.returncode, result.stdout + result.stderr


def test_it_tells_what_it_has(pytester: pytest.Pytester) -> None:
    """Fixtures and the marker, as pytest lists them."""
    given(pytester, "")
    told = printed(pytester.runpytest_inprocess(*LOADED, "--fixtures", "--markers"))
    assert "@pytest.mark.llmposter(*scenarios, seed=None" in told
    told = printed(pytester.runpytest_inprocess(*LOADED, "--fixtures"))
    assert "llmposter_clock -- " in told
    assert "no docstring" not in told[told.index("llmposter") :].partition("\n\n")[0]
