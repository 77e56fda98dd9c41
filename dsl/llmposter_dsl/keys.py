"""Every key of a scenario, once: what it may hold and what it means.

The binder, its findings and the reference pages read these tables, and nothing else knows the name of a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

import msgspec


class Form(msgspec.Struct, frozen=True):
    """What the value of a key may be: types of plain data, the words for it, and those of the reference if others."""

    types: frozenset[type]
    words: str
    noun: str = ""


def _form(words: str, *types: type, noun: str = "") -> Form:
    return Form(frozenset(types), words, noun)


TEXT = _form("a text", str)
TEMPLATE = _form("a text", str, noun="a template")
EXPRESSION = _form("an expression in quotes", str)
CONDITION = _form("a condition in quotes", str)
CONDITIONS = _form("a condition in quotes, or a list of them", str, list)
STATE = _form("the name of a state", str)
STATES = _form("a list of states", list)
WORD = _form("a text", str)
INTEGER = _form("a whole number", int)
BOOL = _form("true or false", bool)
TABLE = _form("a table", dict)
RULES = _form("a list of rules", list)
TEXTS = _form("a list of texts", list)
TABLES = _form("a list of tables", list)
NUMBERS = _form("a list of numbers", list)
TOKEN_END = _form('a phrase such as `"expire"` or `"expire after 2 uses"`', str)
FAULTS = _form('a fault such as `"drop after 3 chunks"`, or a list of them', str, list)
CALLS = _form('a call such as `"tool(argument: value)"`, a table, or a list of either', str, dict, list)
ERROR_VALUE = _form("a status, the name of an error, or a table", int, str, dict)
ERRORS_VALUE = _form("a list of errors", list)
UNMATCHED = _form('`"explain"`, a status, the name of an error, or a table', int, str, dict)
DURATION = _form('a duration such as `"250ms"` or `"2s"`', str)
RETRY = _form('a duration such as `"250ms"`, or `"30s as date"`', str)
LATENCY = _form('a delay such as `"800ms"` or `"800ms ±20%"`', str)
PACE = _form('a pace such as `"50 tokens/s"` or `"40ms"`', str)
JITTER = _form('a share such as `"±20%"`', str)
RATE = _form("a number from 0 to 1", int, float)
SHARE = _form("a number from 0 to below 1", int, float)
CHUNK = _form('a size such as `"20 characters"`, `"2 words"` or `"whole"`', str)
ARGUMENTS = _form("a table of arguments, or a text that is sent as it is", dict, str)
ANYTHING = _form("any value", str, int, float, bool, list, dict, type(None))
OAUTH_VALUE = _form("true, or a table", bool, dict)
TOKEN_ANSWERS = _form("a list of answers", list)
TOKEN_ANSWER_VALUE = _form('a status, the name of an error, `"ok"`, or a table', int, str, dict)
EXPIRES_IN = _form("false, or a whole number of seconds", bool, int)
WHICH_TOKEN = _form("the name of a token, or the number of a grant", str, int)
TOOLS = _form("a list of tools", list)
MESSAGES = _form("a list of messages", list)
RESULTS = _form("a list of tables with `result` or `error`", list)


class Key(msgspec.Struct, frozen=True):
    """One key.

    Attributes:
        meaning: one sentence for the reference.
        default: what holds without it, for the reference.
    """

    name: str
    form: Form
    meaning: str
    default: str = ""
    required: bool = False


Keys: TypeAlias = Mapping[str, Key]


def _table(*keys: Key) -> Keys:
    return MappingProxyType({key.name: key for key in keys})


DOCUMENT = _table(
    Key("llmposter", TEXT, "Version of the language.", '`"1"`'),
    Key("include", TEXTS, "Files whose `states`, `vars`, `tools` and `defaults` are merged in; paths start here."),
    Key("scenario", TABLE, "What the scenario is, and which conversations are its own."),
    Key("vars", TABLE, "Variables of a conversation and their first values; the value gives the type."),
    Key("tools", TABLE, "Tools by name, each with the JSON Schema of its parameters."),
    Key("defaults", TABLE, "Delivery of every rule that says nothing else."),
    Key("states", TABLE, "States by name, each with its list of rules."),
    Key("always", RULES, "Rules that are tried before those of the state, in every state."),
    Key("otherwise", RULES, "Rules that are tried after those of the state, in every state."),
    Key("embeddings", RULES, "Rules for the vectors of `/v1/embeddings` and its like, tried for each input."),
    Key("moderations", RULES, "Rules for what `/v1/moderations` flags, tried for each input."),
    Key("examples", TABLES, "Transcripts that `llmposter test` plays."),
    Key("auth", TABLE, "Which credentials requests need.", "none"),
    Key(
        "limits", TABLES, "Rate limits, counted for each credential, or for each session where none is needed.", "none"
    ),
    Key("chaos", TABLE, "Faults and errors for a share of the requests, in place of their answers.", "none"),
)

SCENARIO = _table(
    Key("name", TEXT, "Name of the scenario.", "the file's name"),
    Key("description", TEXT, "What it is for."),
    Key("start", STATE, "Where a conversation begins.", "the first state in the file"),
    Key("final", STATES, "Where a conversation may end; such a state needs no rules.", "anywhere"),
    Key("serves", CONDITION, "Which new conversations this scenario takes.", "all"),
    Key("expect", CONDITIONS, "What every request must satisfy; a breach is a violation."),
    Key("conversation", EXPRESSION, "A key that tells conversations apart: a text, or null.", "the history tells"),
    Key("seed", INTEGER, "Seeds everything that is drawn by chance.", "`0`"),
    Key("unmatched", UNMATCHED, "What a request gets that no rule matches.", '`"explain"`'),
    Key(
        "foreign",
        WORD,
        'Where a conversation with a foreign history stands: `"start"`, `"latest"`, `"reject"` or a state.',
        '`"start"`',
    ),
    Key(
        "conformance",
        WORD,
        'What happens when a history breaks the provider\'s protocol: `"report"`, `"reject"` or `"off"`.',
        '`"report"`',
    ),
)

AUTH = _table(
    Key("tokens", TABLES, "Credentials that are good; with any of them, every request needs one."),
    Key("oauth", OAUTH_VALUE, "An OAuth 2.0 server beside this one, whose access tokens are good.", "none"),
)

OAUTH = _table(
    Key("client_id", TEXT, "Id of the client that is registered from the beginning.", '`"llmposter"`'),
    Key(
        "client_secret",
        TEXT,
        "Its secret.",
        'none beside a `client_id`, which makes it a public client; else `"llmposter-secret"`',
    ),
    Key("redirect_uris", TEXTS, "Where it may be sent back to.", '`["http://localhost/callback"]`'),
    Key("scopes", TEXTS, "Scopes that there are.", '`["openid", "profile", "email", "offline_access"]`'),
    Key("access_lifetime", DURATION, "Time after which an access token expires.", '`"1h"`'),
    Key("refresh_lifetime", DURATION, "Time after which a refresh token expires.", "no end"),
    Key("code_lifetime", DURATION, "Time after which an authorization code expires.", '`"10m"`'),
    Key("device_lifetime", DURATION, "Time after which a device code expires.", '`"10m"`'),
    Key("device_interval", DURATION, "Time that a device waits between two requests.", '`"5s"`'),
    Key(
        "refresh",
        WORD,
        'What a refresh gives: `"rotate"`: a new refresh token each time, `"keep"`: the same one; '
        '`"none"`: there are no refresh tokens.',
        '`"rotate"`',
    ),
    Key(
        "approval",
        WORD,
        'Who consents: `"auto"`: nobody is asked, `"ask"`: a person, a browser test or the admin API.',
        '`"auto"`',
    ),
    Key("expires_in", BOOL, "Whether clients are told how long an access token lives.", "`true`"),
    Key("registration", BOOL, "Whether clients may register themselves (RFC 7591).", "`true`"),
    Key("user", TABLE, "Claims of whoever consents; `sub` is the subject.", '`{ sub = "user-123" }`'),
    Key(
        "answers",
        TOKEN_ANSWERS,
        'What the next token requests get, first to last: a status, the name of an error, `"ok"` or a table.',
        "none",
    ),
    Key("port", INTEGER, "Where it listens; 0 takes a free port.", "`0`"),
)

TOKEN_ANSWER = _table(
    Key("status", INTEGER, "HTTP status, 400 to 599.", "none, or that of the error"),
    Key("error", WORD, "Error, as OAuth names it or as some server does.", "none"),
    Key("description", TEXT, "What is said of the error.", "the server's own words"),
    Key("delay", DURATION, "Time before it is answered.", "none"),
    Key("expires_in", EXPIRES_IN, "Seconds that the client is told, whatever is true; `false`: nothing.", "the truth"),
    Key("lifetime", DURATION, "Time after which the access token expires, whatever is told.", "`access_lifetime`"),
)

TOKEN = _table(
    Key("name", TEXT, "Name of the token, as `token.name` tells it.", required=True),
    Key("value", TEXT, "What the client sends, as it would send a key.", "the name"),
    Key("uses", INTEGER, "Requests after which it is spent; each session counts for itself.", "no limit"),
    Key("lifetime", DURATION, "Time after which it expires, from the beginning of the session.", "no end"),
)

LIMIT = _table(
    Key("requests", INTEGER, "Requests that may be made in the time."),
    Key("tokens", INTEGER, "Tokens of requests and answers that may be used in the time."),
    Key("per", DURATION, "The time in which all of it comes back, evenly.", required=True),
)

STREAM = _table(
    Key("chunk", CHUNK, "How a streamed answer is cut.", '`"20 characters"`'),
    Key("ttft", LATENCY, "Time to the first token, from the head of the answer: after `latency`.", "none"),
    Key("pace", PACE, "How fast the answer is spoken, or the time from one chunk to the next.", "at once"),
    Key("jitter", JITTER, "How much the time between two chunks varies; the pace is kept in the mean.", "none"),
    Key("burst", SHARE, "Share of the chunks that come at once with the one before; the pace is kept.", "`0`"),
)

DEFAULTS = _table(
    Key("latency", LATENCY, "Delay before the first byte.", "none"),
    Key("stream", TABLE, "How a streamed answer goes out."),
    Key("usage", TABLE, "Token counts in place of the estimate."),
)

RULE = _table(
    Key("name", TEXT, "Shown in journal, coverage and diagram, and asked for by `fired`.", "`state#n`"),
    Key("when", CONDITION, "When the rule fires.", "always"),
    Key("times", INTEGER, "How often it fires at most in one conversation.", "no limit"),
    Key("expect", CONDITIONS, "What the request must satisfy when the rule fires; a breach is a violation."),
    Key("set", TABLE, "Variables and their new values: a text is an expression, anything else is itself."),
    Key("reply", TEMPLATE, "Text of the assistant."),
    Key("think", TEMPLATE, "Reasoning before the answer."),
    Key("call", CALLS, "Tool calls, all at once."),
    Key("json", ANYTHING, "Structured output: any data, with templates in its texts."),
    Key("refuse", TEMPLATE, "The provider's own form of refusal."),
    Key("error", ERROR_VALUE, "The provider's own HTTP error."),
    Key(
        "finish",
        WORD,
        "Finish reason: `stop`, `length`, `tool_calls`, `content_filter`, `pause`, or a provider's own word.",
        "what the answer is",
    ),
    Key("usage", TABLE, "Token counts in place of the estimate."),
    Key("headers", TABLE, "Further headers of the response."),
    Key("latency", LATENCY, "Delay before the first byte."),
    Key("stream", TABLE, "How a streamed answer goes out."),
    Key("fault", FAULTS, "How the delivery breaks."),
    Key(
        "token",
        TOKEN_END,
        'What the answer does to the credential of its request: `"expire"`, `"expire after 2 uses"`, '
        '`"expire after 30s"` or `"revoke"`.',
        "nothing",
    ),
    Key("goto", STATE, "The next state.", "stay"),
)

_INPUT = (
    Key("when", CONDITION, "When the rule fires; it knows `text`, `model` and `headers`.", "always"),
    Key("times", INTEGER, "How often it fires at most in one session.", "no limit"),
)
_INPUT_FAILS = (
    Key("error", ERROR_VALUE, "The provider's own HTTP error, for the whole request."),
    Key("fault", FAULTS, "How the delivery breaks, for the whole request."),
)

EMBEDDING = _table(*_INPUT, Key("vector", NUMBERS, "The embedding of the input, sent as it is."), *_INPUT_FAILS)

MODERATION = _table(
    *_INPUT, Key("flags", TEXTS, "Categories that are flagged; an empty list flags nothing."), *_INPUT_FAILS
)

CHAOS = _table(
    Key(
        "rate",
        RATE,
        "Share of the requests that get one of them; a retry may get the answer.",
        required=True,
    ),
    Key("faults", FAULTS, "How the delivery of an answer may break."),
    Key("errors", ERRORS_VALUE, "The provider's own HTTP errors that may come: statuses, names or tables."),
)

CALL = _table(
    Key("tool", TEXT, "Name of the tool.", required=True),
    Key("arguments", ARGUMENTS, "Its arguments, with templates in their texts.", "none"),
    Key("id", TEMPLATE, "Id of the call.", "made by the server"),
    Key("undeclared", BOOL, "It is no violation if the request does not declare the tool.", "`false`"),
)

ERROR = _table(
    Key("name", WORD, "Name of the error; gives status, type, code and headers as the provider has them."),
    Key("status", INTEGER, "HTTP status, 400 to 599.", "that of the name"),
    Key("type", TEXT, "Type in the error's body.", "the provider's"),
    Key("code", TEXT, "Code in the error's body.", "the provider's"),
    Key("message", TEMPLATE, "Message in the error's body.", "the provider's"),
    Key("headers", TABLE, "Further headers of the response."),
    Key("retry_after", RETRY, "When the client may try again: `retry-after`, below a second `retry-after-ms` too."),
)

USAGE = _table(
    Key("input", INTEGER, "Tokens of the request, `cached` included."),
    Key("output", INTEGER, "Tokens of the answer, `reasoning` included."),
    Key("cached", INTEGER, "Tokens of the request that came from a cache."),
    Key("reasoning", INTEGER, "Tokens of reasoning."),
)

EXAMPLE = _table(
    Key("name", TEXT, "Name of the example.", "`example n`"),
    Key("turns", TABLES, "Requests, one after the other.", required=True),
    Key("providers", TEXTS, "Formats that it is played on.", "all"),
)

TURN = _table(
    Key("user", TEXT, "The user says this."),
    Key("tool", TEXT, "The tool of this name answers; `result` or `error` says what."),
    Key("result", ANYTHING, "What the tool gives: a text, or data that is sent as JSON."),
    Key("error", ANYTHING, "What the tool gives where it fails."),
    Key("results", RESULTS, "What the tools give, one for each call of the last answer, in order."),
    Key("retry", BOOL, "The last request is sent again, as an SDK does."),
    Key("messages", MESSAGES, "The whole history of the request."),
    Key("wait", DURATION, "Time that passes before the request, or alone."),
    Key("request", TABLE, "What the requests carry from this turn on."),
    Key("times", INTEGER, "How often the turn is played.", "`1`"),
    Key("expect", CONDITIONS, "What the answer must be."),
    Key("state", STATE, "The state after the answer."),
)

RESULT = _table(
    Key("result", ANYTHING, "What the tool gives: a text, or data that is sent as JSON."),
    Key("error", ANYTHING, "What the tool gives where it fails."),
)

MESSAGE = _table(
    Key("role", WORD, "Who speaks: `user`, `assistant` or `tool`.", required=True),
    Key("text", TEXT, "What is said."),
    Key("calls", TABLES, "Tool calls of an assistant message."),
    Key("results", RESULTS, "Tool results of a tool message."),
)

MESSAGE_CALL = _table(
    Key("tool", TEXT, "Name of the tool.", required=True),
    Key("arguments", ARGUMENTS, "Its arguments.", "none"),
    Key("id", TEXT, "Id of the call.", "made up"),
)

MESSAGE_RESULT = _table(
    *RESULT.values(),
    Key("tool", TEXT, "Name of the tool.", "that of the call"),
    Key("id", TEXT, "Id of the call.", "that of the call"),
)

REQUEST = _table(
    Key("system", TEXT, "System prompt."),
    Key("model", TEXT, "Model."),
    Key("headers", TABLE, "Headers, each a text."),
    Key("tools", TOOLS, "Tools that the request declares: names, or tables with `name` and `parameters`."),
    Key("params", TABLE, "Parameters under the names of the fact `params`."),
    Key("stream", BOOL, "Whether the answer is streamed."),
    Key(
        "token",
        WHICH_TOKEN,
        "Credential that they present: a token of `auth` by its name, or an access token by its `token.grant`.",
        "the first token, else grant `1`",
    ),
    Key("provider", WORD, "Format of the request."),
)

REQUEST_TOOL = _table(
    Key("name", TEXT, "Name of the tool.", required=True),
    Key("parameters", TABLE, "JSON Schema of its parameters."),
)

INCLUDED = ("llmposter", "include", "vars", "tools", "defaults", "states")
"""Keys that an included file may have."""

OUTCOMES = ("reply", "think", "call", "json", "refuse", "error")
"""Keys of a rule that say what it answers."""

SAID = OUTCOMES[:4]
"""Those of them that stand beside each other."""

ERRORS = (
    *("bad_request", "invalid_api_key", "permission_denied", "not_found", "context_length_exceeded"),
    *("request_too_large", "rate_limited", "quota_exceeded", "server_error", "overloaded", "timeout"),
    "content_filter",
)
"""Names of errors (language.md, section 6); what each is on the wire, the wires know."""

CATEGORIES = (
    *("harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm"),
    *("self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic"),
)
"""What a moderation can flag."""

PROVIDERS = ("openai", "responses", "anthropic", "gemini")
REFRESH = ("rotate", "keep", "none")
APPROVAL = ("auto", "ask")
FOREIGN = ("start", "latest", "reject")
CONFORMANCE = ("report", "reject", "off")
ROLES = ("user", "assistant", "tool")

TABLES_IN_ORDER: tuple[tuple[str, str, Keys], ...] = (
    ("document", "The document", DOCUMENT),
    ("scenario", "`[scenario]`", SCENARIO),
    ("defaults", "`[defaults]`", DEFAULTS),
    ("rule", "A rule", RULE),
    ("embedding", "A rule of `embeddings`", EMBEDDING),
    ("moderation", "A rule of `moderations`", MODERATION),
    ("call", "A call as a table", CALL),
    ("error", "An error as a table", ERROR),
    ("usage", "`usage`", USAGE),
    ("stream", "`stream`", STREAM),
    ("auth", "`[auth]`", AUTH),
    ("token", "A token of `auth`", TOKEN),
    ("oauth", "`[auth.oauth]`", OAUTH),
    ("answer", "An answer of `oauth` as a table", TOKEN_ANSWER),
    ("limit", "A limit of `limits`", LIMIT),
    ("chaos", "`[chaos]`", CHAOS),
    ("example", "An example", EXAMPLE),
    ("turn", "A turn of an example", TURN),
    ("request", "`request` of a turn", REQUEST),
    ("message", "A message of a turn", MESSAGE),
)
"""The tables of the reference: an anchor, a heading, the keys."""


def reference_keys() -> str:
    """The tables of keys as Markdown, a heading each."""
    return "\n\n".join(f"## {heading}\n\n{rows(keys)}" for _, heading, keys in TABLES_IN_ORDER) + "\n"


def rows(keys: Keys) -> str:
    """One table of keys as Markdown."""
    lines = ["| key | value | meaning | default |", "|---|---|---|---|"]
    for key in keys.values():
        value = _escaped(key.form.noun or key.form.words)
        default = "required" if key.required else _escaped(key.default)
        lines.append(f"| `{key.name}` | {value} | {_escaped(key.meaning)} | {default} |")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
