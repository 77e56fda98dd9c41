"""Reading: any bytes give a document or exact diagnostics, soon; a clean file never pays for places."""

import os
import subprocess
import sys

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telling import without_lines

from llmposter_dsl import reading, report, toml_tree, yaml_tree
from llmposter_dsl.tree import Document

BROKEN_TOML = [
    ("a=", "1:3-1:3 LP103 expected a value, found the end of the file"),
    ("reply = Hello there", "1:9-1:14 LP103 expected a value, found `Hello`"),
    ("a = 1 2", "1:7-1:8 LP103 expected the end of the line after the value, found `2`"),
    ('a="x\nb=1', '1:3-1:5 LP103 this string is not closed; expected `"`'),
    ("b=1\na='''x", "2:3-2:7 LP103 this string is not closed; expected `'''`"),
    ('a="\\q"', "1:6-1:7 LP103 this is no escape of a TOML string"),
    ("=1", "1:1-1:2 LP103 expected a key or a `[table]`, found `=`"),
    ("a b=1", "1:3-1:4 LP103 expected `=` after the key, found `b`"),
    ("[a\nb=1", "1:3-1:3 LP103 expected `]` after the table's name, found the end of the line"),
    ("[[a]\nb=1", "1:4-1:5 LP103 expected `]]` after the table's name, found `]`"),
    ("a=[1 2]", "1:6-1:7 LP103 expected `,` or `]` in this list, found `2`"),
    ("a={b=1 c=2}", "1:8-1:9 LP103 expected `,` or `}` in this table, found `c`"),
    ("a=1\na=2", "2:1-2:2 LP105 `a` is defined twice | 1:1 first defined here"),
    ("[a]\n[b]\n[a]", "3:2-3:3 LP105 `a` is defined twice | 1:2 first defined here"),
    ("[a]\nb.c=1\n[a.b]\nd=2", "3:4-3:5 LP105 `b` is defined twice | 2:1 first defined here"),
    ("a=[{x=1},{x=1,'x'=2}]", "1:15-1:18 LP105 `'x'` is defined twice | 1:11 first defined here"),
    ("a={b=1}\na.c=2", "2:1-2:2 LP105 `a` is defined twice | 1:1 first defined here"),
    ("[[a]]\n[a]", "2:2-2:3 LP105 `a` is defined twice | 1:3 first defined here"),
    ("a=nan", "1:3-1:6 LP114 `nan` is no number that JSON can hold"),
    ("a=[1e999]", "1:4-1:9 LP114 `inf` is no number that JSON can hold"),
    ("a=9223372036854775808", "1:3-1:22 LP114 an integer beyond 64 bits is no number that JSON can hold"),
    ("a=" + "1" * 5000, "1:3-1:5003 LP114 an integer must fit in 64 bits"),
    (".".join("a" * 300) + "=1", "1:201-1:202 LP107 values are nested more than 100 levels deep"),
    ("", "1:1-1:1 LP108 the file is empty"),
    (b"a='\r\n\xff'", "2:1-2:2 LP102 byte 0xff is not UTF-8 text"),
    (b"\xef\xbb\xbfa=1\r\nb='\xc3'", "2:4-2:5 LP102 byte 0xc3 is not UTF-8 text"),
    ("a='\ud800'", "1:4-1:5 LP102 half of a surrogate pair is not UTF-8 text"),
]

BROKEN_YAML = [
    ("a: \x07", "1:4-1:5 LP104 the control character U+0007 cannot stand in YAML"),
    ("a: [x", "1:6-1:6 LP104 expected `,` or `]` in this list"),
    ('a: "x', '1:4-1:6 LP104 this string is not closed; expected `"`'),
    ("a: b: c", "1:5-1:6 LP104 a `:` cannot stand here"),
    ("- a\nb: 1", "2:1-2:2 LP104 expected another `- ` item of the list, or less indentation"),
    ('a: "\\q"', '1:5-1:6 LP104 this is no escape of a "…" string'),
    ("a: @x", "1:4-1:5 LP104 this character cannot begin a value"),
    ("😀: *x", "1:4-1:6 LP104 the alias `*x` repeats nothing: there is no such anchor before it"),
    ("a: !!python/object:x 1", "1:4-1:23 LP104 the tag `!!python/object:x` means nothing here"),
    ("a: !!int x", "1:4-1:11 LP104 `x` is not what its tag `!!int` says"),
    ("1: x", "1:1-1:2 LP104 a key must be text, `1` is not"),
    ("a:\n  true: x", "2:3-2:7 LP104 a key must be text, `true` is not"),
    ("<<: {a: 1}", "1:1-1:3 LP104 YAML 1.2 has no merge key `<<`"),
    ("? [a]\n: b", "1:3-1:4 LP104 a key must be text, not a list or a map"),
    ("a: 1\nb: 2\n'a': 3", "3:1-3:4 LP105 `a` is defined twice | 1:1 first defined here"),
    ("a: {b: 1, b: 2}", "1:11-1:12 LP105 `b` is defined twice | 1:5 first defined here"),
    ("a: .inf", "1:4-1:8 LP114 `.inf` is no number that JSON can hold"),
    ("a: -0x1", None),
    ("a: 99999999999999999999", "1:4-1:24 LP114 `99999999999999999999` is no number that JSON can hold"),
    ("a: &a [*a]", "1:8-1:10 LP107 the alias `*a` stands inside what it repeats"),
    ("a: 1\n---\nb: 2", "2:1-2:4 LP108 a file holds one YAML document, here a second one begins"),
    ("", "1:1-1:1 LP108 the file is empty"),
    ("# only a comment", "1:1-1:1 LP108 the file is empty"),
    ("- a\n", "1:1-1:4 LP108 a scenario is a map of keys, this is a list"),
    ("text", "1:1-1:5 LP108 a scenario is a map of keys, this is one value"),
]


def shown(result):
    if isinstance(result, Document):
        return None
    found = result[0]
    related = "".join(
        " | " + line.strip().removeprefix("f:")
        for line in without_lines(found).splitlines()[1:]
        if not line.startswith("    help: ")
    )
    return without_lines(found).splitlines()[0].removeprefix("f:") + related


@pytest.mark.parametrize(("text", "expected"), BROKEN_TOML)
def test_broken_toml(text, expected):
    """A broken TOML file has one exact first finding."""
    assert expected == shown(reading.read_text(text, "f", "toml"))


@pytest.mark.parametrize(("text", "expected"), BROKEN_YAML)
def test_broken_yaml(text, expected):
    """A broken YAML file has one exact first finding."""
    assert expected == shown(reading.read_text(text, "f", "yaml"))


def test_several_findings_at_once():
    """What does not stop the reader is told of together."""
    result = reading.read_text("1: a\nb: .nan\nc: !x y\n", "f", "yaml")
    assert not isinstance(result, Document)
    assert [1, 2, 3] == [report.record(found)["line"] for found in result]


VALUES = (
    "a: yes\nb: 12:30\nc: 0x1F\nd: 0o17\ne: 1_000\nf: 1.5e3\ng: ~\nh:\ni: .5\nj: 2024-01-02\nk: ! 5\nl: !!str 5\nm: -7"
)


@pytest.mark.parametrize("pure", [False, True])
def test_yaml_is_read_as_core_schema(pure, monkeypatch):
    """Plain scalars mean what YAML 1.2's core schema says, with and without libyaml."""
    if pure:
        monkeypatch.delattr(yaml, "CSafeLoader")
    document = reading.read_text(VALUES, "x.yaml", "yaml")
    assert isinstance(document, Document), document
    expected = {"a": "yes", "b": "12:30", "c": 31, "d": 15, "e": "1_000", "f": 1500.0, "g": None, "h": None}
    assert {**expected, "i": 0.5, "j": "2024-01-02", "k": "5", "l": "5", "m": -7} == document.data


def test_toml_dates_are_text():
    """Dates and times become the text as written, wherever they stand."""
    text = "a = 2024-01-02 10:00:00 # c\nb = [{ c = 07:30:00 }]\nd = 1979-05-27T07:32:00.5Z\n"
    document = reading.read_text(text, "x.toml")
    assert isinstance(document, Document), document
    expected = {"a": "2024-01-02 10:00:00", "b": [{"c": "07:30:00"}], "d": "1979-05-27T07:32:00.5Z"}
    assert expected == document.data


CUTS = [
    ("a: ticket #5 is open", ["1:4-1:21"]),
    ("a: [x #y\n  ]", ["1:5-1:9"]),
    ("a: text # comment", []),
    ("a: 5 #five", []),
    ('a: "text" #c', []),
    ("a: |\n  text #5", []),
    ("a: text#5", []),
]


def test_plain_text_cut_by_a_comment():
    """A plain text that ` #` ends, with no space after it, is a warning at the text and what was cut off."""
    for text, places in CUTS:
        document = reading.read_text(text, "f", "yaml")
        assert isinstance(document, Document), text
        assert [f"f:{place} LP123" for place in places] == [
            without_lines(found).split(" the ")[0] for found in document.findings
        ]


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
HEAVY = [
    ("[" * 100_000, "yaml", "LP107"),
    ("a: " + "[" * 100_000, "yaml", "LP107"),
    ("- " * 100_000, "yaml", "LP107"),
    ("{" * 100_000, "yaml", "LP104"),
    ("? " * 100_000, "yaml", "LP104"),
    (BOMB, "yaml", "LP107"),
    ("".join(f"a{n}: &a{n} [{f'*a{n - 1}' if n else 1}]\n" for n in range(5000)), "yaml", "LP107"),
    ("1: x\n" * 20_000, "yaml", "LP104"),
    ("a=" + "[" * 100_000, "toml", "LP107"),
    ("a=" + "{b=" * 100_000, "toml", "LP107"),
    (".".join("a" * 20_000) + "=1", "toml", "LP107"),
    ("a=" + "1" * 1_000_000, "toml", "LP114"),
    ("x" * (16 * 1024 * 1024 + 1), "toml", "LP106"),
]


@pytest.mark.parametrize(("text", "kind", "code"), HEAVY, ids=range(len(HEAVY)))
def test_hostile_files_are_refused_soon(text, kind, code):
    """Bombs and endless nesting are a finding, and soon: what grows without bound meets the time limit of all tests."""
    result = reading.read_text(text, "f", kind)
    assert not isinstance(result, Document)
    assert code == report.record(result[0])["code"]


CLEAN = """
import sys
from llmposter_dsl import reading
toml = reading.read_text("[states.a]\\nb = 'x'\\n", "x.toml")
yaml = reading.read_text("a: [b, {c: text # c\\n}]", "x.yaml", "yaml")
assert toml.data and yaml.data and not {"_tree", "_known_ranges"} & {*vars(toml), *vars(yaml)}
assert not {"lark", "llmposter_grammar", "llmposter_dsl.inner", "re2"} & set(sys.modules)
"""


def test_a_clean_file_never_pays_for_places():
    """Neither Lark nor the grammar nor a tree of places is there after clean files were read."""
    subprocess.run([sys.executable, "-c", CLEAN], check=True)


def test_files(tmp_path):
    """A file that is missing, no file, or of no known kind is a finding; else its suffix says what it is."""
    (tmp_path / "a.yml").write_text("a: 1")
    (tmp_path / "a.toml").write_text("a = 1")
    os.mkfifo(tmp_path / "pipe.toml")
    for name in ("a.yml", "a.toml"):
        document = reading.read(tmp_path / name, name)
        assert isinstance(document, Document)
        assert ({"a": 1}, name, str(tmp_path / name)) == (document.data, document.source.name, document.source.path)
    for name in ("none.toml", "a.json", ".", "pipe.toml", "a\0.toml"):
        result = reading.read(f"{tmp_path}/{name}")
        assert not isinstance(result, Document)
        assert "LP101" == report.record(result[0])["code"]


SOAK = 20_000 if os.environ.get("LLMPOSTER_SOAK") else 300
WORDS = (
    "a|b|[t]|[[t]]|a = 1|a: 1|a.b = 2|\\u00e9|%YAML 1.1|2024-01-02| = |: |- |? |&a |*a|2-|# c|!!int |!x |<<|0x|1e999"
)
SIGNS = "[]{},'\"\\|>#.-1~\t\n\n\r\0\x85\u2028\ufeff😀\ud800"
PIECES = st.sampled_from([*WORDS.split("|"), *SIGNS, "[[", "]]", "nan", "---\n", "...\n", "\n  ", "\r\n", '"""', "'''"])


@settings(max_examples=SOAK, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.lists(PIECES, max_size=14).map("".join), st.binary(max_size=40), st.text(max_size=40)))
def test_anything_is_read_or_refused(text):
    """Any text or bytes give a document, or findings whose places can be written."""
    for kind in ("toml", "yaml"):
        result = reading.read_text(text, "f", kind)
        found = result.findings if isinstance(result, Document) else result
        assert isinstance(result, Document) or found
        for one in found:
            span = one.place.span
            assert 0 <= span.start <= span.end <= len(one.place.source.text)
            report.text(one)
        if isinstance(result, Document):
            assert result.value_span(("a", 0)).end <= len(result.source.text)
            assert sorted(set(comments(result))) == list(comments(result))


def comments(document):
    return (toml_tree if document.kind == "toml" else yaml_tree).comments(document.source.text)
