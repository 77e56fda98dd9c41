"""Gemini as the official `google-genai` SDK sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypedDict

from google import genai
from google.genai import types
from judging import NO_TLS, TOOLS, Called, Heard, Judge, Parsed, Used, strictly

from llmposter.wire.finishes import meaning

MODEL = "gemini-3-flash-preview"
DECLARED = [
    {"functionDeclarations": [{"name": name, "parametersJsonSchema": parameters} for name, parameters in TOOLS.items()]}
]
SIGNED = re.compile(r"(?<=\Acall_[0-9a-f]{24})s\Z")
"""What the id of a signed call has at its end, and a scenario never sees."""
THINKING = {"thinkingConfig": {"includeThoughts": True}}


class GeminiAgent:
    """Keeps the history by itself, every chunk of a stream a content of its own, as the SDK's own chats do."""

    def __init__(self, url: str, *, stream: bool, retries: int, system: str) -> None:
        waits = {"initial_delay": 0.01, "jitter": 0}
        options = {
            "base_url": url,
            "retry_options": {"attempts": retries + 1, **waits},
            "client_args": {"verify": NO_TLS},
            "async_client_args": {"verify": NO_TLS, "ssl": NO_TLS},
        }
        self.client = genai.Client(api_key="any", http_options=types.HttpOptions.model_validate(options))
        self.stream = stream
        self.config: dict[str, Any] = {
            "tools": DECLARED,
            "automatic_function_calling": {"disable": True},
            **THINKING,
            **({"system_instruction": system} if system else {}),
        }
        self.contents: list[Any] = []

    def say(self, text: str) -> Heard:
        self.contents.append(types.UserContent(text))
        return self._ask()

    def result(self, *results: tuple[Called, str]) -> Heard:
        parts = [
            types.FunctionResponse(id=call.id, name=call.tool, response={"output": content})
            for call, content in results
        ]
        self.contents.append(types.UserContent([types.Part(function_response=part) for part in parts]))
        return self._ask()

    def again(self) -> Heard:
        while self.contents[-1].role == "model":
            self.contents.pop()
        return self._ask()

    def parsed(self, text: str, kind: type[Parsed]) -> Parsed:
        self.contents.append(types.UserContent(text))
        wanted = {**self.config, "response_mime_type": "application/json", "response_schema": kind}
        answers = self._answers(wanted)
        # What the SDK parses, it parses of a whole answer.
        found = answers[0].parsed if not self.stream else kind.model_validate_json(joined(answers).texts[0])
        assert isinstance(found, kind)
        return found

    def close(self) -> None:
        self.client.close()

    def _ask(self) -> Heard:
        return joined(self._answers(self.config))

    def _answers(self, config: Mapping[str, Any]) -> list[types.GenerateContentResponse]:
        asked: dict[str, Any] = {"model": MODEL, "contents": self.contents, "config": config}
        if self.stream:
            answers = list(self.client.models.generate_content_stream(**asked))
        else:
            answers = [self.client.models.generate_content(**asked)]
        self.contents += [content for answer in answers if (content := _content(answer)) is not None] or [
            # What was blocked has no content; so that roles alternate, what the user was shown takes its place.
            types.ModelContent(joined(answers).refusal or "")
        ]
        return answers


def _content(answer: types.GenerateContentResponse) -> types.Content | None:
    return answer.candidates[0].content if answer.candidates else None


def joined(answers: Iterable[types.GenerateContentResponse]) -> Heard:
    """The answers put together, as the SDK's users do it: it has no accumulation of its own."""
    texts, thinking, calls, refusal, raw, usage = "", "", [], None, "", None
    for answer in answers:
        usage = answer.usage_metadata or usage
        if answer.prompt_feedback is not None:
            refusal, raw = answer.prompt_feedback.block_reason_message, answer.prompt_feedback.block_reason.value
        for candidate in answer.candidates or ():
            assert candidate.index == 0
            raw = candidate.finish_reason.value if candidate.finish_reason else raw
        content = _content(answer)
        for part in (content.parts if content is not None else None) or ():
            if part.function_call is not None:
                arguments = json.dumps(part.function_call.args, ensure_ascii=False, separators=(",", ":"))
                calls.append(Called(SIGNED.sub("", part.function_call.id), part.function_call.name, arguments))
            elif part.thought:
                thinking += part.text
            else:
                texts += part.text
    finish = "tool_calls" if calls and raw == "STOP" else meaning(raw) or raw
    return Heard((texts,) if texts else (), thinking, tuple(calls), refusal, finish, raw, _used(usage))


def _used(usage: types.GenerateContentResponseUsageMetadata) -> Used:
    thoughts = usage.thoughts_token_count or 0
    assert usage.total_token_count == usage.prompt_token_count + (usage.candidates_token_count or 0) + thoughts
    return Used(
        usage.prompt_token_count,
        (usage.candidates_token_count or 0) + thoughts,
        usage.cached_content_token_count or 0,
        thoughts,
    )


class Body(TypedDict, total=False):
    """A request, which the SDK has no type for."""

    contents: list[types.Content]
    systemInstruction: types.Content
    tools: list[types.Tool]
    toolConfig: types.ToolConfig
    generationConfig: types.GenerationConfig
    safetySettings: list[types.SafetySetting]
    cachedContent: str


class GeminiJudge(Judge):
    wire = "gemini"
    body, history = Body, ("contents", types.Content)
    words = tuple(each.value for each in types.FinishReason)[1:]

    def request(self, *, stream: bool) -> tuple[str, dict[str, str], bytes]:
        body = {
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "tools": DECLARED,
            "generationConfig": THINKING,
        }
        action = "streamGenerateContent?alt=sse" if stream else "generateContent"
        headers = {"content-type": "application/json", "x-goog-api-key": "any"}
        return f"/v1beta/models/{MODEL}:{action}", headers, json.dumps(body).encode()

    def whole(self, body: bytes) -> Heard:
        return joined([_strictly(body)])

    def streamed(self, body: bytes) -> Heard:
        return joined(map(_strictly, _events(body)))

    def failed(self, status: int, headers: Mapping[str, str], body: bytes) -> str:
        assert headers["content-type"].startswith("application/")
        (error,) = json.loads(body).values()
        assert (status, str, str) == (error["code"], type(error["message"]), type(error["status"]))
        assert error.keys() <= {"code", "message", "status", "details"}
        assert all(detail["@type"].startswith("type.googleapis.com/google.rpc.") for detail in error.get("details", ()))
        return ("ClientError" if status < 500 else "ServerError") if status < 600 else "APIError"

    def agent(self, url: str, *, stream: bool, retries: int = 2, system: str = "") -> GeminiAgent:
        return GeminiAgent(url, stream=stream, retries=retries, system=system)

    def within(self, said: Heard) -> Heard:
        """Texts are lines of one; calls end with STOP; what is blocked is not answered, and costs no output."""
        if said.refusal is not None:
            used = said.used and said.used._replace(output=0, reasoning=0)
            return said._replace(texts=(), thinking="", calls=(), finish="content_filter", used=used)
        texts = ("\n".join(said.texts),) if said.texts else ()
        calls = tuple(call._replace(arguments=call.arguments or "{}") for call in said.calls)
        finish = said.finish
        if finish in ("stop", "pause", "tool_calls"):
            finish = "tool_calls" if calls else "stop"
        if not all(map(_is_object, calls)):
            calls, finish = (), "MALFORMED_FUNCTION_CALL"
        return said._replace(texts=texts, calls=calls, finish=finish)


def _is_object(call: Called) -> bool:
    try:
        return isinstance(json.loads(call.arguments), dict)
    except ValueError:
        return False


def _strictly(data: bytes) -> types.GenerateContentResponse:
    found = strictly(types.GenerateContentResponse, data)
    # The models let some fields through that they then drop; what is sent has to be all there.
    shown = json.loads(found.model_dump_json(by_alias=True, exclude_none=True))
    assert _plain(json.loads(data)) == _plain(shown)
    return found


def _plain(value: Any) -> Any:
    """Bytes are read in either alphabet of base64, and written in the other."""
    match value:
        case {"thoughtSignature": str(signature), **rest}:
            return {"thoughtSignature": signature.replace("+", "-").replace("/", "_"), **_plain(rest)}
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case _:
            return value


def _events(body: bytes) -> Iterator[bytes]:
    """The answers in server-sent events, or in a JSON array."""
    if body.startswith(b"["):
        yield from (json.dumps(each).encode() for each in json.loads(body))
        return
    for event in body.split(b"\r\n\r\n")[:-1]:
        assert event.startswith(b"data: ")
        yield event.removeprefix(b"data: ")


JUDGE = GeminiJudge()
