"""The pages that a person, or a browser test, sees: plain HTML that works without scripts, and loads nothing."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmposter.oauth.provider import Consent
    from llmposter.oauth.records import Device

_STYLE: Final = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem;color:#1c1c1c;"
    "background:#fff}h1{font-size:1.4rem}code{background:#eee;padding:.1em .3em;overflow-wrap:anywhere}"
    "button,input{font:inherit;padding:.5rem 1rem;margin:.25rem .5rem .25rem 0;border:1px solid #555;border-radius:4px}"
    "button{background:#f4f4f4;cursor:pointer}button.yes{background:#0b5cad;border-color:#0b5cad;color:#fff}"
    "button:focus-visible,input:focus-visible{outline:3px solid #f0a000;outline-offset:2px}"
)
_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
HEADERS: Final = (
    # No `form-action`: browsers hold the redirect after a form to it, and every hop behind the client's address.
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("X-Frame-Options", "DENY"),
    # Not `no-referrer`: with it browsers send `Origin: null` along with a form.
    ("Referrer-Policy", "same-origin"),
)


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} - llmposter</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{escape(title)}</h1>\n{body}</main>\n</body>\n</html>\n"
    )


def _form(action: str, hidden: Mapping[str, str], *, yes: str = "Approve", no: str | None = "Deny") -> str:
    fields = "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">\n' for k, v in hidden.items())
    refuse = "" if no is None else f'<button name="decision" value="deny">{escape(no)}</button>\n'
    return (
        f'<form method="post" action="{escape(action)}">\n{fields}'
        f'<button class="yes" name="decision" value="approve">{escape(yes)}</button>\n{refuse}</form>\n'
    )


def _scopes(scopes: tuple[str, ...]) -> str:
    listed = "".join(f"<li><code>{escape(each)}</code></li>\n" for each in scopes)
    return f"<p>It asks for:</p>\n<ul>\n{listed}</ul>\n"


def consent(asked: Consent, issuer: str) -> str:
    """Whether a client may have what it asks for."""
    body = (
        f"<p><strong>{escape(asked.client.called)}</strong> wants to act for you.</p>\n{_scopes(asked.scopes)}"
        f"<p>You will be sent to <code>{escape(asked.redirect_uri)}</code>.</p>\n"
    )
    return _page("Give access?", body + _form(f"{issuer}/authorize/decision", {"ticket": asked.ticket}))


def enter_code(issuer: str, wrong: str = "") -> str:
    """Where the code of a device is entered."""
    told = f'<p role="alert">No device waits with the code <code>{escape(wrong)}</code>.</p>\n' if wrong else ""
    body = (
        f'{told}<form method="get" action="{escape(issuer)}/device">\n'
        '<p><label for="user_code">The code that your device shows</label></p>\n'
        '<p><input id="user_code" name="user_code" required autocomplete="off" autocapitalize="characters" '
        'spellcheck="false" maxlength="32">\n<button class="yes">Continue</button></p>\n</form>\n'
    )
    return _page("Connect a device", body)


def device(issuer: str, asked: Device, called: str) -> str:
    """Whether a device may have what it asks for (the code is shown again: RFC 8628, section 5.4)."""
    body = (
        f"<p><strong>{escape(called)}</strong> wants to act for you on a device.</p>\n"
        f"<p>Go on only if the device shows <code>{escape(asked.user_code)}</code>.</p>\n"
        f"{_scopes(tuple(asked.scope.split()))}"
    )
    return _page("Connect a device?", body + _form(f"{issuer}/device", {"user_code": asked.user_code}))


def logout(issuer: str, asked: Mapping[str, str]) -> str:
    """Whether a user really wants to leave."""
    kept = {name: value for name, value in asked.items() if name != "decision"}
    return _page("Log out?", _form(f"{issuer}/logout", kept, yes="Log out", no=None))


def done(told: str) -> str:
    return _page(told, "<p>You can close this page.</p>\n")


def wrong(error: str, told: str) -> str:
    return _page("This did not work", f'<p role="alert"><code>{escape(error)}</code>: {escape(told)}</p>\n')
