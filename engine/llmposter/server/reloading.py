"""Scenario files read again while they are served: on demand, or as soon as they change.

What was read is served at once if all of it is well, and not at all otherwise: then what was served goes on being
served. Nothing here runs on the server's loop, so that no answer waits for a compiler.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from llmposter.lint.checking import Checked
from llmposter.lint.settings import Misconfigured
from llmposter.sources import Reloaded

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from llmposter.core.mock import Mock
    from llmposter.server.watch import Watch
    from llmposter.sources import Sources
    from llmposter_dsl.companion import OAuth
    from llmposter_dsl.program import Program

_DEBOUNCE: Final = 250
"""Milliseconds for which changes are gathered at most; what an editor does to save a file is many."""
_QUIET: Final = 50
"""Milliseconds without a change after which no more are waited for."""
_GLANCE: Final = 250
"""Milliseconds until the first look after it began to listen, and between looks where it cannot."""

_LATER: Final = "the OAuth server is as it was: what `auth.oauth` says now holds from the next start on"


def companion_of(programs: Sequence[Program]) -> OAuth | None:
    """What scenarios say of an OAuth server beside them; of several the first has the say."""
    return next((each.auth.oauth for each in programs if each.auth and each.auth.oauth), None)


class Reloader:
    """Reads the sources of one server again; its methods may be called from any thread.

    *oauth* is what the scenarios said of an OAuth server when this one started.
    """

    def __init__(self, sources: Sources, mock: Mock, watch: Watch, oauth: OAuth | None = None) -> None:
        self._sources, self._mock, self._watch, self._oauth = sources, mock, watch, oauth
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def reload(self, cause: str) -> Reloaded:
        """Reads everything again, whether or not it has changed."""
        with self._lock:
            checked = self._checked()
            swap = None if checked.failed else self._mock.replace(checked.programs)
        told = tuple(each for each in checked.diagnostics if each.severity != "info")
        names = tuple(each["name"] for each in self._mock.scenarios())
        later = _LATER if swap is not None and companion_of(checked.programs) != self._oauth else ""
        reloaded = Reloaded(cause, told, names, swap, later)
        self._watch.reloaded(reloaded)
        return reloaded

    def _checked(self) -> Checked:
        try:
            return self._sources.load()
        except Misconfigured as wrong:
            return Checked((), wrong.found, ())

    def told_to(self, cause: str) -> None:
        """The same for whoever can do nothing about a bug."""
        try:
            self.reload(cause)
        except Exception as error:  # noqa: BLE001 - what is served goes on being served
            self._watch.broke(error, f"reload ({cause})")

    # --- following changes ------------------------------------------------------------------------------------------

    def follow(self) -> None:
        """From now on it reloads by itself as soon as a file changes."""
        self._thread = threading.Thread(target=self._follow, name="llmposter-files", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No more of that; once it returns, nothing of it is left."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def _follow(self) -> None:
        try:
            while not self._end.is_set():
                self._follow_places()
        except Exception as error:  # noqa: BLE001 - too many folders for the system, or a bug
            self._watch.broke(error, "watching files; they are not watched any more")

    def _follow_places(self) -> None:
        """Listens to the folders that count now, until something changes in them."""
        places = self._sources.places()
        try:
            self._listen(places)
        except (FileNotFoundError, PermissionError):
            # One of them went after it was seen, or may not be read: without listening it looks, and tries again.
            if not self._end.wait(_GLANCE / 1000):
                self._look()

    def _look(self) -> None:
        if self._sources.changed():
            self.told_to("watch")

    def _listen(self, places: Collection[str]) -> None:
        from watchfiles import watch

        changes = watch(
            *places,
            watch_filter=None,
            debounce=_DEBOUNCE,
            step=_QUIET,
            stop_event=self._end,
            recursive=False,
            raise_interrupt=False,
            yield_on_timeout=True,
            rust_timeout=_GLANCE,
        )
        for number, changed in enumerate(changes):
            # The first time for what came before it listened; then the system has the say, since looking takes long.
            if number and not changed:
                continue
            self._look()
            # A folder that went and came back is another one, to which nobody listens yet.
            if changed or self._sources.places() != places:
                return
