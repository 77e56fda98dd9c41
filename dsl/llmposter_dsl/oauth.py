"""The OAuth companion of a scenario: from `[auth.oauth]` to what `companion` says as data.

What no client could use, and what would do nothing, is refused here; who answers requests only follows.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from llmposter_dsl import bind, fixing, keys, words
from llmposter_dsl.answers import duration
from llmposter_dsl.bind import Table
from llmposter_dsl.companion import Client, OAuth, TokenAnswer, User
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.examples import one_of
from llmposter_dsl.place import Within, assigned
from llmposter_dsl.program import Value
from llmposter_dsl.times import patient, some_time

DEFAULT: Final = OAuth()
ERRORS: Final = (
    *("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"),
    *("invalid_scope", "invalid_target", "authorization_pending", "slow_down", "access_denied", "expired_token"),
    *("server_error", "temporarily_unavailable"),
)
"""Errors of OAuth: RFC 6749 (sections 4.1.2.1 and 5.2), RFC 8628 (3.5) and RFC 8707 (2)."""
_OWN_CLAIMS: Final = ("iss", "aud", "exp", "iat", "nbf", "jti", "nonce", "auth_time", "azp", "at_hash", "client_id")
"""Claims that only the server can know."""
_LIFETIMES: Final = ("access_lifetime", "refresh_lifetime", "code_lifetime", "device_lifetime", "device_interval")
# RFC 6749, appendix A: ids and secrets are VSCHAR, scopes and errors have fewer.
_VISIBLE: Final = re.compile(r"[\x20-\x7e]+")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_ERROR: Final = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?![0-9]|$)")
"""What has digits behind it is a host with its port."""
_NO_PLACE: Final = ("javascript", "data", "vbscript", "file", "blob", "about")
"""Schemes that bring no code to any client, and that no server lets in."""
_MOST: Final = 10**12


def oauth(value: Value, place: Within, report: bind.Report) -> OAuth | None:
    """What `oauth` of `[auth]` says; None after `false`."""
    if value is False:
        report(Diagnostic("LP114", "`oauth` is false", place, "take it out, or write `true` for one with all defaults"))
        return None
    if value is True:
        return DEFAULT
    table = bind.table(value, place, keys.OAUTH, report, _no_user_key)
    said = {name: table.get(name) for name in ("expires_in", "registration") if name in table}
    for name in _LIFETIMES:
        if (found := some_time(table, name)) is not None:
            said[name] = float(found)
    _lasting(table, said)
    for name, known in (("refresh", keys.REFRESH), ("approval", keys.APPROVAL)):
        if name in table and one_of(table.get(name), known, name, table.at(name), report):
            said[name] = table.get(name)
    return OAuth(
        client=_client(table),
        port=_port(table),
        scopes=_scopes(table),
        user=_user(table),
        answers=_answers(table),
        **said,
    )


def _no_user_key(name: str, place: Within) -> Diagnostic | None:
    """Whose keys other servers have elsewhere."""
    other = {"redirect_uri": "redirect_uris", "scope": "scopes", "subject": "user"}.get(name)
    if other is None:
        return None
    return Diagnostic("LP110", f"unknown key {words.shown(name)}", place.key(name), f"did you mean `{other}`?")


def _lasting(table: Table, said: dict[str, Any]) -> None:
    for name in ("access_lifetime", "refresh_lifetime"):
        if name in said:
            patient(said[name], table.at(name), table.report)
    if said.get("refresh_lifetime") is not None and table.get("refresh") == "none":
        why = "no refresh token is given here"
        table.refuse_useless(
            '`refresh_lifetime` does nothing beside `refresh = "none"`', "refresh_lifetime", why, "refresh"
        )


def _client(table: Table) -> Client:
    known = DEFAULT.client
    for name in ("client_id", "client_secret"):
        if name in table and not _VISIBLE.fullmatch(table.get(name)):
            cure = "write visible ASCII characters"
            if name == "client_secret":
                cure += ", or take it out for a public client"
            table.refuse("LP114", f"the `{name}` cannot be sent", name, cure=cure)
    # A client that somebody names and gives no secret is a public one.
    secret = table.get("client_secret", None if "client_id" in table.written else known.secret)
    return Client(table.get("client_id", known.id), secret, _redirects(table))


def _redirects(table: Table) -> tuple[str, ...]:
    if "redirect_uris" not in table:
        return DEFAULT.client.redirect_uris
    found = bind.texts(table.get("redirect_uris"), table.at("redirect_uris"), "a redirect URI", table.report)
    for uri, place in found:
        if wrong := _misdirected(uri):
            table.report(Diagnostic("LP114", f"{words.shown(uri)} is no redirect URI: {wrong[0]}", place, wrong[1]))
    return tuple(uri for uri, _ in found)


def _misdirected(uri: str) -> tuple[str, str | None] | None:
    """What is wrong with a redirect URI, and what would be right (RFC 6749, section 3.1.2; RFC 8252, section 7)."""
    absolute = 'write it whole, such as `"http://localhost/callback"`'
    found = _SCHEME.match(uri)
    if found is None:
        return "it is not absolute", absolute
    if not _VISIBLE.fullmatch(uri) or " " in uri:
        return "it has characters that no URI has", "write them as `%` and their number"
    scheme = found[1].lower()
    if scheme in _NO_PLACE:
        return f"no client hears from `{scheme}:`", 'write `http`, `https`, or a scheme of its own like `"myapp:/done"`'
    if (close := words.close(scheme, ["http", "https"])) and close != scheme:
        return f"`{scheme}` is no scheme that clients have", f"did you mean `{close}`?"
    if scheme in {"http", "https"} and not _host(uri):
        return "it names no host", absolute
    return ("it has a fragment", "take out what stands from the `#` on") if "#" in uri else None


def _host(uri: str) -> str:
    try:
        return urlsplit(uri).hostname or ""
    except ValueError:
        return ""


def _port(table: Table) -> int:
    port: int = table.get("port", 0)
    if not 0 <= port <= 65535:
        table.refuse("LP114", f"`port` is {words.shown(port)}, expected 0 to 65535", "port", cure="0 takes a free one")
    return port


def _scopes(table: Table) -> tuple[str, ...]:
    if "scopes" not in table:
        return DEFAULT.scopes
    found = bind.texts(table.get("scopes"), table.at("scopes"), "a scope", table.report)
    for scope, place in found:
        if not _SCOPE.fullmatch(scope):
            parts = scope.split() if all(map(_SCOPE.fullmatch, scope.split())) else []
            split = ", ".join(f'"{each}"' for each in parts)
            cure = f"write `{split}`" if split else 'write visible ASCII characters, no space, `"` or `\\`'
            table.report(Diagnostic("LP114", f"{words.shown(scope)} is no scope", place, cure))
    return tuple(dict.fromkeys(scope for scope, _ in found))


def _user(table: Table) -> User:
    return user(dict(table.get("user")), table.at("user"), table.report) if "user" in table else DEFAULT.user


def user(said: dict[str, Value], place: Within, report: bind.Report) -> User:
    """Whom tokens are of: `sub`, and claims."""
    claims = dict(said)
    subject = claims.pop("sub", DEFAULT.user.subject)
    if not isinstance(subject, str):
        report(Diagnostic("LP111", f"`sub` is {words.kind(subject)}, expected a text", place.child("sub")))
    elif not subject.strip():
        report(Diagnostic("LP114", "`sub` is empty", place.child("sub")))
    for name in claims:
        if name in _OWN_CLAIMS:
            report(Diagnostic("LP114", f"the claim `{name}` is the server's own", place.key(name), "take it out"))
        elif name == "subject":
            report(Diagnostic("LP110", "unknown claim `subject`", place.key(name), "did you mean `sub`?"))
    return User(str(subject), tuple(claims.items()))


def read_user(data: dict[str, Value]) -> tuple[User, tuple[Diagnostic, ...]]:
    """What such a table says that came as JSON, and its errors, each with its place within the table."""
    from llmposter_dsl.source import Source
    from llmposter_dsl.tree import Document

    found: list[Diagnostic] = []
    return user(data, Document(Source("user", ""), data, "yaml").root(), found.append), tuple(found)


# --- what the token endpoint answers --------------------------------------------------------------------------------


def _answers(table: Table) -> tuple[TokenAnswer, ...]:
    return answers(table.get("answers", []), table.at("answers"), table.report)


def answers(value: list[Value], place: Within, report: bind.Report) -> tuple[TokenAnswer, ...]:
    """What the next token requests get, first to last."""
    found = bind.items(value, place, keys.TOKEN_ANSWER_VALUE, "an answer", report)
    return tuple(_answer(each, at, report) for each, at in found)


def read(data: list[Value]) -> tuple[tuple[TokenAnswer, ...], tuple[Diagnostic, ...]]:
    """What such a list says that came as JSON, and its errors, each with its place within the list."""
    from llmposter_dsl.source import Source
    from llmposter_dsl.tree import Document

    found: list[Diagnostic] = []
    made = answers(data, Document(Source("answers", ""), data, "yaml").root(), found.append)
    return made, tuple(each for each in found if each.severity == "error")


def _answer(value: Value, place: Within, report: bind.Report) -> TokenAnswer:
    match value:
        case int():
            return TokenAnswer(status=_status(value, place, report))
        case str():
            if value not in ("ok", *ERRORS):
                message = f"unknown OAuth error {words.shown(value)}"
                fixes = fixing.meant(place, value, ("ok", *ERRORS))
                if value.strip().isdigit():
                    fixes = fixing.as_written(place, value.strip(), safe=True)
                report(Diagnostic("LP211", message, place, _meant(value, place), (), fixes))
            return TokenAnswer() if value == "ok" else TokenAnswer(error=value)
        case _:
            return _written(bind.table(value, place, keys.TOKEN_ANSWER, report))


def _meant(value: str, place: Within) -> str:
    if value.strip().isdigit():
        return f"write the status without quotes: `{value.strip()}`"
    if close := words.close(value, ("ok", *ERRORS)):
        return f"did you mean `{close}`?"
    written = assigned("error", '"…"', place).strip("`")
    return f"write {words.listed(('ok', *ERRORS))}; one of another server's own stands in a table: `{{ {written} }}`"


def _status(value: int, place: Within, report: bind.Report) -> int:
    if not 400 <= value <= 599:
        message = f"{words.shown(value)} is no status of an error"
        report(Diagnostic("LP114", message, place, 'a status of an error is between 400 and 599, and `"ok"` is none'))
    return value


def _written(table: Table) -> TokenAnswer:
    if not table.written:
        table.refuse("LP112", "this answer says nothing", cure='write `"ok"` for the usual one')
    failing = next((name for name in ("error", "status") if name in table.written), None)
    for name in ("expires_in", "lifetime") if failing else ():
        if name in table.written:
            message = f"`{name}` does nothing beside `{failing}`"
            table.refuse_useless(message, name, "an error gives no token", failing)
    if failing is None and "description" in table.written:
        table.refuse_key("LP113", "`description` belongs to an error", "description", "write `error` beside it")
    return TokenAnswer(
        status=_status(table.get("status"), table.at("status"), table.report) if "status" in table else None,
        error=_error(table),
        description=table.get("description"),
        delay=float(duration(table, "delay") or 0),
        expires_in=_expires_in(table),
        lifetime=None if (lifetime := duration(table, "lifetime")) is None else float(lifetime),
    )


def _error(table: Table) -> str | None:
    """Any text that RFC 6749 lets an error be, since servers have their own; but none with a slip of the pen."""
    error: str | None = table.get("error")
    if error is None or error in ERRORS:
        return error
    if close := words.close(error, ERRORS):
        message, fixes = f"unknown OAuth error {words.shown(error)}", fixing.meant(table.at("error"), error, ERRORS)
        table.refuse("LP211", message, "error", cure=f"did you mean `{close}`?", fixes=fixes)
    elif not _ERROR.fullmatch(error):
        table.refuse(
            "LP114",
            f"the error {words.shown(error)} cannot be sent",
            "error",
            cure='write ASCII characters, no `"` or `\\`',
        )
    return error


def _expires_in(table: Table) -> bool | int:
    told: bool | int = table.get("expires_in", True)
    if told is not True and told is not False and not 0 <= told <= _MOST:
        said = "expected 0 or more" if told < 0 else "which is too large"
        table.refuse("LP114", f"`expires_in` is {words.shown(told)}, {said}", "expires_in")
    return told
