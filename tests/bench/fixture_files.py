"""How long a large fixture file takes to load: entries of every form of the format, read, checked and compiled."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measuring import environment

_ASKED = """\
import time
began = time.process_time()
from llmposter import fixtures
loaded = fixtures.load([__import__("sys").argv[1]])
took = time.process_time() - began
assert loaded.programs and not loaded.diagnostics, loaded.diagnostics
print(took, loaded.count)
"""


def entry(n: int) -> dict[str, Any]:
    """The nth entry; their forms take turns."""
    match: dict[str, Any] = {"user_message": f"question {n} about topic {n % 97}"}
    answer: dict[str, Any] = {"response": {"content": f"Answer {n}: it is what it is, and {n % 13} besides."}}
    match n % 10:
        case 1:
            match |= {"model": "gpt-4o", "system_prompt": {"regex": f"agent-{n}\\b"}}
            answer["provider"] = "openai"
        case 2:
            match |= {"headers": {"X-Team": f"team-{n}"}, "temperature": {"min": 0.1, "max": 0.9}}
            answer = {"response": {"tool_calls": [{"name": "get_weather", "arguments": {"city": "Paris", "n": n}}]}}
        case 3:
            match = {"user_message": {"regex": f"(?i)order\\s+{n}$"}, "metadata": {"user": f"u{n}"}}
            answer |= {"priority": n % 7, "streaming": {"latency": 20, "chunk_size": 10}}
        case 4:
            answer = {"error": {"status": 429, "message": "Slow down", "headers": {"retry-after": "3"}}}
        case 5:
            answer |= {"scenario": {"name": f"s{n}", "required_state": "", "set_state": "done"}}
        case 6:
            answer = {"response": {"content_template": f"You said {{{{ user_message }}}} to {n}."}}
        case 7:
            match |= {"body_jsonpath": f"$.messages[?@.name == 'n{n}']", "tool_schema": "get_weather"}
        case 8:
            answer |= {"failure": {"latency_ms": 5, "truncate_after_frames": 3, "duplicate_frames": True}}
        case 9:
            answer = {"refusal": {"reason": f"I cannot help with {n}."}, "catch_all": True}
    return {"match": match, **answer}


def written(entries: int, path: Path) -> None:
    """A file of so many entries, in YAML's block style as people write it."""
    path.write_text("fixtures:\n" + "".join(_block(entry(n)) for n in range(entries)), encoding="utf-8")


def _block(fields: dict[str, Any]) -> str:
    lines = list(_lines(fields, "    "))
    return "  - " + lines[0].lstrip() + "\n" + "".join(f"{line}\n" for line in lines[1:])


def _lines(fields: dict[str, Any], indent: str) -> list[str]:
    found: list[str] = []
    for name, value in fields.items():
        if isinstance(value, dict) and value:
            found += [f"{indent}{name}:", *_lines(value, f"{indent}  ")]
        elif isinstance(value, list) and all(isinstance(each, dict) for each in value):
            items = ["\n".join(_lines(each, f"{indent}    ")) for each in value]
            found += [f"{indent}{name}:", *(f"{indent}  - {item.lstrip()}" for item in items)]
        else:
            found.append(f"{indent}{name}: {json.dumps(value)}")
    return found


def loading(entries: int, times: int) -> dict[str, float]:
    """Seconds of CPU from importing the loader to a Program, in a process of its own each time."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fixtures.yaml"
        written(entries, path)
        took = []
        for _ in range(times + 1):
            told = subprocess.run(
                [sys.executable, "-c", _ASKED, path], check=True, capture_output=True, text=True, env=environment()
            ).stdout.split()
            assert int(told[1]) == entries
            took.append(float(told[0]))
    # The first time fills the system's caches.
    return {str(entries): statistics.median(took[1:])}
