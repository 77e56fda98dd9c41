"""Every provider's side, one module each, pure: bytes to `Turn`, `Reply` to bytes; no state and no I/O.

A wire is a module of this package with a `WIRE`, or an entry point of the group `llmposter.wires` that names one.
A module with a `DIALECT` answers further paths under a wire's name, in another form of its provider's; what stands
beside the conversations is in modules with `ENDPOINTS`.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    from llmposter.beside import Endpoint
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


@cache
def dialects() -> tuple[Wire, ...]:
    """Forms of a provider's requests beside its wire's, of the same name: no scenario is made for them alone."""
    return tuple(module.DIALECT for module in _modules() if hasattr(module, "DIALECT"))


@cache
def endpoints() -> tuple[Endpoint, ...]:
    """Everything beside the conversations."""
    return tuple(each for module in _modules() for each in getattr(module, "ENDPOINTS", ()))


def _own() -> Iterator[Wire]:
    return (module.WIRE for module in _modules() if hasattr(module, "WIRE"))


def _modules() -> Iterator[ModuleType]:
    return (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))


def _others() -> Iterator[Wire]:
    if not any(map(_may_name_wires, sys.path)) and not _other_finders():
        return
    from importlib.metadata import entry_points

    yield from (entry.load() for entry in entry_points(group=GROUP))


def _may_name_wires(place: str) -> bool:
    """Whether a package in *place* may have an entry point of the group; `importlib.metadata` takes long to say so."""
    try:
        with os.scandir(place or ".") as entries:
            known = [entry.path for entry in entries if entry.name.lower().endswith((".dist-info", "egg-info"))]
    except NotADirectoryError:
        # An archive, which `importlib.metadata` can look into.
        return True
    except OSError:
        return False
    return any(GROUP.encode() in _read(os.path.join(path, "entry_points.txt")) for path in known)  # noqa: PTH118


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - hundreds of them at a start
            return file.read()
    except OSError:
        return b""


def _other_finders() -> bool:
    """Whether somebody else than Python says what is installed."""
    return any(hasattr(finder, "find_distributions") for finder in sys.meta_path if finder is not PathFinder)
