"""What a client's history breaks of the protocol of tool calls."""

from __future__ import annotations

import pytest
from machines import got, result, said, turn, use
from msgspec.structs import replace

from llmposter.core.conformance import findings

A, B = use("call_a", "get_weather"), use("call_b", "clock")
UNASKED = 'the tool result "call_x" answers no call of the assistant message before it'
TWICE = 'the tool call "call_a" has more than one result: send one for each call'
NO_A = 'the tool call "call_a" of "get_weather" has no result before {}: send one for each call'
NO_B = 'the tool call "call_b" of "clock" has no result before {}: send one for each call'


@pytest.mark.parametrize(
    "messages, found",
    [
        ((), ()),
        (("hi",), ()),
        (("hi", said("yes"), said("and more"), "ok"), ()),
        ((said("few shot"), "hi"), ()),
        (("hi", said("", A, B), got(result("call_a", 1), result("call_b", 2))), ()),
        (("hi", said("", A, B), got(result("call_b", 1)), got(result("call_a", 2))), ()),
        (("hi", said("", A), got(result("call_a", 1)), said("", A), got(result("call_a", 1)), "ok"), ()),
        (("hi", got(result("call_x", 1))), (UNASKED,)),
        ((got(result("call_x", 1)), "hi"), (UNASKED,)),
        (("hi", said("", A), got(result("call_a", 1), result("call_x", 1))), (UNASKED,)),
        (("hi", said("", A), got(result("call_a", 1), result("call_a", 2))), (TWICE,)),
        (("hi", said("", A), got(result("call_a", 1)), got(result("call_a", 1)), "ok"), (TWICE,)),
        (("hi", said("", A), "never mind"), (NO_A.format("the next user message"),)),
        (("hi", said("", A, B), got(result("call_b", 1)), "ok"), (NO_A.format("the next user message"),)),
        (("hi", said("", A), said("done")), (NO_A.format("the next assistant message"),)),
        (("hi", said("", A, B), got(result("call_a", 1))), (NO_B.format("the request"),)),
        (("hi", said("", A)), (NO_A.format("the request"),)),
        (
            ("hi", said("", A), "ok", got(result("call_a", 1))),
            (
                NO_A.format("the next user message"),
                'the tool result "call_a" answers no call of the assistant message before it',
            ),
        ),
        (("hi", said("", replace(A, id="")), got(result("", 1, tool="get_weather"))), ()),
        (
            ("hi", said("", replace(A, id="")), got(result("", 1, tool="clock"))),
            (
                'the tool result of "clock" answers no call of the assistant message before it',
                'the tool call of "get_weather" has no result before the request: send one for each call',
            ),
        ),
        (("hi", said("", A), got(result("call_a", 1)), said("done"), got(result("call_a", 1))), (
            'the tool result "call_a" answers no call of the assistant message before it',
        )),
    ],
)  # fmt: skip
def test_findings(messages, found) -> None:
    """A history has these findings and no others, in its order."""
    assert found == findings(turn(*messages))


def test_what_the_wire_found_comes_first() -> None:
    """Breaches that the provider's side told stand before those of calls and results."""
    asked = turn("hi", got(result("call_x", 1)), breaches=("messages[0]: no content",))
    assert findings(asked) == ("messages[0]: no content", UNASKED)
