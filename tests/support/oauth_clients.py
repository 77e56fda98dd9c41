"""The programs of OAuth libraries: adding one, or a flow, is adding a row; and what each has to tell of a flow."""

from __future__ import annotations

from typing import Any

from clients import Client, Task

SCENARIO = """
[scenario]
final = ["done"]

[auth.oauth]
client_id     = "agent"
client_secret = "s3cret"
redirect_uris = ["http://localhost/callback"]
user          = { sub = "alice", email = "alice@example.com" }

[tools]
report = {}

[[states.ask]]
expect = "token.grant == 1"
call   = "report()"
goto   = "reporting"

[[states.reporting]]
expect = "token.grant == 2"
reply  = "${result.json.rows} rows for ${token.name}."
goto   = "done"
"""
"""A token ends while the tool runs, and the client refreshes once."""


def asking(more: str) -> str:
    """The same, where a person is asked."""
    return SCENARIO.replace("[auth.oauth]", f'[auth.oauth]\napproval = "ask"\n{more}')


FLAVOURS = ("httpx", "requests")
METHODS = ("client_secret_basic", "client_secret_post")
ALL = ("code", "public", "itself", "device", "early")

ROWS: dict[str, tuple[Client, dict[str, tuple[str, ...]]]] = {
    "newest/authlib": (Client("newest", "oauth_authlib.py"), dict.fromkeys(ALL, FLAVOURS)),
    "newest/requests-oauthlib": (Client("newest", "oauth_requests.py"), dict.fromkeys(ALL, ("",))),
    "newest/mcp": (
        Client("newest", "oauth_mcp.py"), {"found": ("none", *METHODS), "found-itself": METHODS},
    ),
    "node/openid-client": (
        Client("node", "oauth.mjs"), dict.fromkeys(("code", "registered", "itself", "polled"), ("",)),
    ),
}  # fmt: skip
"""A program, and the flows that it plays, each in some flavours of its library or with some ways to authenticate."""

FLOWS = [
    (name, Task("flow", flow, flavour, stream=False))
    for name, (_, flows) in ROWS.items()
    for flow, flavours in flows.items()
    for flavour in flavours
]

GRANTED = ["report", "token_expired", "12 rows for alice."]
"""A loop in which a token ends: the tool is called, a 401 comes, and after a refresh the answer."""
REVOKED = "invalid_api_key"
"""OpenAI's API says no more of a key that was deleted."""
AT_ONCE = ["report", "12 rows for alice."]

HEARD: dict[str, dict[str, Any]] = {
    "code": {
        "access": ["alice", "agent", "openid email"],
        "identity": ["alice", "alice@example.com"],
        "userinfo": {"sub": "alice", "email": "alice@example.com", "email_verified": True},
        "loop": GRANTED,
        "rotated": True,
        "revoked": [True, {"active": False}, REVOKED],
        "reused": ["invalid_grant", "invalid_grant"],
        "after reuse": {"active": False},
        "logged out": [200, {"active": False}],
    },
    "public": {"access": "alice", "loop": GRANTED, "revoked": REVOKED},
    "itself": {"access": "agent", "refresh": False, "loop": ["report", "token_expired", "12 rows for agent."]},
    "device": {
        "early": ["authorization_pending", "slow_down"],
        "loop": GRANTED,
        "late": ["access_denied", "invalid_grant"],
    },
    "polled": {"early": ["authorization_pending"], "loop": GRANTED, "late": ["access_denied", "invalid_grant"]},
    "registered": {
        "access": "alice",
        "loop": GRANTED,
        "logged out": ["http://localhost:7777/bye?state=s", REVOKED],
    },
    "early": {"loop": AT_ONCE, "rotated": True},
    "found": {
        "loop": AT_ONCE,
        "audience": True,
        "kept": True,
        "rotated": True,
        "secret": True,
        "dies early": [True, True],
    },
    "found-itself": {"loop": ["report", "12 rows for agent."], "audience": True},
}

CODE, REFRESH, ITSELF = ("authorization_code", "ok"), ("refresh_token", "ok"), ("client_credentials", "ok")
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
ASKED: dict[str, list[tuple[str, str]]] = {
    "code": [
        CODE, REFRESH, CODE, REFRESH, CODE, ("refresh_token", "invalid_grant"), ("refresh_token", "invalid_grant"),
    ],
    "public": [CODE, REFRESH],
    "itself": [ITSELF, ITSELF],
    "device": [
        (DEVICE, "authorization_pending"), (DEVICE, "slow_down"), (DEVICE, "ok"), REFRESH,
        (DEVICE, "access_denied"), (DEVICE, "invalid_grant"),
    ],
    "polled": [
        (DEVICE, "access_denied"), (DEVICE, "authorization_pending"), (DEVICE, "ok"), REFRESH,
        (DEVICE, "invalid_grant"),
    ],
    "registered": [CODE, REFRESH],
    "early": [CODE, REFRESH],
    "found": [CODE, REFRESH, CODE],
    "found-itself": [ITSELF, ITSELF],
}  # fmt: skip
"""What the token endpoint was asked, and said."""
