"""The command line: one command a function, imports inside it, so that each starts as fast as its own work allows.

Exit codes: 0 well, 1 findings or failures in what was given, 2 could not run; never a traceback unless asked for.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from llmposter.core.credentials import Issued
    from llmposter.lint.checking import Checked
    from llmposter.log import Format
    from llmposter.server.running import Server
    from llmposter_dsl.diagnostic import Diagnostic
    from llmposter_dsl.program import Program

_SDKS = {
    "openai": ("OpenAI", "/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY"),
    "anthropic": ("Anthropic", "", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
    "gemini": ("Google", "", "GOOGLE_GEMINI_BASE_URL", "GEMINI_API_KEY"),
}
"""By wire: the name of its SDKs, what its base URL ends in, and the variables that the SDKs read."""
_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Trouble(click.ClickException):
    """It could not run; the message is one line for the user."""

    exit_code = 2


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # What a start makes stays: looking through it again and again for garbage is a tenth of its time.
    gc.set_threshold(100_000, 50, 100)
    for stream in (sys.stdout, sys.stderr):
        # What a scenario holds need not be printable where it is printed.
        with suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(_run(given))


def _run(given: list[str]) -> int:
    try:
        return command(given, prog_name="llmposter", standalone_mode=False) or 0
    except click.UsageError as error:
        known = error.ctx.command_path if error.ctx is not None else "llmposter"
        _complain(f"{_lower(error.format_message())} (`{known} -h` says more)")
    except click.ClickException as error:
        _complain(error.format_message())
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        # Whoever read has seen enough; Python would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - a user is shown no traceback
        if "--verbose" in given:
            import traceback

            traceback.print_exc()
        more = "what stands above" if "--verbose" in given else "what `--verbose` shows"
        _complain(f"this is a bug of llmposter, please report it with {more}: {type(error).__name__}: {error}")
    return 2


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")


def _complain(message: str) -> None:
    click.echo(f"llmposter: {message}", err=True)


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's
    if wanted:
        from importlib.metadata import version

        click.echo(f"llmposter {version('llmposter')}")
        context.exit()


@click.group(context_settings=_HELP)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Print the version and exit."
)
def command() -> None:
    """Plays LLM providers for tests: multi-turn scenarios, checked before they run."""


def _paths(many: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=_Existing())(many)


def _verbose(of: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--verbose", is_flag=True, expose_value=False, help="Show where a bug of llmposter happened.")(
        of
    )


class _Existing(click.ParamType[str]):
    name = "path"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        if not Path(value).exists():
            raise Trouble(f'there is no file or folder "{value}"')
        return value


class _Token(click.ParamType[Any]):
    name = "token"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Issued:
        from llmposter.core.credentials import of_flag

        given = of_flag(value)
        if isinstance(given, str):
            self.fail(given, param, ctx)
        return given


# --- run ----------------------------------------------------------------------------------------------------------


@command.command()
@_paths
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
    log_format: Format,
    verbose: bool,  # noqa: FBT001 - click's
) -> int:
    """Serve scenarios, after checking them: files, or folders that are searched for them."""
    checked = _checked(paths)
    _show([each for each in checked.diagnostics if each.severity != "info"], err=True)
    if checked.failed:
        return 1
    programs = _reseeded(checked.programs, seed)

    from llmposter.log import Log, of_libraries
    from llmposter.server.running import CannotListen, Settings, serve

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
    )
    try:
        serve(programs, settings, lambda server: _ready(server, programs))
    except CannotListen as error:
        raise Trouble(str(error)) from error
    return 0


def _reseeded(programs: Sequence[Program], seed: int | None) -> Sequence[Program]:
    if seed is None:
        return programs
    from msgspec.structs import replace

    return [replace(program, seed=seed) for program in programs]


def _ready(server: Server, programs: Sequence[Program]) -> None:
    lines = [f"llmposter listening on {server.url}"]
    tokens = server.mock.admission.credentials.given
    secret = tokens[0].value if tokens else "any"
    for wire, (sdks, tail, url, key) in _SDKS.items():
        if wire in server.service.wires:
            base = f"{server.reach}{tail}"
            lines += [f"  {sdks} SDKs: base URL {base}", f"      export {url}={base} {key}={secret}"]
    lines += [f"  scenario {program.name} ({program.place.source.name})" for program in programs]
    lines += [f"  token {_told(each)}" for each in tokens]
    if server.service.manual:
        lines.append("  the clock stands still: POST /_llmposter/clock/advance moves it")
    if not server.loopback:
        lines.append(
            f"  warning: {server.url} can be reached from other machines, the journal of all requests included"
        )
    lines.append("Press Ctrl+C to stop")
    click.echo("\n".join(lines), err=True)


def _told(token: Issued) -> str:
    """A token as who started the server has to know it: these are keys to a mock, and no secret of anybody's."""
    from llmposter_dsl.program import Duration

    bounds = [_counted(token.uses, "use")] if token.uses is not None else []
    bounds += [str(Duration(token.lifetime))] if token.lifetime is not None else []
    named = "" if token.name == token.value else f"{token.name}: "
    return f"{named}{token.value}" + (f" ({', '.join(bounds)})" if bounds else "")


# --- checking -----------------------------------------------------------------------------------------------------


@command.command()
@_paths
@click.option("--format", "form", default="text", show_default=True, type=click.Choice(["text", "json"]))
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@_verbose
def lint(paths: Sequence[str], form: str, strict: bool) -> int:  # noqa: FBT001 - click's
    """Find what is wrong with scenarios, each with its exact place."""
    checked = _checked(paths)
    if form == "json":
        import json

        from llmposter_dsl.report import record

        click.echo(json.dumps([record(each) for each in checked.diagnostics], ensure_ascii=False, indent=2))
    else:
        _show(checked.diagnostics)
        click.echo(_summary(checked), err=True)
    warned = any(each.severity == "warning" for each in checked.diagnostics)
    return int(checked.failed or (strict and warned))


@command.command()
@_paths
@_verbose
def test(paths: Sequence[str]) -> int:
    """Play the examples of scenarios offline, and say which states and rules they covered."""
    checked = _checked(paths)
    # A failing example is told below, where it belongs.
    broken = [each for each in checked.diagnostics if each.severity == "error" and each.code != "LP307"]
    _show(broken)

    from llmposter.lint import passed, report

    for program, results in zip(checked.programs, checked.results, strict=True):
        click.echo("\n".join(report(program, results)))
    every = [result for results in checked.results for result in results]
    failed = sum(bool(result.failures) for result in every)
    click.echo(f"{len(every) - failed} of {_counted(len(every), 'example')} passed", err=True)
    return int(bool(broken) or not passed(every))


@command.command()
@click.argument("path", type=_Existing())
@click.option("--format", "form", default="mermaid", show_default=True, type=click.Choice(["mermaid", "dot"]))
@_verbose
def graph(path: str, form: Any) -> int:
    """Draw a scenario as a picture of its states, for Mermaid or Graphviz."""
    from llmposter import lint as checks
    from llmposter_dsl import compiler

    files = compiler.scenario_files([path])
    if len(files) != 1:
        raise Trouble(f'"{path}" holds {_counted(len(files), "scenario")}: name the one to draw')
    compiled = compiler.compile_path(files[0])
    if compiled.program is None:
        _show(compiled.diagnostics, err=True)
        return 1
    click.echo(checks.graph(compiled.program, form).rstrip("\n"))
    return 0


@command.command()
@click.argument("path", default="scenario.toml", type=click.Path())
@_verbose
def init(path: str) -> int:
    """Write a commented first scenario to PATH, scenario.toml if none is given."""
    from llmposter.lint import init_text

    target = Path(path) / "scenario.toml" if Path(path).is_dir() else Path(path)
    try:
        with target.open("x", encoding="utf-8", newline="\n") as file:
            file.write(init_text())
    except FileExistsError as error:
        raise Trouble(f'"{target}" is there already, and is left as it is') from error
    except OSError as error:
        raise Trouble(f'cannot write "{target}": {(error.strerror or str(error)).lower()}') from error
    click.echo(f"wrote {target}; try `llmposter test {target}`, then `llmposter run {target}`")
    return 0


def _checked(paths: Sequence[str]) -> Checked:
    from llmposter.lint import check

    return check(paths)


def _show(diagnostics: Sequence[Diagnostic], *, err: bool = False) -> None:
    if diagnostics:
        from llmposter_dsl.report import text

        click.echo("\n".join(map(text, diagnostics)), err=err)


def _summary(checked: Checked) -> str:
    found = [each.severity for each in checked.diagnostics]
    kinds = (("error", "error"), ("warning", "warning"), ("info", "remark"))
    told = [_counted(found.count(kind), word) for kind, word in kinds if kind in found]
    return f"{_counted(len(checked.files), 'file')}: {', '.join(told) or 'no findings'}"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


if __name__ == "__main__":
    main()
