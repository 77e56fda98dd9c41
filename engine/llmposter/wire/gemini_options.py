"""What a request to Gemini asks for beside its contents: tools, parameters, and the form of the answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

import msgspec

from llmposter.model import Tool
from llmposter.wire import gemini_body as sent
from llmposter.wire.memo import Memo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.model import Json, Request

_TOOLS: Final = msgspec.json.Decoder(sent.Tools, strict=False)


def _declared(raw: bytes) -> sent.Declared:
    boxes = _TOOLS.decode(raw)
    given = [boxes] if isinstance(boxes, sent.ToolBox) else boxes or []
    placed = [
        (f"tools[{n}].function_declarations[{m}]", one)
        for n, box in enumerate(given)
        for m, one in enumerate(box.declared)
    ]
    wrong = tuple(_MISNAMED.format(place) for place, one in placed if not _NAME.fullmatch(one.name or ""))
    return sent.Declared(tuple(Tool(one.name or "", _schema(one)) for _, one in placed), wrong)


DECLARED: Final = Memo(_declared)
"""Of the tools, which come again with every request."""
_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
_MISNAMED: Final = (
    "* GenerateContentRequest.{}.name: [FIELD_INVALID] Invalid function name. Must start with a letter or an "
    "underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a "
    "maximum length of 64."
)


def _schema(declared: sent.Declaration) -> Json:
    given = declared.parametersJsonSchema or declared.parameters_json_schema
    return _lowered(declared.parameters) if given is None else given


def _lowered(schema: Json) -> Json:
    """A schema of Gemini's own kind as JSON Schema: its types are written in capitals."""
    match schema:
        case {"type": str(kind), **rest} if kind.isupper():
            return {"type": kind.lower(), **{name: _lowered(value) for name, value in rest.items()}}
        case dict():
            return {name: _lowered(value) for name, value in cast("dict[str, Json]", schema).items()}
        case list():
            return [_lowered(each) for each in schema]
        case _:
            return schema


_NO_GENERATION: Final = sent.Generation()
_NO_THINKING: Final = sent.Thinking()


def params(body: sent.Options, given: sent.Generation | None) -> dict[str, Json]:
    config = body.toolConfig or body.tool_config
    if given is None and config is None:
        return {}
    given = given or _NO_GENERATION
    params = {
        "temperature": given.temperature,
        "top_p": _either(given.topP, given.top_p),
        "max_tokens": _either(given.maxOutputTokens, given.max_output_tokens),
        "stop": given.stopSequences or given.stop_sequences,
        "seed": given.seed,
        "n": _either(given.candidateCount, given.candidate_count),
        "reasoning": _reasoning(given),
        "response_format": _format(given),
        "tool_choice": None if config is None else _choice(config),
    }
    return {name: value for name, value in params.items() if value is not None}


def _either(one: Json, other: Json) -> Json:
    return other if one is None else one


def _reasoning(given: sent.Generation) -> str | int | None:
    """The level, as OpenAI spells it, or the budget."""
    config = given.thinkingConfig or given.thinking_config or _NO_THINKING
    level = config.thinkingLevel or config.thinking_level
    budget: int | None = _either(config.thinkingBudget, config.thinking_budget)
    return level.lower() if level else budget


def _format(given: sent.Generation) -> Json:
    """What is wanted in place of text, as OpenAI says it."""
    schema = given.responseSchema or given.response_schema
    schema = _lowered(schema) if schema else given.responseJsonSchema or given.response_json_schema
    if schema:
        return {"type": "json_schema", "json_schema": {"schema": schema}}
    kind = given.responseMimeType or given.response_mime_type
    return {"type": "json_object"} if kind == "application/json" else None


_CHOICES: Final = {"AUTO": "auto", "ANY": "required", "NONE": "none"}


def _choice(config: sent.ToolConfig) -> Json:
    """As OpenAI says it, where it can; else as it was sent."""
    calling = config.functionCallingConfig or config.function_calling_config
    if calling is None or calling.mode is None:
        return None
    names = calling.allowedFunctionNames or calling.allowed_function_names
    choice = _CHOICES.get(calling.mode.upper())
    if names or choice is None:
        return {"mode": calling.mode, **({"allowedFunctionNames": names} if names else {})}
    return choice


_PLAIN: Final = sent.Asked()
_ARRAY: Final = sent.Asked(events=False)


def asked(request: Request, generation: sent.Generation | None) -> sent.Asked:
    events = request.query.get("alt") == "sse"
    if generation is None:
        return _PLAIN if events else _ARRAY
    thinking = generation.thinkingConfig or generation.thinking_config or _NO_THINKING
    shown, budget = thinking.includeThoughts, _either(thinking.thinkingBudget, thinking.thinking_budget)
    candidates: int | None = _either(generation.candidateCount, generation.candidate_count)
    return sent.Asked(
        events, max(candidates or 1, 1), _either(shown, thinking.include_thoughts) is False or budget == 0
    )


def bounds(given: sent.Generation) -> Iterator[str]:
    where = "* GenerateContentRequest.generation_config"
    if given.temperature is not None and not 0 <= given.temperature <= 2:
        yield f"{where}.temperature: temperature must be in the range [0.0, 2.0]."
    top_p: float | None = _either(given.topP, given.top_p)
    if top_p is not None and not 0 <= top_p <= 1:
        yield f"{where}.top_p: top_p must be in the range [0.0, 1.0]."
    candidates: int | None = _either(given.candidateCount, given.candidate_count)
    if candidates is not None and not 1 <= candidates <= 8:
        yield f"{where}.candidate_count: candidate_count must be in the range [1, 8]."
    if len(given.stopSequences or given.stop_sequences or ()) > 5:
        yield f"{where}.stop_sequences: the number of stop_sequences must not exceed 5."
