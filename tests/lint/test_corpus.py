"""Faulty scenarios of which the language alone cannot tell, each with all that `lint` says: `err/NAME.toml` or `.yaml`.

`LLMPOSTER_GOLDEN=write` writes the answers, `err/NAME.out`, to be read.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmposter.lint import check
from llmposter_dsl import report

HERE = Path(__file__).parent / "err"
FAULTY = sorted(path for path in HERE.iterdir() if path.suffix in (".toml", ".yaml"))


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.name)
def test_every_finding_on_a_machine_is_told_with_its_exact_place(path, monkeypatch):
    """A faulty scenario gets these findings and no others, word for word, from first to last character."""
    monkeypatch.chdir(HERE)
    told = "".join(f"{report.text(each)}\n" for each in check([path.name]).diagnostics)
    answer = path.with_suffix(".out")
    if os.environ.get("LLMPOSTER_GOLDEN") == "write":
        answer.write_text(told, "utf-8")
    assert answer.read_text("utf-8") == told


def test_a_file_without_findings_is_one_that_says_so():
    """What is a finding is shown beside what is none."""
    silent = {path.stem for path in FAULTY if not path.with_suffix(".out").read_text("utf-8")}
    assert silent == {path.stem for path in FAULTY if path.stem.endswith("_none")}
