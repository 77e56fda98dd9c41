"""The index of rules: it leaves out only rules that cannot match, and keeps their order."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machines import Talk, said, scenario, turn

from llmposter.core.conversation import Moment
from llmposter.core.index import FEWEST, Index
from llmposter.core.machine import Machine
from llmposter.core.walker import Walker

WORDS = ("a", "ab", "B", "abc", "Straße", "STRASSE", "é", "ς", "Σ", "\u212a", "k", "\u017fo", "so", " ", ".")
TEXTS = st.lists(st.sampled_from((*WORDS, "\ud800")), max_size=6).map("".join)
LITERALS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map("".join)
FACTS = st.sampled_from(("user", "system", "model", "assistant"))


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@st.composite
def conditions(draw: Any, depth: int = 2) -> str:
    kind = draw(
        st.sampled_from(("compare", "in", "lower", "list", "matches", "count", *(("joined", "not") * (depth > 0))))
    )
    fact, text = draw(FACTS), draw(LITERALS)
    match kind:
        case "compare":
            words = ("==", "!=", "contains", "not contains", "mentions", "starts with", "ends with")
            return f"{fact} {draw(st.sampled_from(words))} {quoted(text)}"
        case "in":
            return f"{quoted(text)} in {fact}"
        case "lower":
            return f"lower({fact}) {draw(st.sampled_from(('==', 'contains', 'starts with')))} {quoted(text)}"
        case "list":
            return f"{fact} in [{quoted(text)}, {quoted(draw(LITERALS))}]"
        case "matches":
            tail = draw(
                st.sampled_from(("", "?", "*", "+", "{2}", "{0,1}", "|b", "(x|b)", "[ab]", "(?P<g>.)?", "\\\\b", "."))
            )
            return f"{fact} matches /{text.replace('.', '[.]')}{tail}/{draw(st.sampled_from(('', 'i', 's')))}"
        case "count":
            return "turn == 1"
        case "not":
            return f"not ({draw(conditions(depth=depth - 1))})"
        case _:
            word = draw(st.sampled_from((" and ", " or ")))
            return word.join(f"({draw(conditions(depth=depth - 1))})" for _ in range(2))


@pytest.mark.timeout(600)
@settings(max_examples=2_000 if os.environ.get("LLMPOSTER_SOAK") else 60, deadline=None)
@given(
    st.lists(conditions(), min_size=FEWEST, max_size=FEWEST + 6),
    st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), min_size=1, max_size=8),
)
def test_the_index_finds_what_trying_every_rule_finds(
    wanted: list[str], asked: list[tuple[str, str, str, str]]
) -> None:
    """The step is that of the state machine, which tries every rule; so are all candidates in their order."""
    rules = "".join(f"[[states.a]]\nwhen = {quoted(one)}\nreply = 'r{n}'\n" for n, one in enumerate(wanted))
    program = scenario(rules)
    machine, index = Machine(program), Index(program.states["a"])
    begun = machine.begin(0.0)
    for user, system, model, assistant in asked:
        request = turn("x", said(assistant), user, system=system, model=model)
        moment = Moment(1.0)
        assert repr(machine.stepped(begun, request, moment)) == repr(machine.advance(begun, request, moment))
        walker = Walker.of(program, begun, request, moment)
        matching = [rule.name for rule in program.states["a"] if walker.allows(rule)]
        assert matching == [rule.name for rule in index.candidates(walker.facts) if walker.allows(rule)]


def many(number: int, when: str, extra: str = "") -> str:
    return extra + "".join(f"[[states.a]]\nwhen = '{when.format(n)}'\nreply = 'r{n}'\n" for n in range(number))


@pytest.mark.parametrize(
    "when",
    [
        'user == "q{0}!"',
        'user contains "q{0}!"',
        "user matches /^q{0}!/",
        'user mentions "Q{0}!"',
        "user matches /Q{0}!/i",
    ],
)
def test_one_of_many_is_found_without_trying_the_others(when: str) -> None:
    """Of 500 rules only those whose text stands in the request are tried."""
    program = scenario(many(500, when))
    walker = Walker.of(program, Machine(program).begin(0.0), turn("q321!"), Moment(0.0))
    assert ["a#322"] == [rule.name for rule in Index(program.states["a"]).candidates(walker.facts)]


def test_rules_without_a_text_keep_their_place() -> None:
    """A rule that needs no text is tried where it stands among those that do."""
    first, last = "[[states.a]]\nwhen = 'stream'\nreply = 's'\n", "[[states.a]]\nreply = 'else'\n"
    program = scenario(many(20, 'user contains "q{0}!"', first) + last)
    walker = Walker.of(program, Machine(program).begin(0.0), turn("q3! q1!"), Moment(0.0))
    candidates = Index(program.states["a"]).candidates(walker.facts)
    assert ["a#1", "a#3", "a#5", "a#22"] == [rule.name for rule in candidates]


def test_a_text_across_the_windows_of_a_long_message_is_found() -> None:
    """A message longer than one window is looked through without a gap."""
    talk = Talk(scenario(many(20, 'user contains "needle{0}!"')))
    for shift in range(65_528, 65_538):
        assert "r7" == talk.ask("x" * shift + "needle7!" + "y" * 70_000).outcome.parts[0].text


def test_half_a_surrogate_pair_hides_no_rule() -> None:
    """A text that UTF-8 cannot hold is looked at by every rule."""
    talk = Talk(scenario(many(20, 'user contains "q{0}!"')))
    assert "r7" == talk.ask("\ud800 q7!").outcome.parts[0].text
