"""How many connections the machine lets this process have: each takes a file descriptor."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Final

_OTHERS: Final = 128
"""Descriptors for all that is no connection."""


def room_for(connections: int) -> int:
    """As many connections as asked for, or as many as there can be; the soft limit is raised as far as it may be."""
    if sys.platform == "win32":
        return connections
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return connections if soft == resource.RLIM_INFINITY else max(1, min(connections, soft - _OTHERS))
