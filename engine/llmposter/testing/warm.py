"""What the first server would load or work out for the first time, done once when the library is imported.

So the first test pays as little for its server as all others do, and what a test measures is its own.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import Final

from llmposter import wire
from llmposter.lint.checking import between
from llmposter.server.routes import Routes
from llmposter_dsl import compiler

_FORMS: Final = """
[scenario]
final = ["b"]
[vars]
v = ""
[tools.t]
type = "object"
[tools.t.properties]
x = { type = "string" }
[[states.a]]
when = 'user matches /a (?P<g>x)/i and user contains "x" or attempt == 1 and result("t").json.y[0] exists'
expect = 'len(messages) >= 1'
set = { v = "g" }
call = 't(x: v, y: "${v}", z: [1, true], w: {a: null})'
goto = "b"
[[states.a]]
reply = "It is ${result.json.y + 1}."
[[examples]]
turns = [{ user = "a x", state = "b", expect = 'call("t").x == "x"' }]
"""


def up() -> None:
    """Loads the wires, the event loop and the compiler, with its grammars and patterns."""
    with suppress(ImportError):  # Windows
        import_module("uvloop")
    import_module("llmposter_dsl.folders")
    Routes((*wire.load().values(), *wire.dialects()), wire.endpoints())
    made = compiler.compile_text(_FORMS).program
    assert made is not None
    list(between([made]))
    compiler.compile_text("states: {}", kind="yaml")
