"""Scenarios in Python: the keys of a scenario file as arguments, one model in two spellings.

What is built goes through the compiler of the files, and findings tell the place of the call in the Python file.
"""

from __future__ import annotations

from types import EllipsisType
from typing import TYPE_CHECKING, Any, Self

from llmposter.testing.built import Argument, Built, Rule, plain
from llmposter.testing.errors import ScenarioError
from llmposter.testing.site import Site
from llmposter_dsl import compiler, keys, reading
from llmposter_dsl.source import Source

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from llmposter.testing import tables
    from llmposter.testing.built import Origin
    from llmposter.testing.tables import Json
    from llmposter_dsl.diagnostic import Diagnostic
    from llmposter_dsl.place import Path
    from llmposter_dsl.program import Program
    from llmposter_dsl.tree import Document, Kind


def rule(  # noqa: PLR0913 - the keys of a rule
    *,
    name: str | None = None,
    when: str | None = None,
    times: int | None = None,
    expect: str | Sequence[str] | None = None,
    set: Mapping[str, Json] | None = None,  # noqa: A002 - the key's name
    reply: str | None = None,
    think: str | None = None,
    call: str | tables.Call | Sequence[str | tables.Call] | None = None,
    json: Json | EllipsisType = ...,
    refuse: str | None = None,
    error: tables.AnError | None = None,
    finish: tables.Finish | str | None = None,
    usage: tables.Usage | None = None,
    headers: Mapping[str, str] | None = None,
    latency: str | None = None,
    stream: tables.Stream | None = None,
    fault: str | Sequence[str] | None = None,
    token: str | None = None,
    goto: str | None = None,
) -> Rule:
    """A rule with the keys that it has in a file; `docs/language/keys.md` tells what each means."""
    given = dict(locals())
    return Rule(_given(given), Site.of_caller())


def _given(arguments: Mapping[str, object]) -> dict[str, object]:
    """Those that were given: None is a value where the key takes any, and `...` is not there."""
    return {
        name: value
        for name, value in arguments.items()
        if value is not ... and (value is not None or name in _ANYTHING)
    }


_ANYTHING = frozenset(("json",))


class Scenario:
    """A scenario that is built in Python, or read from a file and added to.

    The arguments are the keys of `[scenario]` and those at the top of a file; `state` adds states and their rules.
    """

    def __init__(  # noqa: PLR0913 - the keys of a scenario
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        start: str | None = None,
        final: Sequence[str] | None = None,
        serves: str | None = None,
        expect: str | Sequence[str] | None = None,
        conversation: str | None = None,
        seed: int | None = None,
        unmatched: tables.AnError | str | None = None,
        foreign: str | None = None,
        conformance: tables.Conformance | None = None,
        include: Sequence[str] | None = None,
        vars: Mapping[str, Json] | None = None,  # noqa: A002 - the key's name
        tools: Mapping[str, Mapping[str, Json]] | None = None,
        defaults: tables.Defaults | None = None,
        always: Sequence[Rule] | None = None,
        otherwise: Sequence[Rule] | None = None,
        embeddings: Sequence[tables.Embedding] | None = None,
        moderations: Sequence[tables.Moderation] | None = None,
        examples: Sequence[tables.Example] | None = None,
        auth: tables.Auth | None = None,
        limits: Sequence[tables.Limit] | None = None,
        chaos: tables.Chaos | None = None,
    ) -> None:
        given = {name: value for name, value in locals().items() if value is not None and name != "self"}
        site = Site.of_caller()
        self._origins: dict[Path, Origin] = {(): site, ("scenario",): site}
        # Without its text: what a Python file says beside this call is nobody's finding.
        self._source = Source(site.source.name, "", site.source.path)
        self._kind: Kind = "toml"
        self._findings: tuple[Diagnostic, ...] = ()
        own = {name: value for name, value in given.items() if name in keys.SCENARIO}
        top = {name: value for name, value in given.items() if name not in keys.SCENARIO}
        self._data: dict[str, Any] = plain(top, (), self._origins)
        if own:
            self._data["scenario"] = plain(own, ("scenario",), self._origins)

    def state(self, name: str, /, *rules: Rule) -> Self:
        """Adds a state, or further rules to one that is there; this scenario again, for the next one."""
        states = self._data.setdefault("states", {})
        if name not in states:
            self._origins["states", name] = Argument(Site.of_caller(), 0)
            states[name] = []
        for each in rules:
            states[name].append(plain(each, ("states", name, len(states[name])), self._origins))
        return self

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """The scenario in a file, to be served or added to.

        Raises:
            ScenarioError: the file cannot be read.
        """
        return cls._of(reading.read(path))

    @classmethod
    def from_text(cls, text: str, *, name: str = "scenario.toml", kind: Kind = "toml") -> Self:
        """The scenario that a text is, as a file would hold it; *name* is what findings call it.

        Raises:
            ScenarioError: the text is no TOML, or no YAML.
        """
        return cls._of(reading.read_text(text, name, kind))

    @classmethod
    def _of(cls, read: Document | tuple[Any, ...]) -> Self:
        if isinstance(read, tuple):
            raise ScenarioError(read)
        made = cls()
        made._origins, made._source, made._kind = {(): read}, read.source, read.kind
        made._data, made._findings = plain(read.data, (), made._origins), read.findings
        return made

    def document(self) -> Document:
        """It as the compiler takes it."""
        return Built(self._source, self._data, self._kind, self._findings, self._origins)

    def to_toml(self) -> str:
        """It as the text of a scenario file.

        Raises:
            Unwritable: it holds what TOML has no words for.
        """
        from llmposter_dsl.writing import write

        return write(self._data)

    def program(self) -> Program:
        """It compiled, as `Server` does.

        Raises:
            ScenarioError: with everything that is wrong with it.
        """
        compiled = compiler.compile_document(self.document())
        if compiled.program is None:
            raise ScenarioError(compiled.diagnostics)
        return compiled.program
