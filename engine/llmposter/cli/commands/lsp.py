"""`llmposter lsp`: the language server, for editors."""

from __future__ import annotations

import click

from llmposter.cli import shared


@click.command()
@click.option("--stdio", is_flag=True, expose_value=False, help="As it is anyway; editors like to say it.")
@shared.verbose
def lsp() -> int:
    """Serve an editor that speaks the Language Server Protocol, over standard input and output."""
    try:
        from llmposter.lsp.server import serve
    except ModuleNotFoundError as error:
        if error.name not in ("pygls", "lsprotocol"):
            raise
        raise shared.Trouble('the language server needs more: pip install "llmposter[lsp]"') from error
    serve()
    return 0
