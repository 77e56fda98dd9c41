"""What expressions can speak of: every fact with its type and meaning, once, and which of them stand where.

The engine answers them as attributes of its `Env`, with plain values of these types.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from llmposter_dsl.types import (
    BOOL,
    DURATION,
    JSON,
    NUMBER,
    TEXT,
    Headers,
    Type,
    list_of,
    map_of,
    record,
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A name that the engine gives a value to.

    Attributes:
        meaning: one sentence for the reference.
        volatile: a replayed history may give another value.
    """

    name: str
    type: Type
    meaning: str
    volatile: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The facts and functions that a kind of place has."""

    facts: Mapping[str, Fact]
    functions: frozenset[str]


def _table(*facts: Fact) -> Mapping[str, Fact]:
    return MappingProxyType({fact.name: fact for fact in facts})


CALL = record(tool=TEXT, id=TEXT, arguments=JSON)
RESULT = record(tool=TEXT, id=TEXT, arguments=JSON, text=TEXT, json=JSON, error=BOOL)
MESSAGE = record(role=TEXT, text=TEXT, calls=list_of(CALL), results=list_of(RESULT))
TOKEN = record(name=TEXT, uses=NUMBER, age=DURATION, grant=NUMBER.optional())
PARAMS = record(
    temperature=NUMBER.optional(),
    top_p=NUMBER.optional(),
    max_tokens=NUMBER.optional(),
    stop=JSON,
    seed=NUMBER.optional(),
    n=NUMBER.optional(),
    reasoning=JSON,
    response_format=JSON,
    tool_choice=JSON,
)
ERROR = record(name=TEXT.optional(), status=NUMBER, message=TEXT, retry_after=DURATION.optional())
USAGE = record(input=NUMBER, output=NUMBER, cached=NUMBER, reasoning=NUMBER)

REQUEST_FACTS = _table(
    Fact("user", TEXT, "Text of the last message that the user wrote; a tool result is not one."),
    Fact("system", TEXT, "System prompt, developer messages and instructions, joined."),
    Fact("assistant", TEXT, "Text of the last assistant message."),
    Fact(
        "messages",
        list_of(MESSAGE),
        "The history without system messages, oldest first; a call has `.tool` `.id` `.arguments`.",
    ),
    Fact("last", TEXT, "Who spoke last: `user`, `tool` or `assistant`."),
    Fact("turn", NUMBER, "1 and the answers of this mock in the history; few-shot messages do not count."),
    Fact("results", list_of(RESULT), "Tool results that follow the last assistant message."),
    Fact("result", RESULT.optional(), "The last of `results`, or null."),
    Fact("tools", list_of(TEXT), "Names of the tools that the request declares."),
    Fact("model", TEXT, "Model that the request asks for."),
    Fact("path", TEXT, "Path of the request, without session and query."),
    Fact("stream", BOOL, "Whether the request wants a stream."),
    Fact("provider", TEXT, "`openai`, `responses`, `anthropic` or `gemini`."),
    Fact("params", PARAMS, "Parameters of the request under these names, whatever the provider calls them."),
    Fact("metadata", map_of(JSON), "Metadata that the request carries."),
    Fact("headers", map_of(TEXT), "Request headers; their names ignore case."),
    Fact("query", map_of(TEXT), "Query of the request."),
    Fact("images", NUMBER, "Images in the last user message."),
    Fact("files", NUMBER, "Files in the last user message."),
    Fact("tokens", NUMBER, "Estimated size of the request."),
    Fact("body", JSON, "The request as sent."),
)

CONVERSATION_FACTS = _table(
    Fact("state", TEXT, "State where the conversation stands."),
    Fact("attempt", NUMBER, "Requests at this point of the history, this one included."),
    Fact("visits", NUMBER, "Answers in this state since the conversation began, this one included, errors not."),
    Fact("elapsed", DURATION, "Time since the state was entered.", volatile=True),
    Fact("idle", DURATION, "Time since the last request.", volatile=True),
    Fact("age", DURATION, "Time since the conversation began.", volatile=True),
    Fact("conversation", TEXT, "Id of the conversation."),
    Fact("token", TOKEN.optional(), "Credential that the request presented, or null.", volatile=True),
)

ANSWER_FACTS = _table(
    Fact("reply", TEXT, "Text of the answer."),
    Fact("think", TEXT, "Reasoning before the answer."),
    Fact("json", JSON, "Structured output, or null."),
    Fact("refusal", TEXT.optional(), "Refusal, or null."),
    Fact("finish", TEXT.optional(), "Finish reason, or null for an error."),
    Fact("usage", USAGE.optional(), "Token counts, or null for an error."),
    Fact("latency", DURATION, "Time before the first byte."),
    Fact("calls", list_of(CALL), "Tool calls of the answer."),
    Fact("error", ERROR.optional(), "Error that the answer is, or null."),
    Fact("cut", BOOL, "Whether a fault broke the answer off."),
    Fact("violations", list_of(TEXT), "What the request should not have done, a sentence each."),
    Fact("state", TEXT, "State after the answer."),
)

INPUT_FACTS = _table(
    Fact("text", TEXT, "Text of the input; its token ids where it was sent as such, the URL of an image."),
    Fact("model", TEXT, "Model that the request asks for."),
    Fact("headers", map_of(TEXT), "Request headers; their names ignore case."),
)

PLAIN_FUNCTIONS = frozenset(
    ("lower", "upper", "trim", "words", "len", "text", "number", "json", "default", "any", "all", "count")
)

REQUEST = Vocabulary(REQUEST_FACTS, PLAIN_FUNCTIONS | {"result", "jsonpath"})
"""For `scenario.serves` and `scenario.conversation`."""

RULE = Vocabulary(
    MappingProxyType({**REQUEST_FACTS, **CONVERSATION_FACTS}),
    REQUEST.functions | {"fired", "chance", "random", "uuid", "now"},
)
"""For `when`, `expect`, `set`, templates and calls of rules, and `scenario.expect`."""

INPUT = Vocabulary(INPUT_FACTS, PLAIN_FUNCTIONS)
"""For the rules of `embeddings` and `moderations`."""

ANSWER = Vocabulary(ANSWER_FACTS, PLAIN_FUNCTIONS | {"call"})
"""For `expect` of an example."""

WORDS = frozenset(
    (
        *("or", "and", "not", "in", "is", "contains", "mentions", "matches", "exists", "starts", "ends", "with"),
        *("true", "false", "null", "it"),
    )
)
"""Words of the language that cannot be names."""


def reserved(name: str) -> str | None:
    """Why *name* cannot be a variable: ``a fact``, ``a function`` or ``a word of the language``; None if it can."""
    if name in RULE.facts or name in ANSWER.facts:
        return "a fact"
    if name in RULE.functions or name in ANSWER.functions:
        return "a function"
    return "a word of the language" if name in WORDS else None


__all__ = [
    "ANSWER",
    "ANSWER_FACTS",
    "CONVERSATION_FACTS",
    "INPUT",
    "INPUT_FACTS",
    "REQUEST",
    "REQUEST_FACTS",
    "RULE",
    "WORDS",
    "Fact",
    "Headers",
    "Vocabulary",
    "reserved",
]
