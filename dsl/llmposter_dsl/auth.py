"""Credentials and limits of a scenario: `[auth]`, `[[limits]]` and the key `token` of a rule, from their tables.

Also what such a credential can never do, as far as the file alone can tell.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from llmposter_dsl import bind, keys, words
from llmposter_dsl.bind import Table
from llmposter_dsl.companion import OAuth
from llmposter_dsl.delivery_forms import DURATION_FORMS
from llmposter_dsl.delivery_forms import duration as duration_of
from llmposter_dsl.diagnostic import Diagnostic, Related
from llmposter_dsl.expressions import wording
from llmposter_dsl.place import Within, assigned
from llmposter_dsl.program import Auth, Limit, Token, TokenEnd, Value
from llmposter_dsl.times import patient, some_time

FORMS: Final = 'write `"expire"`, `"expire after 2 uses"`, `"expire after 30s"` or `"revoke"`'
_MOST: Final = 10**12
AFTER: Final = re.compile(r"expire\s+after\s+(?:(?P<uses>[0-9]{1,9})\s+uses?|(?P<time>\S+))")
_SENDABLE: Final = re.compile(r"[\x21-\x7e]+")


def auth(value: Value, place: Within, report: bind.Report) -> Auth:
    """What `[auth]` says."""
    table = bind.table(value, place, keys.AUTH, report)
    tables = bind.tables(table.get("tokens", []), table.at("tokens"), keys.TOKEN, "a token", report)
    made = [(each, token) for each in tables if (token := _token(each)) is not None]
    for what in ("name", "value"):
        _twice(made, what, report)
    given = table.get("oauth")
    # An empty `oauth` is a server with all defaults.
    if not any(table.written.values()) and given is None:
        one = assigned("name", '"sk-test"', place).strip("`")
        written = assigned("tokens", f"[{{ {one} }}]", place)
        companion = assigned("oauth", "true", place)
        cure = f"write {written}, or {companion}; if it is started with `--token` or `--oauth`, suppress this"
        report(Diagnostic("LP505", "requests need a credential here, and none is good", place.key(), cure))
    return Auth(tuple(token for _, token in made), None if given is None else _oauth(table))


def _oauth(table: Table) -> OAuth | None:
    # Most scenarios have none.
    from llmposter_dsl.oauth import oauth

    return oauth(table.get("oauth"), table.at("oauth"), table.report)


def _token(table: Table) -> Token | None:
    name = table.get("name")
    if name is None:
        return None
    if not name.strip():
        table.refuse("LP114", "the name of a token is empty", "name")
    value = table.get("value", name)
    if not _SENDABLE.fullmatch(value):
        at = "value" if "value" in table else "name"
        cure = "a client sends it in a header: write visible ASCII characters, and no space"
        table.refuse("LP114", f"the value of the token {words.shown(name)} cannot be sent", at, cure=cure)
    uses = _at_least_one(table, "uses")
    lifetime = some_time(table, "lifetime")
    if lifetime is not None:
        patient(lifetime, table.at("lifetime"), table.report)
    return Token(name, value, uses, lifetime)


def _twice(made: list[tuple[Table, Token]], what: str, report: bind.Report) -> None:
    """Reports tokens that a client, or a test, could not tell apart."""
    first: dict[str, Table] = {}
    for table, token in made:
        given = token.name if what == "name" else token.value
        other = first.setdefault(given, table)
        if other is table:
            continue
        at = table.at(what) if what in table else table.at("name")
        # A value is a secret, and its place says enough.
        message = f"two tokens are called {words.shown(given)}" if what == "name" else "two tokens have the same value"
        report(Diagnostic("LP502", message, at, None, (Related(other.place, "this is the other one"),)))


def limits(value: list[Value], place: Within, report: bind.Report) -> tuple[Limit, ...]:
    """What `[[limits]]` says."""
    tables = bind.tables(value, place, keys.LIMIT, "a limit", report)
    return tuple(limit for table in tables if (limit := _limit(table)) is not None)


def _limit(table: Table) -> Limit | None:
    kinds: tuple[Literal["requests", "tokens"], ...] = ("requests", "tokens")
    given = [name for name in kinds if name in table.written]
    if len(given) > 1:
        first, second = sorted(given, key=list(table.written).index)
        cure = "make two limits of it; both will hold"
        table.refuse_key("LP113", f"`{second}` cannot stand beside `{first}`", second, cure, first)
        return None
    if not given:
        if all(name in keys.LIMIT for name in table.written):
            table.refuse("LP112", "this limit has neither `requests` nor `tokens`")
        return None
    most, per = _at_least_one(table, given[0]), some_time(table, "per")
    return None if most is None or per is None else Limit(given[0], most, per)


def _at_least_one(table: Table, name: str) -> int | None:
    number: int | None = table.get(name)
    if number is None or 1 <= number <= _MOST:
        return number
    said = "expected 1 or more" if number < 1 else "which is too large"
    table.refuse("LP114", f"`{name}` is {words.shown(number)}, {said}", name)
    return None


# --- what a rule does -----------------------------------------------------------------------------------------------


def token_end(table: Table, *, credentials: bool) -> TokenEnd | None:
    """What the key `token` of a rule does to the credential of its request."""
    if "token" not in table:
        return None
    text: str = table.get("token")
    if not credentials:
        from llmposter_dsl import reshaping

        at = table.key_at("token")
        table.report(Diagnostic("LP503", wording.WITHOUT_AUTH, at, wording.AUTH, (), reshaping.without(at)))
    found = end(text)
    if isinstance(found, str):
        table.refuse("LP501", f"{words.shown(text)} {found}", "token", cure=FORMS)
        return None
    patient(found.seconds, table.at("token"), table.report)
    return found


def end(text: str) -> TokenEnd | str:
    """One of the forms of `token`; or what is wrong with it, in a sentence without its subject."""
    plain = text.strip()
    if plain == "revoke":
        return TokenEnd("revoke")
    if plain == "expire":
        return TokenEnd("expire")
    after = AFTER.fullmatch(plain)
    if after is None:
        return "is nothing that can be done to a token"
    if after["uses"] is not None:
        uses = int(after["uses"])
        return TokenEnd("expire", uses) if uses else "is no later than `expire`"
    seconds = duration_of(after["time"])
    return f"says not how long: {DURATION_FORMS}" if seconds is None else TokenEnd("expire", seconds=float(seconds))
