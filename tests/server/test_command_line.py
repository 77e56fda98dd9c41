"""The command line as a user has it: a process, its output, its exit code and its end."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from processes import Run, call, running
from raw_http import CHAT, Raw, chat, text

GOOD = """
[scenario]
name = "good"
final = ["end"]

[[states.a]]
when = 'user == "hi"'
reply = "hello ${random(0, 1000000)}"
goto = "end"

[[examples]]
name = "greeting"
turns = [{ user = "hi", expect = 'reply contains "hello"', state = "end" }]
"""
WARNED = GOOD.replace("[[states.a]]", "[vars]\nunused = 1\n\n[[states.a]]")
FAULTY = GOOD.replace('reply = "hello', 'repyl = "hello')
FAILING = GOOD.replace('reply contains "hello"', 'reply == "bye"')


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, scenario in (("good", GOOD), ("warned", WARNED), ("faulty", FAULTY), ("failing", FAILING)):
        (tmp_path / f"{name}.toml").write_text(scenario, encoding="utf-8")
    return tmp_path


def test_it_tells_where_it_listens_and_what_it_serves(files: Path) -> None:
    """When ready, `run` tells its URL, base URL and variables for each SDK, its scenarios and how to stop it."""
    run = Run(files / "good.toml", "--port", 0)
    with Raw(run.url) as raw:
        assert text(raw.ask("POST", CHAT, chat("hi"))).startswith("hello ")
    code, seconds, rest = run.end()
    assert (0, []) == (code, run.before)
    assert seconds < 1
    assert rest.splitlines() == [
        f"  OpenAI SDKs: base URL {run.url}/v1",
        f"      export OPENAI_BASE_URL={run.url}/v1 OPENAI_API_KEY=any",
        f"  Anthropic SDKs: base URL {run.url}",
        f"      export ANTHROPIC_BASE_URL={run.url} ANTHROPIC_API_KEY=any",
        f"  Google SDKs: base URL {run.url}",
        f"      export GOOGLE_GEMINI_BASE_URL={run.url} GEMINI_API_KEY=any",
        f"  scenario good ({files / 'good.toml'})",
        "Press Ctrl+C to stop",
    ]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_within_a_second(files: Path, how: signal.Signals) -> None:
    """SIGINT and SIGTERM end it within a second, open answers included, with exit code 0 and no word more."""
    late = files / "late.toml"
    late.write_text('[[states.a]]\nreply = "late"\nlatency = "1h"\n', encoding="utf-8")
    run = Run(late, "--port", 0)
    with Raw(run.url) as waiting, Raw(run.url) as idle:
        for stream in (False, True):
            with Raw(run.url) as gone:
                gone.send(gone.request("POST", CHAT, chat("hi", stream=stream)))
        waiting.send(waiting.request("POST", CHAT, chat("hi", stream=True)))
        assert idle.ask("GET", "/").status == 200
        code, seconds, rest = run.end(how)
        assert waiting.file.read() == b""
    assert code == 0
    assert seconds < 1
    assert rest.endswith("Press Ctrl+C to stop\n")


def test_tokens_of_the_command_line_are_needed_and_told(files: Path) -> None:
    """`--token`, several times: requests need one, and the first stands in the variables to set."""
    run = Run(files / "good.toml", "--port", 0, "--token", "mine:uses=1", "--token", "other:lifetime=15m")
    with Raw(run.url) as raw:
        keys = ("", "Bearer mine", "Bearer mine", "Bearer other")
        assert [401, 200, 401, 200] == [raw.ask("POST", CHAT, chat("hi"), authorization=key).status for key in keys]
    _, _, rest = run.end()
    assert f"export OPENAI_BASE_URL={run.url}/v1 OPENAI_API_KEY=mine\n" in rest
    assert "  token mine (1 use)\n  token other (15m)\n" in rest


def test_an_oauth_server_of_the_command_line_is_told_with_its_client(files: Path) -> None:
    """`--oauth`: where it is, the keys to it, and a command that gets a token, which lets a request in."""
    with running(files / "good.toml", "--port", 0, "--oauth") as run, Raw(run.url) as raw:
        url = raw.ask("GET", "/_llmposter/health").json["oauth_url"]
        form, basic = b"grant_type=client_credentials", "Basic bGxtcG9zdGVyOmxsbXBvc3Rlci1zZWNyZXQ="
        with Raw(url) as oauth:
            given = oauth.ask(
                "POST", "/token", form, authorization=basic, content_type="application/x-www-form-urlencoded"
            )
        assert 401 == raw.ask("POST", CHAT, chat("hi")).status
        token = given.json["access_token"]
        assert text(raw.ask("POST", CHAT, chat("hi"), authorization=f"Bearer {token}")).startswith("hello ")
        code, seconds, rest = run.end()
    assert (0, True) == (code, seconds < 1)
    assert f"  OAuth server {url}: client llmposter, secret llmposter-secret\n" in rest
    assert f"      curl -u llmposter:llmposter-secret -d grant_type=client_credentials {url}/token\n" in rest
    assert f"OPENAI_BASE_URL={run.url}/v1 OPENAI_API_KEY=ACCESS_TOKEN\n" in rest


def test_a_scenario_says_what_is_told_of_its_oauth_server(files: Path) -> None:
    """Its client, which has no secret, and its port; the option changes nothing then."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    scenario = f'[auth.oauth]\nclient_id = "agent"\nport = {port}\n{GOOD}'
    (files / "oauth.toml").write_text(scenario, encoding="utf-8")
    run = Run(files / "oauth.toml", "--port", 0, "--oauth")
    assert f"  OAuth server http://127.0.0.1:{port}: public client agent\n" in run.end()[2]


def test_an_oauth_port_that_is_taken_is_told(files: Path) -> None:
    """By its number, with the key that says another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (files / "oauth.toml").write_text(f"[auth.oauth]\nport = {port}\n{GOOD}", encoding="utf-8")
        ran = call("run", files / "oauth.toml", "--port", 0)
    said = f"cannot listen on 127.0.0.1:{port} for OAuth: the port is taken; choose another `port` in `auth.oauth`"
    assert (2, f"llmposter: {said}\n") == (ran.returncode, ran.stderr)


def test_a_token_that_is_none_is_told(files: Path) -> None:
    """One line, with what would be right."""
    ran = call("run", files / "good.toml", "--token", "mine:uses=none")
    assert 2 == ran.returncode
    assert ran.stderr.startswith("llmposter: invalid value for '--token': \"none\" is no number of uses: write a whole")
    assert 1 == ran.stderr.count("\n")


def test_the_same_seed_gives_the_same_answers(files: Path) -> None:
    """`--seed` takes the place of the scenario's own: equal seeds give equal answers, others give others."""
    said = []
    for seed in (1, 1, 2):
        with running(files / "good.toml", "--port", 0, "--seed", seed) as run, Raw(run.url) as raw:
            said.append(text(raw.ask("POST", CHAT, chat("hi"))))
    assert said[0] == said[1] != said[2]


def test_a_log_line_tells_what_went_wrong(files: Path) -> None:
    """Misses and unknown paths are always told; `--verbose` tells every request; no secret is whole."""
    asked = [("POST", CHAT, chat("hi")), ("POST", CHAT, chat("what?")), ("GET", "/nowhere", None)]
    for verbose, outcomes in ((False, ["miss", "unrouted"]), (True, ["reply", "miss", "unrouted"])):
        more = ["--verbose"] if verbose else []
        run = Run(files / "good.toml", "--port", 0, "--log-format", "json", *more)
        with Raw(run.url) as raw:
            for method, path, body in asked:
                raw.ask(method, path, body, authorization="Bearer sk-very-secret")
        _, _, rest = run.end()
        lines = [json.loads(line) for line in rest.splitlines() if line.startswith("{")]
        assert outcomes == [line["outcome"] for line in lines]
        assert "very-secret" not in rest
        if verbose:
            expected = {
                "scenario": "good", "conversation": "c1", "state": "a -> end", "rule": "a#1", "status": 200,
                "level": "info", "request": f"POST {CHAT}",
            }  # fmt: skip
            assert expected == {name: lines[0][name] for name in expected}


def test_a_clock_can_stand_still(files: Path) -> None:
    """`--clock manual` is told when it listens, and the journal keeps as much as `--journal-size` says."""
    run = Run(files / "good.toml", "--port", 0, "--clock", "manual", "--journal-size", 1)
    with Raw(run.url) as raw:
        assert raw.ask("GET", "/_llmposter/health").json["now"] == 1767225600
        assert raw.ask("POST", "/_llmposter/clock/advance", {"by": "1m"}).json["now"] == 1767225660
        for _ in range(3):
            raw.ask("POST", CHAT, chat("hi"))
        told = raw.ask("GET", "/_llmposter/journal").json
        assert (1, 2) == (len(told["entries"]), told["dropped"])
    assert "the clock stands still" in run.end()[2]


def test_as_many_conversations_are_held_as_the_option_says(files: Path) -> None:
    """Of more than `--conversations` says the one that was idle for longest goes, and the journal names it."""
    run = Run(files / "good.toml", "--port", 0, "--conversations", 2)
    with Raw(run.url) as raw:
        for number in range(3):
            raw.ask("POST", CHAT, chat(f"hi {number}"))
        assert ["c2", "c3"] == [
            held["id"] for held in raw.ask("GET", "/_llmposter/conversations").json["conversations"]
        ]
        event = raw.ask("GET", "/_llmposter/journal").json["entries"][-1]
        assert ("event", "c1") == (event["outcome"], event["conversation"])
    run.end()


def test_it_warns_where_others_can_reach_it(files: Path) -> None:
    """Listening beyond loopback is warned of, and then any `Host` is answered; clients here are told a real address."""
    run = Run(files / "good.toml", "--port", 0, "--host", "0.0.0.0")
    port = run.url.rpartition(":")[2]
    with Raw(f"http://127.0.0.1:{port}") as raw:
        assert raw.ask("GET", "/_llmposter/health", host="any.example").status == 200
    rest = run.end()[2]
    assert f"warning: http://0.0.0.0:{port} can be reached from other machines" in rest
    assert f"base URL http://127.0.0.1:{port}/v1" in rest


def test_a_taken_port_is_one_clear_line(files: Path) -> None:
    """A port in use ends `run` with exit code 2 and one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = call("run", files / "good.toml", "--port", port)
    assert ended.returncode == 2
    told = "the port is taken; choose another with --port, or --port 0 for any free one"
    assert f"llmposter: cannot listen on 127.0.0.1:{port}: {told}\n" == ended.stderr


def test_run_lints_first(files: Path) -> None:
    """Errors are printed as `lint` prints them and stop `run`; warnings are shown and it goes on."""
    ended = call("run", files / "faulty.toml", "--port", 0)
    assert (1, "") == (ended.returncode, ended.stdout)
    assert call("lint", files / "faulty.toml").stdout == ended.stderr
    run = Run(files / "warned.toml", "--port", 0)
    assert run.end()[0] == 0
    assert "LP305" in "".join(run.before)


@pytest.mark.parametrize(
    "name, strict, code",
    [
        ("good", "", 0),
        ("good", "--strict", 0),
        ("warned", "", 0),
        ("warned", "--strict", 1),
        ("faulty", "", 1),
        ("failing", "", 1),
    ],
)
def test_lint_ends_as_it_found(files: Path, name: str, strict: str, code: int) -> None:
    """`lint` ends with 0 for a clean file or warnings, 1 for errors, and with `--strict` 1 for warnings too."""
    ended = call("lint", files / f"{name}.toml", *filter(None, [strict]))
    assert code == ended.returncode
    assert ("1 file: no findings\n" == ended.stderr) is (name == "good")
    assert (ended.stdout == "") is (name == "good")


def test_lint_tells_findings_as_text_and_as_json(files: Path) -> None:
    """Each finding is a line with its exact place, or a JSON object with the same."""
    told = call("lint", files / "faulty.toml").stdout
    assert told.startswith(f"{files / 'faulty.toml'}:8:1-8:6 LP110 ")
    assert "reply" in told
    found = json.loads(call("lint", files, "--format", "json").stdout)
    assert {"LP110", "LP305", "LP307"} <= {each["code"] for each in found}
    fields = {"code", "severity", "message", "file", "line", "column", "end_line", "end_column", "help"}
    fields |= {"related", "fixes"}
    assert all(fields == set(each) for each in found)
    assert call("lint", files / "good.toml", "--format", "json").stdout == "[]\n"


def test_examples_are_played(files: Path) -> None:
    """`test` tells each example and what was covered, and fails where one fails."""
    ended = call("test", files / "good.toml")
    assert (0, "1 of 1 example passed\n") == (ended.returncode, ended.stderr)
    assert 'passed  example "greeting"' in ended.stdout
    assert "states 2/2, rules 1/1" in ended.stdout
    ended = call("test", files / "failing.toml")
    assert (1, "0 of 1 example passed\n") == (ended.returncode, ended.stderr)
    assert 'FAILED  example "greeting"' in ended.stdout
    assert call("test", files / "faulty.toml").returncode == 1


def test_a_scenario_is_drawn(files: Path) -> None:
    """`graph` draws one scenario for Mermaid or Graphviz."""
    assert call("graph", files / "good.toml").stdout.startswith("flowchart LR\n")
    assert call("graph", files / "good.toml", "--format", "dot").stdout.startswith("digraph ")
    assert call("graph", files / "faulty.toml").returncode == 1
    ended = call("graph", files)
    assert (2, f'llmposter: "{files}" holds 4 scenarios: name the one\n') == (ended.returncode, ended.stderr)


def test_a_first_scenario_is_written(tmp_path: Path) -> None:
    """`init` writes a scenario that lints clean and whose examples pass, and overwrites none."""
    assert call("init", cwd=tmp_path).returncode == 0
    assert call("lint", "--strict", tmp_path / "scenario.toml").returncode == 0
    assert call("test", tmp_path / "scenario.toml").returncode == 0
    ended = call("init", tmp_path)
    written = tmp_path / "scenario.toml"
    assert f'llmposter: "{written}" is there already, and is left as it is\n' == ended.stderr
    assert ended.returncode == 2
    assert call("init", tmp_path / "no" / "where.toml").returncode == 2


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["run", "nowhere.toml"], 'there is no file or folder "nowhere.toml"'),
        (["run"], "missing argument 'PATH...' (`llmposter run -h` says more)"),
        (["lint", "--format", "xml", "."], "invalid value for '--format': 'xml' is not one of 'text', 'short'"),
        (["run", ".", "--port", "65536"], "invalid value for '--port': 65536 is not in the range 0<=x<=65535"),
        (["runn"], "no such command 'runn'"),
        (["--nope"], "no such option"),
    ],
)
def test_what_cannot_run_says_why_in_one_line(tmp_path: Path, arguments: list[str], told: str) -> None:
    """Usage errors and what cannot run end with exit code 2 and one line."""
    ended = call(*arguments, cwd=tmp_path)
    assert (2, "") == (ended.returncode, ended.stdout)
    assert ended.stderr.startswith(f"llmposter: {told}")
    assert ended.stderr.count("\n") == 1


def test_a_folder_without_a_scenario_is_a_finding(tmp_path: Path) -> None:
    """A folder in which no scenario stands is told as one, by `lint` and by `run`."""
    for command in ("lint", "run", "test", "graph"):
        ended = call(command, ".", cwd=tmp_path)
        assert ended.returncode == 1
        assert "LP101 no scenario stands in the folder" in ended.stdout + ended.stderr


def test_help_and_version() -> None:
    """`-h` and `--version` print and end well."""
    assert re.fullmatch(r"llmposter \d+\.\d+\S*\n", call("--version").stdout)
    for command in ("run", "lint", "rule", "test", "graph", "init"):
        ended = call(command, "-h")
        assert ended.returncode == 0
        assert ended.stdout.startswith(f"Usage: llmposter {command} ")


def test_a_bug_is_no_traceback_unless_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An exception inside ends with one line that asks for a report; `--verbose` shows where it happened."""
    from llmposter import cli, lint

    monkeypatch.setattr(lint, "check", lambda *_: 1 / 0)
    for arguments, traceback in ((["lint", str(tmp_path)], False), (["lint", str(tmp_path), "--verbose"], True)):
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        told = capsys.readouterr().err
        assert ended.value.code == 2
        assert "llmposter: this is a bug of llmposter, please report it" in told
        assert ("Traceback" in told) is traceback


@pytest.mark.parametrize("command", [["--version"], ["-h"], ["lint", "good.toml"], ["graph", "good.toml"]])
def test_no_command_loads_what_it_does_not_need(files: Path, command: list[str]) -> None:
    """Commands that do not serve never load the server, its log or its event loop."""
    code = (
        "import sys\nfrom llmposter.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit:\n"
        "    print(sorted({'tornado', 'structlog', 'uvloop', 'asyncio'} & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, cwd=files, check=True
    )
    assert ended.stderr.splitlines()[-1] == "[]"


def test_a_server_that_watches_nothing_loads_no_watcher(files: Path) -> None:
    """Nor does one that could reload."""
    code = (
        "import sys\nfrom llmposter.server import Running, Settings\nfrom llmposter.sources import Sources\n"
        "sources = Sources(['good.toml'])\n"
        "with Running(sources.load().programs, Settings(sources=sources)) as server:\n"
        "    assert server.server.service.reloader.reload('request').swap is not None\n"
        "    print('watchfiles' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=files, check=True)
    assert ended.stdout.splitlines() == ["False"]


def test_a_start_loads_nothing_that_only_the_admin_api_needs(files: Path) -> None:
    """Tornado's web framework, and what looks for installed packages, are loaded when they are first asked for."""
    code = (
        "import sys, urllib.request\nfrom llmposter.server import Running\nfrom llmposter_dsl import compile_path\n"
        "late = {'tornado.web', 'tornado.httpserver', 'importlib.metadata'}\n"
        "with Running([compile_path('good.toml').program]) as server:\n    print(sorted(late & set(sys.modules)))\n"
        "    assert urllib.request.urlopen(server.url + '/_llmposter/health').status == 200\n"
        "    print(sorted(late & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=files, check=True)
    assert ended.stdout.splitlines() == ["[]", "['importlib.metadata', 'tornado.httpserver', 'tornado.web']"]
