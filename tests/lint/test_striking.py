"""A fault that no answer of its rule gets to is told; one that some request may get to is not."""

from __future__ import annotations

import pytest

from llmposter import lint

REPLY = 'reply = "one two three"\nstream = { chunk = "1 word" }\n'
CASES = {
    "fewer chunks": (f'{REPLY}fault = "drop after 4 chunks"', "the answer is over before"),
    "as many chunks": (f'{REPLY}fault = "drop after 3 chunks"', None),
    "chunks of reasoning too": ('think = "x"\nreply = "y"\nfault = "drop after 2 chunks"', None),
    "chunks of a text that a request fills in": ('reply = "${user}"\nfault = "drop after 30 chunks"', None),
    "one call": ('call = "now()"\nfault = "drop between tool calls"', "the answer has 1 tool call"),
    "two calls": ('call = ["now()", "then()"]\nfault = "drop between tool calls"', None),
    "no call": ('reply = "hello"\nfault = "stall 1s inside tool arguments"', "the answer has no tool call"),
    "a call": ('call = "now()"\nfault = "stall 1s inside tool arguments"', None),
    "nothing waits": ('reply = "hello"\nfault = "drop after 300ms"', "nothing in the answer waits for 300ms"),
    "paced": ('reply = "hello"\nstream = { pace = "40ms" }\nfault = "drop after 300ms"', None),
    "an error has no chunks": ('error = 500\nfault = "drop after 1 chunk"', "the answer is over before"),
    "an error has a half": ('error = 500\nfault = "drop halfway"', None),
    "nothing is said": ('fault = "drop after 1 chunk"', "the answer is over before"),
    "usage may be asked for": ('reply = "hello"\nfault = "drop before usage"', None),
    "events hang on the request": ('reply = "hello"\nfault = "drop after 9 events"', None),
    "a refusal": ('refuse = "no"\nfault = "drop after 1 chunk"', None),
    "data": ('json = { a = "${user}" }\nfault = "drop after 9 chunks"', None),
}  # fmt: skip


def findings(text: str, tmp_path) -> list[str]:
    (tmp_path / "faulty.toml").write_text(f"[[states.s]]\n{text}\n", encoding="utf-8")
    return [each.message for each in lint.check([tmp_path]).diagnostics if each.code == "LP402"]


@pytest.mark.parametrize("rule, lacks", CASES.values(), ids=CASES)
def test_a_fault_that_never_strikes_is_told(rule: str, lacks: str | None, tmp_path) -> None:
    """The finding quotes the fault and says what the answer lacks; what a request may bring about is none."""
    text = rule.rpartition('fault = "')[2].rstrip('"')
    assert ([] if lacks is None else [f"`{text}` never strikes: {lacks}"]) == findings(rule, tmp_path)
