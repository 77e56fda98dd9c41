"""`llmposter verdict`: what the clients of a running server did with trouble."""

from __future__ import annotations

from typing import Any, Final

import click

from llmposter.cli import shared

_HERE: Final = "http://127.0.0.1:2112"
_SECONDS: Final = 30


@click.command()
@click.argument("url", default=_HERE)
@click.option("--session", metavar="ID", help="Of one session; a URL with /@ID says so too.")
@click.option("--format", "form", default="text", show_default=True, type=click.Choice(["text", "json"]))
@shared.verbose
def verdict(url: str, session: str | None, form: str) -> int:
    """Judge what clients of the server at URL, http://127.0.0.1:2112 if none is given, did with trouble."""
    told = _asked(_address(url, session))
    if form == "json":
        import json

        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        if told["lines"]:
            click.echo("\n".join(told["lines"]))
        counts = ", ".join(f"{told[each]} {each}" for each in ("bad", "good", "unknown"))
        click.echo(counts if told["lines"] else "no client met with trouble", err=True)
    return int(not told["ok"])


def _address(url: str, session: str | None) -> str:
    """The admin API of a server, or of the session that a client's base URL is of."""
    from urllib.parse import quote, urlsplit

    wrong = shared.Trouble(f'"{url}" is no address of a server: write it like {_HERE}')
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
    except ValueError as error:
        raise wrong from error
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise wrong
    first = parts.path.lstrip("/").split("/")[0]
    named = f"@{quote(session, safe='')}" if session is not None else first if first.startswith("@") else ""
    return f"{parts.scheme}://{parts.netloc}{named and f'/{named}'}/_llmposter/verdict"


def _asked(address: str) -> Any:
    import http.client
    import json
    from urllib import error, request

    server = address.partition("/_llmposter/")[0]
    # The server is this user's own; no proxy of the environment is between.
    opener = request.build_opener(request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=_SECONDS) as answer:
            told = json.load(answer)
    except error.HTTPError as failed:
        with failed:
            raise shared.Trouble(f"{server} answers {failed.code}: {_said(failed.read())}") from failed
    except error.URLError as failed:
        why = getattr(failed.reason, "strerror", None) or failed.reason
        raise shared.Trouble(f"nothing answers at {server} ({str(why).lower()}): is `llmposter run` there?") from failed
    except (OSError, ValueError, http.client.HTTPException) as failed:
        raise shared.Trouble(f"what answers at {server} is no llmposter: {failed}") from failed
    if not isinstance(told, dict) or "findings" not in told:
        raise shared.Trouble(f"what answers at {server} is no llmposter: it knows no verdict")
    return told


def _said(body: bytes) -> str:
    """The message of an error of the admin API, else that it is none."""
    import json

    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, TypeError, KeyError):
        return "it is no llmposter, or an older one"
