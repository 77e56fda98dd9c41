"""How often Python looks for garbage in cycles, for a process that holds much and makes hardly any.

Conversations that are dropped leave no cycles behind, so that the counts of references free them at once.
"""

from __future__ import annotations

import gc
from typing import Final

THRESHOLDS: Final = (50_000, 20, 10)
"""Objects more than before, until the youngest generation is looked through; and how often before the next older."""


def settle() -> None:
    """To be called once a server is ready: what exists by then stays, and is not looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
