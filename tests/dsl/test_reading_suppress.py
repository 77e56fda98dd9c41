"""Suppressions and the text form of findings."""

import pytest

from llmposter_dsl import reading, report, suppress
from llmposter_dsl.diagnostic import Diagnostic, Related
from llmposter_dsl.place import At
from llmposter_dsl.source import Source, Span
from llmposter_dsl.tree import Document

ALL = "# llmposter: ignore[LP301] all of it\n"
WHEN, DEEP = ("LP301", ("states", "a", 0, "when")), ("LP301", ("states", "a", 0, "set", "y"))
SECOND_RULE = ("LP301", ("states", "a", 1, "when"))
CASES = [
    # kind, text, findings as (code, path), what is left as code and line
    ("toml", "a = 1 # llmposter: ignore[LP301] so", [("LP301", ("a",))], []),
    ("toml", "a = 1 # llmposter: ignore[LP302]", [("LP301", ("a",))], ["LP301:1", "LP901:1"]),
    ("toml", "# llmposter: ignore[LP301, LP302] both\n# more\na = 1", [("LP301", ("a",)), ("LP302", ("a",))], []),
    ("toml", "# llmposter: ignore[LP301]\n\na = 1", [("LP301", ("a",))], ["LP301:3", "LP901:1"]),
    ("toml", "b = 1 # llmposter: ignore[LP301]\na = 1", [("LP301", ("a",))], ["LP301:2", "LP901:1"]),
    ("toml", "# x\n# llmposter: ignore-file[LP301] all\nb = 1\na = 1", [("LP301", ("a",)), ("LP301", ("b",))], []),
    ("toml", "b = 1\n# llmposter: ignore-file[LP301]\na = 1", [("LP301", ("a",))], ["LP301:3", "LP901:2"]),
    ("toml", "a = 1 # llmposter: ignore", [("LP301", ("a",))], ["LP301:1", "LP901:1"]),
    ("toml", "a = 1 # llmposter: ignore[]", [("LP301", ("a",))], ["LP301:1", "LP901:1"]),
    ("toml", "a = 1 # llmposter: ignore[LP999]", [], ["LP901:1"]),
    ("toml", "a = '# llmposter: ignore[LP301]'", [("LP301", ("a",))], ["LP301:1"]),
    ("toml", 'a = """\n# llmposter: ignore[LP301]\n"""', [("LP301", ("a",))], ["LP301:1"]),
    ("yaml", "a: x # llmposter: ignore[LP301] so", [("LP301", ("a",))], []),
    ("yaml", "# llmposter: ignore[LP301]\na: |\n  x\n", [("LP301", ("a",))], []),
    ("yaml", "a: | # llmposter: ignore[LP301]\n  x\n", [("LP301", ("a",))], []),
    ("yaml", "a: |\n  # llmposter: ignore[LP301]\n", [("LP301", ("a",))], ["LP301:1"]),
    ("yaml", "a: 'x # llmposter: ignore[LP301]'", [("LP301", ("a",))], ["LP301:1"]),
    ("yaml", "# llmposter: ignore-file[LP301]\n---\na: x", [("LP301", ("a",))], []),
    ("toml", "# x\u2028y\n# llmposter: ignore-file[LP301]\na = 1", [("LP301", ("a",))], []),
    ("toml", "a = 1", [("LP301", ("a",))], ["LP301:1"]),
    # of a rule
    ("toml", f"{ALL}[[states.a]]\nwhen = 'x'\nset.y = 1", [WHEN, DEEP], []),
    ("toml", "[[states.a]] # llmposter: ignore[LP301]\nwhen = 'x'\nset.y = 1", [WHEN, DEEP], []),
    ("toml", f"{ALL}[[always]]\nwhen = 'x'", [("LP301", ("always", 0, "when"))], []),
    ("toml", f"{ALL}[[states.a]]\nx = 1\n[[states.a]]\nwhen = 'x'", [SECOND_RULE], ["LP301:5", "LP901:1"]),
    ("toml", f"[[states.a]]\n{ALL}x = 1\nwhen = 'x'", [WHEN], ["LP301:4", "LP901:2"]),
    ("yaml", "states:\n  a:\n    # llmposter: ignore[LP301]\n    - x: 1\n      when: x", [WHEN], []),
    ("yaml", "states:\n  a:\n    - x: 1 # llmposter: ignore[LP301]\n      when: x", [WHEN], ["LP301:4", "LP901:3"]),
    ("yaml", f"{ALL}states:\n  a:\n    - when: x", [WHEN], ["LP301:4", "LP901:1"]),
]


@pytest.mark.parametrize(("kind", "text", "found", "left"), CASES)
def test_suppressions(kind, text, found, left):
    """A comment takes away the findings it names, on its line or the next; one that takes none away is a finding."""
    document = reading.read_text(text, "f", kind)
    assert isinstance(document, Document), document
    diagnostics = [Diagnostic(code, "x", document.root().key(*path)) for code, path in found]
    records = map(report.record, report.sort(suppress.apply(document, diagnostics)))
    assert sorted(left) == sorted(f"{record['code']}:{record['line']}" for record in records)


def test_a_finding_inside_a_long_string_is_suppressed_at_its_key():
    """Inside a string there are no comments, so the one before its key counts."""
    text = '# llmposter: ignore[LP202]\na = """\none\ntwo"""\n'
    document = reading.read_text(text, "f")
    assert isinstance(document, Document)
    assert () == suppress.apply(document, [Diagnostic("LP202", "x", document.root().child("a").stretch(4, 7))])


def test_findings_of_other_files_stay():
    """A suppression speaks of its own file."""
    document = reading.read_text("# llmposter: ignore-file[LP301]\na = 1", "f")
    assert isinstance(document, Document)
    other = Diagnostic("LP301", "x", At(Source("g", "a"), Span(0, 1)))
    assert ["LP301", "LP901"] == [found.code for found in suppress.apply(document, [other])]


SOURCE = Source("x.toml", "a = 1\n😀b = 2\n")
FIRST = Diagnostic("LP110", "unknown key `a`", At(SOURCE, Span(0, 1)), "did you mean `b`?")
SECOND = Diagnostic("LP105", "twice", At(SOURCE, Span(6, 13)), None, (Related(At(SOURCE, Span(4, 5)), "first here"),))


def test_report_text_and_record():
    """The text and JSON forms are exact, 1-based, the end exclusive, columns in code points."""
    source = "    1 | a = 1\n      | ^\n"
    assert f"x.toml:1:1-1:2 LP110 unknown key `a`\n{source}    help: did you mean `b`?" == report.text(FIRST)
    source = "    2 | 😀b = 2\n      | ^^^^^^^\n"
    assert f"x.toml:2:1-3:1 LP105 twice\n{source}    x.toml:1:5 first here" == report.text(SECOND)
    expected = {"code": "LP110", "severity": "error", "message": "unknown key `a`", "file": "x.toml", "line": 1}
    expected |= {"column": 1, "end_line": 1, "end_column": 2, "help": "did you mean `b`?"}
    expected |= {"related": [], "fixes": []}
    assert expected == report.record(FIRST)


def test_report_sort():
    """Findings come by file, place and code, each once."""
    other = Diagnostic("LP101", "x", At(Source("a.toml", ""), Span(0, 0)))
    assert (other, FIRST, SECOND) == report.sort([SECOND, FIRST, FIRST, other])
