"""When an answer goes out and in which pieces, as a Program says it; plain frozen values."""

from __future__ import annotations

from typing import Literal

import msgspec


class Latency(msgspec.Struct, frozen=True):
    """A delay: `low` and `high` in seconds bound a uniform draw (equal: fixed); else the named distribution.

    ``normal``: mean and deviation in seconds. ``lognormal``: median in seconds, sigma without unit.
    """

    kind: Literal["fixed", "uniform", "normal", "lognormal"]
    a: float
    b: float = 0.0
    most: float | None = None


class Chunk(msgspec.Struct, frozen=True):
    """How a streamed answer is cut: *size* characters, tokens or words at a time, or whole."""

    size: int
    unit: Literal["characters", "tokens", "words", "whole"]


class Pace(msgspec.Struct, frozen=True):
    """How long each *unit* of what is said takes: a chunk whatever its size, or what stands in it.

    ``event``: each event of the provider after the first, whatever it says.
    """

    seconds: float
    unit: Literal["chunk", "token", "word", "character", "event"]


class Flow(msgspec.Struct, frozen=True):
    """When the chunks of a stream are due, one after the other.

    Attributes:
        ttft: from the head of the answer to the first token.
        jitter: the share by which a gap between chunks is longer or shorter at most, 0 to 1; above 1 for events alone,
            whose gaps are none where they would be less.
        burst: the share of the gaps that are none, 0 to below 1; the others are longer, so that the mean is kept.
    """

    ttft: Latency | None = None
    pace: Pace | None = None
    jitter: float = 0.0
    burst: float = 0.0


class Delivery(msgspec.Struct, frozen=True):
    """How an answer goes out, after `defaults` were filled in; without a `flow` all chunks go out at once."""

    latency: Latency | None = None
    chunk: Chunk = Chunk(20, "characters")
    flow: Flow | None = None
