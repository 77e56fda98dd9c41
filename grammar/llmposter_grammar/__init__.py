"""The language as data: its grammars. Imports nothing but the standard library, and that late."""


def text(name: str) -> str:
    """The text of the packaged file *name*, ``toml.lark``, with line feeds alone; also from a wheel or a zip.

    Raises:
        FileNotFoundError: no such file is packaged.
    """
    return data(name).decode("utf-8").replace("\r\n", "\n")


def data(name: str) -> bytes:
    """The bytes of the packaged file *name*; as `text`."""
    # `importlib.resources` does the same, and takes longer to import than what is read here.
    from pkgutil import get_data

    found = get_data(__name__, name)
    assert found is not None
    return found
