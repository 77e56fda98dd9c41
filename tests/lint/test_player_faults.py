"""What an example sees of a broken answer is what its client would: that it is cut, and the error that it was told."""

from __future__ import annotations

import pytest

from llmposter import lint
from llmposter_dsl import compile_text

SEEN = [
    (
        'reply = "a b c"\nfault = "drop"',
        ["cut", "error == null", "finish == null", "usage == null", 'reply == "a b c"'],
    ),
    ('reply = "a b c"\nfault = "stall 2s"', ["not cut", 'finish == "stop"', 'reply == "a b c"']),
    ('reply = "a b c"\nfault = "duplicate every event"', ["not cut", "error == null"]),
    ('call = "now(zone: 1)"\nfault = "close inside tool arguments"', ["cut", 'call("now") exists']),
    ('call = "now()"\nfault = "close between tool calls" # llmposter: ignore[LP402]', ["not cut"]),
    ('reply = "a"\nfault = "error overloaded"', ["cut", 'error.name == "overloaded"', "error.status >= 500"]),
    ('fault = "error 418"', ["cut", "error.name == null", "error.status == 418"]),
    ("fault = \"send 502 '<h1>no</h1>' as text/html\"", ["cut", "error.status == 502", 'error.message contains "no"']),
    ("fault = \"send 'overloaded'\"", ["cut", "error == null"]),
    ('fault = "hang"', ["cut", "error == null"]),
    ('error = "timeout"\nfault = "close halfway"', ["cut", "error == null"]),
]


@pytest.mark.parametrize("rule, expect", SEEN)
@pytest.mark.parametrize("stream", ["false", "true"])
def test_an_example_sees_what_its_client_would(rule: str, expect: list[str], stream: str) -> None:
    """On every format, whole and streamed."""
    turns = f"turns = [{{ user = 'hi', expect = {expect}, request = {{ stream = {stream} }} }}]"
    assert [] == failures(f"[[states.s]]\n{rule}\n[[examples]]\n{turns}")


def test_a_broken_answer_is_no_part_of_the_history() -> None:
    """A retry is the next attempt, and what the broken rule set is kept, as after an error."""
    text = """
    [[states.s]]
    when  = "attempt == 1"
    reply = "half of this"
    fault = "close halfway"

    [[states.s]]
    reply = "turn ${turn}, attempt ${attempt}, ${len(messages)} message"

    [[examples]]
    turns = [{ user = "hi", expect = "cut" }, { retry = true, expect = 'reply == "turn 1, attempt 2, 1 message"' }]
    """
    assert [] == failures(text)


def test_what_came_is_told_with_the_fault_that_broke_it() -> None:
    """A failing expectation says what broke the answer."""
    (told,) = failures(
        "[[states.s]]\nreply = 'hello'\nfault = 'drop'\n[[examples]]\nturns = [{ user = 'hi', expect = 'not cut' }]"
    )
    assert 'the answer was the text "hello", broken by "drop"' in told


def failures(text: str) -> list[str]:
    compiled = compile_text(text)
    assert compiled.program is not None, compiled.diagnostics
    return [each.message for result in lint.play(compiled.program) for each in result.failures]
