"""`llmposter --fixtures PATH`: the flags and lines of llmposter 0.5, for scripts that were written for it.

What they do is done by the parts that `llmposter run` is made of; only the words are the old ones.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from llmposter.cli import shared

if TYPE_CHECKING:
    from llmposter.lint.checking import Checked
    from llmposter.server.running import Server

_PORT = 2112
_LATER = ("--ui", "--allow-remote-record")
_LATER_WITH_VALUE = (
    "--vcr-mode", "--record-file", "--proxy-openai", "--proxy-anthropic", "--proxy-gemini", "--redact"
)  # fmt: skip
_BOUND = re.compile(r"\[(?P<v6>[^\]]+)\](:(?P<v6_port>.*))?|(?P<host>[^:]*):(?P<port>[^:]*)")


def _fail(why: str) -> NoReturn:
    """It could not do what it was asked for, in the old words and with the old exit code."""
    _say(why)
    raise click.exceptions.Exit(1)


class Bound(NamedTuple):
    """Where to listen; `ignored` is the port that the address took the place of."""

    host: str
    port: int
    ignored: int | None = None


def bound(bind: str, port: int) -> Bound:
    """An address as `IP`, `IP:port`, `[v6]`, `[v6]:port`, `v6`, `host` or `host:port`; its port goes before *port*."""
    found = _BOUND.fullmatch(bind)
    host = (found["v6"] or found["host"]) if found else bind
    own = (found["v6_port"] or found["port"]) if found else None
    if not host or (found and own is None and ":" in bind and not found["v6"]):
        _fail(f'Error starting server: "{bind}" names no address to bind to')
    if own is None:
        return Bound(host, port)
    if not (own.isascii() and own.isdigit() and int(own[:6]) <= 65535):
        _fail(f'Error starting server: "{own}" is no port: it is a number from 0 to 65535')
    return Bound(host, int(own), port if port not in (_PORT, int(own)) else None)


def _later(context: click.Context, parameter: click.Parameter, value: Any) -> None:  # noqa: ARG001 - click's
    if value:
        raise shared.Trouble(f"{parameter.opts[0]} is not in this version")


def _with_later(of: Any) -> Any:
    for name in _LATER:
        of = click.option(name, is_flag=True, hidden=True, expose_value=False, callback=_later)(of)
    for name in _LATER_WITH_VALUE:
        of = click.option(name, multiple=True, hidden=True, expose_value=False, callback=_later)(of)
    return of


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("-f", "--fixtures", "path", required=True, metavar="PATH", help="A fixture file, or a folder of them.")
@click.option("--validate", is_flag=True, help="Only say whether they are well.")
@click.option("-p", "--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535))
@click.option("-b", "--bind", default="127.0.0.1", show_default=True, help="An address, with a port or without.")
@click.option("-v", "--verbose", is_flag=True, help="A line for every request.")
@click.option("-w", "--watch", is_flag=True, help="Read the files again as soon as one changes.")
@click.option(
    "--capture-capacity", default=1000, show_default=True, type=click.IntRange(0), help="Requests remembered; 0: none."
)
@click.option("--diagnostics", is_flag=True, help="Tell a request that nothing matches which fixture came nearest.")
@_with_later
def flags(  # noqa: PLR0913, PLR0917 - an argument for each option
    path: str,
    validate: bool,  # noqa: FBT001 - click's
    port: int,
    bind: str,
    verbose: bool,  # noqa: FBT001 - click's
    watch: bool,  # noqa: FBT001 - click's
    capture_capacity: int,
    diagnostics: bool,  # noqa: FBT001 - click's
) -> int:
    """Serve fixture files, with the flags of llmposter 0.5."""
    if not Path(path).exists():
        _fail(f'Error loading fixtures: there is no file or folder "{path}"')

    from llmposter.sources import Sources

    fixtures = Fixtures(diagnostics=diagnostics)
    sources = Sources([path], checker=fixtures.check)
    checked = sources.load()
    shared.show([each for each in checked.diagnostics if each.severity != "info"], err=True)
    if checked.failed:
        errors = sum(each.severity == "error" for each in checked.diagnostics)
        _fail(f"Error loading fixtures: {shared.counted(errors, 'error')} in {path}")
    if validate:
        if not fixtures.count:
            _fail("No fixtures found \N{EM DASH} nothing to validate")
        click.echo(f"Validated {fixtures.count} fixtures successfully")
        return 0
    where = bound(bind, port)
    if where.ignored is not None:
        _say(f"Warning: --port {where.ignored} ignored because --bind already includes port {where.port}")
    if not fixtures.count:
        _say(f"Warning: no fixtures loaded from {path}")

    from llmposter.cli.old_lines import Lines
    from llmposter.log import of_libraries
    from llmposter.server.running import CannotListen, Settings, serve

    lines = Lines(verbose=verbose)
    of_libraries(lines)
    settings = Settings(
        where.host, where.port, journal_size=capture_capacity, watch=lines, sources=sources, follow=watch
    )
    try:
        serve(checked.programs, settings, lambda server: _ready(server, path))
    except CannotListen as error:
        _fail(f"Error starting server: {error}")
    return 0


class Fixtures:
    """Fixture files as they were read last.

    Attributes:
        count: of fixtures.
    """

    def __init__(self, *, diagnostics: bool) -> None:
        self._diagnostics = diagnostics
        self.count = 0

    def check(self, paths: Sequence[str]) -> Checked:
        from llmposter.fixtures import load
        from llmposter.lint.checking import Checked

        loaded = load(paths, diagnostics=self._diagnostics)
        self.count = loaded.count
        read = tuple(path for each in loaded.read if (path := each.document.source.path) is not None)
        return Checked(loaded.programs, loaded.diagnostics, loaded.files, read=read)


def _ready(server: Server, path: str) -> None:
    lines = [f"llmposter listening on {server.url}"]
    if server.follows:
        lines.append(f"Watching {path} for changes")
    if os.name != "nt":
        lines.append(f"Send SIGHUP (kill -HUP {os.getpid()}) to reload fixtures")
    if not server.loopback:
        lines.append(f"Warning: {server.url} can be reached from other machines, the journal of all requests included")
    lines.append("Press Ctrl+C to stop")
    _say("\n".join(lines))


def _say(text: str) -> None:
    click.echo(text, err=True)
