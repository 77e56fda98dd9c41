"""How many instructions of the processor a request takes from bytes to bytes, counted by Callgrind.

Run as a script inside of valgrind, it asks; `counted` starts it there and reads what was counted. Unlike instructions
of Python these include what msgspec, blake2 and the interpreter itself do.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from cases import HISTORY, PLAIN, STREAMED
from pure import path

CASES = (PLAIN, STREAMED, HISTORY)
WARM, ASKED = 60, 100
PATIENCE = 900
_TOTAL = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)


def mark() -> None:
    """Callgrind writes down what it counted whenever this function of the C library is called, and begins anew."""
    os.getppid()


def main() -> None:
    for case in CASES:
        answer = path(case)
        for number in range(WARM):
            answer(number)
        mark()
        for number in range(WARM, WARM + ASKED):
            answer(number)
        mark()


def counted() -> dict[str, float] | str:
    """Instructions a request, by case; or why there are none."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return "there is no valgrind: `apt-get install valgrind` gets it"
    with TemporaryDirectory() as folder:
        # Callgrind's own names of functions are looked for in debugging symbols; getppid is in every table of symbols.
        tool = (valgrind, "--tool=callgrind", "--dump-before=getppid", f"--callgrind-out-file={folder}/out")
        # Seeds and caches of the interpreter that differ from run to run would differ here too.
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONMALLOC": "pymalloc"}
        ended = subprocess.run(
            [*tool, sys.executable, __file__], env=environment, capture_output=True, text=True, timeout=PATIENCE,
            check=False,
        )  # fmt: skip
        if ended.returncode:
            return f"valgrind failed: {(ended.stderr.strip().splitlines() or ['it says nothing'])[-1]}"
        return by_case([part.read_text("latin-1") for part in parts(Path(folder))])


def parts(folder: Path) -> list[Path]:
    """Callgrind's dumps in their order: ``out.1``, ``out.2``, …; the last is of the end of the process."""
    return sorted(folder.glob("out.*"), key=lambda dump: int(dump.suffix[1:]))


def by_case(dumps: list[str]) -> dict[str, float] | str:
    """Every second dump is what the requests of a case took."""
    if len(dumps) < 2 * len(CASES):
        return f"valgrind told {len(dumps)} times what it counted, not {2 * len(CASES)} times"
    totals = [int(found[1]) if (found := _TOTAL.search(dump)) else 0 for dump in dumps]
    return {case.name: totals[2 * n + 1] / ASKED for n, case in enumerate(CASES)}


if __name__ == "__main__":
    main()
