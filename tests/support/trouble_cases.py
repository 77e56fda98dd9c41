"""Trouble for an SDK as it comes: errors, times to come back, bad credentials and faults, as scenarios have them."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from client_cases import ERRORS

STATUSES = (401, 403, 408, 409, 429, 500, 502, 503, 504, 529)

FAILS: dict[str, dict[str, Any]] = {
    **{name: {"error": name} for name in ERRORS},
    **{str(status): {"error": status} for status in STATUSES},
}
"""A rule for each error; a client asks for it by saying its name."""


class Asked(NamedTuple):
    """A time to come back at, as an answer tells it: the rule's error, and the seconds it means.

    Attributes:
        off: by how many seconds what a client makes of it may be off; a date is no exact time.
    """

    error: dict[str, Any]
    seconds: float | None
    off: float = 0.001


LIMITED = {"name": "rate_limited"}
PAST = "Wed, 21 Oct 2015 07:28:00 GMT"


def by_hand(seconds: float | None, **headers: str) -> Asked:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Asked({**LIMITED, "headers": given}, seconds)


WAITS: dict[str, Asked] = {
    "nothing": Asked(LIMITED, None),
    'retry_after = "20ms"': Asked({**LIMITED, "retry_after": "20ms"}, 0.02),
    'retry_after = "7s"': Asked({**LIMITED, "retry_after": "7s"}, 7),
    'retry_after = "30s as date"': Asked({**LIMITED, "retry_after": "30s as date"}, 30, 5),
    "retry-after: 0": by_hand(0, retry_after="0"),
    "retry-after: -7": by_hand(-7, retry_after="-7"),
    "retry-after: 1.7": by_hand(1.7, retry_after="1.7"),
    "retry-after: 61": by_hand(61, retry_after="61"),
    "retry-after: 121": by_hand(121, retry_after="121"),
    "retry-after: 276480 (3.2 days)": by_hand(276480, retry_after="276480"),
    "retry-after: 2592000 (30 days)": by_hand(2592000, retry_after="2592000"),
    f"retry-after: {PAST}": by_hand(None, retry_after=PAST),
    "retry-after: soon": by_hand(None, retry_after="soon"),
    "retry-after-ms: 70": by_hand(0.07, retry_after_ms="70"),
    "retry-after-ms: 70, retry-after: 7": by_hand(0.07, retry_after_ms="70", retry_after="7"),
    "retry-after-ms: 0, retry-after: 7": by_hand(0, retry_after_ms="0", retry_after="7"),
    "retry-after-ms: -70, retry-after: 7": by_hand(-0.07, retry_after_ms="-70", retry_after="7"),
    "x-should-retry: false": by_hand(None, x_should_retry="false"),
    "x-should-retry: true, with 400": Asked({"status": 400, "headers": {"x-should-retry": "true"}}, None),
}
"""Each form in which a time can be told; the seconds are those of the header that ought to count."""


class Access(NamedTuple):
    """A client's key, and what the user says with it; all but the last is answered."""

    key: str
    says: tuple[str, ...]


ACCESS = {
    "nobody knows it": Access("nobody", ("Hello?",)),
    "it has expired": Access("short", ("Hello?", "Hello?")),
    "it was revoked": Access("any", ("Log me out.", "Hello?")),
    "it is above a limit": Access("any", ("Hello?", "Hello?", "Hello?")),
}
"""What is wrong with a credential."""

PATIENCE = Asked({}, 7)
"""What the limit below asks for, on a clock that stands still."""

CREDENTIALS = """
[auth]
tokens = [{ name = "any" }, { name = "short", uses = 1 }]

[[limits]]
requests = 2
per = "14s"

[[states.ready]]
when = 'user == "Log me out."'
token = "revoke"
reply = "Bye."

[[states.ready]]
reply = "Hello."
"""


SAYS = {"reply": "One two three four five six seven eight."}
CALLS = {
    "call": [
        {"tool": "get_weather", "arguments": {"city": "Paris", "unit": "celsius"}},
        {"tool": "get_weather", "arguments": {"city": "Rome", "unit": "kelvin"}},
    ]
}
NO_FAULT = {"text": SAYS, "calls": CALLS}
"""The answers that faults break, as they are without one."""

BREAKS = {
    "text": (
        "drop before headers", "drop inside headers", "drop after headers", "drop halfway", "drop before the end",
        "close before headers", "close after headers", "close halfway", "close before finish", "close before usage",
        "close before the end", "stall 30ms halfway", "hang before headers", "hang halfway", "corrupt halfway",
        "duplicate halfway", "error overloaded halfway", 'send "overloaded"',
        "send 502 '<h1>Bad gateway</h1>' as text/html",
    ),
    "calls": (
        "drop inside tool arguments", "drop between tool calls", "close inside tool arguments",
        "close between tool calls",
    ),
}  # fmt: skip
FAULTS = {phrase: what for what, phrases in BREAKS.items() for phrase in phrases}
"""The answer that each fault breaks."""

TIMEOUTS = {"hang before headers": 500, "hang halfway": 1000}
"""The milliseconds that clients wait for a byte that never comes; elsewhere they wait as the SDK does by default."""


def _played(phrase: str) -> list[str]:
    """The fault, after a while in which a client reads what was sent: a reset may outrun it."""
    action, _, point = phrase.partition(" ")
    return [f"stall 30ms {point}", phrase] if action == "drop" and "headers" not in point else [phrase]


def scenario() -> dict[str, Any]:
    """The scenario of all other trouble, as data."""
    rules = {**FAILS, **{name: {"error": asked.error} for name, asked in WAITS.items()}}
    rules |= {**NO_FAULT, **{phrase: {**NO_FAULT[what], "fault": _played(phrase)} for phrase, what in FAULTS.items()}}
    for name in (*NO_FAULT, *FAULTS):
        rules[name] = {**rules[name], "stream": {"chunk": "1 word"}}
    ready = [{"name": name, "when": f"user == {json.dumps(name)}", **rule} for name, rule in rules.items()]
    return {"scenario": {"name": "trouble"}, "states": {"ready": ready}}
