"""Fixtures in Python, with the methods of the Rust program's builder: the same model as a fixture file has.

What is built is read as a fixture file is, and findings tell the place of the call in the Python file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from llmposter.testing.built import Argument, Built, Origin, plain
from llmposter.testing.site import Site
from llmposter_dsl.source import Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmposter.fixtures.model import FixtureFile
    from llmposter.testing.tables import Json, Provider
    from llmposter_dsl.diagnostic import Diagnostic
    from llmposter_dsl.place import Path

Pattern: TypeAlias = "str | re.Pattern[str]"
"""A text that must stand in another, or a regular expression (RE2) that must find something there."""


class Fixture:
    """What to answer to which requests; without a match, to all. Each method adds to it and gives it back.

    `docs/fixtures.md` tells what each key means.
    """

    def __init__(self) -> None:
        self._site = Site.of_caller()
        self._data: dict[str, Any] = {}
        self._origins: dict[Path, Origin] = {}

    # --- which requests -------------------------------------------------------------------------------------------

    def match_user_message(self, pattern: Pattern) -> Self:
        """What the user said last."""
        return self._says(("match", "user_message"), _pattern(pattern), Argument(Site.of_caller(), 0))

    def match_model(self, pattern: Pattern) -> Self:
        """The model."""
        return self._says(("match", "model"), _pattern(pattern), Argument(Site.of_caller(), 0))

    def match_header(self, name: str, pattern: Pattern) -> Self:
        """A header, whatever the case of its name."""
        return self._says(("match", "headers", name), _pattern(pattern), Argument(Site.of_caller(), 1))

    def match_system_prompt(self, pattern: Pattern) -> Self:
        """The system prompt."""
        return self._says(("match", "system_prompt"), _pattern(pattern), Argument(Site.of_caller(), 0))

    def match_temperature(self, temperature: float) -> Self:
        """This temperature."""
        return self._says(("match", "temperature"), temperature, Argument(Site.of_caller(), 0))

    def match_temperature_range(
        self,
        min: float | None = None,  # noqa: A002 - the key's name
        max: float | None = None,  # noqa: A002 - likewise
    ) -> Self:
        """A temperature within these bounds, which are allowed themselves."""
        return self._says(("match", "temperature"), _given(min=min, max=max), Site.of_caller())

    def match_metadata(self, key: str, pattern: Pattern) -> Self:
        """A text, number or bool of the request's metadata."""
        return self._says(("match", "metadata", key), _pattern(pattern), Argument(Site.of_caller(), 1))

    def match_tool_schema(self, pattern: Pattern) -> Self:
        """The name of any tool that the request declares."""
        return self._says(("match", "tool_schema"), _pattern(pattern), Argument(Site.of_caller(), 0))

    def match_body_jsonpath(self, query: str) -> Self:
        """A JSONPath query (RFC 9535) that finds something in the body that is not null."""
        return self._says(("match", "body_jsonpath"), query, Argument(Site.of_caller(), 0))

    def for_provider(self, provider: Provider) -> Self:
        """Requests in this provider's format alone."""
        return self._says(("provider",), provider, Argument(Site.of_caller(), 0))

    def with_priority(self, priority: int) -> Self:
        """Higher ones are tried first."""
        return self._says(("priority",), priority, Argument(Site.of_caller(), 0))

    def as_catch_all(self) -> Self:
        """Tried when no other fixture matches."""
        return self._says(("catch_all",), True, Site.of_caller())  # noqa: FBT003 - what the key holds

    def with_scenario(self, name: str, required_state: str | None = None, set_state: str | None = None) -> Self:
        """The state that it asks for, and the one that it sets."""
        scenario = {"name": name, **_given(required_state=required_state, set_state=set_state)}
        return self._says(("scenario",), scenario, Site.of_caller())

    # --- what to answer -------------------------------------------------------------------------------------------

    def respond_with_content(self, content: str) -> Self:
        """This text, in place of tool calls."""
        self._drop("tool_calls", "content_template")
        return self._says(("response", "content"), content, Argument(Site.of_caller(), 0))

    def respond_with_template(self, template: str) -> Self:
        """This text with Jinja in it, in place of tool calls."""
        self._drop("tool_calls", "content")
        return self._says(("response", "content_template"), template, Argument(Site.of_caller(), 0))

    def respond_with_tool_calls(self, *calls: tuple[str, Mapping[str, Json]]) -> Self:
        """These tool calls, each a name and its arguments, in place of text."""
        self._drop("content", "content_template")
        made = [{"name": name, "arguments": arguments} for name, arguments in calls]
        return self._says(("response", "tool_calls"), made, Site.of_caller())

    def respond_with_embedding(self, vector: Sequence[float]) -> Self:
        """This vector."""
        return self._says(("response", "embedding"), vector, Argument(Site.of_caller(), 0))

    def respond_with_refusal(self, reason: str) -> Self:
        """The provider's own form of refusal."""
        return self._says(("refusal", "reason"), reason, Argument(Site.of_caller(), 0))

    def with_stop_reason(self, reason: str) -> Self:
        """Why the answer ends, in any provider's word."""
        return self._says(("response", "stop_reason"), reason, Argument(Site.of_caller(), 0))

    def with_finish_reason(self, reason: str) -> Self:
        """The same; a stop reason has precedence."""
        return self._says(("response", "finish_reason"), reason, Argument(Site.of_caller(), 0))

    def with_error(self, status: int, message: str) -> Self:
        """An HTTP error."""
        site = Site.of_caller()
        self._says(("error", "status"), status, Argument(site, 0))
        return self._says(("error", "message"), message, Argument(site, 1))

    def with_error_headers(self, headers: Mapping[str, str]) -> Self:
        """Headers of the error."""
        return self._says(("error", "headers"), headers, Argument(Site.of_caller(), 0))

    # --- how it goes out ------------------------------------------------------------------------------------------

    def with_streaming(self, latency: int | None = None, chunk_size: int | None = None) -> Self:
        """Milliseconds between two events, and characters of a chunk."""
        return self._says(("streaming",), _given(latency=latency, chunk_size=chunk_size), Site.of_caller())

    def with_failure(  # noqa: PLR0913 - the keys of `failure`
        self,
        *,
        latency_ms: int | None = None,
        corrupt_body: bool | None = None,
        truncate_after_frames: int | None = None,
        disconnect_after_ms: int | None = None,
        latency_jitter_ms: int | None = None,
        duplicate_frames: bool | None = None,
        probability: float | None = None,
        chaos_seed: int | None = None,
    ) -> Self:
        """How the delivery of the answer fails."""
        given = _given(**{name: value for name, value in locals().items() if name != "self"})
        return self._says(("failure",), given, Site.of_caller())

    def validate(self) -> None:
        """Whether it can be served.

        Raises:
            ScenarioError: with everything that is wrong with it.
        """
        from llmposter.testing.sources import checked

        checked([self])

    # --- how it is held -------------------------------------------------------------------------------------------

    def _says(self, path: tuple[str, ...], value: object, origin: Origin) -> Self:
        table = self._data
        for step in path[:-1]:
            table = table.setdefault(step, {})
        table[path[-1]] = plain(value, path, {})
        self._origins[path] = origin
        return self

    def _drop(self, *names: str) -> None:
        for name in names:
            self._data.get("response", {}).pop(name, None)


def _pattern(pattern: Pattern) -> Any:
    return {"regex": _written(pattern)} if isinstance(pattern, re.Pattern) else pattern


def _written(pattern: re.Pattern[str]) -> str:
    """With its flags, in the form that RE2 has for them."""
    flags = (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL))
    given = "".join(letter for letter, flag in flags if pattern.flags & flag)
    return f"(?{given}){pattern.pattern}" if given else pattern.pattern


def _given(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def read(fixtures: Sequence[Fixture]) -> tuple[FixtureFile | None, list[Diagnostic]]:
    """They as one file."""
    from llmposter.fixtures.reading import of_document

    first = fixtures[0]._site  # noqa: SLF001 - of this module
    origins: dict[Path, Origin] = {(): first}
    for number, each in enumerate(fixtures):
        origins["fixtures", number] = each._site  # noqa: SLF001
        origins |= {("fixtures", number, *path): origin for path, origin in each._origins.items()}  # noqa: SLF001
    data = {"fixtures": [each._data for each in fixtures]}  # noqa: SLF001
    source = Source(first.source.name, "", first.source.path)
    return of_document(Built(source, data, "yaml", (), origins))
