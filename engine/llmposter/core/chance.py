"""All chance, drawn from a hash: the same seed and the same point of the same conversation give the same draw.

Nothing here remembers anything; a retry, another place in the file or another conversation draws anew.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, assert_never
from uuid import UUID

from llmposter.model import Struct

if TYPE_CHECKING:
    from llmposter.core.conversation import Moment
    from llmposter_dsl.program import Latency

_UNIT: Final = 1 / (1 << 53)


@lru_cache(maxsize=1024)
def _begun(seed: int, session: str, scenario: str, place: str, size: int) -> blake2b:
    """The part of a hash that nearly all draws at a place share."""
    # Lengths keep the names apart from what follows them.
    drawn = f"{seed} {len(session)} {session}{len(scenario)} {scenario}{place}"
    return blake2b(drawn.encode("utf-8", "surrogatepass"), digest_size=size)


class Chance(Struct, frozen=True):
    """The draws of one step.

    Attributes:
        scenario: keeps names apart that two scenarios give to like requests; draws depend on the seed alone.
    """

    seed: int
    moment: Moment
    scenario: str = ""

    def digest(self, place: str, size: int = 16) -> bytes:
        """*size* bytes that belong to this place in this step."""
        return self._drawn("", place, size).digest()

    def _drawn(self, scenario: str, place: str, size: int) -> blake2b:
        at = self.moment
        drawn = _begun(self.seed, at.session, scenario, place, size).copy()
        drawn.update(f"\n{at.fingerprint} {at.number} {at.attempt}".encode())
        return drawn

    def unit(self, place: str) -> float:
        """A number from 0 to below 1."""
        return (int.from_bytes(self.digest(place, 8)) >> 11) * _UNIT

    def uuid(self, place: str) -> str:
        """A UUID of the random kind (RFC 9562, version 4)."""
        return str(UUID(bytes=self.digest(place), version=4))

    def name(self, place: str) -> str:
        """24 letters and digits that no other answer of the server has."""
        return self._drawn(self.scenario, place, 12).hexdigest()

    def seconds(self, latency: Latency | None, place: str) -> float:
        """One draw of a delay; never negative."""
        if latency is None:
            return 0.0
        unit = self.unit(place)
        most = float("inf") if latency.most is None else latency.most
        return min(max(_drawn(latency, unit), 0.0), most)


def _drawn(latency: Latency, unit: float) -> float:
    match latency.kind:
        case "fixed":
            return latency.a
        case "uniform":
            return latency.a + (latency.b - latency.a) * unit
        case "normal":
            return latency.a + latency.b * _bell(unit)
        case "lognormal":
            # The median is the parameter because authors think in it; exp(mu) is the median.
            return float(latency.a * 2.718281828459045 ** min(latency.b * _bell(unit), 700.0))
        case _:
            assert_never(latency.kind)


def _bell(unit: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(min(max(unit, _UNIT), 1 - _UNIT))
