"""`llmposter run`: serve scenarios until told to stop, after checking them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from llmposter.cli import shared

if TYPE_CHECKING:
    from llmposter.core.credentials import Issued
    from llmposter.lint.checking import Checked
    from llmposter.log import Format
    from llmposter.server.oauth import Companion
    from llmposter.server.running import Server
    from llmposter_dsl.program import Program


_SDKS = {
    "openai": ("OpenAI", "/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY"),
    "anthropic": ("Anthropic", "", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
    "gemini": ("Google", "", "GOOGLE_GEMINI_BASE_URL", "GEMINI_API_KEY"),
}
"""By wire: the name of its SDKs, what its base URL ends in, and the variables that the SDKs read."""


class _Token(click.ParamType[Any]):
    name = "token"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Issued:
        from llmposter.core.credentials import of_flag

        given = of_flag(value)
        if isinstance(given, str):
            self.fail(given, param, ctx)
        return given


@click.command()
@shared.paths
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=2112, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--seed", type=int, help="In place of each scenario's own `seed`.")
@click.option(
    "--clock",
    default="real",
    show_default=True,
    type=click.Choice(["real", "manual"]),
    help="A manual clock moves only when POST /_llmposter/clock/advance tells it to.",
)
@click.option(
    "--journal-size", default=10_000, show_default=True, type=click.IntRange(1), help="Requests that are remembered."
)
@click.option(
    "--conversations", default=15_000, show_default=True, type=click.IntRange(1), help="Conversations held at once."
)
@click.option(
    "--token",
    "tokens",
    multiple=True,
    metavar="NAME[:uses=N][:lifetime=TIME]",
    type=_Token(),
    help="A key that clients may send; with one, every request needs a good one. May be given several times.",
)
@click.option("--watch", is_flag=True, help="Read the files again as soon as one changes; SIGHUP does it always.")
@click.option(
    "--oauth",
    is_flag=True,
    help="An OAuth 2.0 server beside this one; every request needs an access token of it. A scenario may say more.",
)
@click.option("--log-format", default="console", show_default=True, type=click.Choice(["console", "json"]))
@click.option("--verbose", is_flag=True, help="A log line for every request, and where a bug happened.")
def run(  # noqa: PLR0913, PLR0917 - an argument for each option
    paths: Sequence[str],
    host: str,
    port: int,
    seed: int | None,
    clock: str,
    journal_size: int,
    conversations: int,
    tokens: Sequence[Issued],
    watch: bool,  # noqa: FBT001 - click's
    oauth: bool,  # noqa: FBT001 - click's
    log_format: Format,
    verbose: bool,  # noqa: FBT001 - click's
) -> int:
    """Serve scenarios, after checking them: files, or folders that are searched for them."""
    from llmposter.sources import Sources

    sources = Sources(paths, seed=seed, checker=_checked)
    with shared.configured():
        checked = sources.load()
    shared.show([each for each in checked.diagnostics if each.severity != "info"], err=True)
    if checked.failed:
        return 1

    from llmposter.log import Log, of_libraries
    from llmposter.server.running import CannotListen, Settings, serve
    from llmposter_dsl.companion import OAuth

    log = Log(log_format, verbose=verbose)
    of_libraries(log)
    settings = Settings(
        host,
        port,
        clock,
        journal_size=journal_size,
        most_conversations=conversations,
        watch=log,
        tokens=tuple(tokens),
        sources=sources,
        follow=watch,
        oauth=OAuth() if oauth else None,
    )
    try:
        serve(checked.programs, settings, lambda server: _ready(server, checked.programs))
    except CannotListen as error:
        raise shared.Trouble(str(error)) from error
    return 0


def _checked(paths: Sequence[str]) -> Checked:
    """What each project wants told, as it says when the files are read."""
    from llmposter.lint import check
    from llmposter.lint.settings import Project

    return check(paths, Project())


def _ready(server: Server, programs: Sequence[Program]) -> None:
    lines = [f"llmposter listening on {server.url}"]
    tokens = server.mock.admission.credentials.given
    companion = server.service.companion
    secret = tokens[0].value if tokens else "any" if companion is None else "ACCESS_TOKEN"
    for wire, (sdks, tail, url, key) in _SDKS.items():
        if wire in server.service.wires:
            base = f"{server.reach}{tail}"
            lines += [f"  {sdks} SDKs: base URL {base}", f"      export {url}={base} {key}={secret}"]
    lines += map(_served, programs)
    lines += [f"  token {_told(each)}" for each in tokens]
    if server.follows:
        lines.append("  watching the files for changes")
    lines += [] if companion is None else _of_oauth(companion)
    if server.service.manual:
        lines.append("  the clock stands still: POST /_llmposter/clock/advance moves it")
    if not server.loopback:
        lines.append(
            f"  warning: {server.url} can be reached from other machines, the journal of all requests included"
        )
    lines.append("Press Ctrl+C to stop")
    click.echo("\n".join(lines), err=True)


def _served(program: Program) -> str:
    if program.kind == "scenario":
        return f"  scenario {program.name} ({program.place.source.name})"
    rules = [rule for rules in program.states.values() for rule in rules]
    files = list(dict.fromkeys(rule.place.source.name for rule in rules)) or [program.place.source.name]
    return f"  {shared.counted(len(rules), 'fixture')} ({', '.join(sorted(files))})"


def _of_oauth(companion: Companion) -> list[str]:
    """Where access tokens come from, and how to have one at once; the secret is a mock's, as that of a token is."""
    client = companion.settings.client
    if client.secret is None:
        return [f"  OAuth server {companion.url}: public client {client.id}"]
    by_hand = shlex.join(["curl", "-u", f"{client.id}:{client.secret}", "-d", "grant_type=client_credentials"])
    return [
        f"  OAuth server {companion.url}: client {client.id}, secret {client.secret}",
        f"      {by_hand} {companion.url}/token",
    ]


def _told(token: Issued) -> str:
    """A token as who started the server has to know it: these are keys to a mock, and no secret of anybody's."""
    from llmposter_dsl.program import Duration

    bounds = [shared.counted(token.uses, "use")] if token.uses is not None else []
    bounds += [str(Duration(token.lifetime))] if token.lifetime is not None else []
    named = "" if token.name == token.value else f"{token.name}: "
    return f"{named}{token.value}" + (f" ({', '.join(bounds)})" if bounds else "")
