"""A server in a test's own process: what the import takes, and `with` to the first answer, in milliseconds.

The CPU is that of the client, too: all of it is one process.

Run in a process of its own, since the import counts once; prints JSON.
"""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from measuring import environment

SCENARIO = Path(__file__).parents[2] / "scenarios" / "weather.toml"
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
MESSAGES = [{"role": "user", "content": "What is the weather in Paris?"}]
BODY = json.dumps({"model": "gpt-4o", "messages": MESSAGES, "tools": TOOLS})


def measured(times: int) -> dict[str, float]:
    """Milliseconds, medians but for what happens once."""
    began = time.perf_counter()
    from llmposter import Server

    imported = time.perf_counter() - began
    answered, spent, stopped = [], [], []
    for _ in range(times):
        began, used = time.perf_counter(), time.process_time()
        with Server(SCENARIO) as server:
            asked = http.client.HTTPConnection("127.0.0.1", server.port)
            asked.request("POST", "/v1/chat/completions", BODY, {"content-type": "application/json"})
            assert asked.getresponse().read().startswith(b"{")
            answered.append(time.perf_counter() - began)
            spent.append(time.process_time() - used)
            asked.close()
            began = time.perf_counter()
        stopped.append(time.perf_counter() - began)
    return {
        "the import": imported * 1e3,
        "the first `with`, to the first answer": answered[0] * 1e3,
        "`with` to the first answer": statistics.median(answered) * 1e3,
        "`with` to the first answer, CPU": statistics.median(spent) * 1e3,
        "the end": statistics.median(stopped) * 1e3,
    }


def in_process(times: int) -> dict[str, float]:
    """What a new process measures."""
    done = subprocess.run(
        [sys.executable, __file__, str(times)], check=True, capture_output=True, text=True, env=environment()
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    print(json.dumps(measured(int(sys.argv[1]))))
