"""What a fingerprint sees of a history, and what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec.structs import replace
from talking import call, said, turn, user

from llmposter.core.conformance import findings
from llmposter.core.fingerprint import Prints, canonical, client_of, spoken
from llmposter.model import Message, Refusal, Reply, Text, Thinking, Tokens, ToolCall, ToolResult, ToolUse

TWO = said("", call("a", "one", x=1, y=[1, 2]), call("b", "two"))
ANSWERED = Message("tool", results=(ToolResult("a", "1"), ToolResult("b", "2")))


def arguments(text: str) -> Message:
    return Message("assistant", calls=(ToolUse("a", "one", text),))


def told(first: ToolResult, second: ToolResult) -> Message:
    return Message("tool", results=(first, second))


def full(*messages: Message) -> bytes:
    return Prints(messages).full


ALIKE = {
    "white space at the ends": ((user("hi"),), (user(" hi\n"),)),
    "ids, kept apart": (
        (TWO, ANSWERED),
        (
            said("", call("x", "one", x=1, y=[1, 2]), call("y", "two")),
            Message("tool", results=(ToolResult("x", "1"), ToolResult("y", "2"))),
        ),
    ),
    "the order of results": ((TWO, ANSWERED), (TWO, replace(ANSWERED, results=ANSWERED.results[::-1]))),
    "key order in arguments": ((TWO,), (said("", call("a", "one", y=[1, 2], x=1), call("b", "two")),)),
    "white space in arguments": ((arguments('{"x": 1}'),), (arguments('{"x":1} \n'),)),
    "no arguments": ((arguments("{}"),), (arguments(""),)),
    "whole numbers as JavaScript spells them": (
        (arguments('{"x":22.0,"y":-0.0,"z":[1e3]}'),), (arguments('{"x":22,"y":0,"z":[1000]}'),),
    ),
    "thinking": ((said("x"),), (replace(said("x"), thinking="hm"),)),
    "how an answer's parts were joined": ((said("a\nb"),), (said("ab"),)),
    "system messages": ((user("hi"),), (Message("system", "12:01"), user("hi"))),
    "a result without a flag, and one that is no error": (
        (TWO, ANSWERED), (TWO, told(ToolResult("a", "1", error=False), ToolResult("b", "2"))),
    ),
    "the tool's name at its result": ((TWO, ANSWERED), (TWO, told(ToolResult("a", "1", "one"), ToolResult("b", "2")))),
}  # fmt: skip


@pytest.mark.parametrize("one, other", ALIKE.values(), ids=ALIKE)
def test_what_clients_may_change_on_the_way(one: tuple[Message, ...], other: tuple[Message, ...]) -> None:
    """These histories have the same fingerprint."""
    assert full(*one) == full(*other)


DIFFERENT = {
    "text": ((user("hi"),), (user("ho"),)),
    "white space within": ((user("a b"),), (user("ab"),)),
    "role": ((user("hi"),), (said("hi"),)),
    "attachments": ((user("hi"),), (user("hi", images=1),)),
    "which of them": ((user("hi", images=1),), (user("hi", files=1),)),
    "arguments": ((TWO,), (said("", call("a", "one", x=2, y=[1, 2]), call("b", "two")),)),
    "arguments that are no JSON": ((arguments("{}"),), (arguments("{"),)),
    "tool": ((said("", call("a", "one")),), (said("", call("a", "two")),)),
    "which call a result answers": ((TWO, ANSWERED), (TWO, told(ToolResult("b", "1"), ToolResult("a", "2")))),
    "a result's flag": ((TWO, ANSWERED), (TWO, told(ToolResult("a", "1", error=True), ToolResult("b", "2")))),
    "messages cut elsewhere": ((user("ab"), user("c")), (user("a"), user("bc"))),
    "one more": ((user("a"),), (user("a"), user("a"))),
}  # fmt: skip


@pytest.mark.parametrize("one, other", DIFFERENT.values(), ids=DIFFERENT)
def test_what_makes_another_history(one: tuple[Message, ...], other: tuple[Message, ...]) -> None:
    """These histories have different fingerprints."""
    assert full(*one) != full(*other)


@pytest.mark.parametrize(
    "parts",
    [
        (Text("hello"),),
        (Text("It is:"), Text('{"a": 1}', structured=True)),
        (Thinking("hm"), Text("x"), ToolCall("call_1", "look", '{"a": 1}')),
        (Refusal("I will not"),),
        (ToolCall("1", "a", "{}"), ToolCall("2", "b", "broken")),
    ],
)
def test_an_answer_is_known_when_it_comes_back(parts: tuple[object, ...]) -> None:
    """The fingerprint after an answer is that of the history with the answer in it."""
    reply = Reply("id", 0, "m", parts, "stop", Tokens())
    before = (user("hi"),)
    assert full(*before, spoken(reply)) == Prints(before).after_answer(reply)


@pytest.mark.parametrize("calls", [(), (ToolCall("1", "a", "{}"),)])
def test_an_answer_that_goes_on_from_the_clients_words_is_one_message_with_them(calls: tuple[ToolCall, ...]) -> None:
    """The fingerprint after it is that of the history with both in one."""
    reply = Reply("id", 0, "m", (Text("B)"), *calls), "stop", Tokens())
    both = replace(spoken(reply), text="It is (B)")
    assert full(user("hi"), both) == Prints((user("hi"),), "It is (").after_answer(reply)


messages = some.builds(
    Message,
    role=some.sampled_from(("user", "assistant", "tool")),
    text=some.text(max_size=5),
    calls=some.lists(some.builds(call, some.text(max_size=2), some.text(max_size=2)), max_size=2).map(tuple),
    results=some.lists(some.builds(ToolResult, some.text(max_size=2), some.text(max_size=2)), max_size=2).map(tuple),
)


@settings(max_examples=100, deadline=None)
@given(some.lists(messages, max_size=6), some.integers(0, 6))
def test_a_chain_has_the_fingerprint_of_each_of_its_prefixes(history: list[Message], cut: int) -> None:
    """`upto(n)` is the fingerprint of the first n messages; `openings` lead from the end to the last answer."""
    prints, count = Prints(history), min(cut, len(history))
    assert Prints(history[:count]).full == prints.upto(count)
    assert [n for n, message in enumerate(history) if message.role == "assistant"] == prints.answers
    assert prints.openings[0] == prints.full
    assert set(prints.openings) >= {prints.upto(n) for n in range(prints.last + 2, len(history))} - {
        prints.upto(prints.last + 1)
    }


@settings(max_examples=100, deadline=None)
@given(some.text())
def test_any_text_is_taken(text: str) -> None:
    """No text, lone surrogates and broken JSON included, is more than a fingerprint can bear."""
    assert canonical(text) == canonical(f" {text}\n")
    assert full(user(text + "\ud800"), said(text + "\udfff")) == full(user(text + "\ud800"), said(text + "\udfff"))
    assert client_of(text + "\ud800") == client_of(f"{text}\ud80012 34")


def test_deeply_nested_arguments_are_taken() -> None:
    """JSON too deep to decode is compared as text."""
    assert canonical("[" * 100_000) == b"[" * 100_000


_SHARED = [
    user("go"),
    said("so"),
    said("", call("a", "one")),
    said("", call("a", "one"), call("b", "two")),
    said("", call("b", "two"), call("a", "one")),
    Message("tool", results=(ToolResult("a", "1"),)),
    Message("tool", results=(ToolResult("b", "2"), ToolResult("a", "1"))),
    Message("system", "be brief"),
]


@settings(max_examples=300, deadline=None)
@given(some.lists(some.sampled_from(_SHARED), max_size=7))
def test_what_a_message_keeps_holds_in_every_history(history: list[Message]) -> None:
    """Messages that come in many histories give in each what messages give that were never seen before."""
    seen, fresh = Prints(history), Prints([replace(message, calls=(*message.calls,)) for message in history])
    assert [fresh.upto(n) for n in range(len(history) + 1)] == [seen.upto(n) for n in range(len(history) + 1)]
    assert (fresh.full, fresh.openings, fresh.plain) == (seen.full, seen.openings, seen.plain)
    request = turn(*history)
    assert findings(turn(*(replace(message) for message in history))) == findings(request)
    assert not (seen.plain and findings(request))
