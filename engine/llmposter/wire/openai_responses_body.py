"""The body of a request to OpenAI Responses, typed as its API reference has it.

What is not named here is accepted and kept in the request's bytes; what is named has the type that OpenAI wants.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

import msgspec

from llmposter.model import Struct

# --- content ----------------------------------------------------------------------------------------------------


class InputText(Struct, frozen=True, tag_field="type", tag="input_text"):
    text: str


class OutputText(Struct, frozen=True, tag_field="type", tag="output_text"):
    text: str


class Refused(Struct, frozen=True, tag_field="type", tag="refusal"):
    refusal: str


class Image(Struct, frozen=True, tag_field="type", tag="input_image"):
    image_url: str | None = None
    file_id: str | None = None


class File(Struct, frozen=True, tag_field="type", tag="input_file"):
    pass


class Audio(Struct, frozen=True, tag_field="type", tag="input_audio"):
    pass


class Screenshot(Struct, frozen=True, tag_field="type", tag="computer_screenshot"):
    pass


class SummaryText(Struct, frozen=True, tag_field="type", tag="summary_text"):
    text: str


class ReasoningText(Struct, frozen=True, tag_field="type", tag="reasoning_text"):
    text: str


Content: TypeAlias = InputText | OutputText | Refused | Image | File | Audio | Screenshot | SummaryText
SaidBack: TypeAlias = InputText | Image | File | Audio

# --- items ------------------------------------------------------------------------------------------------------


class Probe(Struct, frozen=True):
    """What tells one kind of item, or of tool, from another."""

    type: str | None = None
    role: str | None = None
    id: str | None = None


class Message(Struct, frozen=True):
    """In the easy form or in full."""

    role: str
    content: str | list[Content]
    id: str | None = None


class FunctionCall(Struct, frozen=True):
    call_id: str
    name: str
    arguments: str
    id: str | None = None


class CustomCall(Struct, frozen=True):
    call_id: str
    name: str
    input: str
    id: str | None = None


class CallOutput(Struct, frozen=True):
    """Of a function or a custom tool; `name` tells the tool of one without an id (`FunctionCallOutput` in the SDK)."""

    output: str | list[SaidBack]
    call_id: str | None = None
    name: str | None = None


class Reasoning(Struct, frozen=True):
    summary: list[SummaryText]
    id: str | None = None
    content: list[ReasoningText] | None = None
    encrypted_content: str | None = None


class Reference(Struct, frozen=True):
    id: str


class Compaction(Struct, frozen=True):
    encrypted_content: str


Item: TypeAlias = Message | FunctionCall | CustomCall | CallOutput | Reasoning | Reference | Compaction

ITEMS: Final[dict[str, type[Item]]] = {
    "message": Message,
    "function_call": FunctionCall,
    "function_call_output": CallOutput,
    "custom_tool_call": CustomCall,
    "custom_tool_call_output": CallOutput,
    "reasoning": Reasoning,
    "item_reference": Reference,
    "compaction": Compaction,
}
HOSTED: Final = frozenset({
    "additional_tools", "apply_patch_call", "apply_patch_call_output", "code_interpreter_call",
    "compaction_trigger", "computer_call", "computer_call_output", "configuration_update", "file_search_call",
    "image_generation_call", "local_shell_call", "local_shell_call_output", "mcp_approval_request",
    "mcp_approval_response", "mcp_call", "mcp_list_tools", "program", "program_output", "shell_call",
    "shell_call_output", "tool_search_call", "tool_search_output", "web_search_call",
})  # fmt: skip
"""Items of tools that OpenAI runs itself: they come back in histories and say nothing here."""

# --- tools ------------------------------------------------------------------------------------------------------


class Function(Struct, frozen=True):
    name: str
    parameters: dict[str, Any] | None = None


class Custom(Struct, frozen=True):
    name: str


HOSTED_TOOLS: Final = frozenset({
    "apply_patch", "code_interpreter", "computer", "computer_use_preview", "file_search", "image_generation",
    "local_shell", "mcp", "namespace", "programmatic_tool_calling", "shell", "tool_search", "web_search",
    "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11",
})  # fmt: skip

# --- the body ---------------------------------------------------------------------------------------------------


class Effort(Struct, frozen=True):
    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None


class Form(Struct, frozen=True):
    """`text`: how the answer's text has to look."""

    format: dict[str, Any] | None = None
    verbosity: str | None = None


class Conversation(Struct, frozen=True):
    id: str


class Options(Struct, frozen=True, kw_only=True):
    """All but what is said."""

    background: bool | None = None
    conversation: str | Conversation | None = None
    include: list[str] | None = None
    instructions: str | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=16)] | None = None
    max_tool_calls: int | None = None
    metadata: dict[str, Any] | None = None
    model: str | None = None
    parallel_tool_calls: bool | None = None
    previous_response_id: str | None = None
    prompt: dict[str, Any] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    reasoning: Effort | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    text: Form | None = None
    tool_choice: str | dict[str, Any] | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    truncation: str | None = None
    user: str | None = None


class Body(Options, frozen=True, kw_only=True):
    """The whole body; items and tools as they were sent, for most of them came before and are known."""

    input: str | list[msgspec.Raw] | None = None
    tools: msgspec.Raw = msgspec.Raw(b"")
