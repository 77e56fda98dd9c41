"""The body of a request to Gemini, typed as its REST reference has it.

What is not named here is accepted and kept in the request's bytes. Every name of two words stands twice, because the
JSON of protocol buffers is read in lowerCamelCase and in the names of the .proto file alike.
"""

# ruff: noqa: N815 - the names are the provider's

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from llmposter.model import Message, Struct, Tool

# --- content ----------------------------------------------------------------------------------------------------


class Blob(Struct, frozen=True):
    """Data, or where it is."""

    mimeType: str | None = None
    mime_type: str | None = None

    @property
    def is_image(self) -> bool:
        return (self.mimeType or self.mime_type or "").startswith("image/")


class Media(Struct, frozen=True):
    """A part of a function's response that is no JSON."""

    inlineData: Blob | None = None
    inline_data: Blob | None = None
    fileData: Blob | None = None
    file_data: Blob | None = None

    @property
    def blob(self) -> Blob | None:
        return self.inlineData or self.inline_data or self.fileData or self.file_data


class FunctionCall(Struct, frozen=True):
    name: str | None = None
    args: dict[str, Any] | None = None
    id: str | None = None


class FunctionResponse(Struct, frozen=True):
    name: str | None = None
    response: Any = None
    id: str | None = None
    parts: list[Media] | None = None


class Part(Media, frozen=True):
    text: str | None = None
    thought: bool | None = None
    thoughtSignature: str | None = None
    thought_signature: str | None = None
    functionCall: FunctionCall | None = None
    function_call: FunctionCall | None = None
    functionResponse: FunctionResponse | None = None
    function_response: FunctionResponse | None = None
    executableCode: Any = None
    executable_code: Any = None
    codeExecutionResult: Any = None
    code_execution_result: Any = None
    toolCall: Any = None
    tool_call: Any = None
    toolResponse: Any = None
    tool_response: Any = None

    @property
    def signature(self) -> str:
        return self.thoughtSignature or self.thought_signature or ""

    @property
    def call(self) -> FunctionCall | None:
        return self.functionCall or self.function_call

    @property
    def result(self) -> FunctionResponse | None:
        return self.functionResponse or self.function_response

    @property
    def is_blank(self) -> bool:
        """Gemini wants every part to hold something."""
        return self.text is None and not any((self.blob, self.call, self.result, self._of_google))

    @property
    def _of_google(self) -> Any:
        """What Google's own tools put into a history."""
        code = self.executableCode or self.executable_code or self.codeExecutionResult or self.code_execution_result
        return code or self.toolCall or self.tool_call or self.toolResponse or self.tool_response


class Content(Struct, frozen=True):
    # A list of one may be sent without its brackets, as some of Google's own examples do.
    parts: list[Part] | Part | None = None
    role: str | None = None

    @property
    def listed(self) -> list[Part]:
        return [self.parts] if isinstance(self.parts, Part) else self.parts or []


# --- the body ---------------------------------------------------------------------------------------------------


class Declaration(Struct, frozen=True):
    name: str | None = None
    parameters: dict[str, Any] | None = None
    parametersJsonSchema: Any = None
    parameters_json_schema: Any = None


class ToolBox(Struct, frozen=True):
    """One of `tools`; those that Google runs itself have no declarations."""

    functionDeclarations: list[Declaration] | Declaration | None = None
    function_declarations: list[Declaration] | Declaration | None = None

    @property
    def declared(self) -> list[Declaration]:
        given = self.functionDeclarations or self.function_declarations or []
        return [given] if isinstance(given, Declaration) else given


class Calling(Struct, frozen=True):
    mode: str | None = None
    allowedFunctionNames: list[str] | None = None
    allowed_function_names: list[str] | None = None


class ToolConfig(Struct, frozen=True):
    functionCallingConfig: Calling | None = None
    function_calling_config: Calling | None = None


class Thinking(Struct, frozen=True):
    includeThoughts: bool | None = None
    include_thoughts: bool | None = None
    thinkingBudget: int | None = None
    thinking_budget: int | None = None
    thinkingLevel: str | None = None
    thinking_level: str | None = None


class Generation(Struct, frozen=True):
    temperature: float | None = None
    topP: float | None = None
    top_p: float | None = None
    maxOutputTokens: int | None = None
    max_output_tokens: int | None = None
    stopSequences: list[str] | None = None
    stop_sequences: list[str] | None = None
    seed: int | None = None
    candidateCount: int | None = None
    candidate_count: int | None = None
    responseMimeType: str | None = None
    response_mime_type: str | None = None
    responseSchema: dict[str, Any] | None = None
    response_schema: dict[str, Any] | None = None
    responseJsonSchema: Any = None
    response_json_schema: Any = None
    thinkingConfig: Thinking | None = None
    thinking_config: Thinking | None = None


class Options(Struct, frozen=True, kw_only=True):
    """All but who says what, and which tools there are."""

    systemInstruction: Content | None = None
    system_instruction: Content | None = None
    generationConfig: Generation | None = None
    generation_config: Generation | None = None
    toolConfig: ToolConfig | None = None
    tool_config: ToolConfig | None = None
    labels: dict[str, Any] | None = None


Contents: TypeAlias = list[Content] | Content | None
Tools: TypeAlias = list[ToolBox] | ToolBox | None


class Body(Options, frozen=True, kw_only=True):
    """The whole body."""

    contents: Contents = None
    tools: Tools = None


NOTHING = msgspec.Raw(b"null")


class Envelope(Options, frozen=True, kw_only=True):
    """The body with its contents and its tools as they were sent: most of them came before and are known."""

    contents: msgspec.Raw = NOTHING
    tools: msgspec.Raw = NOTHING


# --- what is made of it -----------------------------------------------------------------------------------------


class Fault(Struct, frozen=True):
    """Something wrong in one part.

    Attributes:
        content: how many contents after the first that was read with it. part: where in it; -1 for the content itself.
        message: in Gemini's words; `{at}` stands for the place.
    """

    content: int
    part: int
    message: str


class Heard(Struct, frozen=True):
    """Contents that are read as one, most often a single one.

    Attributes:
        messages: what they say: one of the model, or of the user, or results and what the user said beside them.
        asks: the user says something himself, which begins what Gemini calls a turn.
        of_model: the model said it. is_plain: nothing in it can break the protocol, whatever stands around it.
        contents: how many there are.
        unsigned: the tool whose call came back without the signature that it went out with, or "".
        faults: what Gemini refuses in it.
    """

    messages: tuple[Message, ...]
    asks: bool = False
    contents: int = 1
    unsigned: str = ""
    faults: tuple[Fault, ...] = ()
    of_model: bool = False
    is_plain: bool = False


class Declared(Struct, frozen=True):
    """The tools, and what Gemini refuses in them."""

    tools: tuple[Tool, ...] = ()
    faults: tuple[str, ...] = ()


class Asked(Struct, frozen=True):
    """What the answer's form depends on.

    Attributes:
        events: the stream is server-sent events, else one JSON array. candidates: how many copies of the answer.
        silent: summaries of the reasoning are not wanted.
    """

    events: bool = True
    candidates: int = 1
    silent: bool = False
