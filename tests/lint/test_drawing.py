"""Pictures of scenarios are valid whatever they hold, and show every way from state to state."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmposter import lint
from llmposter_dsl import compile_text

TEXT = """
[scenario]
name = "picture"
start = "ask"
final = ["done"]
[[states.ask]]
when = 'user == "a; b: {c} --> \\"d\\" #e; %%"'
name = 'say "hi" \\\\N; # : -->'
call = "one()"
goto = "wait"
[[states.ask]]
when = 'user matches /<br>/'
goto = "wait"
[[states.wait]]
times = 2
error = { name = "rate_limited", status = 430 }
[[states.wait]]
refuse = "no"
goto = "done"
[[always]]
when = 'user == "stop"'
reply = "bye"
goto = "done"
[[otherwise]]
reply = "what?"
"""
ID = r"s\d+|\[\*\]"
NAME = r"(?:[\w .,()=…→*+/-]|#\d+;)+"
LABEL = r"""(?:[\w .,()=…→*+/"'?\\\[\]!|@-]|#\d+;)+"""
MERMAID = re.compile(rf'  (?:direction LR|state "{NAME}" as s\d+|(?:{ID}) --> (?:{ID})(?: : {LABEL})?)')
STRING = r'"(?:[^"\\]|\\.)*"'
DOT = re.compile(
    rf"digraph {STRING} \{{|  rankdir=LR;|  node \[shape=box, style=rounded\];|\}}|"
    rf"  {STRING}(?: -> {STRING})?(?: \[\w+=(?:{STRING}|\w+)(?:, \w+=(?:{STRING}|\w+))*\])?;"
)


def picture(format_: str, text: str = TEXT) -> list[str]:
    program = compile_text(text).program
    assert program is not None
    return lint.graph(program, format_).splitlines()


def test_mermaid_shows_start_final_and_every_rule() -> None:
    """States in the order of the file; labels tell rule, condition and what it does."""
    first, *lines = picture("mermaid")
    assert "stateDiagram-v2" == first
    assert [] == [line for line in lines if not MERMAID.fullmatch(line)]
    plain = [re.sub(r"#(\d+);", lambda found: chr(int(found[1])), line).strip() for line in lines]
    assert [
        "direction LR",
        'state "ask" as s0', 'state "wait" as s1', 'state "done" as s2',
        "[*] --> s0",
        's0 --> s2 : user == "stop"',
        's0 --> s1 : say "hi" \\\\N; # : -->, user == "a; b: {c} --> \\"d\\" #e; %%", one()',
        "s0 --> s1 : user matches /<br>/, passes on",
        's1 --> s2 : user == "stop"',
        "s1 --> s1 : else, at most 2x, error rate_limited 430",
        "s1 --> s2 : else, refusal",
        "s2 --> [*]",
    ] == plain  # fmt: skip


def test_dot_shows_errors_dashed_and_pass_through_dotted() -> None:
    """Each statement is well formed; final states have a double border."""
    lines = picture("dot")
    assert [] == [line for line in lines if not DOT.fullmatch(line)]
    assert '  "_done" [label="done", peripheries=2];' in lines
    assert '  "" -> "_ask";' in lines
    assert '  "_ask" -> "_wait" [label="user matches /<br>/", style=dotted];' in lines
    assert '  "_wait" -> "_wait" [label="else, at most 2x, error rate_limited 430", style=dashed];' in lines


@pytest.mark.parametrize("format_, form", [("mermaid", MERMAID), ("dot", DOT)], ids=["mermaid", "dot"])
def test_any_text_stays_a_label(format_: str, form: re.Pattern[str]) -> None:
    """No name of a rule and no condition can break out of its label."""

    @settings(max_examples=40, deadline=None)
    @given(st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF), min_size=1, max_size=60))
    def check(name: str) -> None:
        literal = '"' + re.sub(r"[^a-zA-Z0-9 ;:#{}<>-]", "", name) + '"'
        text = json.dumps(
            {"states": {"a": [{"name": name, "when": f"user == {literal}", "goto": "b"}], "b": [{"reply": "x"}]}}
        )
        program = compile_text(text, "s.yaml", "yaml").program
        assert program is not None
        lines = lint.graph(program, format_).removesuffix("\n").split("\n")
        assert [] == [line for line in lines[format_ == "mermaid" :] if not form.fullmatch(line)]

    check()
