"""Places in YAML: random documents in all styles, each span read back by the reader itself."""

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmposter_dsl import reading
from llmposter_dsl.tree import Document, walk

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

CHARACTERS = st.one_of(
    st.sampled_from("ab \n\"'\\#:-é😀,[]{}&*!|>%@"), st.characters(min_codepoint=0x20, codec="utf-8")
)
STRINGS = st.text(CHARACTERS, max_size=14)
SCALARS = st.one_of(
    STRINGS, st.none(), st.booleans(), st.integers(-(1 << 63), (1 << 63) - 1), st.floats(-1e9, 1e9, allow_nan=False)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3), st.dictionaries(STRINGS, inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)
TABLES = st.dictionaries(STRINGS, VALUES, min_size=1, max_size=5)


def quoted(text, pick):
    def character(c):
        plain = c not in '"\\' and ("\x20" <= c <= "\x7e" or c in "é😀")
        if plain and pick(*"++-") == "+":
            return c
        short = {"\n": "\\n", '"': '\\"', "\\": "\\\\", " ": "\\ ", "\x85": "\\N"}.get(c)
        return short if short and pick(*"+-") == "+" else f"\\U{ord(c):08x}"

    return '"' + "".join(map(character, text)) + '"'


def plain(text):
    tame = all(c.isascii() and (c.isalnum() or c in " _-'") for c in text)
    return tame and text[:1].isalpha() and text == text.strip() and text.lower() not in ("true", "false", "null")


def block(text):
    lines = text.split("\n")
    tame = all(c == "\n" or "\x20" <= c <= "\x7e" or c in "é😀" for c in text)
    return tame and lines[0][:1].strip() and not any(line.endswith(" ") or line[:1] == " " for line in lines)


class Writer:
    """Writes data as YAML and draws a style wherever there are several."""

    def __init__(self, draw):
        self.draw = draw

    def pick(self, *choices):
        return self.draw(st.sampled_from(choices))

    def scalar(self, value, indent=None):
        if not isinstance(value, str):
            return (
                {None: self.pick("null", "~"), True: "true", False: "false"}.get(value, repr(value))
                if (value is None or isinstance(value, bool))
                else repr(value)
            )
        styles = ["double"]
        if all("\x20" <= c <= "\x7e" or c in "é😀" for c in value):
            styles.append("single")
        if plain(value):
            styles += ["plain", "plain over lines"] if indent is not None else ["plain"]
        if indent is not None and block(value):
            styles += ["literal", "folded"]
        pad = "\n" + " " * ((indent or 0) + 1)
        match self.pick(*styles):
            case "double":
                return quoted(value, self.pick)
            case "single":
                return "'" + value.replace("'", "''") + "'"
            case "plain":
                return value
            case "plain over lines":
                return value.replace(" ", pad + "  ", 1) if "  " not in value else value
            case "literal":
                header = "|" + ("-" if not value.endswith("\n") else "+")
                return header + " # header" + pad + value.replace("\n", pad).rstrip(" ")
            case _:
                body = value.rstrip("\n")
                ends = value[len(body) :]
                return ">" + ("+" if ends else "-") + pad + body.replace("\n", pad.rstrip(" ") + pad) + ends

    def flow(self, value):
        match value:
            case list():
                return "[" + ", ".join(map(self.flow, value)) + "]"
            case dict():
                return "{" + ", ".join(f"{self.scalar(k)}: {self.flow(v)}" for k, v in value.items()) + "}"
            case _:
                return self.scalar(value)

    def block(self, value, indent):
        """Lines that begin on a line of their own."""
        pad = " " * indent
        lines = []
        entries = (
            [("-", v) for v in value]
            if isinstance(value, list)
            else [(f"{self.scalar(k)}:", v) for k, v in value.items()]
        )
        for lead, item in entries:
            anchor = self.pick("", "", "&a1 ")
            if isinstance(item, dict | list) and self.pick(*"+-") == "+":
                lines += [f"{pad}{lead} {anchor}# c", *self.block(item, indent + 2)]
            elif isinstance(item, dict | list):
                lines.append(f"{pad}{lead} {anchor}{self.flow(item)}")
            else:
                text = self.scalar(item, indent)
                lines.append(f"{pad}{lead} {anchor}{text}" + (" # c" if "\n" not in text else ""))
        return lines


@st.composite
def documents(draw):
    table = draw(TABLES)
    return table, "\n".join(Writer(draw).block(table, 0)) + "\n"


def cut(document, span):
    return document.source.text[span.start : span.end]


def read_back(piece):
    again = reading.read_text(f"x: {piece}\n", "x.yaml", "yaml")
    assert isinstance(again, Document), (piece, again)
    return again.data["x"]


def trimmed(value):
    return value.rstrip("\n") if isinstance(value, str) else value


@SETTINGS
@given(documents(), st.booleans())
def test_every_yaml_span_reads_back(written, crlf):
    """Values, keys and each solid character of each string stand where their spans say."""
    table, text = written
    raw = text.replace("\n", "\r\n") if crlf else text
    document = reading.read_text(("\ufeff" + raw).encode(), "x.yaml", "yaml")
    assert isinstance(document, Document), document
    assert table == document.data
    for path, value, holder in walk(document.data):
        if isinstance(holder, dict):
            assert path[-1] == read_back(cut(document, document.key_span(path)))
        piece = cut(document, document.value_span(path))
        if not isinstance(value, dict | list):
            assert trimmed(value) == trimmed(read_back(piece))
        elif piece[0] in "[{" and path:
            assert value == read_back(piece)
        if isinstance(value, str):
            characters_read_back(document, path, value)


def characters_read_back(document, path, value):
    last = 0
    for at, character in enumerate(value):
        span = document.inner_span(path, at, at + 1)
        piece = cut(document, span)
        assert last <= span.end
        last = span.end
        if not character.isspace():
            assert piece in (character, character * 2) or character == yaml.safe_load(f'"{piece}"')


PLACES = [
    # text, path, value, key
    ("states:\n  ask:\n    - reply: x\n\n# c\nb: 1", ("states",), "ask:\n    - reply: x", "states"),
    ("a: &x !!str  text # c\nb: *x", ("a",), "text", "a"),
    ("a: &x text\nb: *x", ("b",), "*x", "b"),
    ("a: &x {c: 1}\nb: *x", ("b", "c"), "1", "c"),
    ("a: &x # c\n  b: 1\nd: 2", ("a",), "b: 1", "a"),
    ("a: |\n  one\n  two\n\nb: 1", ("a",), "|\n  one\n  two", "a"),
    ("a:\nb: 1", ("a",), "", "a"),
    ("a: [x, {b: 2}]", ("a", 1), "{b: 2}", "{b: 2}"),
    ("a: x", ("a", "nothing"), "x", "a"),
    ("😀: 😀 x", ("😀",), "😀 x", "😀"),
]


@pytest.mark.parametrize("pure", [False, True])
def test_places_of_yaml(pure, monkeypatch):
    """Anchors, tags, aliases, blocks and missing paths have the spans of the table, with and without libyaml."""
    if pure:
        monkeypatch.delattr(yaml, "CSafeLoader")
    for text, path, value, key in PLACES:
        document = reading.read_text(text, "x.yaml", "yaml")
        assert isinstance(document, Document), document
        assert (value, key) == (cut(document, document.value_span(path)), cut(document, document.key_span(path))), text


INNER = [
    # text of `a`, stretch of the decoded string, what it covers in the file
    ("|\n  one\n  two ${x}\n", (8, 12), "${x}"),
    (">\n  one\n  two ${x}\n", (4, 12), "two ${x}"),
    ('"x\\u00e9y"', (1, 2), "\\u00e9"),
    ('"one\n  two"', (4, 7), "two"),
    ("'it''s x'", (2, 4), "''s"),
    ("one\n  two", (0, 7), "one\n  two"),
    ("|\n    deep\n      er\n", (5, 9), "  er"),
]


def test_stretches_inside_yaml_strings():
    """A stretch of a string covers what is written for it, through folding, indentation and escapes."""
    for text, stretch, covered in INNER:
        document = reading.read_text(f"a: {text}", "x.yaml", "yaml")
        assert isinstance(document, Document), document
        assert covered == cut(document, document.inner_span(("a",), *stretch)), text
