"""How answers go out: from `latency` and `stream` of a rule, and of `defaults` where it says nothing, to `Delivery`.

Each key is filled in by itself, so that a rule may take the pace of the scenario and a chunk of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from llmposter_dsl import bind, delivery_forms, keys, words
from llmposter_dsl.bind import Table
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.program import Chunk, Delivery, Flow, Latency, Pace, Value

CLIENTS_WAIT: Final = 600.0
"""Seconds after which the SDKs of OpenAI and Anthropic give up by default (`DEFAULT_TIMEOUT` in their `_constants.py`).

It holds for the head of an answer and for each piece after it; google-genai waits for ever.
"""

Written: TypeAlias = dict[str, Value]
"""What keys of delivery say, by name, those that make sense."""


def written(table: Table) -> Written:
    """What a table says of delivery; what is wrong with it is reported."""
    found: Written = {}
    if "latency" in table:
        _keep(found, table, "latency", _delay)
    if "stream" in table:
        stream = bind.table(table.get("stream"), table.at("stream"), keys.STREAM, table.report)
        for name, read in _FORMS.items():
            if name in stream:
                _keep(found, stream, name, read)
    return found


def delivery(own: Written, defaults: Written) -> Delivery:
    """How an answer goes out."""
    every = {**defaults, **own}
    flow = None
    if every.get("ttft") is not None or every.get("pace") is not None:
        flow = Flow(every.get("ttft"), every.get("pace"), every.get("jitter", 0.0), every.get("burst", 0.0))
    return Delivery(every.get("latency"), every.get("chunk") or Delivery().chunk, flow)


def check_pace(table: Table, own: Written, defaults: Written) -> None:
    """Reports what varies a pace that there is not."""
    if "stream" not in table or "pace" in own or "pace" in defaults or "pace" in table.get("stream"):
        return
    for name in ("jitter", "burst"):
        if own.get(name):
            message = f"`{name}` varies a pace, and this stream has none"
            table.report(Diagnostic("LP512", message, table.at("stream", name), 'say `pace`, such as `"50 tokens/s"`'))


def _keep(found: Written, table: Table, name: str, read: Callable[[Table, str], Value]) -> None:
    value = read(table, name)
    if value is not None:
        found[name] = value


def _delay(table: Table, name: str) -> Latency | None:
    text = table.get(name)
    found = delivery_forms.latency(text)
    if isinstance(found, str):
        table.refuse("LP114", f"{words.shown(text)} {found}", name, cure=delivery_forms.LATENCY_FORMS)
        return None
    if _usual(found) > CLIENTS_WAIT:
        _too_long(table, name)
    return found


def _usual(latency: Latency) -> float:
    """Seconds that a delay takes more often than not, or at most where that is known."""
    longest = latency.b if latency.kind == "uniform" else latency.a
    return longest if latency.most is None else min(longest, latency.most)


def _too_long(table: Table, name: str) -> None:
    message = f"{words.shown(table.get(name))} is longer than clients wait"
    cure = f"the SDKs of OpenAI and Anthropic give up after {CLIENTS_WAIT:.0f}s without a byte, if told nothing else"
    table.report(Diagnostic("LP511", message, table.at(name), cure))


def _chunk(table: Table, name: str) -> Chunk | None:
    text = table.get(name)
    found = delivery_forms.chunk(text)
    if found is None:
        table.refuse("LP114", f"{words.shown(text)} is no size of a chunk", name, cure=delivery_forms.CHUNK_FORMS)
    return found


def _pace(table: Table, name: str) -> Pace | None:
    text = table.get(name)
    found = delivery_forms.pace(text)
    if isinstance(found, str):
        table.refuse("LP114", f"{words.shown(text)} {found}", name, cure=delivery_forms.PACE_FORMS)
        return None
    if found.seconds > CLIENTS_WAIT:
        _too_long(table, name)
    return found


def _jitter(table: Table, name: str) -> float | None:
    text = table.get(name)
    found = delivery_forms.jitter(text)
    if isinstance(found, str):
        table.refuse("LP114", f"{words.shown(text)} {found}", name, cure=delivery_forms.JITTER_FORMS)
        return None
    return found


def _burst(table: Table, name: str) -> float | None:
    share = table.get(name)
    if 0 <= share < 1:
        return float(share)
    message = f"`{name}` is {words.shown(share)}, expected a number from 0 to below 1"
    cure = "write `0.2` for one chunk in five; at 1 no gap would be left to keep the pace"
    table.refuse("LP114", message, name, cure=cure)
    return None


_FORMS: Final = {"chunk": _chunk, "ttft": _delay, "pace": _pace, "jitter": _jitter, "burst": _burst}
