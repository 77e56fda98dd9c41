"""What stands where in a scenario: the tables of `keys`, put into each other, and the words that a key is held to.

The JSON Schema is made of it, and the language server finds with it what a place in a file is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from llmposter_dsl import facts, keys
from llmposter_dsl.keys import Form, Key, Keys
from llmposter_dsl.place import Path

Inside: TypeAlias = Literal["table", "named tables", "named lists", "named", "values", "templates"]
"""What a table under a key is: one of known keys; names, each with such a table, with a list of them, or with any
value; or data of any kind, without templates or with."""


class Holds(NamedTuple):
    """What the tables under a key are, and of those of known keys the name in `TABLES`."""

    inside: Inside
    table: str = ""


TABLES: Final[Mapping[str, Keys]] = MappingProxyType(
    {
        **{name: table for name, _, table in keys.TABLES_IN_ORDER},
        "result": keys.RESULT,
        "message call": keys.MESSAGE_CALL,
        "message result": keys.MESSAGE_RESULT,
        "request tool": keys.REQUEST_TOOL,
    }
)
"""Every table of known keys."""

_HOLDS: Final[Mapping[tuple[str, str], Holds]] = MappingProxyType(
    {
        **{
            ("document", key): Holds("table", table)
            for key, table in (
                *(("scenario", "scenario"), ("defaults", "defaults"), ("always", "rule"), ("otherwise", "rule")),
                *(("embeddings", "embedding"), ("moderations", "moderation"), ("examples", "example")),
                *(("auth", "auth"), ("limits", "limit"), ("chaos", "chaos")),
            )
        },
        ("document", "states"): Holds("named lists", "rule"),
        ("document", "vars"): Holds("named"),
        ("document", "tools"): Holds("named tables"),
        ("rule", "set"): Holds("named"),
        ("rule", "json"): Holds("templates"),
        ("rule", "call"): Holds("table", "call"),
        ("call", "arguments"): Holds("templates"),
        ("chaos", "errors"): Holds("table", "error"),
        ("scenario", "unmatched"): Holds("table", "error"),
        ("auth", "tokens"): Holds("table", "token"),
        ("auth", "oauth"): Holds("table", "oauth"),
        ("oauth", "answers"): Holds("table", "answer"),
        ("example", "turns"): Holds("table", "turn"),
        ("turn", "results"): Holds("table", "result"),
        ("turn", "messages"): Holds("table", "message"),
        ("turn", "request"): Holds("table", "request"),
        ("message", "calls"): Holds("table", "message call"),
        ("message", "results"): Holds("table", "message result"),
        ("request", "tools"): Holds("table", "request tool"),
        **{(table, "error"): Holds("table", "error") for table in ("rule", "embedding", "moderation")},
        **{(table, "usage"): Holds("table", "usage") for table in ("rule", "defaults")},
        **{(table, "stream"): Holds("table", "stream") for table in ("rule", "defaults")},
        **{(table, "headers"): Holds("templates") for table in ("rule", "error")},
    }
)

ITEMS: Final[Mapping[Form, Form]] = MappingProxyType(
    {
        keys.CONDITIONS: keys.CONDITION,
        keys.STATES: keys.STATE,
        keys.RULES: keys.TABLE,
        keys.TEXTS: keys.TEXT,
        keys.TABLES: keys.TABLE,
        keys.NUMBERS: Form(frozenset((int, float)), "a number"),
        keys.FAULTS: Form(frozenset((str,)), "a fault"),
        keys.CALLS: Form(frozenset((str, dict)), "a call"),
        keys.ERRORS_VALUE: keys.ERROR_VALUE,
        keys.TOKEN_ANSWERS: keys.TOKEN_ANSWER_VALUE,
        keys.TOOLS: Form(frozenset((str, dict)), "a tool"),
        keys.MESSAGES: keys.TABLE,
        keys.RESULTS: keys.TABLE,
    }
)
"""What the items of a list are."""

_WORDS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("document", "llmposter"): ("1",),
        ("scenario", "conformance"): keys.CONFORMANCE,
        ("oauth", "refresh"): keys.REFRESH,
        ("oauth", "approval"): keys.APPROVAL,
        ("error", "name"): keys.ERRORS,
        ("moderation", "flags"): keys.CATEGORIES,
        ("example", "providers"): keys.PROVIDERS,
        ("request", "provider"): keys.PROVIDERS,
        ("message", "role"): keys.ROLES,
    }
)
_PROPOSED: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("scenario", "foreign"): keys.FOREIGN,
        ("rule", "finish"): ("stop", "length", "tool_calls", "content_filter", "pause"),
        ("rule", "token"): ("expire", "expire after 2 uses", "expire after 30s", "revoke"),
    }
)


def holds(table: str, key: str) -> Holds:
    """What a table under a key of a table is; any values, where nothing is known of it."""
    return _HOLDS.get((table, key), Holds("values"))


def words(table: str, key: str) -> tuple[str, ...]:
    """The words of which the value of a key, or each item of it, has to be one; none where it is free."""
    return _WORDS.get((table, key), ())


def proposed(table: str, key: str) -> tuple[str, ...]:
    """Words that are usual under a key."""
    return words(table, key) or _PROPOSED.get((table, key), ())


def vocabulary(table: str, key: str) -> facts.Vocabulary:
    """The facts and functions that expressions under a key of a table have."""
    match table, key:
        case "scenario", "serves" | "conversation":
            return facts.REQUEST
        case "turn", "expect":
            return facts.ANSWER
        case "embedding" | "moderation", _:
            return facts.INPUT
        case _:
            return facts.RULE


class Spot(NamedTuple):
    """What a path of a document leads to.

    Attributes:
        table: the name in `TABLES` of the table whose keys may stand here, if the value is, or may be, such a table.
        owner: the table that has `key`.
        key: the innermost known key that leads here.
        form: what the value may be, where that is known.
        beyond: what of the path lies behind that key, without the indices of lists.
    """

    table: str | None
    owner: str
    key: Key | None = None
    form: Form | None = None
    beyond: tuple[str, ...] = ()

    @property
    def holds(self) -> Holds:
        """What the tables under the key are."""
        return holds(self.owner, self.key.name) if self.key is not None else Holds("table", "document")


def spot(path: Path) -> Spot:
    """What *path* leads to in any scenario, whether or not something stands there."""
    found = Spot("document", "")
    for step in path:
        found = _further(found, step)
    return found


def _further(at: Spot, step: str | int) -> Spot:
    if isinstance(step, int):
        return at._replace(form=ITEMS.get(at.form) if at.form is not None else None)
    if at.table is not None:
        key = TABLES[at.table].get(step)
        if key is None:
            return Spot(None, at.table)
        held = holds(at.table, step)
        return Spot(held.table if held.inside == "table" else None, at.table, key, key.form)
    held, beyond = at.holds, (*at.beyond, step)
    if held.inside == "named lists" and len(beyond) == 1:
        return at._replace(table=held.table, form=keys.RULES, beyond=beyond)
    return at._replace(form=None, beyond=beyond)


__all__ = ["ITEMS", "TABLES", "Holds", "Inside", "Spot", "holds", "proposed", "spot", "vocabulary", "words"]
