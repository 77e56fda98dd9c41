"""Files that change while they are served: followed, read again when told, and never half."""

from __future__ import annotations

import itertools
import json
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from processes import Run, running
from raw_http import CHAT, Raw, chat, text
from serving import programs, serving

from llmposter.log import Log
from llmposter.server import Running, Settings
from llmposter.sources import Sources

STATED = """
[scenario]
name = "{name}"
final = ["end"]
[[states.a]]
reply = "{said}"
goto = "b"
[[states.b]]
reply = "{said} again"
goto = "end"
"""
FAILING = """
[[examples]]
turns = [{ user = "u", expect = 'reply == "y"' }]
"""
WITHIN = 20.0
"""Seconds for what takes a quarter of one where nothing else runs."""


def put(path: Path, said: str, name: str = "n") -> Path:
    path.write_text(STATED.format(said=said, name=name), encoding="utf-8")
    return path


def heard(run: Run | Running, session: str = "") -> str:
    """What a new conversation is told first, or the status of its error."""
    with Raw(run.url) as raw:
        answer = raw.ask("POST", f"/@{session}{CHAT}" if session else CHAT, chat("hi"))
        return text(answer) if answer.status == 200 else str(answer.status)


def comes(run: Run, said: str) -> None:
    """It is told so, soon."""
    end = time.monotonic() + WITHIN
    while (told := heard(run)) != said:
        assert time.monotonic() < end, f"{told}: {run.lines}"
        time.sleep(0.02)


def in_place(path: Path) -> None:
    put(path, "new")


def by_renaming(path: Path) -> None:
    put(path.with_suffix(".tmp"), "new").rename(path)


def by_removing(path: Path) -> None:
    path.unlink()
    time.sleep(0.2)
    put(path, "new")


def by_a_link(path: Path) -> None:
    other = path.parent / ".hidden"
    other.mkdir()
    put(other / "real.toml", "new")
    path.unlink()
    path.symlink_to(other / "real.toml")


def with_its_folder(path: Path) -> None:
    shutil.rmtree(path.parent)
    time.sleep(0.2)
    path.parent.mkdir()
    put(path, "new")


@pytest.mark.parametrize("save", [in_place, by_renaming, by_removing, by_a_link, with_its_folder])
@pytest.mark.parametrize("named", ["file", "folder"])
def test_a_watched_file_is_read_again_however_it_is_saved(
    tmp_path: Path, save: Callable[[Path], None], named: str
) -> None:
    """Named itself or by its folder."""
    folder = tmp_path / "scenarios"
    folder.mkdir()
    path = put(folder / "one.toml", "old")
    with running(path if named == "file" else folder, "--port", 0, "--watch") as run:
        assert "old" == heard(run)
        save(path)
        comes(run, "new")
        run.heard("watching the files for changes")
        assert (0, True) == ((ended := run.end())[0], ended[1] < 2)


def test_a_watched_folder_gains_and_loses_scenarios(tmp_path: Path) -> None:
    """A file that comes is served, in a folder that comes too; one that goes is served no more."""
    put(tmp_path / "z.toml", "z", "z")
    with running(tmp_path, "--port", 0, "--watch") as run:
        below = tmp_path / "below"
        below.mkdir()
        time.sleep(0.3)
        put(below / "b.toml", "below", "b")
        comes(run, "below")
        put(tmp_path / "a.toml", "a", "a")
        comes(run, "a")
        (tmp_path / "a.toml").unlink()
        comes(run, "below")
        shutil.rmtree(below)
        comes(run, "z")
        (tmp_path / "notes.txt").write_text("nobody reads this")
        (tmp_path / ".hidden.toml").write_text("nor this")
        time.sleep(0.6)
        assert 4 == len(run.heard(" reloaded "))


def test_what_is_included_is_watched(tmp_path: Path) -> None:
    """In whatever folder it stands; also once a reload has begun to include it."""
    (tmp_path / "parts").mkdir()
    part, main = tmp_path / "parts" / "part.toml", tmp_path / "main.toml"
    part.write_text('[[states.a]]\nreply = "one"\n')
    put(main, "alone")
    with running(main, "--port", 0, "--watch") as run:
        main.write_text('include = ["parts/part.toml"]\nscenario.name = "n"\n')
        comes(run, "one")
        part.write_text('[[states.a]]\nreply = "two"\n')
        comes(run, "two")
        part.unlink()
        run.heard("not reloaded")
        assert "two" == heard(run)
        part.write_text('[[states.a]]\nreply = "three"\n')
        comes(run, "three")


@pytest.mark.parametrize(
    "spoil, finding",
    [
        (lambda path: path.write_text("[[states.a]]\nrepyl = 1\n"), r"one\.toml:2:1-2:6 LP110 "),
        (lambda path: path.write_text("[[states"), r"one\.toml:1:9-1:9 LP103 "),
        (lambda path: path.write_bytes(b"\xff"), r"one\.toml:1:1-1:2 LP102 "),
        (lambda path: path.unlink(), r"one\.toml:1:1-1:1 LP101 .*cannot be read"),
        (
            lambda path: path.write_text(
                STATED.format(name="n", said="x")
                + "[[examples]]\nturns = [{ user = 'u', expect = 'reply == \"y\"' }]\n"
            ),
            r"one\.toml:\d+:\d+-\d+:\d+ LP307 ",
        ),
    ],
    ids=["key", "syntax", "bytes", "vanished", "example"],
)
def test_a_bad_edit_leaves_the_old_ones_serving(tmp_path: Path, spoil: Callable[[Path], object], finding: str) -> None:
    """All of them: the finding is on stderr with its place, and the next good edit is served."""
    other, path = put(tmp_path / "other.toml", "other", "other"), put(tmp_path / "one.toml", "old")
    with running(path, other, "--port", 0, "--watch") as run:
        put(other, "changed", "other")
        run.heard(" reloaded .*cause=watch")
        spoil(path)
        run.heard("not reloaded.* cause=watch.*still_serving=.*n, other")
        run.heard(finding)
        assert "old" == heard(run)
        put(path, "new")
        comes(run, "new")


def test_fixture_files_are_followed_beside_scenarios(tmp_path: Path) -> None:
    """One that comes into a watched folder is served there too, and a bad one leaves all as it was."""
    put(tmp_path / "one.toml", "scenario")
    with running(tmp_path, "--port", 0, "--watch") as run:
        path = tmp_path / "a.yaml"
        path.write_text("fixtures:\n  - match: {user_message: fixed}\n    response: {content: fixture}\n")
        run.heard(" reloaded ")
        with Raw(run.url) as raw:
            assert ["fixture", "scenario"] == [text(raw.ask("POST", CHAT, chat(said))) for said in ("fixed", "hi")]
            path.write_text("fixtures:\n  - response: {contents: x}\n")
            run.heard("not reloaded")
            run.heard(r"a\.yaml:2:\d+-2:\d+ LP\d+ ")
            assert "fixture" == text(raw.ask("POST", CHAT, chat("fixed")))


def test_a_hangup_reads_everything_again(tmp_path: Path) -> None:
    """Without `--watch` nothing else does; a bad file changes nothing then either."""
    path = put(tmp_path / "one.toml", "old")
    with running(path, "--port", 0) as run:
        put(path, "new")
        time.sleep(0.5)
        assert "old" == heard(run)
        run.process.send_signal(signal.SIGHUP)
        comes(run, "new")
        run.heard(r" reloaded .*cause=SIGHUP scenarios=n going_on=\d")
        path.write_text("]")
        run.process.send_signal(signal.SIGHUP)
        run.heard("not reloaded")
        assert "new" == heard(run)
        assert [] == run.heard("watching", 0)


def test_many_hangups_at_once_end_no_server(tmp_path: Path) -> None:
    """Nor do those that come while it ends."""
    path = put(tmp_path / "one.toml", "old")
    run = Run(path, "--port", 0, "--watch")
    for _ in range(50):
        run.process.send_signal(signal.SIGHUP)
        time.sleep(0.002)
    put(path, "new")
    comes(run, "new")
    for _ in range(10):
        run.process.send_signal(signal.SIGHUP)
    code, seconds, rest = run.end()
    assert (0, True) == (code, seconds < 3)
    assert "Traceback" not in rest


def test_many_changes_at_once_are_few_reloads(tmp_path: Path) -> None:
    """What is written in one go is read once it is quiet, and the last of it is served."""
    path = put(tmp_path / "one.toml", "old")
    with running(path, "--port", 0, "--watch") as run:
        for number in range(50):
            put(path, f"{number}")
            time.sleep(0.004)
        comes(run, "49")
        assert len(run.heard(" reloaded ")) <= 4


def test_a_request_reloads_too(tmp_path: Path) -> None:
    """`POST /_llmposter/reload` tells what is served, what became of the conversations, and what is wrong."""
    path = put(tmp_path / "one.toml", "old")
    with running(path, "--port", 0) as run, Raw(run.url) as raw:
        assert "old" == heard(run, "s")
        path.write_text('scenario.name = "n"\n[[states.z]]\nreply = "new"\n')
        told = raw.ask("POST", "/_llmposter/reload").json
        assert {"ok": True, "scenarios": ["n"], "going_on": 0, "findings": []} == {
            name: told[name] for name in ("ok", "scenarios", "going_on", "findings")
        }
        why = 'the scenario "n" has no state "b" any more'
        assert [{"session": "s", "scenario": "n", "conversation": "c1", "state": "b", "why": why}] == told["ended"]
        run.heard('ended.* session=s scenario=n conversation=c1 state=b .*no state "b" any more')
        assert "new" == heard(run)
        path.write_text("]")
        refused = raw.ask("POST", "/_llmposter/reload")
        assert (422, "LP103") == (refused.status, refused.json["findings"][0]["code"])
        assert "goes on being served" in refused.message
        assert "new" == heard(run)


def test_an_oauth_server_is_not_changed_by_a_reload(tmp_path: Path) -> None:
    """It is told that it is as it was; all else of the file is served."""
    path = put(tmp_path / "one.toml", "old")
    with running(path, "--port", 0) as run, Raw(run.url) as raw:
        path.write_text(STATED.format(said="new", name="n") + "[auth.oauth]\n")
        later = raw.ask("POST", "/_llmposter/reload").json["later"]
        assert "the OAuth server is as it was: what `auth.oauth` says now holds from the next start on" == later
        run.heard("not reloaded .*the OAuth server is as it was")
        assert "401" == heard(run)
        put(path, "new")
        assert "" == raw.ask("POST", "/_llmposter/reload").json["later"]
        assert "new" == heard(run)


def test_what_is_no_file_is_not_reloaded() -> None:
    """Scenarios that a program gave are its own to change."""
    with serving(STATED.format(name="n", said="x")) as server, Raw(server.url) as raw:
        refused = raw.ask("POST", "/_llmposter/reload")
    assert (409, "what is served was read from no files that could be read again") == (refused.status, refused.message)


def test_a_conversation_goes_on_over_a_reload(tmp_path: Path) -> None:
    """It is answered by the new file in the state in which the old one left it."""
    path = put(tmp_path / "one.toml", "old")
    with running(path, "--port", 0) as run, Raw(run.url) as raw:
        said = [{"role": "user", "content": "hi"}]
        said.append({"role": "assistant", "content": text(raw.ask("POST", CHAT, chat("hi")))})
        put(path, "new")
        raw.ask("POST", "/_llmposter/reload")
        body = {"model": "m", "messages": [*said, {"role": "user", "content": "more"}]}
        assert "new again" == text(raw.ask("POST", CHAT, body))
        (conversation,) = raw.ask("GET", "/_llmposter/conversations").json["conversations"]
        assert ("c1", "end", 2) == tuple(conversation[name] for name in ("id", "state", "answers"))


def test_lines_for_programs_stay_lines(tmp_path: Path) -> None:
    """With `--log-format json` the findings are a field."""
    path = put(tmp_path / "one.toml", "old")
    with running(path, "--port", 0, "--log-format", "json", "--watch") as run:
        path.write_text("]")
        (line,) = run.heard("not reloaded")
        told = json.loads(line)
        assert ("error", "watch", "n") == (told["level"], told["cause"], told["still_serving"])
        assert ["LP103"] == [each["code"] for each in told["findings"]]


def test_a_project_counts_when_files_are_read_again(tmp_path: Path) -> None:
    """What it ignores then is not told, and what is wrong in it keeps what is served."""
    path = put(tmp_path / "one.toml", "old")
    with running(path, "--port", 0, "--log-format", "json", "--watch") as run:
        (tmp_path / "llmposter.toml").write_text('ingore = ["LP3"]\n')
        path.write_text(path.read_text() + '\n[[states.nowhere]]\nreply = "x"\n')
        (line,) = run.heard("not reloaded")
        assert ["LP110"] == [each["code"] for each in json.loads(line)["findings"]]
        (tmp_path / "llmposter.toml").write_text('ignore = ["LP3"]\n')
        path.write_text(path.read_text() + "\n")
        line = run.heard('"reloaded"')[-1]
        assert [] == json.loads(line).get("findings", [])


def test_nothing_is_left_of_a_watching_server(tmp_path: Path) -> None:
    """No thread, and no file is watched."""
    path = put(tmp_path / "one.toml", "old")
    before = threading.active_count()
    for _ in range(3):
        sources = Sources([str(path)])
        loaded = sources.load()
        with Running(loaded.programs, Settings(sources=sources, follow=True)) as server:
            assert before < threading.active_count()
            assert "old" == heard(server)
        assert before == threading.active_count()


def test_a_bug_while_reading_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told, and files are followed further."""
    path = put(tmp_path / "one.toml", "old")
    sources = Sources([str(path)])
    loaded = sources.load()
    with Running(loaded.programs, Settings(sources=sources, follow=True, watch=Log())) as server:
        with monkeypatch.context() as patched:
            patched.setattr(sources, "load", lambda: 1 / 0)
            put(path, "new")
            _until(lambda: "ZeroDivisionError" in capsys.readouterr().err)
        put(path, "newer")
        _until(lambda: heard(server) == "newer")


def test_folders_that_cannot_be_watched_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The system watches only so many; the server goes on, and reloads when told."""
    path = put(tmp_path / "one.toml", "old")
    sources = Sources([str(path)])
    loaded = sources.load()

    def refuses(*_: object, **__: object) -> None:
        raise OSError("OS file watch limit reached.")

    monkeypatch.setattr("watchfiles.watch", refuses)
    with Running(loaded.programs, Settings(sources=sources, follow=True, watch=Log())) as server:
        _until(lambda: "OS file watch limit reached" in capsys.readouterr().err)
        put(path, "new")
        with Raw(server.url) as raw:
            assert raw.ask("POST", "/_llmposter/reload").json["ok"]
        assert "new" == heard(server)


@pytest.mark.parametrize("becomes", ["nothing", "a file"])
def test_a_folder_that_goes_while_it_begins_to_listen_is_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], becomes: str
) -> None:
    """Between being seen and being listened to: nothing is told as a bug, and files are followed further."""
    put(tmp_path / "z.toml", "z", "z")
    (below := tmp_path / "below").mkdir()
    put(below / "b.toml", "below", "b")
    sources, looks = Sources([str(tmp_path)]), []
    loaded, places = sources.load(), sources.places

    def at_that_moment() -> frozenset[str]:
        seen = places()
        if not looks:
            shutil.rmtree(below)
            if becomes == "a file":
                below.touch()
        looks.append(seen)
        return seen

    monkeypatch.setattr(sources, "places", at_that_moment)
    with Running(loaded.programs, Settings(sources=sources, follow=True, watch=Log())) as server:
        _until(lambda: heard(server) == "z")
        if becomes == "a file":
            below.unlink()
        below.mkdir()
        put(below / "b.toml", "again", "b")
        _until(lambda: heard(server) == "again")
        assert (True, True) == (str(below) in looks[0], len(looks) < 40)
    assert "bug" not in capsys.readouterr().err


def test_where_it_cannot_listen_it_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At leisure, and the server ends at once all the same."""
    path = put(tmp_path / "one.toml", "old")
    sources, looks = Sources([str(path)]), []
    loaded = sources.load()
    gone = frozenset((str(tmp_path / "gone"),))
    monkeypatch.setattr(sources, "places", lambda: looks.append(time.monotonic()) or gone)
    with Running(loaded.programs, Settings(sources=sources, follow=True)) as server:
        put(path, "new")
        _until(lambda: heard(server) == "new")
        _until(lambda: len(looks) > 3)
    assert min(after - before for before, after in itertools.pairwise(looks)) > 0.2


def _until(holds: Callable[[], object], every: float = 0.02) -> None:
    end = time.monotonic() + WITHIN
    while not holds():
        assert time.monotonic() < end
        time.sleep(every)


MARKED = """
[scenario]
name = "n"
[vars]
seen = ""
[defaults]
stream = {{ chunk = "4 characters", pace = "2ms" }}
[[states.a]]
set = {{ seen = '"{mark}"' }}
reply = "{mark} ${{seen}} {mark} ${{seen}} {mark}"
headers = {{ x-mark = "{mark}" }}
"""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_under_load_every_request_has_one_whole_answer(stream: bool, transport: str) -> None:
    """Swapped all the while, no request is lost, and none is answered by the old and the new together."""
    given = {mark: programs(MARKED.format(mark=mark)) for mark in ("one", "two")}
    whole = {mark: (mark,) * 6 for mark in given}
    with Running(given["two"], Settings(transport=transport)) as server:
        end, told, failed = threading.Event(), [], []

        def ask(client: int) -> None:
            try:
                with Raw(server.url) as raw:
                    # Something else each time: what is asked again is a retry, which has the answer that it had.
                    for number in itertools.count():
                        if end.is_set():
                            return
                        body = {**chat(f"{client}: {number}"), "stream": stream}
                        told.append(_marks(raw.ask("POST", CHAT, body)))
            except Exception as error:  # noqa: BLE001 - told below
                failed.append(error)

        asking = [threading.Thread(target=ask, args=(client,)) for client in range(8)]
        for thread in asking:
            thread.start()
        try:
            # However slow the machine is, each of both has answered often, and hardly more than that is asked.
            for mark in ("one", "two") * 20:
                assert () == server.mock.replace(given[mark]).ended
                seen = len(told)
                _until(lambda: failed or whole[mark] in told[seen:], every=0.001)  # noqa: B023 - called at once
        finally:
            end.set()
            for thread in asking:
                thread.join()
        assert [] == failed
        assert set(whole.values()) == set(told)
        assert len(told) == len(server.mock.journal()["entries"])


def _marks(answer: Any) -> tuple[str, ...]:
    if answer.headers["content-type"].startswith("text/event-stream"):
        events = [line[6:] for line in answer.body.decode().splitlines() if line.startswith("data: {")]
        deltas = [choice["delta"].get("content") or "" for event in events for choice in json.loads(event)["choices"]]
        said = "".join(deltas)
    else:
        said = text(answer)
    return (answer.headers["x-mark"], *said.split())
