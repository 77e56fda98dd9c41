"""`llmposter --fixtures`: the flags of llmposter 0.5 with its lines and exit codes, as a process that scripts start."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from processes import call, running
from raw_http import CHAT, Raw, chat, text

from llmposter.cli.flags import Bound, bound

ONE = "fixtures:\n  - match: {user_message: hi}\n    response: {content: hello}\n"
FLAKY = (
    "  - match: {user_message: flaky}\n    response: {content: long text}\n    failure: {truncate_after_frames: 1}\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "fixtures"
    made.mkdir()
    (made / "one.yaml").write_text(ONE + FLAKY)
    (made / "two.yml").write_text("fixtures:\n  - response: {content: else}\n    catch_all: true\n")
    return made


def start(*arguments: object):
    return running(*arguments, command=())


@pytest.mark.parametrize("validate", [["--validate"], ["--validate", "-v", "--watch", "--diagnostics"]])
def test_validate_counts_and_ends(folder: Path, validate: list[str]) -> None:
    """Over all files of a folder, or of one file; nothing is served."""
    for path, count in ((folder, 3), (folder / "one.yaml", 2)):
        ended = call("--fixtures", path, *validate)
        assert (0, f"Validated {count} fixtures successfully\n", "") == (ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.parametrize(
    "content, arguments, told",
    [
        (None, ["--validate"], "No fixtures found — nothing to validate"),
        ("fixtures: []\n", ["--validate"], "No fixtures found — nothing to validate"),
        (
            "fixtures:\n  - {}\n",
            ["--validate"],
            r"a\.yaml:2:5-\S+ LP6\d\d (.|\n)*Error loading fixtures: 1 error in",
        ),
        ("fixtures: [", [], r"a\.yaml:1:\d+-\S+ LP\d+ (.|\n)*Error loading fixtures: 1 error in "),
        (ONE, ["-f", "nowhere"], 'Error loading fixtures: there is no file or folder "nowhere"'),
        (ONE, ["--bind", "no such host"], "Error starting server: cannot listen on no such host:2112: "),
        (ONE, ["-b", "[::1]:x"], 'Error starting server: "x" is no port: it is a number from 0 to 65535'),
        (ONE, ["-b", ":80"], 'Error starting server: ":80" names no address to bind to'),
    ],
)
def test_what_does_not_work_ends_with_one(tmp_path: Path, content: str | None, arguments: list[str], told: str) -> None:
    """Exit code 1, and why on stderr in the old words; findings have their places."""
    if content is not None:
        (tmp_path / "a.yaml").write_text(content)
    ended = call("-f", tmp_path, *arguments)
    assert (1, "") == (ended.returncode, ended.stdout)
    assert re.search(told, ended.stderr), ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--ui"],
        ["--vcr-mode", "record"],
        ["--record-file", "x.yaml"],
        ["--proxy-openai", "http://x"],
        ["--proxy-anthropic", "http://x"],
        ["--proxy-gemini", "http://x"],
        ["--redact", "a", "--redact", "b"],
        ["--allow-remote-record"],
    ],
)
def test_what_is_to_come_says_so(folder: Path, arguments: list[str]) -> None:
    """Exit code 2, with the flag's name."""
    ended = call("--fixtures", folder, *arguments)
    assert (2, f"llmposter: {arguments[0]} is not in this version\n") == (ended.returncode, ended.stderr)


@pytest.mark.parametrize("arguments", [["--port", "1"], ["-f"], ["-f", "x", "--prot", "1"], ["-f", "x", "-p", "x"]])
def test_wrong_flags_are_told(arguments: list[str]) -> None:
    """Exit code 2 and one line."""
    ended = call(*arguments)
    assert (2, 1) == (ended.returncode, ended.stderr.count("\n"))
    assert ended.stderr.startswith("llmposter: ")


@pytest.mark.parametrize("named", ["folder", "file"])
def test_it_serves_and_tells_how_to_reload_and_to_stop(folder: Path, named: str) -> None:
    """The lines of 0.5, in its order; a request is answered by its fixture."""
    path = folder if named == "folder" else folder / "one.yaml"
    with start("-f", path, "-p", 0, "--watch") as run:
        assert [] == run.before
        run.heard("Press Ctrl")
        pid = run.process.pid
        assert run.lines == [
            f"Watching {path} for changes",
            f"Send SIGHUP (kill -HUP {pid}) to reload fixtures",
            "Press Ctrl+C to stop",
        ]
        with Raw(run.url) as raw:
            assert "hello" == text(raw.ask("POST", CHAT, chat("say hi")))
        assert 0 == run.end(signal.SIGINT)[0]


def test_without_watch_it_only_tells_of_the_signal(folder: Path) -> None:
    """And it reloads at it; a bad file keeps the old fixtures."""
    with start("--fixtures", folder, "--port", 0) as run, Raw(run.url) as raw:
        run.heard("Press Ctrl")
        assert [f"Send SIGHUP (kill -HUP {run.process.pid}) to reload fixtures", "Press Ctrl+C to stop"] == run.lines
        (folder / "one.yaml").write_text(ONE.replace("hello", "changed"))
        run.process.send_signal(signal.SIGHUP)
        run.heard(r"^\[llmposter\] SIGHUP reload: fixtures swapped$", within=5)
        assert "changed" == text(raw.ask("POST", CHAT, chat("hi")))
        (folder / "one.yaml").write_text(ONE.replace("content", "contents"))
        run.process.send_signal(signal.SIGHUP)
        run.heard(r"^\[llmposter\] SIGHUP reload parse failed, keeping old fixtures: ")
        run.heard(r"one\.yaml:3:\d+-\S+ LP")
        assert "changed" == text(raw.ask("POST", CHAT, chat("hi")))


@pytest.mark.parametrize("named", ["folder", "file"])
def test_watched_fixtures_are_swapped(folder: Path, named: str) -> None:
    """A file or a folder; invalid YAML and an invalid fixture keep the old ones, as does a source that vanishes."""
    path = folder / "one.yaml"
    with start("-f", folder if named == "folder" else path, "-p", 0, "-w") as run, Raw(run.url) as raw:
        path.write_text(ONE.replace("hello", "changed"))
        run.heard(r"^\[llmposter\] watch reload: fixtures swapped$", within=5)
        assert "changed" == text(raw.ask("POST", CHAT, chat("hi")))
        for number, bad in enumerate(("fixtures: [", "fixtures:\n  - {}\n"), 1):
            path.write_text(bad)
            run.heard(r"^\[llmposter\] watch reload parse failed, keeping old fixtures: ", number)
            assert "changed" == text(raw.ask("POST", CHAT, chat("hi")))
        path.unlink()
        if named == "file":
            run.heard("reload parse failed", 3)
            assert "changed" == text(raw.ask("POST", CHAT, chat("hi")))
        else:
            run.heard("fixtures swapped", 2)
            assert "else" == text(raw.ask("POST", CHAT, chat("hi")))


def test_states_of_machines_outlive_a_reload(tmp_path: Path) -> None:
    """As in 0.5 the state is the server's, and the next fixture waits for it."""
    path = tmp_path / "a.yaml"
    path.write_text(
        "fixtures:\n"
        "  - match: {user_message: go}\n    response: {content: gone}\n    scenario: {name: s, set_state: away}\n"
        "  - match: {user_message: where}\n    response: {content: away}\n"
        "    scenario: {name: s, required_state: away}\n"
    )
    with start("-f", path, "-p", 0) as run, Raw(run.url) as raw:
        assert 404 == raw.ask("POST", CHAT, chat("where")).status
        assert "gone" == text(raw.ask("POST", CHAT, chat("go")))
        path.write_text(path.read_text().replace("content: away", "content: still away"))
        run.process.send_signal(signal.SIGHUP)
        run.heard("swapped")
        assert "still away" == text(raw.ask("POST", CHAT, chat("where")))


@pytest.mark.parametrize("content", [None, "fixtures: []\n"])
def test_without_fixtures_it_warns_and_starts(tmp_path: Path, content: str | None) -> None:
    """Every request is a 404."""
    if content is not None:
        (tmp_path / "a.yaml").write_text(content)
    with start("-f", tmp_path, "-p", 0) as run, Raw(run.url) as raw:
        assert [f"Warning: no fixtures loaded from {tmp_path}\n"] == run.before
        assert 404 == raw.ask("POST", CHAT, chat("hi")).status


def test_verbose_tells_of_every_request(folder: Path) -> None:
    """In the lines of 0.5; without it none is told."""
    (folder / "two.yml").unlink()
    told = []
    for verbose in ([], ["-v"]):
        with start("-f", folder, "-p", 0, *verbose) as run, Raw(run.url) as raw:
            raw.ask("POST", CHAT, chat("hi"))
            raw.ask("POST", CHAT, {**chat("bye now"), "model": "gpt-9"})
            with Raw(run.url) as other:
                other.send(other.request("POST", CHAT, {**chat("flaky"), "stream": True}))
                other.file.read()
            raw.ask("GET", "/_llmposter/health")
            if verbose:
                run.heard("chaos active")
            told.append([line for line in run.end()[2].splitlines() if line.startswith("[llmposter]")])
    quiet, loud = told
    assert [] == quiet
    assert [
        f"[llmposter] POST {CHAT} → fixture matched",
        f"[llmposter] POST {CHAT} → no match (model='gpt-9', msg len=7 chars)",
        f"[llmposter] POST {CHAT} → fixture matched",
        f"[llmposter] POST {CHAT} → chaos active",
    ] == loud


@pytest.mark.parametrize("capacity, kept", [("0", 0), ("2", 2), (None, 3)])
def test_so_many_requests_are_remembered(folder: Path, capacity: str | None, kept: int) -> None:
    """0 remembers none."""
    more = [] if capacity is None else ["--capture-capacity", capacity]
    with start("-f", folder, "-p", 0, *more) as run, Raw(run.url) as raw:
        for _ in range(3):
            assert "hello" == text(raw.ask("POST", CHAT, chat("hi")))
        assert kept == len(raw.ask("GET", "/_llmposter/journal").json["entries"])


def test_diagnostics_tell_what_came_nearest(folder: Path) -> None:
    """Only where they are asked for."""
    (folder / "two.yml").unlink()
    for more, near in (([], False), (["--diagnostics"], True)):
        with start("-f", folder, "-p", 0, *more) as run, Raw(run.url) as raw:
            assert near is (b"nearest_match" in raw.ask("POST", CHAT, chat("bye")).body)


@pytest.mark.parametrize(
    "bind, port, where",
    [
        ("127.0.0.1", 2112, ("127.0.0.1", 2112, None)),
        ("127.0.0.1", 80, ("127.0.0.1", 80, None)),
        ("127.0.0.1:9", 2112, ("127.0.0.1", 9, None)),
        ("127.0.0.1:9", 80, ("127.0.0.1", 9, 80)),
        ("::1", 80, ("::1", 80, None)),
        ("[::1]", 80, ("::1", 80, None)),
        ("[::1]:9", 2112, ("::1", 9, None)),
        ("localhost", 80, ("localhost", 80, None)),
        ("localhost:0", 80, ("localhost", 0, 80)),
        ("fe80::1%lo", 80, ("fe80::1%lo", 80, None)),
    ],
)
def test_every_form_of_an_address(bind: str, port: int, where: tuple[str, int, int | None]) -> None:
    """With a port or without; its own goes before `--port`."""
    assert Bound(*where) == bound(bind, port)


@pytest.mark.parametrize(
    "arguments, url, warned",
    [
        (["-b", "[::1]:0"], r"http://\[::1\]:\d+", False),
        (["-b", "::1", "-p", 0], r"http://\[::1\]:\d+", False),
        (["-b", "localhost", "-p", 0], r"http://localhost:\d+", False),
        (["-b", "127.0.0.1:0", "-p", 2112], r"http://127\.0\.0\.1:\d+", False),
        (["-b", "127.0.0.1:0", "-p", 9999], r"http://127\.0\.0\.1:\d+", True),
    ],
)
def test_it_listens_there(folder: Path, arguments: list[object], url: str, warned: bool) -> None:
    """And warns where `--port` says another port; 2112, which may be the default, is not one."""
    with start("-f", folder, *arguments) as run, Raw(run.url) as raw:
        assert re.fullmatch(url, run.url)
        warning = "Warning: --port 9999 ignored because --bind already includes port 0\n"
        assert [warning] * warned == run.before
        assert "hello" == text(raw.ask("POST", CHAT, chat("hi")))


def test_a_server_for_other_machines_warns(folder: Path) -> None:
    """0.5 had no journal that anybody could read."""
    with start("-f", folder, "-b", "0.0.0.0:0") as run:
        run.heard("can be reached from other machines")
