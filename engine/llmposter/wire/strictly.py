"""What the Rust program wanted of a request and real providers do not, in its words; asked where fixtures are served.

It looks at a body before the provider's own reader does. What would refuse an agent that a real provider answers (a
history of several tool calls, a picture without text, several prompts) is let through: docs/from-llmposter.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from llmposter.model import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llmposter.model import Json, Request

Told: TypeAlias = str | None
"""What is wrong, or None."""

_MODEL: Final = "Missing or empty 'model' field in request"
_NO_TEXT: Final = "User message has no text content (image-only or unsupported)"
_NO_JSON: Final = "Invalid JSON in request body"
_BLANK: Final = "User message has blank text content"
_OF_A_MODEL: Final = re.compile(r"/v1(?:beta|alpha)?/(?:models|tunedModels)/(?P<named>[^/]+)")
_NAME: Final = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9._-]+", re.DOTALL)
_GENERATE: Final = ("generateContent", "streamGenerateContent")
_OTHERS: Final = ("countTokens", "embedContent", "batchEmbedContents", "predict")
"""What a model can be asked besides, which the Rust program did not know."""


def refused(request: Request) -> BadRequest | None:
    """The 400 that the Rust program has for a request; None where it takes it, or has no such path."""
    if request.method != "POST":
        return None
    told, check = None, _CHECKS.get(request.path)
    if check is not None:
        told = _told(request.body, check)
    elif (asked := _OF_A_MODEL.fullmatch(request.path)) is not None:
        told = _of_a_model(asked["named"], request.body)
    return None if told is None else BadRequest(told)


def _told(data: bytes, check: Callable[[Json], Told]) -> Told:
    body = _parsed(data)
    if body is None:
        return "Invalid JSON" if check is _embeddings else _NO_JSON
    told = check(body)
    if told is None and isinstance(body, dict) and not isinstance(body.get("stream", False), bool):
        told = '"stream" must be a boolean'
    return told


def _parsed(data: bytes) -> Json:
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _get(body: Json, name: str) -> Json:
    return body.get(name) if isinstance(body, dict) else None


def _modelled(body: Json) -> bool:
    model = _get(body, "model")
    return isinstance(model, str) and bool(model.strip())


# --- OpenAI ---------------------------------------------------------------------------------------------------------


def _chat(body: Json) -> Told:
    if not _modelled(body):
        return _MODEL
    messages = _get(body, "messages")
    if not isinstance(messages, list):
        return "Missing 'messages' array in request"
    message = next((each for each in reversed(messages) if _get(each, "role") == "user"), None)
    if message is None:
        return "No user message found in request"
    if "content" not in message:
        return "Message has no 'content' field"
    match message["content"]:
        case str() as text:
            return None if text.strip() else _BLANK
        case list() as parts:
            return _parts(parts, "text")
        case _:
            return "Message content is neither string nor array"


def _parts(parts: list[Json], kind: str, none: str = _NO_TEXT, blank: str = _BLANK) -> Told:
    """What is wrong with the parts of a message; a picture or a file may stand without text."""
    texts = [each.get("text") for each in parts if _get(each, "type") == kind]
    if any(isinstance(text, str) and text.strip() for text in texts) or len(texts) < len(parts):
        return None
    return blank if texts else none


def _responses(body: Json) -> Told:
    if not _modelled(body):
        return _MODEL
    given = _get(body, "input")
    match given:
        case str() if not given.strip():
            return "blank `input` string"
        case str():
            return None
        case list():
            message = next((each for each in reversed(given) if _get(each, "role") == "user"), None)
            return None if message is None else _of_responses(message)
        case None if "input" not in body:
            return None
        case _:
            return "invalid `input` field: expected string or array"


def _of_responses(message: Any) -> Told:
    if "content" not in message:
        return "User message missing 'content'"
    match message["content"]:
        case str():
            return None
        case list() as parts:
            none = "No text content in user message"
            return _parts(parts, "input_text", none, none)
        case _:
            return "Unrecognized content format in user message"


def _completions(body: Json) -> Told:
    if not _modelled(body):
        return _MODEL
    prompt = _get(body, "prompt")
    said = prompt.strip() if isinstance(prompt, str) else isinstance(prompt, list) and prompt
    return None if said else "Missing or empty 'prompt' field in request"


def _embeddings(body: Json) -> Told:
    if not _modelled(body):
        return "Missing or empty 'model' field"
    match _get(body, "input"):
        case str():
            return None
        case list() as inputs if all(isinstance(each, str) for each in inputs):
            return None
        case list():
            return "'input' array must contain strings (token-ID arrays not supported)"
        case _:
            return "Missing or invalid 'input' field"


# --- Anthropic ------------------------------------------------------------------------------------------------------


def _messages(body: Json) -> Told:
    model, most, messages = _get(body, "model"), _get(body, "max_tokens"), _get(body, "messages")
    if not isinstance(model, str) or not model:
        return _MODEL
    if not isinstance(most, int) or isinstance(most, bool) or most <= 0:
        return "missing or invalid 'max_tokens': must be a positive integer"
    if not isinstance(messages, list):
        return "missing messages array"
    for message in reversed(messages):
        if _get(message, "role") == "user":
            if _answers_calls(_get(message, "content")):
                continue
            return _of_anthropic(message)
    return "No user message with text content found in 'messages'"


def _answers_calls(content: Json) -> bool:
    """A turn that brings results and says nothing: any number of them, for a tool loop has as many."""
    blocks = content if isinstance(content, list) else []
    return any(_get(each, "type") == "tool_result" for each in blocks) and not any(_texts(blocks))


def _texts(blocks: list[Json]) -> Iterator[str]:
    return (each["text"] for each in blocks if _get(each, "type") == "text" and isinstance(each.get("text"), str))


def _of_anthropic(message: Any) -> Told:
    if "content" not in message:
        return "User message has no content field"
    match message["content"]:
        case str() as text:
            return None if text.strip() else _BLANK
        case list() as blocks:
            return _parts(blocks, "text")
        case _:
            return "User message has unrecognized content format"


# --- Gemini ---------------------------------------------------------------------------------------------------------


def _of_a_model(named: str, data: bytes) -> Told:
    model, colon, action = named.rpartition(":")
    if not colon:
        return "Invalid path: expected {model}:{action}"
    if action in _OTHERS:
        return None
    if not _NAME.fullmatch(model):
        only = "must contain at least one ASCII alphanumeric character and only '.', '-', '_' as separators"
        return f"Invalid model name: {only}"
    if action not in _GENERATE:
        return f"Unknown action '{action}': expected {' or '.join(_GENERATE)}"
    body = _parsed(data)
    return _NO_JSON if body is None else _contents(body)


def _contents(body: Json) -> Told:
    contents = _get(body, "contents")
    if not isinstance(contents, list):
        return "Missing or invalid 'contents' field"
    for content in reversed(contents):
        if isinstance(content, dict) and content.get("role", "user") == "user":
            given = content.get("parts")
            parts = given if isinstance(given, list) else []
            texts = [each["text"] for each in parts if isinstance(_get(each, "text"), str)]
            if any(text.strip() for text in texts) or _shows(parts):
                return None
            if not any(_get(each, "functionResponse") for each in parts):
                return "Latest user message has no text content (image-only or unsupported)"
    return "No user message with text content found in 'contents'"


def _shows(parts: list[Json]) -> bool:
    """A picture or a file."""
    return any(_get(each, name) for each in parts for name in ("inlineData", "inline_data", "fileData", "file_data"))


_CHECKS: Final[dict[str, Callable[[Json], Told]]] = {
    "/v1/chat/completions": _chat,
    "/v1/completions": _completions,
    "/v1/embeddings": _embeddings,
    "/v1/messages": _messages,
    "/v1/responses": _responses,
}
