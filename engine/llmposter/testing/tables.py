"""The tables of a scenario as types, so that an editor and a type checker know its keys.

They mirror `llmposter_dsl.keys`, which says what each key means; a test holds the two equal.
"""

# No annotation is put off here: with them as texts `__required_keys__` is not right (Python's documentation of
# `typing.TypedDict`), and others look at that.

from collections.abc import Mapping, Sequence
from typing import Literal, Required, TypeAlias, TypedDict

Json: TypeAlias = 'bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None'
"""Any data that a scenario file can hold."""

ErrorName: TypeAlias = Literal[
    "bad_request",
    "invalid_api_key",
    "permission_denied",
    "not_found",
    "context_length_exceeded",
    "request_too_large",
    "rate_limited",
    "quota_exceeded",
    "server_error",
    "overloaded",
    "timeout",
    "content_filter",
]
Finish: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter", "pause"]
Conformance: TypeAlias = Literal["report", "reject", "off"]
Provider: TypeAlias = Literal["openai", "responses", "anthropic", "gemini"]
Refresh: TypeAlias = Literal["rotate", "keep", "none"]
Approval: TypeAlias = Literal["auto", "ask"]
Role: TypeAlias = Literal["user", "assistant", "tool"]
Category: TypeAlias = Literal[
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
]


class Error(TypedDict, total=False):
    """An error as a table."""

    name: ErrorName
    status: int
    type: str
    code: str
    message: str
    headers: Mapping[str, str]
    retry_after: str


class Call(TypedDict, total=False):
    """A tool call as a table."""

    tool: Required[str]
    arguments: Mapping[str, Json] | str
    id: str
    undeclared: bool


class Usage(TypedDict, total=False):
    """Token counts in place of the estimate."""

    input: int
    output: int
    cached: int
    reasoning: int


class Stream(TypedDict, total=False):
    """How a streamed answer goes out."""

    chunk: str
    ttft: str
    pace: str
    jitter: str
    burst: float


class Defaults(TypedDict, total=False):
    """Delivery of every rule that says nothing else."""

    latency: str
    stream: Stream
    usage: Usage


AnError: TypeAlias = ErrorName | int | Error
"""A status, the name of an error, or a table."""


class Embedding(TypedDict, total=False):
    """A rule of `embeddings`."""

    when: str
    times: int
    vector: Sequence[float]
    error: AnError
    fault: str | Sequence[str]


class Moderation(TypedDict, total=False):
    """A rule of `moderations`."""

    when: str
    times: int
    flags: Sequence[Category]
    error: AnError
    fault: str | Sequence[str]


class Token(TypedDict, total=False):
    """A token of `auth`."""

    name: Required[str]
    value: str
    uses: int
    lifetime: str


class TokenAnswer(TypedDict, total=False):
    """An answer of `oauth` as a table."""

    status: int
    error: str
    description: str
    delay: str
    expires_in: int | Literal[False]
    lifetime: str


AnAnswer: TypeAlias = int | str | TokenAnswer
"""A status, the name of an error, ``ok``, or a table."""


class OAuth(TypedDict, total=False):
    """An OAuth 2.0 server beside the other, whose access tokens are good."""

    client_id: str
    client_secret: str
    redirect_uris: Sequence[str]
    scopes: Sequence[str]
    access_lifetime: str
    refresh_lifetime: str
    code_lifetime: str
    device_lifetime: str
    device_interval: str
    refresh: Refresh
    approval: Approval
    expires_in: bool
    registration: bool
    user: Mapping[str, Json]
    answers: Sequence[AnAnswer]
    port: int


class Auth(TypedDict, total=False):
    """Which credentials requests need."""

    tokens: Sequence[Token]
    oauth: Literal[True] | OAuth


class Limit(TypedDict, total=False):
    """A limit of `limits`."""

    requests: int
    tokens: int
    per: Required[str]


class Chaos(TypedDict, total=False):
    """Faults and errors for a share of the requests."""

    rate: Required[float]
    faults: str | Sequence[str]
    errors: Sequence[AnError]


class RequestTool(TypedDict, total=False):
    """A tool that a request of an example declares."""

    name: Required[str]
    parameters: Mapping[str, Json]


class ExampleRequest(TypedDict, total=False):
    """`request` of a turn of an example."""

    system: str
    model: str
    headers: Mapping[str, str]
    tools: Sequence[str | RequestTool]
    params: Mapping[str, Json]
    stream: bool
    token: str | int
    provider: Provider


class Result(TypedDict, total=False):
    """What a tool gives in an example."""

    result: Json
    error: Json


class MessageCall(TypedDict, total=False):
    """A tool call of a message of an example."""

    tool: Required[str]
    arguments: Mapping[str, Json] | str
    id: str


class MessageResult(Result, total=False):
    """A tool result of a message of an example."""

    tool: str
    id: str


class Message(TypedDict, total=False):
    """A message of a turn of an example."""

    role: Required[Role]
    text: str
    calls: Sequence[MessageCall]
    results: Sequence[MessageResult]


class Turn(TypedDict, total=False):
    """A turn of an example."""

    user: str
    tool: str
    result: Json
    error: Json
    results: Sequence[Result]
    retry: bool
    messages: Sequence[Message]
    wait: str
    request: ExampleRequest
    times: int
    expect: str | Sequence[str]
    state: str


class Example(TypedDict, total=False):
    """An example that `llmposter test` plays."""

    name: str
    turns: Required[Sequence[Turn]]
    providers: Sequence[Provider]
