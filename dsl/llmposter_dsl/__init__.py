"""The scenario language: text to a checked, compiled Program, or to findings with their exact places.

This door opens late, so that asking for one part does not load the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmposter_dsl.compiler import Compiled, compile_path, compile_text, scenario_files
    from llmposter_dsl.diagnostic import Diagnostic
    from llmposter_dsl.program import Program

_HOMES = {
    "Compiled": "compiler",
    "Diagnostic": "diagnostic",
    "Program": "program",
    "compile_path": "compiler",
    "compile_text": "compiler",
    "scenario_files": "compiler",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = ["Compiled", "Diagnostic", "Program", "compile_path", "compile_text", "scenario_files"]
