"""What the contents of a request to Gemini say: each a pure function of its bytes, so that what was read is remembered.

Contents of the model that follow each other are read as one: Google's own SDK keeps each chunk of a stream as a content
of its own.
"""

from __future__ import annotations

from hashlib import blake2b
from operator import and_, attrgetter
from typing import TYPE_CHECKING, Final

import msgspec

from llmposter.model import Message, ToolResult, ToolUse
from llmposter.wire import gemini_body as sent
from llmposter.wire import gemini_signature as signature
from llmposter.wire.memo import Memo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.model import Json

_CONTENTS: Final = msgspec.json.Decoder(list[sent.Content], strict=False)
_OF_MODEL: Final = attrgetter("of_model")
_ROLES: Final = {"": "user", "user": "user", "function": "user", "model": "model"}
_MOST_BEGINNINGS: Final = 20
"""Parts that may stand before an answer in one message, so that no history takes long to look through."""
_WRAPPERS: Final = ("output", "result", "return_value")
"""As Google's reference and LangChain name it, Google's SDKs, and pydantic-ai; Vercel's SDK has two members."""

_ROLE: Final = "Please use a valid role: user, model."
_NO_PARTS: Final = "* GenerateContentRequest.{at}.parts: contents.parts must not be empty."
_NO_DATA: Final = "* GenerateContentRequest.{at}.data: required oneof field 'data' must have one initialized field"
_NO_NAME: Final = "* GenerateContentRequest.{at}.function_response.name: Name cannot be empty."
_NO_STRUCT: Final = "Invalid value at '{at}.function_response.response' (type.googleapis.com/google.protobuf.Struct)"


def heard_of(raws: list[bytes]) -> list[sent.Heard]:
    """The contents as they were heard, neighbours of the model together."""
    single = [_heard(raws[0])] if len(raws) == 1 else _MEMO.all(raws)
    models = list(map(_OF_MODEL, single))
    if not any(map(and_, models, models[1:])):
        return single
    heard: list[sent.Heard] = []
    begin = 0
    while begin < len(single):
        end = begin + 1
        while models[begin] and end < len(single) and models[end]:
            end += 1
        heard.append(single[begin] if end == begin + 1 else _MEMO.get(b",".join(raws[begin:end])))
        begin = end
    return heard


def _heard(raw: bytes) -> sent.Heard:
    contents = _CONTENTS.decode(b"[%b]" % raw)
    if (text := _plain_text(contents)) is not None:
        return sent.Heard((Message("user", text),), asks=True, is_plain=True)
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
    return sent.Heard(tuple(messages), asks, faults=faults, is_plain=not (faults or results))


_MEMO: Final = Memo(_heard)
"""Of contents in histories: each comes again with every request that goes on from there."""


def _plain_text(contents: list[sent.Content]) -> str | None:
    """What a user says who says nothing but one text, as most do."""
    parts = contents[0].parts
    if contents[0].role != "user" or not isinstance(parts, list) or len(parts) != 1:
        return None
    text = parts[0].text
    return text if parts[0] == sent.Part(text=text) else None


def _role(content: sent.Content) -> str:
    return _ROLES.get((content.role or "").lower(), "user")


def _faults(contents: list[sent.Content]) -> Iterator[sent.Fault]:
    for n, content in enumerate(contents):
        if (content.role or "").lower() not in _ROLES:
            yield sent.Fault(n, -1, _ROLE)
        if not content.listed:
            yield sent.Fault(n, -1, _NO_PARTS)
        for at, part in enumerate(content.listed):
            if part.is_blank:
                yield sent.Fault(n, at, _NO_DATA)
            if (result := part.result) is not None and not result.name:
                yield sent.Fault(n, at, _NO_NAME)
            if result is not None and not isinstance(result.response, dict | None):
                yield sent.Fault(n, at, _NO_STRUCT)


def text_of(content: sent.Content | None) -> str:
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
    """The result itself, which has to be wrapped in an object on the wire, and whether it is an error."""
    match response:
        case None:
            return "", False
        case {"error": error, **rest} if error is not None and error is not False:
            return (response if rest else error), True
        case {"name": name, "content": value} if name == tool and len(response) == 2:
            return value, False
        case dict() if len(response) == 1 and (key := next(iter(response))) in _WRAPPERS:
            return response[key], False
        case _:
            return response, False


# --- what the model said ----------------------------------------------------------------------------------------


def _of_model(contents: list[sent.Content], raw: bytes, faults: tuple[sent.Fault, ...]) -> sent.Heard:
    placed = [(n, at, part) for n, content in enumerate(contents) for at, part in enumerate(content.listed)]
    parts = [part for *_, part in placed]
    thoughts = [part.text or "" for part in parts if part.thought]
    text = "".join(part.text or "" for part in parts if not part.thought)
    calls, signed = _calls(parts, raw)
    answer, wrong = _signatures(placed)
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
        of_model=True,
        is_plain=not (faults or wrong or unsigned or calls),
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


def _signatures(placed: list[tuple[int, int, sent.Part]]) -> tuple[str, list[sent.Fault]]:
    """The answer that the signatures name, and those that are not as they went out."""
    answer, wrong = "", []
    texts = [part.text or "" for *_, part in placed if not part.thought]
    known = set()
    for n, at, part in placed:
        # Some clients put the signature of the first call beside every call.
        if not part.signature or part.signature in known:
            continue
        known.add(part.signature)
        if (call := part.call) is not None:
            beside = iter((signature.called(call.name or "", msgspec.json.encode(call.args or {}).decode()),))
        else:
            # What a client put into the model's mouth stands before an answer, and is no part of what it signed.
            beside = (signature.said(texts[begin:]) for begin in range(min(len(texts), _MOST_BEGINNINGS) or 1))
        named, fault = signature.opened(part.signature, beside)
        answer = answer or named
        if fault:
            wrong.append(sent.Fault(n, at, f"{fault} ({{at}})"))
    return answer, wrong
