"""Pictures of scenarios show every way from state to state, and what examples covered of it.

That they are valid whatever they hold, those that draw them say: `tests/interop/test_drawings.py`.
"""

from __future__ import annotations

import json

import pytest

from llmposter import lint
from llmposter.lint.coverage import coverage, data
from llmposter.lint.overlay import Unfit, read
from llmposter_dsl import compile_text
from llmposter_dsl.program import Program

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
name = "cut"
when = 'attempt == 3'
reply = "yes"
fault = "drop halfway"
[[states.wait]]
refuse = "no"
goto = "done"
[[always]]
when = 'user == "stop"'
reply = "bye"
goto = "done"
[[otherwise]]
reply = "what?"
[[examples]]
turns = [{ user = "a <br>", expect = "error exists" }, { retry = true, expect = "error exists" }, { retry = true }]
"""


def program(text: str = TEXT) -> Program:
    made = compile_text(text).program
    assert made is not None
    return made


def covered(text: str = TEXT) -> bytes:
    made = program(text)
    found = coverage(made, lint.play(made, ["openai"], branches=True), branches=True)
    return json.dumps({"version": 1, "scenarios": [data(found)]}).encode()


def test_mermaid_has_a_line_for_every_rule() -> None:
    """States in the order of the file; errors and broken answers are dashed, each in its way; passing on is dotted."""
    assert """flowchart LR
  start((" "))
  s0(["ask"])
  s1(["wait"])
  s2(["done"])
  stop(((" ")))
  start --> s0
  s0 -->|"user == #34;stop#34;"| s2
  s0 -->|"say #34;hi#34; #92;#92;N#59; #35; #58; --#62;, user == #34;a#59; b#58; #123;c#125; --#62; #92;#34;d#92;#34; \
#35;e#59; #37;#37;#34;, one()"| s1
  s0 -.->|"user matches /#60;br#62;/"| s1
  s1 -->|"user == #34;stop#34;"| s2
  s1 -->|"else, at most 2x, error rate_limited 430"| s1
  s1 -->|"cut, attempt == 3, drop halfway"| s1
  s1 -->|"else, refusal"| s2
  s2 --> stop
  linkStyle 5 stroke:#c62828,color:#c62828,stroke-dasharray:8
  linkStyle 6 stroke:#c77700,color:#c77700,stroke-dasharray:8 3 2 3
""" == lint.graph(program())


def test_dot_has_a_line_for_every_rule() -> None:
    """Final states have a double border."""
    lines = lint.graph(program(), "dot").splitlines()
    red, orange = (f'color="{colour}", fontcolor="{colour}"' for colour in ("#c62828", "#c77700"))
    for line in (
        '"_done" [label="done", peripheries=2];',
        '"" -> "_ask";',
        '"_ask" -> "_wait" [label="user matches /<br>/", style=dotted];',
        f'"_wait" -> "_wait" [label="else, at most 2x, error rate_limited 430", style=dashed, {red}];',
        f'"_wait" -> "_wait" [label="cut, attempt == 3, drop halfway", style=dashed, arrowhead=dot, {orange}];',
    ):
        assert f"  {line}" in lines


def test_what_was_covered_colours_states_and_lines() -> None:
    """With how often each rule fired from each state; where a branch is missing, how many there are."""
    drawn = lint.graph(program(), "mermaid", read(covered(), "c.json", program())).splitlines()
    for line in (
        '  s0 -.->|"user matches /#60;br#62;/, 1x, branches 1/2"| s1',
        '  s0 -->|"user == #34;stop#34;, never"| s2',
        '  s1 -->|"else, at most 2x, error rate_limited 430, 2x"| s1',
        "  linkStyle 5 stroke:#2e7d32,color:#2e7d32,stroke-dasharray:8",
        "  class s0,s1 covered",
        "  class s2 missing",
    ):
        assert line in drawn
    dot = lint.graph(program(), "dot", read(covered(), "c.json", program())).splitlines()
    green, red = (
        f'style="rounded,filled", fillcolor="{fill}", color="{edge}"];'
        for fill, edge in (("#e2f2e3", "#2e7d32"), ("#fae1e1", "#c62828"))
    )
    assert [
        f'  "_ask" [label="ask", {green}',
        f'  "_wait" [label="wait", {green}',
        f'  "_done" [label="done", peripheries=2, {red}',
    ] == dot[4:7]


@pytest.mark.parametrize(
    "written, message",
    [
        (b"{", "is not what `llmposter test --coverage-file` writes: input data was truncated"),
        (
            b'{"version": 2, "scenarios": []}',
            "is not what `llmposter test --coverage-file` writes: invalid enum value 2",
        ),
        (b'{"version": 1, "scenarios": []}', 'has no coverage of scenario "picture": it is of none'),
        (covered(TEXT.replace("picture", "other")), 'has no coverage of scenario "picture": it is of "other"'),
        (covered(TEXT.replace('name = "cut"', "")), 'is of another scenario "picture" than there is now'),
    ],
    ids=["no JSON", "version", "none", "other", "changed"],
)
def test_a_file_that_does_not_fit_is_told(written: bytes, message: str) -> None:
    """One sentence that names the file."""
    with pytest.raises(Unfit) as caught:
        read(written, "c.json", program())
    assert str(caught.value).startswith(f'"c.json" {message}')
