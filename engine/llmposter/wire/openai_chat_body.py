"""The body of a request to OpenAI Chat Completions, typed as its API reference has it.

What is not named here is accepted and kept in the request's bytes; what is named has the type that OpenAI wants.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec

from llmposter.model import Message as Said
from llmposter.model import Struct

# --- content ----------------------------------------------------------------------------------------------------


class TextPart(Struct, frozen=True, tag_field="type", tag="text"):
    text: str


class RefusalPart(Struct, frozen=True, tag_field="type", tag="refusal"):
    refusal: str


class Url(Struct, frozen=True):
    url: str


class ImagePart(Struct, frozen=True, tag_field="type", tag="image_url"):
    image_url: Url


class Audio(Struct, frozen=True):
    data: str
    format: str


class AudioPart(Struct, frozen=True, tag_field="type", tag="input_audio"):
    input_audio: Audio


class FilePart(Struct, frozen=True, tag_field="type", tag="file"):
    file: dict[str, Any]


UserPart: TypeAlias = TextPart | ImagePart | AudioPart | FilePart
AssistantPart: TypeAlias = TextPart | RefusalPart
Part: TypeAlias = UserPart | RefusalPart


# --- messages ---------------------------------------------------------------------------------------------------


class Function(Struct, frozen=True):
    name: str
    arguments: str


class FunctionCall(Struct, frozen=True, tag_field="type", tag="function"):
    id: str
    function: Function


class Custom(Struct, frozen=True):
    name: str
    input: str


class CustomCall(Struct, frozen=True, tag_field="type", tag="custom"):
    id: str
    custom: Custom


class System(Struct, frozen=True, tag_field="role", tag="system"):
    content: str | list[TextPart]


class Developer(Struct, frozen=True, tag_field="role", tag="developer"):
    content: str | list[TextPart]


class User(Struct, frozen=True, tag_field="role", tag="user"):
    content: str | list[UserPart]


class Assistant(Struct, frozen=True, tag_field="role", tag="assistant"):
    content: str | list[AssistantPart] | None = None
    refusal: str | None = None
    tool_calls: list[FunctionCall | CustomCall] | None = None
    function_call: Function | None = None
    audio: Any = None
    reasoning_content: Any = None

    @property
    def says_anything(self) -> bool:
        """OpenAI wants content where there is nothing else."""
        return self.content is not None or any((self.refusal, self.tool_calls, self.function_call, self.audio))


class ToolAnswer(Struct, frozen=True, tag_field="role", tag="tool"):
    content: str | list[TextPart]
    tool_call_id: str


class FunctionAnswer(Struct, frozen=True, tag_field="role", tag="function"):
    name: str
    content: str | None


Message: TypeAlias = System | Developer | User | Assistant | ToolAnswer | FunctionAnswer


# --- the body ---------------------------------------------------------------------------------------------------


Positive: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]


class Named(Struct, frozen=True):
    name: str
    parameters: dict[str, Any] | None = None


class FunctionTool(Struct, frozen=True, tag_field="type", tag="function"):
    function: Named


class CustomTool(Struct, frozen=True, tag_field="type", tag="custom"):
    custom: Named


class StreamOptions(Struct, frozen=True):
    include_usage: bool | None = None


class Options(Struct, frozen=True, kw_only=True):
    """All but who asks whom for what."""

    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: list[FunctionTool | CustomTool] | None = None
    functions: list[Named] | None = None
    tool_choice: str | dict[str, Any] | None = None
    function_call: str | dict[str, Any] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    max_tokens: Positive | None = None
    max_completion_tokens: Positive | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=128)] | None = None
    reasoning_effort: str | None = None
    response_format: dict[str, Any] | None = None
    service_tier: str | None = None
    metadata: dict[str, Any] | None = None


class Body(Options, frozen=True, kw_only=True):
    """The whole body."""

    model: str
    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]


class Envelope(Options, frozen=True, kw_only=True):
    """The body with its messages as they were sent: most of them came before and are known."""

    model: str
    messages: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1)]


class Heard(Struct, frozen=True):
    """One message, read, that is more or less than something said: all but what a user or an assistant says.

    Attributes:
        system: of a system or developer message, else None. message: of any other, else None.
        mute: an assistant message that says nothing. uncalled: its list of calls is empty.
    """

    system: str | None = None
    message: Said | None = None
    mute: bool = False
    uncalled: bool = False


class Asked(Struct, frozen=True):
    """What the answer's form depends on.

    Attributes:
        custom: names of the custom tools. legacy: calls are spelt as `function_call`.
        choices: how many copies of the answer. usage: whether the stream ends with the token counts.
        tier: the service tier asked for, or "".
    """

    custom: frozenset[str] = frozenset()
    legacy: bool = False
    choices: int = 1
    usage: bool = False
    tier: str = ""
