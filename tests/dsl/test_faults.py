"""The phrases of a fault: each form means what its words say, and nothing else is one."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmposter_dsl import compiler
from llmposter_dsl.expressions.syntax import Trouble
from llmposter_dsl.fault_forms import ACTIONS, POINTS, Phrase, phrase
from llmposter_dsl.program import Fault, Point

FILLED = {
    "TIME": "300ms",
    "COUNT": "3",
    "STATUS": "502",
    "ERROR": "overloaded",
    "TEXT": '"<b>"',
    "MEDIA": "text/html",
}

WORDS = sorted({word for form in (*ACTIONS, *POINTS, "every event") for word in form.split()} - FILLED.keys())


def filled(form: str) -> str:
    return " ".join(FILLED.get(word, word) for word in form.split())


@pytest.mark.parametrize(
    "text, expected",
    [
        ("drop", Phrase("drop")),
        ("  close\n after 1  chunk ", Phrase("close", Point("chunks", 1))),
        ("stall 1.5s", Phrase("stall", seconds=1.5)),
        ("stall 2m after 300ms", Phrase("stall", Point("time", 0.3), seconds=120)),
        ("hang after 200 bytes", Phrase("hang", Point("bytes", 200))),
        ("corrupt after 007 events", Phrase("corrupt", Point("events", 7))),
        ("duplicate every event", Phrase("duplicate", Point("everywhere"))),
        ("error rate_limited halfway", Phrase("error", Point("halfway"), error="rate_limited")),
        ("error 529", Phrase("error", error=529)),
        ("send \"a 'b'\"", Phrase("send", text="a 'b'")),
        (r"send 'a\n\u00e9\'' as text/plain", Phrase("send", text="a\né'", media="text/plain")),
        (
            'send 502 "" as text/html; charset=utf-8 before headers',
            Phrase("send", Point("before headers"), status=502, media="text/html; charset=utf-8"),
        ),
        ("send 'after 3 chunks' after 3 chunks", Phrase("send", Point("chunks", 3), text="after 3 chunks")),
    ],
)
def test_a_phrase_is_an_action_and_a_point(text, expected):
    """Each action, with what fills it, is read beside the point that follows it, or beside none."""
    assert expected == phrase(text)


@pytest.mark.parametrize("action, point", list(product(ACTIONS, ("", *POINTS))))
def test_every_action_goes_with_every_point(action, point):
    """Whatever its action, a phrase says the same point."""
    found = phrase(filled(f"{action} {point}"))
    assert isinstance(found, Phrase)
    assert action.split()[0] == found.action
    assert phrase(filled(f"drop {point}")).point == found.point


@given(
    st.lists(st.sampled_from([*WORDS, *FILLED.values(), '"', "0", "x", ";", "é"]), max_size=9).map(" ".join) | st.text()
)
def test_any_text_is_a_phrase_or_has_a_place_where_it_is_none(text):
    """No text raises; what is no phrase is told a stretch of it and a sentence."""
    found = phrase(text)
    assert isinstance(found, Phrase) or (0 <= found.start <= found.end <= len(text) and found.message)


@pytest.mark.parametrize(
    "rule, expected",
    [
        ('reply = "a"\nfault = "drop"', [("drop", Point("halfway"))]),
        ('reply = "a"\nfault = "corrupt"', [("corrupt", Point("halfway"))]),
        ('reply = "a"\nfault = "hang"', [("hang", Point("before headers"))]),
        ('reply = "a"\nfault = "send \'a\'"', [("send", Point("before headers"))]),
        ('fault = "drop"', [("drop", Point("before headers"))]),
        ('fault = "error overloaded"', [("error", Point("before headers"))]),
        ('fault = "corrupt"', [("corrupt", Point("after headers"))]),
        ('fault = "close after headers"', [("close", Point("after headers"))]),
        (
            'error = 500\nfault = ["stall 1s after headers", "drop"]',
            [("stall", Point("after headers")), ("drop", Point("halfway"))],
        ),
    ],
)
def test_a_fault_without_a_point_has_that_of_its_action(rule, expected):
    """An answer breaks halfway, a rule without one before the head; `hang` and `send` come in place of an answer."""
    assert expected == [(fault.action, fault.point) for fault in only(rule)]


def test_a_fault_holds_all_that_its_phrase_says():
    """Text, status, media type, error and seconds are on the Fault; a text is plain unless it says more."""
    found = only('fault = ["stall 2s before headers", "error 503 before headers"]')
    assert [2.0, 0.0] == [fault.seconds for fault in found]
    assert 503 == found[1].error.status
    (sent,) = only("fault = 'send 502 \"x\" as text/html'")
    assert (502, "x", "text/html") == (sent.status, sent.body, sent.media)
    (plain,) = only("fault = 'send \"x\"'")
    assert (None, "text/plain") == (plain.status, plain.media)


def test_a_rule_that_only_has_a_fault_answers_with_nothing_said():
    """It takes the request, as one with an answer does: it passes nothing on, and may go somewhere."""
    program = compiler.compile_text('[[states.s]]\nfault = "hang"\ngoto = "s"').program
    (rule,) = program.states["s"]
    assert ("", "s") == (rule.outcome.reply.constant, rule.goto)


def test_a_text_in_mid_stream_ends_no_answer():
    """It comes in between, so that another fault strikes after it; in place of the answer it is all that comes."""
    assert ("send", "drop") == tuple(
        fault.action for fault in only("""reply = "a"\nfault = ['send ": hi" after 1 chunk', "drop after 2 chunks"]""")
    )
    compiled = compiler.compile_text("""[[states.s]]\nreply = "a"\nfault = ['send "x"', "drop halfway"]\n""")
    assert ["LP402"] == [found.code for found in compiled.diagnostics]


def only(rule: str) -> tuple[Fault, ...]:
    compiled = compiler.compile_text(f"[[states.s]]\n{rule}\n")
    assert () == compiled.diagnostics
    return compiled.program.states["s"][0].faults


def test_a_phrase_cannot_be_made_of_two():
    """What follows a whole phrase is one word too many."""
    assert isinstance(phrase("drop halfway drop"), Trouble)
