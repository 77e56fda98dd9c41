"""The body of a request to Anthropic Messages, typed as its SDK has it.

What is not named here is accepted and kept in the request's bytes; what is named has the type that Anthropic wants.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

import msgspec

from llmposter.model import Message as Said
from llmposter.model import Struct

# --- content ----------------------------------------------------------------------------------------------------


class Mark(Struct, frozen=True):
    """A breakpoint of the prompt cache."""


class Block(Struct, frozen=True, kw_only=True, tag_field="type"):
    cache_control: Mark | None = None


class Text(Block, frozen=True, kw_only=True, tag="text"):
    text: str


class Source(Struct, frozen=True):
    type: str


class Image(Block, frozen=True, kw_only=True, tag="image"):
    source: Source


class Document(Block, frozen=True, kw_only=True, tag="document"):
    source: Source


class SearchResult(Block, frozen=True, kw_only=True, tag="search_result"):
    content: list[Text]
    source: str
    title: str


class Thinking(Block, frozen=True, kw_only=True, tag="thinking"):
    """Without its signature it can still be read; what the API says to that is a breach."""

    thinking: str
    signature: str = ""


class RedactedThinking(Block, frozen=True, kw_only=True, tag="redacted_thinking"):
    data: str


class ToolUse(Block, frozen=True, kw_only=True, tag="tool_use"):
    id: str
    name: str
    input: msgspec.Raw


class Other(Block, frozen=True, kw_only=True, tag=""):
    """A block that says nothing to a scenario, such as those of tools that the provider runs; `kind` is its type."""

    kind: str


class ToolResult(Block, frozen=True, kw_only=True, tag="tool_result"):
    tool_use_id: str
    content: str | list[Text | Image | Document | SearchResult | Other] | None = None
    is_error: bool | None = None


Content: TypeAlias = Text | Image | Document | SearchResult | Thinking | RedactedThinking | ToolUse | ToolResult | Other

TYPED: Final = frozenset((
    "text", "image", "document", "search_result", "thinking", "redacted_thinking", "tool_use", "tool_result",
))  # fmt: skip
"""The types of blocks that are read."""

TOLERATED: Final = frozenset((
    "advisor_tool_result", "bash_code_execution_tool_result", "browser_state", "code_execution_tool_result",
    "compaction", "container_upload", "fallback", "mcp_tool_listing", "mcp_tool_result", "mcp_tool_use",
    "server_tool_use", "text_editor_code_execution_tool_result", "tool_addition", "tool_reference", "tool_removal",
    "tool_search_tool_result", "web_fetch_tool_result", "web_search_tool_result",
))  # fmt: skip
"""The other types that Anthropic knows."""


# --- messages ---------------------------------------------------------------------------------------------------


class User(Struct, frozen=True, tag_field="role", tag="user"):
    content: str | list[Content]


class Assistant(Struct, frozen=True, tag_field="role", tag="assistant"):
    content: str | list[Content]


class System(Struct, frozen=True, tag_field="role", tag="system"):
    content: str | list[Text]


Message: TypeAlias = User | Assistant | System


# --- the body ---------------------------------------------------------------------------------------------------


Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]


class Tool(Struct, frozen=True):
    """A tool of the client's, or one that the provider defines, which has another type and may have no name."""

    type: str | None = None
    name: str | None = None
    input_schema: dict[str, Any] | None = None
    cache_control: Mark | None = None

    @property
    def custom(self) -> bool:
        return self.type in (None, "custom")


class ToolChoice(Struct, frozen=True, omit_defaults=True):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class ThinkingConfig(Struct, frozen=True, omit_defaults=True):
    type: str
    budget_tokens: int | None = None
    display: str | None = None


class OutputConfig(Struct, frozen=True):
    effort: str | None = None
    format: dict[str, Any] | None = None


class Thread(Struct, frozen=True):
    """A conversation whose state the server holds: begun, or gone on with from an answer."""

    type: str
    previous_message_id: str = ""


class Options(Struct, frozen=True, kw_only=True):
    """All but the messages."""

    model: str
    max_tokens: Count | None = None
    system: str | list[Text] | None = None
    stream: bool | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    thinking: ThinkingConfig | None = None
    output_config: OutputConfig | None = None
    output_format: dict[str, Any] | None = None
    stop_sequences: list[str] | None = None
    temperature: Share | None = None
    top_p: Share | None = None
    top_k: Count | None = None
    metadata: dict[str, Any] | None = None
    thread: Thread | None = None
    cache_control: Mark | None = None


class Body(Options, frozen=True, kw_only=True):
    """The whole body."""

    messages: list[Message]


class Envelope(Options, frozen=True, kw_only=True):
    """The body with its messages as they were sent: most of them came before and are known."""

    messages: list[msgspec.Raw]


class Heard(Struct, frozen=True):
    """One message, read, that is more than a message in our words, or has something wrong with it.

    Attributes:
        role: as it was sent.
        said: the message in our words, its results and its text apart. system: of a system message, else None.
        wrong: what Anthropic refuses of it; each goes on from ``messages.1``.
        empty: it has no content. marks: its breakpoints of the prompt cache.
        bare: what it begins with in place of the thinking that its calls came with, or "".
    """

    role: str
    said: tuple[Said, ...] = ()
    system: str | None = None
    wrong: tuple[str, ...] = ()
    empty: bool = False
    marks: int = 0
    bare: str = ""


class Asked(Struct, frozen=True):
    """What the answer's form depends on.

    Attributes:
        silent: thinking is signed, and its text left out. stop: the first of the stop sequences, or None.
    """

    silent: bool = False
    stop: str | None = None
