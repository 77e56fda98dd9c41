"""The measurements run, and print every number that they promise; the CPU clock counts what a process does."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from asking import ASKING
from cases import Case
from instructions import ASKED, CASES, by_case, counted, parts
from load import cpu, ended
from plot import curve
from pure import path
from report import markdown
from staged import STAGES
from streams import errors, off_pace

from llmposter.wire import load


def test_the_measurements_run() -> None:
    """With small counts the table has a line for each thing that is measured of ourselves, each with its number."""
    script = Path(__file__).with_name("run.py")
    done = subprocess.run([sys.executable, script, "--quick"], capture_output=True, text=True, timeout=100, check=False)
    assert 0 == done.returncode, done.stderr
    expected = [
        ("A request: plain, 1 rule", "llmposter"),
        ("A request: streamed, 1 rule", "llmposter"),
        ("A request: history of 41 messages", "llmposter"),
        *(
            (f"Where our CPU goes: {case}, 1 rule", stage)
            for case in ("plain", "streamed")
            for stage in STAGES.values()
        ),
        *((f"Our CPU by wire, {case}", wire) for case in ("plain", "streamed") for wire in load()),
        ("Our CPU by rules", "10"),
        ("Our CPU by rules", "100"),
        ("Our CPU by conversations held", "10"),
        ("Our CPU by conversations held", "500"),
        ("Our CPU by messages of history", "1"),
        ("Our CPU by messages of history", "41"),
        ("Cold start", "llmposter"),
        ("Cold start", "llmposter --version"),
        ("Cold start", "llmposter lint"),
        ("A server in the process of a test", "the import"),
        ("A server in the process of a test", "the first `with`, to the first answer"),
        ("A server in the process of a test", "`with` to the first answer"),
        ("A server in the process of a test", "`with` to the first answer, CPU"),
        ("A server in the process of a test", "the end"),
        ("Fixtures loaded from a file", "100"),
        ("`llmposter lint` of a file, its start included", "100 rules"),
        ("Memory after requests", "llmposter"),
        ("Memory after requests", "llmposter"),
        ("What a conversation holds", "bytes"),
    ]
    title, found = "", []
    for line in done.stdout.splitlines():
        title = line if line[:1].strip() else title
        if (row := re.match(r"  (\S.*?)  +-?[\d,.]+", line)) and title != "What has to be shown":
            found.append((title, row[1]))
    assert expected == found
    budgets = [line for line in done.stdout.splitlines() if re.search(r"  (yes|no|not measured)$", line)]
    assert 18 == len(budgets)


def test_cpu_time_is_that_of_the_process() -> None:
    """The clock of a process goes with what that process does, and stands still while it waits."""
    began = cpu([psutil.Process().pid])
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    assert cpu([psutil.Process().pid]) - began >= 0.03
    with subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=-1, stdout=-1) as waits:
        assert waits.stdout is not None
        waits.stdout.readline()
        first = cpu([waits.pid])
        time.sleep(0.1)
        assert cpu([waits.pid]) - first < 0.05


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        (False, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"),
        (False, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"),
        (True, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx: y\r\n\r\nab"),
        (False, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"),
        (True, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
    ],
)
def test_an_answer_is_read_to_its_end(expected: bool, answer: bytes) -> None:
    """The client asks again when an answer is whole, by its length or by its last chunk."""
    assert expected == ended(answer)


def test_results_become_tables_and_pictures() -> None:
    """A table of the page has a line a row; a picture has each point with its number."""
    assert ["| a | b |", "| --- | ---: |", "| x | 1 |"] == list(markdown(["a", "b"], [["x", "1"]]))
    picture = curve({"10": 1.0, "1000": 2.0}, across="rules", up="us")
    assert ["1.0", "10", "2.0", "1,000", "us", "rules"] == re.findall(r">([^<>\n]+)<", picture)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("wire", load())
def test_every_wire_is_asked_its_own_question(wire: str, stream: bool) -> None:
    """There is a question for each wire, which reads it and answers with what the rule says."""
    assert set(load()) == set(ASKING)
    answer = path(Case("", messages=3, wire=wire, stream=stream))(7)
    assert b"Hello there!" in answer
    assert stream == (b"data: " in answer)


def test_instructions_are_told_by_case(tmp_path: Path) -> None:
    """Dumps are read in the order of their numbers, and of two the second is a case's; too few are told so."""
    for n in range(1, 2 * len(CASES) + 1):
        (tmp_path / f"out.{n}").write_text(f"# callgrind format\nsummary: {n * ASKED}\n")
    dumps = [dump.read_text() for dump in parts(tmp_path)]
    assert {case.name: 2.0 * n for n, case in enumerate(CASES, 1)} == by_case(dumps)
    assert by_case(dumps[:3]) == "valgrind told 3 times what it counted, not 6 times"


def test_instructions_are_missed_without_valgrind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no valgrind the reason says how to get it."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert counted() == "there is no valgrind: `apt-get install valgrind` gets it"


def test_paced_streams_are_measured() -> None:
    """Every chunk of every stream is heard, and the errors, the pace, the CPU and the memory are told."""
    script = Path(__file__).with_name("streams.py")
    command = [sys.executable, script, "--streams", "20", "--rate", "20", "--seconds", "0.5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert 0 == done.returncode, done.stderr
    head, *lines = done.stdout.splitlines()
    assert "20 streams of 10 chunks, 20 a second each" == head
    assert 10 == len([line for line in lines if re.search(r"-?[\d,.]+(%| ms| us| kB)$", line)]) == len(lines)


def test_an_error_is_what_comes_after_its_time() -> None:
    """By the earliest schedule that a stream kept to; its pace is from the first chunk to the last."""
    came = [10.5, 11.0, 12.25, 13.0]
    assert [0.5, 0.0, 0.25, 0.0] == errors(came, 1.0)
    assert pytest.approx(2.5 / 3 - 1) == off_pace(came, 1.0)
