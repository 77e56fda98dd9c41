"""Which rules no retry gets past, and in which states no time passes, one small scenario for each reason."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import pytest
from machines import scenario
from openai import InternalServerError, OpenAI
from serving import serving

from llmposter.lint import check
from llmposter.lint.meant import rules
from llmposter.lint.never import studied
from llmposter.lint.retrying import Retrying, retried

FAIL, ANSWER = 'error = "overloaded"', 'reply = "x"'


def state(name: str, *lines: str) -> str:
    """A state with these rules, each as its keys with `;` between them."""
    return "".join(f"[[states.{name}]]\n{line.replace('; ', chr(10))}\n" for line in lines)


TRAPS = {
    "every request fails": (state("s", FAIL), {"s#1"}),
    "another rule may take the retry": (state("s", f"when = 'attempt == 1'; {FAIL}", ANSWER), set()),
    "another rule fails then": (state("s", f"when = 'attempt == 1'; {FAIL}", FAIL), {"s#1", "s#2"}),
    "later attempts fail": (state("s", f"when = 'attempt >= 3'; {FAIL}", ANSWER), {"s#1"}),
    "some attempts fail": (state("s", f"when = 'attempt in [1, 2]'; {FAIL}", ANSWER), set()),
    "what is said is said again": (state("s", f"when = 'user contains \"a\"'; {FAIL}", ANSWER), {"s#1"}),
    "a header may be another": (state("s", f'when = \'headers["x-a"] == "a"\'; {FAIL}', ANSWER), set()),
    "time passes": (state("s", f"when = 'elapsed < 5s'; {FAIL}", ANSWER), set()),
    "it draws": (state("s", f"when = 'chance(0.5)'; {FAIL}", ANSWER), set()),
    "it was counted": (state("s", f"when = 'fired(\"s#1\") < 3'; {FAIL}", ANSWER), set()),
    "only so often": (state("s", f"times = 2; {FAIL}", ANSWER), set()),
    "only so often, and then another": (state("s", f"times = 2; {FAIL}", FAIL), {"s#1", "s#2"}),
    "a variable may be set": (
        "[vars]\nn = 0\n" + state("s", f"when = 'n < 2'; set = {{ n = 'n + 1' }}; {FAIL}", ANSWER),
        set(),
    ),
    "answers are counted": (state("s", f"when = 'visits == 1'; {FAIL}", ANSWER), {"s#1"}),
    "answers in another state are not": (
        state("s", f"when = 'visits == 1'; goto = 't'; {FAIL}", ANSWER)
        + state("t", f"when = 'visits == 1'; {FAIL}", ANSWER),
        {"t#1"},
    ),
    "it leads out": (state("s", f"goto = 't'; {FAIL}") + state("t", ANSWER), set()),
    "it leads on and back": (state("s", f"goto = 't'; {FAIL}") + state("t", f"goto = 's'; {FAIL}"), {"s#1", "t#1"}),
    "it leads to a request without a rule": (
        state("s", f"goto = 't'; {FAIL}") + state("t", f"when = 'stream'; {FAIL}"),
        {"t#1"},
    ),
    "it hands on": (state("s", "when = 'attempt > 1'; goto = 't'", FAIL) + state("t", FAIL), {"t#1"}),
    "an earlier rule left it alone": (
        state("s", f"when = 'user contains \"a\"'; {ANSWER}", f"when = 'turn == 1'; {FAIL}", ANSWER),
        {"s#2"},
    ),
    "an earlier rule may take it then": (
        state("s", f"when = 'age > 5s'; {ANSWER}", f"when = 'turn == 1'; {FAIL}"),
        set(),
    ),
    "always": (f"[[always]]\nwhen = 'turn < 2'\n{FAIL}\n" + state("s", ANSWER), {"always#1"}),
}


@pytest.mark.parametrize("text, told", TRAPS.values(), ids=TRAPS)
def test_a_trap_is_a_rule_whose_every_retry_is_taken_by_one(text, told):
    """These rules, and no others."""
    assert told == {name for _, name in Retrying(studied(scenario(text))).traps}


RETRIED = {
    "error = 408": True,
    "error = 409": True,
    "error = 429": True,
    "error = 503": True,
    'error = "timeout"': True,
    "error = 400": False,
    "error = 404": False,
    'error = "quota_exceeded"': False,
    'when = \'provider == "openai"\'\nerror = "quota_exceeded"': True,
    'error = { name = "rate_limited", retry_after = "30s" }': True,
    'error = { name = "rate_limited", retry_after = "2h" }': False,
    'error = { status = 500, headers = { X-Should-Retry = "false" } }': False,
    'token = "revoke"\nerror = 500': False,
    'fault = "drop"': True,
    'fault = "hang before headers"': True,
    "fault = 'send 502 \"x\"'": True,
    "fault = 'send 400 \"x\"'": False,
    "fault = 'send \"x\"'": False,
    'reply = "x"\nfault = "drop halfway"': False,
    'fault = ["stall 1s before headers", "drop before headers"]': False,
    'reply = "x"': False,
}


@pytest.mark.parametrize("keys, told", RETRIED.items(), ids=RETRIED)
def test_an_error_is_retried_where_every_sdk_for_which_the_rule_is_would(keys, told):
    """As docs/sdk-behaviour.md has it; where it hangs on the provider or the client it is not."""
    auth = '[auth]\ntokens = [{ name = "a", value = "b" }]\n' if "token" in keys else ""
    program = scenario(f"{auth}[[states.s]]\n{keys}\n")
    assert [told] == [retried(program, rule) for rule in rules(program)]


LATE = f"when = 'elapsed > 5s'; {ANSWER}"
TIMES = {
    "no answer stays": (
        state("s", LATE, f"{ANSWER}; goto = 't'") + state("t", ANSWER),
        {"s": ("elapsed", "idle", "age")},
    ),
    "an answer stays": (state("s", LATE, ANSWER), {}),
    "an error stays": (state("s", LATE, f"when = 'stream'; {FAIL}", f"{ANSWER}; goto = 't'") + state("t", ANSWER), {}),
    "a miss stays": (state("s", LATE, f"when = 'stream'; {ANSWER}; goto = 't'") + state("t", ANSWER), {}),
    "a miss stays further on": (
        state("s", LATE, "goto = 't'") + state("t", f"when = 'stream'; {ANSWER}; goto = 'u'") + state("u", ANSWER),
        {"t": ("elapsed",)},
    ),
    "chaos stays": (
        '[chaos]\nrate = 0.1\nerrors = ["overloaded"]\n'
        + state("s", LATE, f"{ANSWER}; goto = 't'")
        + state("t", ANSWER),
        {},
    ),
    "others come back": (
        state("s", LATE, f"{ANSWER}; goto = 't'") + state("t", f"when = 'stream'; {ANSWER}", "goto = 's'"),
        {"s": ("elapsed",)},
    ),
    "foreign histories begin elsewhere": (
        "[scenario]\nforeign = 't'\n"
        + state("s", LATE, f"{ANSWER}; goto = 'u'")
        + state("t", f"{ANSWER}; goto = 'u'")
        + state("u", ANSWER),
        {"s": ("elapsed", "idle", "age"), "t": ("elapsed", "idle", "age")},
    ),
    "the rule that would stay waits itself": (
        state("s", LATE, f"when = 'age > 1m'; {ANSWER}", f"{ANSWER}; goto = 't'") + state("t", ANSWER),
        {"s": ("elapsed", "idle", "age")},
    ),
}


@pytest.mark.parametrize("text, told", TIMES.values(), ids=TIMES)
def test_no_time_passes_in_a_state_in_which_no_answer_leaves_a_conversation(text, told):
    """These times are 0s in these states."""
    program = scenario(text)
    standing = studied(program).standing
    assert told == {each: times for each in program.states if (times := standing.no_time(each))}


SOON = "error = { name = 'overloaded', headers = { retry-after-ms = '1' } }"
SERVED = {
    "a trap": (state("s", f"when = 'turn == 1'; {SOON}", ANSWER), None),
    "its cure": (state("s", f"when = 'attempt < 3'; {SOON}", ANSWER), "x"),
}


@pytest.mark.parametrize("text, said", SERVED.values(), ids=SERVED)
def test_a_client_that_retries_never_gets_past_a_trap(text, said, tmp_path):
    """OpenAI's SDK asks a real server again and again, and hears the answer only where nothing is told."""
    path = tmp_path / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    assert (said is None) == ("LP316" in {each.code for each in check([path]).diagnostics})
    with serving(text) as running, OpenAI(base_url=f"{running.url}/v1", api_key="x", max_retries=4) as client:
        ask = partial(client.chat.completions.create, model="m", messages=[{"role": "user", "content": "Hi"}])
        heard = None
        with suppress(InternalServerError):
            heard = ask().choices[0].message.content
    assert heard == said
