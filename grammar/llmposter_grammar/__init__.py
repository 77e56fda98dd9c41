"""The language as data: its grammars. Imports nothing but the standard library, and that late."""


def text(name: str) -> str:
    """The text of the packaged file *name*, ``toml.lark``; also from a wheel or a zip.

    Raises:
        FileNotFoundError: no such file is packaged.
    """
    from importlib.resources import files

    return files(__name__).joinpath(name).read_text(encoding="utf-8")
