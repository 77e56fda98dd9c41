"""For unittest: a test case whose `llmposter` is a session of its own, on a server that the tests of its class share.

No test sees anything of another; a test that has passed so far fails if its session was not clean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal
from unittest import TestCase

from llmposter.testing.server import Server

if TYPE_CHECKING:
    from llmposter.testing.server import Session
    from llmposter.testing.sources import Source


class LLMPosterTestCase(TestCase):
    """A test case with a server; stands before other bases that are test cases too.

    Attributes:
        scenario: what to serve; a tuple of several.
        clock: ``manual`` for one that stands still until `self.llmposter.clock.advance` moves it.
        verify: whether a test fails whose session was not clean.
        llmposter_server: the server of the class.
        llmposter: the session of this test.
    """

    scenario: ClassVar[Source | tuple[Source, ...]] = ()
    clock: ClassVar[Literal["real", "manual"]] = "real"
    verify: ClassVar[bool] = True
    llmposter_server: ClassVar[Server]
    llmposter: Session

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        sources = cls.scenario if isinstance(cls.scenario, tuple) else (cls.scenario,)
        cls.llmposter_server = cls.enterClassContext(Server(*sources, clock=cls.clock))

    def setUp(self) -> None:
        super().setUp()
        self.llmposter = self.llmposter_server.session()

    def doCleanups(self) -> None:  # noqa: N802 - unittest's
        """A test that failed has said why; any other fails if its session was not clean."""
        # What a test came to is nowhere public before its end; so since Python 3.4 (unittest/case.py).
        if self.verify and getattr(getattr(self, "_outcome", None), "success", False):
            self.addCleanup(self.llmposter.verify)
        super().doCleanups()
