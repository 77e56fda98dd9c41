"""What `llmposter lint --fix` and `--diff` do: fixes are carried out in memory, then written or shown."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from llmposter.cli import shared

if TYPE_CHECKING:
    from llmposter.lint.checking import Checked
    from llmposter.lint.fixing import Fixed


_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
"""A line as `patch` sees it, with its end."""


class Reader(NamedTuple):
    """How scenarios are checked: those in files, or the one text of standard input.

    Attributes:
        check: what is found, where files and the text hold what it is given by their paths.
        stdin: the path that the text of standard input would have, and the text.
    """

    check: Callable[[Mapping[str, bytes]], Checked]
    stdin: tuple[str, bytes] | None = None

    def found(self) -> Checked:
        """What is found as it stands."""
        return self.check(self._given())

    def fixed(self, *, unsafe: bool) -> Fixed:
        """What is found once all fixes are carried out."""
        from llmposter.lint.fixing import fixed

        return fixed(self.check, unsafe=unsafe, given=self._given())

    def _given(self) -> dict[str, bytes]:
        return {} if self.stdin is None else dict([self.stdin])


def fix(reader: Reader, *, unsafe: bool) -> tuple[Checked, int]:
    """Writes what fixes make of the files, or of standard input; answers what is left, and how many there were."""
    from llmposter.lint.fixing import write

    made = reader.fixed(unsafe=unsafe)
    if reader.stdin is not None:
        path, text = reader.stdin
        click.echo(made.files.get(path, (text, text))[1], nl=False)
        return made.checked, made.done
    try:
        for path in write(made.files):
            raise shared.Trouble(f'"{made.names[path]}" was changed by another program, and was left as it is')
    except OSError as error:
        name = made.names.get(str(error.filename), error.filename)
        raise shared.Trouble(f'cannot write "{name}": {(error.strerror or str(error)).lower()}') from error
    return made.checked, made.done


def diff(reader: Reader, *, unsafe: bool, failing: bool) -> int:
    """Shows what fixes would change, as a patch; 1 if there is something."""
    from difflib import unified_diff

    made = reader.fixed(unsafe=unsafe)
    for path in sorted(made.files, key=made.names.__getitem__):
        old, new = (_LINE.findall(content.decode("utf-8")) for content in made.files[path])
        click.echo("".join(map(_line, unified_diff(old, new, *_names(made.names[path])))), nl=False)
    told = f"would fix {shared.counted(made.done, 'finding')}" if made.done else "nothing to fix"
    click.echo(told, err=True)
    return int(bool(made.files) and failing)


def _names(name: str) -> tuple[str, str]:
    shown = name.replace(os.sep, "/")
    return shown, shown


def _line(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
