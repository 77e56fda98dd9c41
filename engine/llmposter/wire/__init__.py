"""Every provider's side, one module each, pure: bytes to `Turn`, `Reply` to bytes; no state and no I/O.

A wire is a module of this package with a `WIRE`, or an entry point of the group `llmposter.wires` that names one.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llmposter.model import Wire

GROUP = "llmposter.wires"
"""Other packages add a wire under this entry-point group."""


@cache
def load() -> Mapping[str, Wire]:
    """Every wire by its name.

    Raises:
        ValueError: two wires have one name.
    """
    found: dict[str, Wire] = {}
    for wire in (*_own(), *_others()):
        if wire.name in found:
            raise ValueError(f'two wires are called "{wire.name}": every wire needs a name of its own')
        found[wire.name] = wire
    return MappingProxyType(found)


def _own() -> Iterator[Wire]:
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    return (module.WIRE for module in modules if hasattr(module, "WIRE"))


def _others() -> Iterator[Wire]:
    return (entry.load() for entry in entry_points(group=GROUP))
