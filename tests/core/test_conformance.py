"""What a client's history breaks of the protocol of tool calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from machines import got, result, said, turn, use
from msgspec.structs import replace

from llmposter.core.conformance import findings, in_our_words
from llmposter.model import Unpaired

if TYPE_CHECKING:
    from llmposter.model import Breach

A, B = use("call_a", "get_weather"), use("call_b", "clock")
UNASKED = 'the tool result "call_x" answers no call of the assistant message before it'
TWICE = 'the tool call "call_a" has more than one result: send one for each call'
NO_A = 'the tool call "call_a" of "get_weather" has no result before {}: send one for each call'
NO_B = 'the tool call "call_b" of "clock" has no result before {}: send one for each call'


def told(breach: Breach) -> str:
    return breach.sentence if isinstance(breach, Unpaired) else str(breach)


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
    assert found == tuple(map(told, findings(turn(*messages))))


def test_what_the_wire_found_comes_first() -> None:
    """Breaches that the provider's side told stand before those of calls and results."""
    asked = turn("hi", got(result("call_x", 1)), breaches=("messages[0]: no content",))
    assert ("messages[0]: no content", UNASKED) == tuple(map(told, findings(asked)))


def test_what_a_provider_takes_is_no_finding() -> None:
    """A wire that has nothing to say of a finding lets it pass; the others stay."""
    asked = turn("hi", said("", A, B), "never mind")
    assert (NO_B.format("the next user message"),) == tuple(
        map(told, findings(asked, lambda of, found: None if found.id == "call_a" else in_our_words(of, found)))
    )
