"""Places in TOML: random documents in all forms, each span read back by tomli."""

import tomli
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmposter_dsl import reading
from llmposter_dsl.tree import Document, walk

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

CHARACTERS = st.one_of(st.sampled_from("ab \t\n\"'\\#=[]{}.,é😀\u2028\xa0\x1f"), st.characters(codec="utf-8"))
STRINGS = st.text(CHARACTERS.filter(lambda c: c != "\r"), max_size=12)
KEYS = st.one_of(st.text("abc-_1", min_size=1, max_size=3), STRINGS)
SCALARS = st.one_of(
    STRINGS, st.booleans(), st.integers(-(1 << 63), (1 << 63) - 1), st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(KEYS, inner, max_size=3),
        st.lists(st.dictionaries(KEYS, inner, max_size=3), min_size=1, max_size=3),
    ),
    max_leaves=12,
)
TABLES = st.dictionaries(KEYS, VALUES, min_size=1, max_size=5)


class Writer:
    """Writes a table as TOML and draws a form wherever there are several."""

    def __init__(self, draw):
        self.draw = draw

    def pick(self, *choices):
        return self.draw(st.sampled_from(choices))

    def escaped(self, text, keep=""):
        return "".join(self.character(c, keep) for c in text)

    def character(self, c, keep):
        plain = c in keep or (c not in '"\\' and (c == "\t" or (ord(c) >= 32 and ord(c) != 127)))
        if plain and self.pick(*"++-") == "+":
            return c
        short = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\", "\x1b": "\\e"}.get(c)
        return short if short and self.pick(*"+-") == "+" else f"\\U{ord(c):08x}"

    def string(self, text):
        calm = not any((ord(c) < 32 and c not in "\t\n") or ord(c) == 127 for c in text)
        forms = ["basic", "long"]
        if calm and "'" not in text and "\n" not in text:
            forms.append("literal")
        if calm and "'''" not in text and not text.endswith("'"):
            forms.append("long literal")
        match self.pick(*forms):
            case "basic":
                return f'"{self.escaped(text)}"'
            case "literal":
                return f"'{text}'"
            case "long literal":
                return f"'''\n{text}'''"
            case _:
                goes_on = self.pick("", "\\\n  ", "\\ \n\n")
                return (
                    f'"""\n{goes_on}{self.escaped(text, keep=chr(10))}"""'
                    if not text[:1].isspace()
                    else self.long(text)
                )

    def long(self, text):
        return f'"""{self.escaped(text)}\\\n   """'

    def key(self, name):
        if name and all(c.isascii() and (c.isalnum() or c in "-_") for c in name) and self.pick(*"+-") == "+":
            return name
        if "'" not in name and all(ord(c) >= 32 and ord(c) != 127 for c in name) and self.pick(*"+-") == "+":
            return f"'{name}'"
        return f'"{self.escaped(name)}"'

    def value(self, value):
        match value:
            case bool():
                return "true" if value else "false"
            case str():
                return self.string(value)
            case list():
                gap = self.pick("", " ", '\n # ] "\n')
                return f"[{gap}" + f",{gap}".join(map(self.value, value)) + f"{gap}]"
            case dict():
                pairs = (f"{self.key(k)} = {self.value(v)}" for k, v in value.items())
                return "{ " + ", ".join(pairs) + " }"
            case _:
                return repr(value)

    def table(self, table, path=()):
        lines, below = [], []
        for name, value in table.items():
            form = "inline"
            if isinstance(value, dict) and value:
                form = self.pick("inline", "dotted", "header")
            elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
                form = self.pick("inline", "headers")
            match form:
                case "inline":
                    lines.append(f"{self.key(name)} = {self.value(value)}")
                case "dotted":
                    lines += [f"{self.key(name)} . {self.key(k)}={self.value(v)} # c" for k, v in value.items()]
                case "header":
                    below += [f"[{self.path(path, name)}]", *self.table(value, (*path, name))]
                case _:
                    for item in value:
                        below += [f"[[ {self.path(path, name)} ]]", *self.table(item, (*path, name))]
        return lines + below

    def path(self, path, name):
        return ".".join(self.key(part) for part in (*path, name))


@st.composite
def documents(draw):
    table = draw(TABLES)
    return table, "\n".join(Writer(draw).table(table)) + "\n"


def cut(document, span):
    return document.source.text[span.start : span.end]


@SETTINGS
@given(documents(), st.booleans())
def test_every_toml_span_reads_back(written, crlf):
    """Values, keys and each character of each string stand where their spans say."""
    table, text = written
    raw = text.replace("\n", "\r\n") if crlf else text
    document = reading.read_text(("\ufeff" + raw).encode(), "x.toml")
    assert isinstance(document, Document), document
    assert table == document.data
    for path, value, holder in walk(document.data):
        if isinstance(holder, dict):
            assert [path[-1]] == list(tomli.loads(cut(document, document.key_span(path)) + "=0"))
        piece = cut(document, document.value_span(path))
        if isinstance(value, dict | list):
            table_of = not piece.startswith("{") and path
            assert not table_of or piece.startswith("[") or piece == cut(document, document.key_span(path))
            continue
        assert value == tomli.loads(f"x={piece}")["x"]
        if isinstance(value, str):
            characters_read_back(document, path, value)


@SETTINGS
@given(
    st.text(" \t\na", max_size=6),
    st.sampled_from(["'''", '"""']),
    st.sampled_from(["a = %s", "a = [%s]", "a = {b = %s}"]),
)
def test_blanks_of_a_long_string_stand_each_at_its_own_place(value, quotes, around):
    """Also those that come first, behind the line break that is none of the string."""
    document = reading.read_text((around % f"{quotes}\n{value}{quotes}" + "\n").encode(), "x.toml")
    path = {"a = %s": ("a",), "a = [%s]": ("a", 0), "a = {b = %s}": ("a", "b")}[around]
    spans = [document.inner_span(path, at, at + 1) for at in range(len(value))]
    assert list(value) == [cut(document, span) for span in spans]
    assert spans == sorted(spans, key=lambda span: span.start)
    assert len(spans) == len({span.start for span in spans})


def characters_read_back(document, path, value):
    for at, character in enumerate(value):
        piece = cut(document, document.inner_span(path, at, at + 1))
        assert piece == character or character == tomli.loads(f'x="{piece}"')["x"]
    whole = document.inner_span(path, 0, len(value))
    around = document.value_span(path)
    assert around.start < whole.start <= whole.end < around.end


PLACES = [
    # text, path, value, key
    ("[states.ask]\nx = 1", ("states",), "states", "states"),
    ("[states.ask]\nx = 1", ("states", "ask"), "[states.ask]", "ask"),
    ("[[states.ask]]\n[[states.ask]]\nx=1", ("states", "ask", 1), "[[states.ask]]", "[[states.ask]]"),
    ('a = "x"', ("a",), '"x"', "a"),
    ('a = "x"', ("a", "nothing", 3), '"x"', "a"),
    ("a = 2024-01-02 10:00:00 # c", ("a",), "2024-01-02 10:00:00", "a"),
    ('a = [1, {"b c".d = 2}]', ("a", 1, "b c", "d"), "2", "d"),
    ("a = ''''x'''''\nb=1", ("a",), "''''x'''''", "a"),
    ('a = """""x"""""\nb=1', ("a",), '"""""x"""""', "a"),
]


def test_places_of_a_toml_table():
    """Headers, dotted keys, items and missing paths have the spans of the table above."""
    for text, path, value, key in PLACES:
        document = reading.read_text(text, "x.toml")
        assert isinstance(document, Document), document
        assert (value, key) == (cut(document, document.value_span(path)), cut(document, document.key_span(path))), text


def test_an_end_inside_an_escape_covers_it_whole():
    """The last character of a stretch is covered with its whole escape, and an empty string has a place inside it."""
    document = reading.read_text('a = "x\\u00e9y"\nb = ""', "x.toml")
    assert isinstance(document, Document)
    assert "x\\u00e9" == cut(document, document.inner_span(("a",), 0, 2))
    assert (13, 13) == (document.inner_span(("a",), 3, 3).start, document.inner_span(("a",), 9, 12).end)
    assert 20 == document.inner_span(("b",), 0, 0).start
