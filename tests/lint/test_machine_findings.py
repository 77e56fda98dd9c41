"""What `lint` says of a machine, word for word, where conditions have to be understood for it."""

from __future__ import annotations

import pytest

from llmposter.lint import check

HEAD = '[vars]\nmode = "slow"\nspare = 0\n\n'


def rules(*whens: str, state: str = "s", answer: str = 'reply = "x"') -> str:
    """Rules of one state with these conditions; "" for none."""
    lines = (f"when = '{when}'\n" if when else "" for when in whens)
    return "".join(f"[[states.{state}]]\n{line}{answer}\n\n" for line in lines)


def taken(rule: str, by: str, taker: str, where: str) -> tuple[str, str, str]:
    """The finding on a rule of which others take all requests."""
    message = f"the rule `{rule}` can never fire: all of its requests are taken by {by}"
    return "LP302", message, f"`{taker}` fires where `{where}`"


NONE = ("LP302", "the rule `s#1` can never fire: no request is as its `when` wants it", None)
UNREACHED = (
    "LP301",
    "no conversation ever reaches the state `t`",
    "the rules that lead there can never fire, or stand in states that cannot be reached",
)
CASES = {
    "narrower": (
        rules('user contains "refund"', 'user contains "refund now"'),
        [taken("s#2", "`s#1`", "s#1", 'user == "refund now"')],
    ),
    "together": (
        rules("attempt < 3", "stream", 'user == "a"', "attempt >= 3 and not stream", ""),
        [taken("s#5", "`s#1`, `s#2` or `s#4`", "s#1", "true")],
    ),
    "results": (
        rules('result("t") exists', 'result("t").json.temp > 20'),
        [taken("s#2", "`s#1`", "s#1", 'result("t").json == {"temp": 21}')],
    ),
    "contradiction": (
        rules('user == "a" and user == "b"', ""),
        [NONE],
    ),
    "false": (rules("false", ""), [NONE]),
    "capitals": (
        rules('lower(user) contains "Refund"', ""),
        [NONE],
    ),
    "variable": (
        HEAD + rules('mode == "fast"', "spare == 0"),
        [NONE],
    ),
    "always": (
        "[[always]]\nwhen = 'user mentions \"stop\"'\nreply = 'x'\n\n" + rules('user == "please stop"', ""),
        [taken("s#1", "`always#1`", "always#1", 'user == "please stop"')],
    ),
    "otherwise": (
        rules("attempt == 1", "attempt > 1") + "[[otherwise]]\nreply = 'x'\n",
        [taken("otherwise#1", "`s#1` or `s#2`", "s#1", "true")],
    ),
    "behind": (
        rules("attempt == 0", answer='goto = "t"') + rules("", answer="reply = 'y'") + rules("", state="t"),
        [
            NONE,
            UNREACHED,
        ],
    ),
    "times": ("[[states.s]]\ntimes = 2\nreply = 'x'\n\n" + rules('user contains "a"', ""), []),
    "wider": (rules('user contains "refund now"', 'user contains "refund"'), []),
    "other state": (rules("", answer='reply = "x"\ngoto = "t"') + rules('user == "a"', "", state="t"), []),
    "chance": (rules("chance(0.5)", "chance(0.5)", ""), []),
}


@pytest.mark.parametrize("text, told", CASES.values(), ids=CASES)
def test_what_a_machine_can_never_do_is_told_with_a_request_that_shows_it(text, told, tmp_path):
    """Each finding has its words, and there is no other that warns."""
    path = tmp_path / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    found = [each for each in check([path]).diagnostics if each.severity != "info"]
    assert told == [(each.code, each.message, each.help) for each in found]
