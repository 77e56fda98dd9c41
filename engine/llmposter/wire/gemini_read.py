"""A request to Gemini, read into a `Turn`: any bytes give one or a `BadRequest`.

Contents of the model that follow each other are one message: Google's own SDK keeps each chunk of a stream as a content
of its own. A result without an id is given that of the call it answers, found by name and order.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from msgspec.structs import replace

from llmposter.model import BadRequest, Message, Tool, ToolResult, ToolUse, Turn
from llmposter.wire import gemini_body as sent
from llmposter.wire import gemini_signature as signature
from llmposter.wire.gemini_wording import NO_CONTENTS, NOT_JSON, refusal
from llmposter.wire.memo import Memo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.model import Json, Request

_BODY: Final = msgspec.json.Decoder(sent.Body)
_ENVELOPE: Final = msgspec.json.Decoder(sent.Envelope)
_RAWS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_CONTENTS: Final = msgspec.json.Decoder(list[sent.Content])
_TOOLS: Final = msgspec.json.Decoder(sent.Tools)
_ROLES: Final = {"": "user", "user": "user", "function": "user", "model": "model"}

ROLE: Final = "Please use a valid role: user, model."
ORDER: Final = (
    "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
)
COUNT: Final = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)
STRAY: Final = "Please ensure that function response turn comes immediately after a function call turn."


def read(provider: str, request: Request) -> Turn | BadRequest:
    """The request in our words; any bytes give one or the other."""
    data = request.body
    try:
        # As text where it may not be: the decoder leaves bytes alone that no field wants, and Google does not.
        body = _ENVELOPE.decode(data if data.isascii() else data.decode("utf-8"))
        heard = _read_as_one(_listed(body.contents))
        declared = _DECLARED.get(bytes(body.tools)) if body.tools != sent.NOTHING else sent.Declared()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return refused(_BODY, data)
    return _turn(provider, request, body, heard, declared)


def refused(decoder: msgspec.json.Decoder[Any], data: bytes) -> BadRequest:
    """What is wrong with a body that *decoder* does not take, its place told from the top."""
    try:
        decoder.decode(data.decode("utf-8"))
    except msgspec.ValidationError as error:
        return refusal(str(error), data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return NOT_JSON


def _listed(raw: msgspec.Raw) -> list[bytes]:
    given = bytes(raw)
    if given.startswith(b"["):
        return [bytes(each) for each in _RAWS.decode(given)]
    return [] if raw == sent.NOTHING else [given]


# --- contents ---------------------------------------------------------------------------------------------------


def _read_as_one(raws: list[bytes]) -> list[sent.Heard]:
    """The contents as they were heard, neighbours of the model together."""
    known = _heard if len(raws) == 1 else _MEMO.get
    single = [known(raw) for raw in raws]
    heard: list[sent.Heard] = []
    begin = 0
    while begin < len(single):
        end = begin + 1
        while single[begin].of_model and end < len(single) and single[end].of_model:
            end += 1
        heard.append(single[begin] if end == begin + 1 else _MEMO.get(b",".join(raws[begin:end])))
        begin = end
    return heard


def _heard(raw: bytes) -> sent.Heard:
    contents = _CONTENTS.decode(b"[%b]" % raw)
    faults = tuple(_faults(contents))
    if _role(contents[0]) == "model":
        return _of_model(contents, raw, faults)
    (content,) = contents
    results = _results(content)
    said = [part for part in content.listed if part.result is None]
    asks = bool(said) or not results
    messages = []
    if results:
        images, files = _attached(_media(content))
        messages.append(Message("tool", results=results, images=images, files=files))
    if asks:
        images, files = _attached(part.blob for part in said)
        text = "\n".join(part.text for part in said if part.text is not None)
        messages.append(Message("user", text, images=images, files=files))
    return sent.Heard(tuple(messages), asks, faults=faults)


_MEMO: Final = Memo(_heard)
"""Of contents in histories: each comes again with every request that goes on from there."""


def _role(content: sent.Content) -> str:
    return _ROLES.get((content.role or "").lower(), "user")


def _faults(contents: list[sent.Content]) -> Iterator[sent.Fault]:
    for n, content in enumerate(contents):
        if (content.role or "").lower() not in _ROLES:
            yield sent.Fault(n, -1, ROLE)
        if not content.listed:
            message = "* GenerateContentRequest.{at}.parts: contents.parts must not be empty."
            yield sent.Fault(n, -1, message)
        for at, part in enumerate(content.listed):
            if part.is_blank:
                message = (
                    "* GenerateContentRequest.{at}.data: required oneof field 'data' must have one initialized field"
                )
                yield sent.Fault(n, at, message)
            if (result := part.result) is not None and not result.name:
                yield sent.Fault(n, at, "* GenerateContentRequest.{at}.function_response.name: Name cannot be empty.")


def _text(content: sent.Content | None) -> str:
    return "" if content is None else "\n".join(part.text for part in content.listed if part.text is not None)


def _attached(blobs: Iterable[sent.Blob | None]) -> tuple[int, int]:
    """How many images, and how many other files."""
    given = [blob for blob in blobs if blob is not None]
    images = sum(blob.is_image for blob in given)
    return images, len(given) - images


def _media(content: sent.Content) -> Iterator[sent.Blob | None]:
    for part in content.listed:
        yield from (media.blob for media in (part.result.parts or () if part.result else ()))


def _results(content: sent.Content) -> tuple[ToolResult, ...]:
    return tuple(_result(part.result) for part in content.listed if part.result is not None)


def _result(given: sent.FunctionResponse) -> ToolResult:
    value, failed = _unwrapped(given.name or "", given.response)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return ToolResult(signature.known_id(given.id or "")[0], text, given.name or "", True if failed else None)


def _unwrapped(tool: str, response: Json) -> tuple[Json, bool]:
    """The result itself, which must be an object on the wire, and whether it is an error."""
    match response:
        case {"error": error, **rest} if error is not None and error is not False:
            return (response if rest else error), True
        # As Google's documentation and its SDK, and as LangChain and Vercel's SDK, pydantic-ai and they wrap it.
        case {"output": value, **rest} if not rest:
            return value, False
        case {"result": value, **rest} if not rest:
            return value, False
        case {"return_value": value, **rest} if not rest:
            return value, False
        case {"name": name, "content": value, **rest} if name == tool and not rest:
            return value, False
        case _:
            return response, False


# --- what the model said ----------------------------------------------------------------------------------------


def _of_model(contents: list[sent.Content], raw: bytes, faults: tuple[sent.Fault, ...]) -> sent.Heard:
    placed = [(n, at, part) for n, content in enumerate(contents) for at, part in enumerate(content.listed)]
    parts = [part for *_, part in placed]
    thoughts = [part.text or "" for part in parts if part.thought]
    text = "".join(part.text or "" for part in parts if not part.thought)
    calls, signed = _calls(parts, raw)
    answer, wrong = _signatures(placed, text)
    first = next((part for part in parts if part.call is not None), None)
    unsigned = first is not None and not first.signature and (signed or bool(thoughts))
    images, files = _attached(part.blob for part in parts)
    said = Message("assistant", text, calls, (), images, files, "".join(thoughts), answer)
    results = tuple(result for content in contents for result in _results(content))
    return sent.Heard(
        (said, Message("tool", results=results)) if results else (said,),
        contents=len(contents),
        unsigned=calls[0].tool if unsigned else "",
        faults=(*faults, *wrong),
    )


def _calls(parts: list[sent.Part], raw: bytes) -> tuple[tuple[ToolUse, ...], bool]:
    """The calls, and whether the first went out with a signature, as its id says."""
    given = [part.call for part in parts if part.call is not None]
    calls: list[ToolUse] = []
    signed = False
    for n, call in enumerate(given):
        arguments = msgspec.json.encode(call.args or {}).decode()
        id_, marked = signature.known_id(call.id or "")
        signed = signed or marked
        # An id is optional; what is made up for it is the same as long as the content is.
        made = id_ or f"call_{blake2b(raw, digest_size=4).hexdigest()}_{n}"
        calls.append(ToolUse(made, call.name or "", arguments))
    return tuple(calls), signed


def _signatures(placed: list[tuple[int, int, sent.Part]], text: str) -> tuple[str, list[sent.Fault]]:
    """The answer that the signatures name, and those that are not as they went out."""
    answer, wrong = "", []
    for n, at, part in placed:
        if not part.signature:
            continue
        call = part.call
        beside = (call.name or "", msgspec.json.encode(call.args or {}).decode()) if call is not None else None
        named, fault = signature.opened(part.signature, beside, text)
        answer = answer or named
        if fault:
            wrong.append(sent.Fault(n, at, f"{fault} ({{at}})"))
    return answer, wrong


# --- the turn ---------------------------------------------------------------------------------------------------


def _turn(provider: str, request: Request, body: sent.Envelope, heard: list[sent.Heard], tools: sent.Declared) -> Turn:
    of_path = path(request)
    generation = body.generationConfig or body.generation_config
    messages = tuple(_joined(heard))
    return Turn(
        provider,
        request,
        of_path[0],
        of_path[1] == "streamGenerateContent",
        _text(body.systemInstruction or body.system_instruction),
        messages,
        tools.tools,
        _params(body, generation),
        body.labels or {},
        None,
        (*_breaches(heard, messages, generation), *tools.faults),
        _asked(request, generation),
    )


def path(request: Request) -> tuple[str, str]:
    """The model and the action of ``/v1beta/models/MODEL:ACTION``; a tuned model is named with what it stands under."""
    _, _, kind, named = request.path.split("/", 3)
    name, _, action = named.rpartition(":")
    return (name if kind == "models" else f"{kind}/{name}"), action


def _joined(heard: list[sent.Heard]) -> Iterator[Message]:
    """The messages, results that follow each other as one and each with the id of its call."""
    calls: tuple[ToolUse, ...] = ()
    waiting: list[Message] = []
    for each in heard:
        for message in each.messages:
            if message.role == "tool":
                waiting.append(message)
                continue
            if waiting:
                yield _answered(waiting, calls)
                waiting = []
            if message.role == "assistant":
                calls = message.calls
            yield message
    if waiting:
        yield _answered(waiting, calls)


def _answered(messages: list[Message], calls: tuple[ToolUse, ...]) -> Message:
    results = [result for message in messages for result in message.results]
    if len(messages) == 1 and all(result.id for result in results):
        return messages[0]
    open_ = [call for call in calls if call.id not in {result.id for result in results}]
    named: list[ToolResult] = []
    for result in results:
        call = None if result.id else next((call for call in open_ if call.tool == result.tool), None)
        if call is not None:
            open_.remove(call)
        named.append(result if call is None else replace(result, id=call.id))
    images, files = sum(message.images for message in messages), sum(message.files for message in messages)
    return Message("tool", results=tuple(named), images=images, files=files)


# --- what else the body says ------------------------------------------------------------------------------------


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


_DECLARED: Final = Memo(_declared)
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


def _params(body: sent.Options, given: sent.Generation | None) -> dict[str, Json]:
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


def _asked(request: Request, generation: sent.Generation | None) -> sent.Asked:
    events = request.query.get("alt") == "sse"
    if generation is None:
        return _PLAIN if events else _ARRAY
    thinking = generation.thinkingConfig or generation.thinking_config or _NO_THINKING
    shown, budget = thinking.includeThoughts, _either(thinking.thinkingBudget, thinking.thinking_budget)
    candidates: int | None = _either(generation.candidateCount, generation.candidate_count)
    return sent.Asked(
        events, max(candidates or 1, 1), _either(shown, thinking.include_thoughts) is False or budget == 0
    )


# --- what Gemini refuses with a 400 although the body can be read -----------------------------------------------


def _breaches(heard: list[sent.Heard], messages: tuple[Message, ...], given: sent.Generation | None) -> Iterator[str]:
    if not heard:
        yield NO_CONTENTS
    content = 0
    asked = max((n for n, each in enumerate(heard) if each.asks), default=-1)
    for n, each in enumerate(heard):
        for fault in each.faults:
            at = f"contents[{content + fault.content}]"
            yield fault.message.format(at=at if fault.part < 0 else f"{at}.parts[{fault.part}]")
        # Signatures of turns that are over are not asked for.
        if each.unsigned and n > asked:
            yield signature.missing(each.unsigned, content + 1)
        content += each.contents
    yield from dict.fromkeys(_order(messages))
    yield from _bounds(given) if given is not None else ()


def _order(messages: tuple[Message, ...]) -> Iterator[str]:
    """What Gemini says of calls and results before it looks any closer; it names none of them."""
    before: Message | None = None
    for message in messages:
        called = len(before.calls) if before is not None else 0
        if message.role == "tool" and not called:
            yield STRAY
        elif called and len(message.results) != called:
            yield COUNT
        if before is None and message.calls:
            yield ORDER
        before = message


def _bounds(given: sent.Generation) -> Iterator[str]:
    where = "* GenerateContentRequest.generation_config"
    if given.temperature is not None and not 0 <= given.temperature <= 2:
        yield f"{where}.temperature: temperature must be in the range [0.0, 2.0]."
    candidates: int | None = _either(given.candidateCount, given.candidate_count)
    if candidates is not None and not 1 <= candidates <= 8:
        yield f"{where}.candidate_count: candidate_count must be in the range [1, 8]."
    if len(given.stopSequences or given.stop_sequences or ()) > 5:
        yield f"{where}.stop_sequences: stop_sequences must not have more than 5 items."
