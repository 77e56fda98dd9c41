"""What a history may show of an answer that faults struck: a piece of it, or stretches of it twice.

Pure, and loose: who asks knows of the faults, but no longer what they left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter.core.conversation import HARMLESS
from llmposter.core.fingerprint import spoken

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmposter.model import Message, Reply
    from llmposter_dsl.program import Fault


def remains(reply: Reply, faults: Iterable[Fault], message: Message) -> bool:
    """Whether *message* may be what *faults* left of *reply*: of its calls and text, white space aside."""
    actions = {fault.action for fault in faults}
    whole = spoken(reply)
    tools = {call.tool for call in whole.calls}
    if any(call.tool not in tools for call in message.calls):
        return False
    meant, shown = "".join(whole.text.split()), "".join(message.text.split())
    cut = not actions.issubset(HARMLESS) and _cut(meant, shown)
    return cut or ("duplicate" in actions and _twice(meant, shown))


def _cut(meant: str, shown: str) -> bool:
    """Whether *meant* is *shown* once one stretch is taken out, of its end or within it."""
    same = next((n for n, (a, b) in enumerate(zip(meant, shown, strict=False)) if a != b), min(len(meant), len(shown)))
    return len(shown) <= len(meant) and meant.endswith(shown[same:])


def _twice(meant: str, shown: str) -> bool:
    """Whether *shown* says stretches of *meant* again, each once at most."""
    letters = iter(shown)
    return len(meant) < len(shown) <= 2 * len(meant) and all(letter in letters for letter in meant)
