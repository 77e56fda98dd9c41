"""Talking to a scenario: what is typed, what comes back, and an example of it all that passes."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from llmposter import lint
from llmposter.core.machine import Machine
from llmposter.lint.chatting import Chat
from llmposter.wire import load
from llmposter_dsl.compiler import compile_path, compile_text

GALLERY = Path(__file__).parents[2] / "scenarios"
SCENARIO = """
[scenario]
name = "shop"
final = ["bye"]

[vars]
seen = 0

[[states.talk]]
when = 'user == "both"'
call = ['find(q: "a")', 'find(q: "b")']
goto = "found"

[[states.talk]]
when = 'user == "no"'
refuse = "I will not."

[[states.talk]]
when = 'user == "late" and elapsed >= 30s'
reply = 'late, ${model}, ${system}, ${headers["x-a"]}'
latency = "2s"
goto = "bye"

[[states.talk]]
when = 'user == "cut"'
reply = "never to be read"
fault = "drop after headers"

[[states.found]]
think = "hm"
reply = "${len(results)} results, ${results[1].error}"
set = { seen = "len(results)" }
goto = "talk"

[[states.bye]]
reply = "bye"
"""


def chat(text: str = SCENARIO, provider: str = "openai") -> Chat:
    program = compile_text(text).program
    assert program is not None
    return Chat(program, Machine(program), provider)


def said(talk: Chat, *lines: str) -> list[str]:
    return [each for line in lines for each in talk.say(line)]


@pytest.mark.parametrize(
    ("lines", "heard"),
    [
        (["no"], ["refuses: I will not.", "  [talk#2 · talk]"]),
        (
            ["both", '{"n": 1}', "/error gone"],
            [
                'calls find({"q":"a"})',
                'calls find({"q":"b"})',
                "  [talk#1 · talk → found]",
                "(hm)",
                "2 results, true",
                "  [found#1 · found → talk · seen = 2]",
            ],
        ),
        (["cut"], ["never to be read", '  [talk#4 · talk · broken by "drop after headers"]']),
        (
            ["no", "/model m", "/system S", "/header x-a: 1", "/wait 30s", "late"],
            [
                "refuses: I will not.",
                "  [talk#2 · talk]",
                'the model is "m" from now on',
                "the system prompt is set",
                "x-a is sent from now on",
                "late, m, S, 1",
                "  [talk#3 · talk → bye · may end here · after 2s]",
            ],
        ),
        (["no", "/state", "/vars", "/why"], ["refuses: I will not.", "  [talk#2 · talk]", 'state "talk"', "seen = 0",
                                             'talk#2: user == "no"']),
        (["/wait long"], ['"long" is no duration: write a number and a unit: ms, s, m, h or d']),
        (["/result 1", "/retry", "/undo", "/why", "/save"], ["no call waits for a result", "nothing was sent yet",
                                                             "nothing was said yet", "nothing was sent yet",
                                                             "nothing was said yet"]),
        (["/provider acme"], [f'there is no provider "acme": it is one of {", ".join(load())}']),
        (["/header x"], ['"x" is no header: write `/header x-tenant: a`']),
    ],
)  # fmt: skip
def test_a_line_gets_its_answer(lines: list[str], heard: list[str]) -> None:
    """The answer, the rule, where the conversation is then, and what changed."""
    assert heard == said(chat(), *lines)


def test_a_miss_is_explained() -> None:
    """No rule matched: the error says why, and /why says it again."""
    talk = chat()
    told = said(talk, "what?")
    assert "no rule" in told[0]
    assert "  [no rule · talk]" == told[1]
    assert "Closest" in said(talk, "/why")[0]


def test_the_prompt_tells_what_is_wanted() -> None:
    """A message, or the result of the call that waits; one for each."""
    talk = chat()
    prompts = [talk.prompt]
    for line in ("both", "1", "2"):
        said(talk, line)
        prompts.append(talk.prompt)
    assert ["you> ", "find gives> ", "find gives> ", "you> "] == prompts


def test_a_turn_is_taken_back() -> None:
    """The conversation is where it was; a result that was typed is taken back alone."""
    talk = chat()
    said(talk, "both", "1", "2")
    assert ['back in state "found"'] == said(talk, "/undo")
    said(talk, "1", "/undo")
    assert ("find gives> ", []) == (talk.prompt, talk.given)
    assert ["(hm)", "2 results, false", "  [found#1 · found → talk · seen = 2]"] == said(talk, "x", "y")


TALKS = {
    "weather.toml": ["weather in Oslo", '{"temp": 3}', "/retry"],
    "two-tools.yaml": ["/user what now?"],
    "support.yaml": ["hello", "my order is late", "no"],
    "hello.toml": ["hello", "what else?"],
}


@pytest.mark.parametrize("name", TALKS)
@pytest.mark.parametrize("provider", list(load()))
def test_what_was_said_is_an_example_that_passes(name: str, provider: str) -> None:
    """`/save` gives what can be pasted into the file, and it holds on every format."""
    program = compile_path(GALLERY / name).program
    assert program is not None
    talk = Chat(program, Machine(program), provider)
    said(talk, *TALKS[name])
    source = (GALLERY / name).read_text(encoding="utf-8")
    (saved,) = said(talk, "/save")
    again = compile_text("\n".join([toml_of(source, name), saved])).program
    assert again is not None
    last = again.examples[-1].name
    results = [each for each in lint.play(again) if each.name == last]
    assert results
    assert lint.passed(results), [each.failures for each in results]


def toml_of(source: str, name: str) -> str:
    """The scenario without examples of its own, in TOML."""
    import yaml

    from llmposter_dsl.writing import write

    if name.endswith(".toml"):
        import tomllib

        data = tomllib.loads(source)
    else:
        data = yaml.safe_load(source)
    data.pop("examples", None)
    return write(data)


def run(path: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "llmposter", "chat", str(path), *arguments]
    return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=60, check=False)


def test_lines_can_come_through_a_pipe() -> None:
    """They are shown with their prompts, and the end of them is the end."""
    ended = run(GALLERY / "hello.toml", typed="hello\n/quit\nnever\n")
    assert (0, "") == (ended.returncode, ended.stderr)
    first, *lines = ended.stdout.splitlines()
    assert "/help tells what can be typed" in first
    assert ["you> hello", "you> /quit"] == [line for line in lines if line.startswith("you> ")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["--provider", "acme"], 'there is no provider "acme"'), (["--nope"], "no such option")],
)
def test_what_cannot_be_talked_to_says_why(arguments: list[str], told: str) -> None:
    """One line and exit code 2."""
    ended = run(GALLERY / "hello.toml", *arguments)
    assert (2, 1) == (ended.returncode, ended.stderr.count("\n"))
    assert told in ended.stderr.lower()


def test_it_can_be_talked_to_in_a_terminal() -> None:
    """It prompts there, and Ctrl-D ends it in good order."""
    main, other = pty.openpty()
    command = [sys.executable, "-m", "llmposter", "chat", str(GALLERY / "hello.toml")]
    process = subprocess.Popen(command, stdin=other, stdout=other, stderr=other, close_fds=True)
    os.close(other)
    heard = read_until(main, b"you> ")
    os.write(main, b"hello\n")
    heard += read_until(main, b"you> ")
    os.write(main, b"\x04")
    assert 0 == process.wait(10)
    os.close(main)
    assert b"[" in heard


def read_until(fd: int, end: bytes) -> bytes:
    heard = b""
    while end not in heard:
        heard += os.read(fd, 1024)
    return heard
