"""The command line: each module of `commands/` is the command of its name, loaded when it is asked for.

Exit codes: 0 well, 1 findings or failures in what was given, 2 could not run; never a traceback unless asked for.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import click

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


_OWN = ("-h", "--help", "--version")
"""What may stand in place of a command; any other option is one of `flags`."""


class Commands(click.Group):
    """The commands by their names; their imports stand inside of them, so that each starts as fast as its own work."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        from pkgutil import iter_modules

        from llmposter.cli import commands

        return sorted(each.name for each in iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        found: click.Command = getattr(import_module(f"llmposter.cli.commands.{cmd_name}"), cmd_name)
        return found


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
        if given and given[0].startswith("-") and given[0] not in _OWN:
            from llmposter.cli.flags import flags

            return flags(given, prog_name="llmposter", standalone_mode=False) or 0
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


@click.group(
    cls=Commands,
    context_settings=_HELP,
    epilog="`llmposter --fixtures PATH` serves fixture files with the flags of llmposter 0.5; `-h` behind tells them.",
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Print the version and exit."
)
def command() -> None:
    """Plays LLM providers for tests: multi-turn scenarios, checked before they run."""
