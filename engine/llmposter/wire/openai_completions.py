"""OpenAI's old text completions: ``POST /v1/completions``, whole and streamed, with the prompt as the user's text.

It is spoken under the name of OpenAI Chat, so that a scenario answers both. It has no tool calls and no reasoning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from llmposter.model import (
    BadRequest,
    Delta,
    Frame,
    Message,
    Refusal,
    Response,
    Route,
    Started,
    Struct,
    Text,
    Turn,
)
from llmposter.wire import sse
from llmposter.wire.finishes import meaning
from llmposter.wire.headers import retries
from llmposter.wire.openai_inputs import Input, each
from llmposter.wire.openai_wire import OpenAIWire, answered
from llmposter.wire.openai_wording import NO_MODEL, NOT_JSON, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.model import Json, Piece, Reply, Request, Rule, Wire

_OWN: Final = frozenset(("stop", "length", "content_filter"))
_CHUNK: Final = b'{"id":%b,"object":"text_completion","created":%d,"model":%b,"choices":['
_CHOICE: Final = b'{"text":%b,"index":%d,"logprobs":null,"finish_reason":%b}'
_USAGE: Final = b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}'
_DONE: Final = Frame(sse.event(b"[DONE]"), None, ("end",))


class StreamOptions(Struct, frozen=True):
    include_usage: bool | None = None


class Body(Struct, frozen=True, kw_only=True):
    """What is read of a request."""

    model: str
    prompt: Input | None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=128)] | None = None
    best_of: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    echo: bool | None = None
    suffix: str | None = None
    logprobs: Annotated[int, msgspec.Meta(ge=0, le=5)] | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=0)] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    metadata: dict[str, Any] | None = None


class Asked(Struct, frozen=True):
    """What the answer's form depends on.

    Attributes:
        echoes: what stands before the answer in each choice; there are as many choices.
        usage: whether the stream ends with the token counts.
    """

    echoes: tuple[str, ...] = ("",)
    usage: bool = False


_DECODER: Final = msgspec.json.Decoder(Body)


class Completions(OpenAIWire):
    """The wire."""

    name = "openai"
    routes: tuple[Route, ...] = (Route("POST", "/v1/completions"),)

    def read(self, request: Request) -> Turn | BadRequest:
        try:
            body = _DECODER.decode(request.body.decode("utf-8"))
        except msgspec.ValidationError as error:
            return refusal(str(error), {}, request.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return NOT_JSON
        if not body.model:
            return NO_MODEL
        prompts = each("prompt", body.prompt or "")
        if isinstance(prompts, BadRequest):
            return prompts
        texts = [one.text for one in prompts]
        return Turn(
            self.name,
            request,
            body.model,
            bool(body.stream),
            "",
            (Message("user", "\n".join(texts)),),
            params=_params(body),
            metadata=body.metadata or {},
            retry=retries(request),
            breaches=tuple(_breaches(body)),
            extra=_asked(body, texts),
        )

    def whole(self, turn: Turn, reply: Reply) -> Response:
        asked, said = _asked_of(turn), _said(reply)
        finish = sse.encode(_finish(reply))
        choices = [_CHOICE % (sse.encode(before + said), n, finish) for n, before in enumerate(asked.echoes)]
        body = _start(reply) + b",".join(choices) + b'],"usage":%b}' % _usage(reply)
        return answered(reply, body)

    def stream(self, turn: Turn, reply: Reply, pieces: Iterable[Piece]) -> Iterator[Frame]:
        asked, start = _asked_of(turn), b"data: " + _start(reply)
        end = (b'],"usage":null}' if asked.usage else b"]}") + b"\n\n"

        def chunk(text: str, n: int, piece: Piece | None = None, finish: bytes = b"") -> Frame:
            choice = _CHOICE % (sse.encode(text), n, finish or b"null")
            return Frame(b"%b%b%b" % (start, choice, end), piece, ("finish",) if finish else ())

        choices = range(len(asked.echoes))
        yield from (chunk(before, n) for n, before in enumerate(asked.echoes) if before)
        for piece, text in _spoken(pieces):
            yield from (chunk(text, n, piece) for n in choices)
        finish = sse.encode(_finish(reply))
        yield from (chunk("", n, finish=finish) for n in choices)
        if asked.usage:
            yield Frame(b'%b],"usage":%b}\n\n' % (start, _usage(reply)), None, ("usage",))
        yield _DONE

    def cannot(self, rule: Rule) -> Iterable[str]:  # noqa: ARG002 - the protocol's
        # Nobody writes a scenario for it alone, and what it leaves out the page on it tells.
        return ()


def _params(body: Body) -> dict[str, Json]:
    params = {
        "temperature": body.temperature,
        "top_p": body.top_p,
        "max_tokens": body.max_tokens,
        "stop": body.stop,
        "seed": body.seed,
        "n": body.n,
    }
    return {name: value for name, value in params.items() if value is not None}


def _breaches(body: Body) -> Iterator[str]:
    """What OpenAI refuses with a 400 although the body can be read."""
    if body.stream_options is not None and not body.stream:
        yield "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    if body.best_of is not None and body.best_of < (body.n or 1):
        yield (
            "You requested that the server return more choices than it will generate "
            f"(HINT: you must set 'n' (currently {body.n or 1}) to be at most 'best_of' (currently {body.best_of}), "
            "or omit either parameter if you don't specifically want to use them.)"
        )
    if body.stream and (body.best_of or 1) > (body.n or 1):
        yield "Results of 'best_of' cannot be streamed."
    if isinstance(body.stop, list) and len(body.stop) > 4:
        yield f"Invalid 'stop': array too long. Expected an array with maximum length 4, but got {len(body.stop)}."


def _asked(body: Body, prompts: list[str]) -> Asked:
    echoes = [prompt if body.echo else "" for prompt in prompts for _ in range(body.n or 1)]
    return Asked(tuple(echoes), bool(body.stream_options and body.stream_options.include_usage))


def _asked_of(turn: Turn) -> Asked:
    # A turn that was made by hand has nothing that only this wire knows.
    return turn.extra if isinstance(turn.extra, Asked) else Asked()


def _start(reply: Reply) -> bytes:
    return _CHUNK % (sse.encode(f"cmpl-{reply.id}"), reply.created, sse.encode(reply.model))


def _said(reply: Reply) -> str:
    """Texts and refusals, those that follow each other on lines of their own."""
    return "\n".join(part.text for part in reply.parts if isinstance(part, Text | Refusal))


def _spoken(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, str]]:
    """The same, piece by piece."""
    texts = 0
    for piece in pieces:
        match piece:
            case Started(part=Text() | Refusal()):
                if texts:
                    yield piece, "\n"
                texts += 1
            case Delta(part=Text() | Refusal(), text=text):
                yield piece, text


def _finish(reply: Reply) -> str:
    if reply.finish in _OWN:
        return reply.finish
    means = meaning(reply.finish)
    return reply.finish if means is None else means if means in _OWN else "stop"


def _usage(reply: Reply) -> bytes:
    used = reply.tokens
    return _USAGE % (used.input, used.output, used.input + used.output)


DIALECT: Final[Wire] = Completions()
