"""What it costs to weigh the conditions of many rules: each is tried against what takes its request, never in pairs."""

from __future__ import annotations

import time

import pytest

from llmposter.lint import check

SHAPES = {
    "apart": 'user contains "item number {0:05d}"',
    "each within another": 'user contains "{1}"',
    "numbers": "turn == {0}",
    "expressions": "user matches /item (?P<n>{0:05d}|{0:05d}a)\\b/i",
    "of a state": 'user mentions "item {0:05d}" and (stream or model == "m")',
}


def seconds(shape: str, count: int, path) -> float:
    """Of the processor, to check a file of so many rules."""
    whens = (SHAPES[shape].format(number, "x" * min(number + 1, 400) + str(number)) for number in range(count))
    path.write_text("\n".join(f"[[states.s]]\nwhen = '{when}'\nreply = 'x'\n" for when in whens), encoding="utf-8")
    began = time.process_time()
    check([path])
    return time.process_time() - began


@pytest.mark.parametrize("shape", SHAPES)
def test_a_file_of_a_thousand_rules_costs_no_more_than_it_may(shape, tmp_path):
    """In pairs it would be ten seconds and more; a second is what it costs where nothing else runs."""
    assert seconds(shape, 1_000, tmp_path / "many.toml") < 3.0
