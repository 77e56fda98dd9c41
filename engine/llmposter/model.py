"""The nouns of the engine: what was asked, what to answer, and how a provider's side speaks them.

Below `core` and `wire`, above `dsl`; nothing here knows the name of a provider's field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

import msgspec

from llmposter_dsl.program import Rule as Rule  # noqa: PLC0414 - wires take it from here

if TYPE_CHECKING:
    from llmposter.access import Access, Presented

Json: TypeAlias = Any
Role: TypeAlias = Literal["system", "user", "assistant", "tool"]


class Struct(msgspec.Struct, frozen=True):
    """A value: never changed once made."""


# --- what was asked ---------------------------------------------------------------------------------------------


class Connection:
    """A client's TCP connection, as far as telling clients apart needs it. The transport closes it.

    Attributes:
        used: a conversation has been asked on it.
    """

    __slots__ = ("number", "open", "used")

    def __init__(self, number: int) -> None:
        self.number = number
        self.open = True
        self.used = False


class Request(Struct, frozen=True):
    """One HTTP request as it came, its session prefix taken off the path.

    Attributes:
        path: decoded, without `/@ID` and query; as a route has it, whatever base URL the client had.
        query: decoded, the last of equal names.
        headers: names in lower case, repeated ones joined with ``, ``.
        session: of the path or of `x-llmposter-session`; "" for none.
        asked: the path as it came, where that is another one.
        credential: by which it was let in; None where requests need none.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    connection: Connection
    session: str = ""
    asked: str = ""
    credential: Presented | None = None


class ToolUse(Struct, frozen=True):
    """A tool call in a history. `arguments` is the JSON text as the client sent it."""

    id: str
    tool: str
    arguments: str


class ToolResult(Struct, frozen=True):
    """A tool's result in a history. `error` is None where the format has no flag for it."""

    id: str
    text: str
    tool: str = ""
    error: bool | None = None


class Message(Struct, frozen=True, dict=True):
    """One message of a history.

    A wire gives role ``tool`` to a message of results, and splits one that has results and text into both;
    consecutive results are one message, so that a history looks the same whatever API carried it.

    Attributes:
        text: text parts joined with LF; for an assistant also its refusal.
        images, files: attachments of this message.
        thinking: reasoning echoed by the client; no part of the fingerprint.
        answer: `Reply.id` of the answer that this is, where the client echoes ids or signatures that tell it (of the
            Responses API's items, of reasoning); "" where it does not. No part of the fingerprint.

    What follows from it alone, its digest and its tokens, is kept in its `__dict__`, which is no part of its value.
    """

    role: Role
    text: str = ""
    calls: tuple[ToolUse, ...] = ()
    results: tuple[ToolResult, ...] = ()
    images: int = 0
    files: int = 0
    thinking: str = ""
    answer: str = ""


class Tool(Struct, frozen=True, dict=True):
    """A tool that the request declares; `parameters` is its JSON Schema, or None. Its tokens are kept beside it."""

    name: str
    parameters: Json = None


class BadRequest(Struct, frozen=True):
    """A body that is no request of this provider; `message` is as the provider would say it."""

    message: str
    param: str | None = None
    code: str | None = None
    status: int = 400


class Unpaired(Struct, frozen=True):
    """A call of a history without its result, or a result without its call.

    Attributes:
        kind: ``unanswered``: a call has no result; ``stray``: a result answers no call of the answer before it;
            ``repeated``: a call has another result already.
        sentence: it, in words for the client's author.
        message: the index in `Turn.messages` of the message that has it. at: the place of the result there.
        id: of the call. ids: of all calls of that message that have no result.
        refusal: what the provider says of it.
    """

    kind: Literal["unanswered", "stray", "repeated"]
    sentence: str
    message: int
    at: int
    id: str
    ids: tuple[str, ...] = ()
    refusal: BadRequest | None = None


Breach: TypeAlias = str | BadRequest | Unpaired
"""What the client broke of the protocol: the sentence, with all that the provider says of it where it says more."""


class Reference(Struct, frozen=True):
    """A message of a history that is only named: at `index`, the answer of this `Reply.id`.

    `lost` is what the provider says where it does not hold that answer.
    """

    index: int
    answer: str
    lost: BadRequest


class Turn(Struct, frozen=True):
    """One request in no provider's words.

    Attributes:
        system: system prompt, developer messages and instructions joined with LF.
        messages: the rest, in order.
        params: under the names of the language: `temperature`, `top_p`, `max_tokens`, `stop`, `seed`, `n`,
            `reasoning`, `response_format`, `tool_choice`; only those that were sent.
        retry: the SDK's own retry count, None where it sends none.
        breaches: what the body itself breaks of the provider's protocol (a missing field, a wrong role order), told
            by the wire; findings on calls and results are `core.conformance`'s.
        extra: what the wire needs again to answer; nobody else looks at it.
        previous: `Reply.id` of the answer that this request goes on from without its history, or the id as it was
            sent where the wire never made such a one; "" for none.
        thread: id of the conversation object that holds the history, on the provider's side; "" for none.
        keep: the client may come back to the answer by its id, for its history or for the answer itself.
        references: the messages that are only named, first to last.
        lost: what the provider says where it does not hold `previous` or `thread`: a breach, or a failure that is the
            answer, where clients go on from that.
        carried: the part of `system` that stays in the history: all but what holds for this request alone.
        inherits: it declares no tools of its own: those of the answer that it goes on from are meant.
        echoes: the client sends back what names an answer (`Message.answer`).
        continues: where the last message is the assistant's, the answer goes on from it and is one message with it.
    """

    provider: str
    request: Request
    model: str
    stream: bool
    system: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    params: Mapping[str, Json] = {}
    metadata: Mapping[str, Json] = {}
    retry: int | None = None
    breaches: tuple[Breach, ...] = ()
    extra: Any = None
    previous: str = ""
    thread: str = ""
    keep: bool = False
    references: tuple[Reference, ...] = ()
    lost: BadRequest | Failure | None = None
    carried: str = ""
    inherits: bool = False
    echoes: bool = False
    continues: bool = False


# --- what to answer ---------------------------------------------------------------------------------------------


# What is said and spoken holds no cycles; streams hold so much of it that looking for some would delay their chunks.


class Text(Struct, frozen=True, gc=False):
    """Text of the assistant; `structured` where it is JSON that the scenario gave as data."""

    text: str
    structured: bool = False


class Thinking(Struct, frozen=True, gc=False):
    """Reasoning before the answer. What a client must echo with it, its wire makes of it and of `Reply.id`."""

    text: str


class ToolCall(Struct, frozen=True, gc=False):
    """A tool call; `arguments` is JSON text, or what the author gave in its place."""

    id: str
    tool: str
    arguments: str


class Refusal(Struct, frozen=True, gc=False):
    """The provider's own form of refusal."""

    text: str


Part: TypeAlias = Text | Thinking | ToolCall | Refusal


class Tokens(Struct, frozen=True):
    """Token counts of one answer. `output` includes `reasoning`; `input` includes `cached`."""

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0


class Reply(Struct, frozen=True):
    """What the assistant says.

    Attributes:
        id: stable for the same answer; a wire puts its own prefix before it.
        created: Unix time in seconds.
        finish: ``stop``, ``length``, ``tool_calls``, ``content_filter``, ``pause`` or a provider's own word.
    """

    id: str
    created: int
    model: str
    parts: tuple[Part, ...]
    finish: str
    tokens: Tokens
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> int:
        """How many characters are said."""
        return sum([len(part.arguments if isinstance(part, ToolCall) else part.text) for part in self.parts])


SHORT: Final = 4096
"""Characters of a reply whose forms are remembered once they were made; most are said again and again."""


class Failure(Struct, frozen=True):
    """A provider's HTTP error: by name (language.md, section 6), by status, or both; the rest replaces the provider's.

    Attributes:
        retry_after: seconds, or None. retry_date: the header tells them as a date.
        more: members that the error has beside its provider's own, or None.
    """

    name: str | None = None
    status: int | None = None
    type: str | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    retry_after: float | None = None
    retry_date: bool = False
    more: Mapping[str, Json] | None = None


class Miss(Struct, frozen=True):
    """No rule matched; `message` explains it to the author of the scenario."""

    message: str


Outcome: TypeAlias = Reply | Failure | Miss


class Violation(Struct, frozen=True):
    """Something that the client did and should not have, or an `expect` that did not hold.

    Attributes:
        kind: ``expect``, ``conformance``, ``tools`` or ``truncated`` (a broken answer was taken for a whole one).
        place: ``weather.toml:14:8``, or "".
    """

    kind: str
    message: str
    place: str = ""


# --- one reply, spoken ------------------------------------------------------------------------------------------


class Started(Struct, frozen=True, gc=False):
    """A part begins."""

    index: int
    part: Part


class Delta(Struct, frozen=True, gc=False):
    """The next stretch of a part's text or arguments."""

    index: int
    part: Part
    text: str


class Ended(Struct, frozen=True, gc=False):
    """A part is complete."""

    index: int
    part: Part


Piece: TypeAlias = Started | Delta | Ended


class Send(Struct, frozen=True, gc=False):
    """Write these bytes of the body."""

    data: bytes


Told: TypeAlias = Literal["finish", "usage", "end"]


class Frame(Send, frozen=True, gc=False):
    """One event of a stream, encoded, with the piece it speaks (None for the provider's own frame around them).

    Attributes:
        tells: what clients look for in it: why the answer ended, the token counts, that nothing more comes.
    """

    piece: Piece | None = None
    tells: tuple[Told, ...] = ()


class Response(Struct, frozen=True):
    """An HTTP answer. Header names as the provider spells them; `content-length` is the transport's."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Route(Struct, frozen=True):
    """A path that is answered.

    Attributes:
        method: ``*`` for any, of an endpoint.
        path: `{name}` stands for text without a slash, `{name*}` for any text.
        only: which requests there are meant, where endpoints share a path; None for those that no other claims.
    """

    method: str
    path: str
    only: Callable[[Request], bool] | None = None


class Wire(Protocol):
    """A provider's side: pure, stateless; bytes to `Turn`, `Reply` to bytes."""

    name: str
    """What the fact `provider` says: ``openai``."""
    routes: tuple[Route, ...]
    access: Access

    def read(self, request: Request) -> Turn | BadRequest:
        """The request in our words; any bytes give one or the other, never an exception."""

    def whole(self, turn: Turn, reply: Reply) -> Response:
        """The reply as one body."""

    def head(self, turn: Turn, reply: Reply) -> tuple[tuple[str, str], ...]:
        """The headers of a streamed answer (status 200)."""

    def stream(self, turn: Turn, reply: Reply, pieces: Iterable[Piece]) -> Iterator[Frame]:
        """The reply as events, from first to terminator."""

    def failure(self, failure: Failure, now: float) -> Response:
        """The error as the provider would send it."""

    def broken(self, turn: Turn, reply: Reply, failure: Failure, now: float, sent: int) -> Iterable[Frame]:
        """The error as the provider would send it in a stream, after *sent* frames of it; none follows."""

    def bad_request(self, refused: BadRequest, now: float) -> Response:
        """A 4xx for a body that could not be read."""

    def unpaired(self, turn: Turn, found: Unpaired) -> BadRequest | None:
        """What the provider says of a call or a result that has no other half; None where it takes it."""

    def miss(self, message: str, now: float) -> Response:
        """A 4xx that no SDK retries, with the message as its text."""

    def cannot(self, rule: Rule) -> Iterable[str]:
        """What of a rule this provider cannot express, a sentence each (LP4xx)."""


# --- how an answer goes out -------------------------------------------------------------------------------------


class Wait(Struct, frozen=True, gc=False):
    """Let this many seconds pass on the clock."""

    seconds: float


Item: TypeAlias = Wait | Send
"""What delivery asks of the transport, in order; the head of the answer goes out with the first `Send`, be it empty."""


class Plan(Struct, frozen=True):
    """How one answer goes out: status and headers, whether its length is known, and the items of its body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    streamed: bool
    items: Iterable[Item]


class PartOfHead(Struct, frozen=True):
    """Write the status line and some of the headers; the rest goes out with what follows."""


class Ends(Struct, frozen=True):
    """The connection ends here: it is reset, closed in good order, or left open without another byte."""

    how: Literal["reset", "close", "hang"]


class Broken(Plan, frozen=True):
    """How an answer goes out that faults strike: its *course* in place of its items, which are what they tell of it.

    Attributes:
        length: of a body that is not streamed, as it is announced.
    """

    course: tuple[Item | PartOfHead | Ends, ...] = ()
    length: int = 0
