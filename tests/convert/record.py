"""Asks another mock, which runs with one of the files here, what its format means, and keeps the answers.

    python tests/convert/record.py tests/convert/aimock/trip.json http://127.0.0.1:4010 "aimock 1.43.0"

The requests stand in the recording beside the file; its answers are written anew.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from essence import ask


def record(path: Path, url: str, version: str) -> None:
    """Write what the server at *url* answers."""
    beside = path.with_suffix(".recorded.json")
    asked = [each["request"] for each in json.loads(beside.read_text(encoding="utf-8"))["exchanges"]]
    exchanges = [{"request": request, "answer": ask(url, request)} for request in asked]
    text = json.dumps({"recorded_from": version, "exchanges": exchanges}, ensure_ascii=False, indent=1)
    beside.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    record(Path(sys.argv[1]), *sys.argv[2:])
