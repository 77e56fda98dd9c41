"""What `lint` says of a machine, word for word, where conditions have to be understood for it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from llmposter.lint import check
from llmposter.lint.selecting import Choice
from llmposter.lint.settings import Project

HEAD = '[vars]\nmode = "slow"\nspare = 0\n\n'


def rules(*whens: str, state: str = "s", answer: str = 'reply = "x"') -> str:
    """Rules of one state with these conditions; "" for none."""
    lines = (f"when = '{when}'\n" if when else "" for when in whens)
    return "".join(f"[[states.{state}]]\n{line}{answer}\n\n" for line in lines)


def taken(rule: str, by: str, taker: str, where: str) -> tuple[str, str, str]:
    """The finding on a rule of which others take all requests."""
    message = f"the rule `{rule}` can never fire: all of its requests are taken by {by}"
    return "LP302", message, f"`{taker}` fires {where}"


PLAIN = "for a request that is like any other"


def loop(rule: str, after: str) -> tuple[str, str, str]:
    """The finding on a call after which there are only calls."""
    message = f"`{rule}` calls, and whatever is answered, the state `{after}` only calls again"
    return "LP313", message, "give some result an answer without a call, or the call `times`"


NONE = ("LP302", "the rule `s#1` can never fire: no request is as its `when` wants it", None)
UNREACHED = (
    "LP301",
    "no conversation ever reaches the state `t`",
    "the rules that lead there can never fire, or stand in states that cannot be reached",
)
CASES = {
    "narrower": (
        rules('user contains "refund"', 'user contains "refund now"'),
        [taken("s#2", "`s#1`", "s#1", 'where `user == "refund now"`')],
    ),
    "together": (
        rules("attempt < 3", "stream", 'user == "a"', "attempt >= 3 and not stream", ""),
        [taken("s#5", "`s#1`, `s#2` or `s#4`", "s#1", PLAIN)],
    ),
    "results": (
        rules("not (result exists)", answer='call = "t()"') + rules('result("t") exists', 'result("t").json.temp > 20'),
        [taken("s#3", "`s#2`", "s#2", 'where `result("t").json == {"temp": 21}`')],
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
        [taken("s#1", "`always#1`", "always#1", 'where `user == "please stop"`')],
    ),
    "otherwise": (
        rules("attempt == 1", "attempt > 1") + "[[otherwise]]\nreply = 'x'\n",
        [taken("otherwise#1", "`s#1` or `s#2`", "s#1", PLAIN)],
    ),
    "behind": (
        rules("attempt == 0", answer='goto = "t"') + rules("", answer="reply = 'y'") + rules("", state="t"),
        [
            NONE,
            UNREACHED,
        ],
    ),
    "a loop of calls": (
        rules('user == "a"')
        + rules("", answer='call = "c()"\ngoto = "t"')
        + rules("result exists", "", state="t", answer='call = "c()"\ngoto = "u"')
        + rules("", state="u", answer='call = "d()"\ngoto = "t"'),
        [loop("t#1", "u"), loop("t#2", "u"), loop("u#1", "t")],
    ),
    "a loop with a way out": (
        rules('user == "a"')
        + rules("", answer='call = "c()"\ngoto = "t"')
        + rules("turn > 3", state="t")
        + rules("", state="t", answer='call = "c()"'),
        [],
    ),
    "a result that nobody takes": (
        rules("", answer='call = "c()"\ngoto = "t"') + rules('result("d") exists', "not (result exists)", state="t"),
        [
            ("LP314", "no rule of the state `t` takes the result of `c`", None),
            ("LP315", "no rule calls `d`, whose result is asked for", None),
        ],
    ),
    "no way to an end": (
        '[scenario]\nfinal = ["end"]\n\n'
        + rules("stream", answer='reply = "x"\ngoto = "end"')
        + rules("", answer='reply = "x"\ngoto = "lost"')
        + rules("attempt == 0", state="lost", answer='reply = "x"\ngoto = "s"')
        + rules("", state="lost"),
        [
            (
                "LP317",
                "no final state is ever reached from the state `lost`",
                "lead on from there, or name it in `scenario.final`",
            ),
            ("LP302", "the rule `lost#1` can never fire: no request is as its `when` wants it", None),
        ],
    ),
    "times": ("[[states.s]]\ntimes = 2\nreply = 'x'\n\n" + rules('user contains "a"', ""), []),
    "wider": (rules('user contains "refund now"', 'user contains "refund"'), []),
    "other state": (rules("", answer='reply = "x"\ngoto = "t"') + rules('user == "a"', "", state="t"), []),
    "chance": (rules("chance(0.5)", "chance(0.5)", ""), []),
}


ASKED = {
    "a request without a rule": (
        rules('user mentions "hello"', "attempt > 1"),
        "LP311",
        [("no rule of the state `s` takes every request", 'none fires where `user == "anything"`')],
    ),
    "a request without a rule, found behind others": (
        rules("attempt < 3", 'user contains "a"'),
        "LP311",
        [("no rule of the state `s` takes every request", "none fires where `attempt == 3`")],
    ),
    "every request has a rule": (rules("attempt < 3", "attempt >= 3"), "LP311", []),
    "an error was meant": ('[scenario]\nunmatched = "bad_request"\n\n' + rules("attempt < 3"), "LP311", []),
    "a variable that is a text or nothing": (
        '[vars]\nmode = "slow"\n\n'
        + rules("", answer='reply = "x"\nset = {mode = "user"}\ngoto = "s"', state="a")
        + rules("mode is text", "mode == null"),
        "LP311",
        [],
    ),
    "two words": (
        rules('user mentions "refund"', 'user mentions "order"', ""),
        "LP312",
        [
            (
                "`s#1` and `s#2` take some requests both",
                '`s#1` fires where `user == "refund order"`, since it comes first',
            )
        ],
    ),
    "a rule for the rest": (rules('user == "a"', 'user contains "a"', ""), "LP312", []),
    "words that exclude each other": (rules('user starts with "a"', 'user starts with "b"'), "LP312", []),
}


@pytest.mark.parametrize("text, code, told", ASKED.values(), ids=ASKED)
def test_what_is_only_looked_for_where_it_is_selected(text, code, told, tmp_path):
    """It is found with a request that shows it, and only then."""
    path = tmp_path / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    assert code not in {each.code for each in check([path]).diagnostics}
    settings = Project(given=lambda settings: replace(settings, choice=Choice(extend=(code,))), isolated=True)
    found = [each for each in check([path], settings).diagnostics if each.code == code]
    assert told == [(each.message, each.help) for each in found]


@pytest.mark.parametrize("text, told", CASES.values(), ids=CASES)
def test_what_a_machine_can_never_do_is_told_with_a_request_that_shows_it(text, told, tmp_path):
    """Each finding has its words, and there is no other that warns."""
    path = tmp_path / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    found = [each for each in check([path]).diagnostics if each.severity != "info"]
    assert told == [(each.code, each.message, each.help) for each in found]
