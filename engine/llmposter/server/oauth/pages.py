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
    ":root{color-scheme:light dark;--ink:#1c2128;--dim:#57606a;--page:#f4f5f7;--card:#fff;--line:#8c959f;"
    "--code:#eceef1;--yes:#0b5cad;--on:#fff;--bad:#b3261e}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--dim:#a0a8b2;--page:#14171b;--card:#1e2228;"
    "--line:#6e7781;--code:#2d333b;--yes:#6cb0ff;--on:#0c1116;--bad:#ff9a91}}"
    "*{box-sizing:border-box}body{font:1rem/1.5 system-ui,sans-serif;margin:0;padding:min(8vh,4rem) 1rem 1rem;"
    "color:var(--ink);background:var(--page);overflow-wrap:anywhere}"
    "main{max-width:28rem;margin:0 auto;padding:1.75rem;background:var(--card);border-radius:12px;"
    "box-shadow:0 1px 4px #0003}h1{font-size:1.4rem;line-height:1.25;margin:0 0 1rem}"
    "p{margin:0 0 1rem}p:last-child{margin:0}"
    # A name that changes the direction of writing changes its own alone.
    "strong,code{unicode-bidi:isolate}ul{margin:0 0 1rem;padding-left:1.25rem}li{margin:.25rem 0}"
    "code{font-family:ui-monospace,monospace;font-size:.9em;background:var(--code);padding:.1em .35em;"
    "border-radius:4px;box-decoration-break:clone;-webkit-box-decoration-break:clone}"
    ".code{display:block;text-align:center;font-size:1.6rem;letter-spacing:.1em;padding:.5rem;margin:.5rem 0 0}"
    "label{display:block;margin:0 0 .5rem}[role=alert]{border-left:4px solid var(--bad);padding-left:.75rem}"
    "button,input{font:inherit;min-height:2.75rem;padding:.5rem 1.25rem;border:1px solid var(--line);"
    "border-radius:8px;color:inherit;background:transparent}"
    "input{width:100%;margin:0 0 1rem;font:1.4rem ui-monospace,monospace;letter-spacing:.1em;"
    "text-transform:uppercase}button{cursor:pointer;margin:0 .5rem 0 0}"
    ".yes{background:var(--yes);border-color:var(--yes);color:var(--on);font-weight:600}"
    ":focus-visible{outline:3px solid #d98e00;outline-offset:2px}"
    "footer{max-width:28rem;margin:1rem auto 0;text-align:center;font-size:.85rem;color:var(--dim)}"
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
        f"<body>\n<main>\n<h1>{escape(title)}</h1>\n{body}</main>\n"
        "<footer>llmposter, an authorization server for tests</footer>\n</body>\n</html>\n"
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
        f"<p><strong>{escape(asked.client.called)}</strong> wants to act for <strong>{escape(asked.subject)}</strong>."
        f"</p>\n{_scopes(asked.scopes)}"
        f"<p>You will be sent to <code>{escape(asked.redirect_uri)}</code></p>\n"
    )
    return _page("Give access?", body + _form(f"{issuer}/authorize/decision", {"ticket": asked.ticket}))


def enter_code(issuer: str, code: str = "", wrong: str = "") -> str:
    """Where the code of a device is entered; *wrong* says why that one gets nobody on, with the code for ``{}``."""
    shown = f"<code>{escape(code)}</code>".join(map(escape, wrong.split("{}")))
    told = f'<p role="alert" id="wrong">{shown}</p>\n' if wrong else ""
    marked = ' aria-invalid="true" aria-describedby="wrong"' if wrong else ""
    body = (
        f'{told}<form method="get" action="{escape(issuer)}/device">\n'
        '<label for="user_code">The code that your device shows</label>\n'
        f'<input id="user_code" name="user_code" value="{escape(code)}" required autofocus autocomplete="off" '
        f'autocapitalize="characters" spellcheck="false" maxlength="32"{marked}>\n'
        '<button class="yes">Continue</button>\n</form>\n'
    )
    return _page("Connect a device", body)


def device(issuer: str, asked: Device, called: str, subject: str) -> str:
    """Whether a device may have what it asks for (the code is shown again: RFC 8628, section 5.4)."""
    body = (
        f"<p><strong>{escape(called)}</strong> wants to act for <strong>{escape(subject)}</strong> on a device.</p>\n"
        f'<p>Go on only if the device shows <code class="code">{escape(asked.user_code)}</code></p>\n'
        f"{_scopes(tuple(asked.scope.split()))}"
    )
    return _page("Connect a device?", body + _form(f"{issuer}/device", {"user_code": asked.user_code}))


def logout(issuer: str, asked: Mapping[str, str], subject: str) -> str:
    """Whether a user really wants to leave."""
    kept = {name: value for name, value in asked.items() if name != "decision"}
    told = f"<p>All that <strong>{escape(subject)}</strong> has consented to ends.</p>\n"
    return _page("Log out?", told + _form(f"{issuer}/logout", kept, yes="Log out", no=None))


def done(told: str) -> str:
    return _page(told, "<p>You can close this page.</p>\n")


def wrong(error: str, told: str) -> str:
    return _page("This did not work", f'<p role="alert"><code>{escape(error)}</code>: {escape(told)}</p>\n')
