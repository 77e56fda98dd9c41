"""`llmposter chat`: talk to a scenario in the terminal, no server needed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from llmposter.cli import shared

if TYPE_CHECKING:
    from llmposter.lint.chatting import Chat


@click.command()
@click.argument("path", type=shared.Existing())
@click.option("--provider", default="openai", show_default=True, help="Whose format the requests have.")
@shared.verbose
def chat(path: str, provider: str) -> int:
    """Talk to a scenario: see state, rule, variables and delivery; type results of tools."""
    checked = shared.checked([path])
    shared.show([each for each in checked.diagnostics if each.severity == "error"], err=True)
    if checked.failed:
        return 1
    if len(checked.programs) != 1:
        raise shared.Trouble(f'"{path}" holds {shared.counted(len(checked.programs), "scenario")}: name the one')

    from llmposter.core.machine import Machine
    from llmposter.lint.chatting import Chat
    from llmposter.wire import load

    if provider not in load():
        raise shared.Trouble(f'there is no provider "{provider}": it is one of {", ".join(load())}')
    (program,) = checked.programs
    talk = Chat(program, Machine(program), provider)
    click.echo(f'scenario "{program.name}", state "{talk.stands.state}"; /help tells what can be typed')
    _talk(talk)
    return 0


def _talk(chat: Chat) -> None:
    """Until there are no more lines."""
    typed = sys.stdin.isatty()
    if typed:
        # Lines can be edited and called back once it is loaded.
        import readline  # noqa: F401
    while not chat.ended:
        try:
            line = input(chat.prompt if typed else "")
        except EOFError:
            click.echo() if typed else None
            return
        if not typed:
            click.echo(f"{chat.prompt}{line}")
        for each in chat.say(line):
            click.echo(each)
