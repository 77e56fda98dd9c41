"""What one server is made of, handed to everything that answers a request."""

from __future__ import annotations

from asyncio import Task
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llmposter import wire
from llmposter.beside import Endpoint
from llmposter.core.clock import Clock, ManualClock
from llmposter.core.mock import Mock
from llmposter.model import Wire
from llmposter.server.reloading import Reloader
from llmposter.server.routes import Routes
from llmposter.server.streaming import Streaming
from llmposter.server.waiting import Alarms
from llmposter.server.watch import Silent, Watch

if TYPE_CHECKING:
    from llmposter.server.oauth import Companion


@dataclass(slots=True, eq=False)
class Service:
    """A mock and what stands around it.

    Attributes:
        hosts: what a `Host` header may name on the admin API; None for anything.
        tasks: answers that are still going out. streams: those with times. alarms: what all wait for on the real clock.
        stopping: the server is about to end.
        reloader: reads the files again that are served; None where these are no files.
        companion: the OAuth server beside this one, if there is one. reach: where clients on this machine find it.
    """

    mock: Mock
    clock: Clock
    watch: Watch = field(default_factory=Silent)
    wires: Mapping[str, Wire] = field(default_factory=wire.load)
    dialects: Sequence[Wire] = field(default_factory=wire.dialects)
    endpoints: Sequence[Endpoint] = field(default_factory=wire.endpoints)
    hosts: frozenset[str] | None = None
    tasks: set[Task[None]] = field(default_factory=set)
    streams: set[Streaming] = field(default_factory=set)
    alarms: Alarms = field(default_factory=Alarms)
    stopping: bool = False
    reloader: Reloader | None = None
    companion: Companion | None = None
    reach: str = ""
    routes: Routes = field(init=False)

    def __post_init__(self) -> None:
        self.routes = Routes((*self.wires.values(), *self.dialects), self.endpoints)

    @property
    def manual(self) -> bool:
        return isinstance(self.clock, ManualClock)
