"""Pictures are read by those that draw them: Mermaid, and Graphviz as it is compiled for JavaScript."""

from __future__ import annotations

import html
import json
import os
import random
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from clients import INTEROP, environment, node

from llmposter import lint
from llmposter.lint.coverage import coverage, data
from llmposter.lint.overlay import Overlay, read
from llmposter_dsl import compile_text, scenario_files
from llmposter_dsl.compiler import compile_path
from llmposter_dsl.program import Program

TOP = Path(__file__).parents[2]
GALLERY = scenario_files([TOP / "scenarios"])
NASTY = [
    *('"', "'", "`x`", "\\", "\\n", "\\N\\G", "#35;", "#quot;", "&amp;", "<br>", "</svg>", "%% x", "%%{init: {}}%%"),
    *("a|b", "a]b", "(((", "end", "subgraph", "-->", "x --> y", ";", "{{", "1. one", "- two", "+ x", "12) y", "# h"),
    *("*a*", "_a_", "__a__", "~~~", "click", "style", "é漢😀", "\t", "a\nb", "$$x$$", "@{ shape: rect }", ":::c"),
]


def shown(jobs: list[tuple[str, str]], home: Path) -> list[Any]:
    given = json.dumps([{"kind": kind, "text": text} for kind, text in jobs])
    ran = subprocess.run(
        [*node(), str(INTEROP / "js/drawn.mjs")], input=given, capture_output=True, encoding="utf-8", timeout=110,
        env=environment(home), check=False,
    )  # fmt: skip
    assert 0 == ran.returncode, ran.stderr
    found: list[Any] = json.loads(ran.stdout)
    return found


def overlay(program: Program) -> Overlay:
    found = coverage(program, lint.play(program, ["openai"], branches=True), branches=True)
    return read(json.dumps({"version": 1, "scenarios": [data(found)]}).encode(), "c.json", program)


def states(picture: Any, kind: str) -> list[str]:
    texts = [node["text"] for node in picture["nodes"] if node["id"] not in ("", "start", "stop")]
    # Graphviz undoes these when it draws.
    return texts if kind == "mermaid" else [html.unescape(text.replace("\\\\", "\\")) for text in texts]


def labels(picture: Any, kind: str) -> list[str]:
    texts = [edge["text"] for edge in picture["edges"] if edge["text"]]
    return texts if kind == "mermaid" else [html.unescape(text.replace("\\\\", "\\")) for text in texts]


@pytest.mark.parametrize("kind", ["mermaid", "dot"])
def test_the_gallery_can_be_drawn(kind: Any, tmp_path: Path) -> None:
    """Every scenario, plain and with what its examples covered: all states, and the same lines."""
    programs = [each for file in GALLERY if (each := compile_path(file).program) is not None]
    assert len(GALLERY) == len(programs)
    jobs = [(kind, lint.graph(each, kind, over)) for each in programs for over in (None, overlay(each))]
    pictures = shown(jobs, tmp_path)
    for program, plain, laid in zip(programs, pictures[::2], pictures[1::2], strict=True):
        assert [*program.states] == states(plain, kind) == states(laid, kind)
        for before, after in zip(labels(plain, kind), labels(laid, kind), strict=True):
            assert after.startswith(f"{before}, ")
        assert all(node["look"] for node in laid["nodes"] if node["id"] not in ("", "start", "stop"))


@pytest.mark.parametrize("kind", ["mermaid", "dot"])
def test_any_text_stays_a_text(kind: Any, tmp_path: Path) -> None:
    """No name of a rule and no condition breaks out of its label, or is lost in it."""
    draw = random.Random(7)
    texts = [*NASTY, *("".join(draw.choices("ab1_ .*#;&|<>\"'\\`()[]{}-%@:~", k=9)).strip() or "x" for _ in range(60))]
    names = [" ".join(text.split()) or "x" for text in texts]
    programs = []
    for text, name in zip(texts, names, strict=True):
        rules = [{"name": name, "when": f"user == {json.dumps(text, ensure_ascii=False)}", "goto": "b"}]
        whole = {"states": {"a": rules, "b": [{"reply": "x"}]}}
        found = compile_text(json.dumps(whole, ensure_ascii=False), "s.yaml", "yaml")
        assert found.program is not None, found.diagnostics
        programs.append(found.program)
    pictures = shown([(kind, lint.graph(each, kind)) for each in programs], tmp_path)
    for text, name, picture in zip(texts, names, pictures, strict=True):
        assert ["a", "b"] == states(picture, kind)
        condition = " ".join(f"user == {json.dumps(text, ensure_ascii=False)}".split())
        assert [f"{name}, {condition}", "else"] == labels(picture, kind)


def test_kinds_of_lines_differ(tmp_path: Path) -> None:
    """An answer, passing on, an error and a broken answer, in both."""
    text = """
states.a = [
  { when = 'user == "1"', reply = "x" },
  { when = 'user == "2"', goto = "b" },
  { when = 'user == "3"', error = 500 },
  { reply = "x", fault = "drop halfway" },
]
states.b = [{ reply = "y" }]
"""
    program = compile_text(text).program
    assert program is not None
    for picture in shown([("mermaid", lint.graph(program)), ("dot", lint.graph(program, "dot"))], tmp_path):
        assert 4 == len({edge["look"] for edge in picture["edges"] if edge["text"] and edge["from"] in ("s0", "_a")})


def test_svg_is_drawn_by_graphviz(tmp_path: Path) -> None:
    """`--format svg` hands the picture to `dot`, with its colours."""
    script = (
        "import json, subprocess, sys\n"
        f"ran = subprocess.run({[*node(), str(INTEROP / 'js/drawn.mjs')]!r}, capture_output=True, check=True,\n"
        "    input=json.dumps([{'kind': 'svg', 'text': sys.stdin.buffer.read().decode()}]).encode())\n"
        "assert sys.argv[1:] == ['-Tsvg'], sys.argv\n"
        "sys.stdout.buffer.write(json.loads(ran.stdout)[0].encode())\n"
    )
    (tmp_path / "dot.py").write_text(script, encoding="utf-8")
    (tmp_path / "dot").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {tmp_path}/dot.py "$@"\n')
    (tmp_path / "dot").chmod(0o755)
    ran = called(tmp_path, "graph", TOP / "scenarios/weather.toml", "--format", "svg")
    assert (0, "") == (ran.returncode, ran.stderr)
    root = ET.fromstring(ran.stdout)
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"ask", "lookup", "done", "attempt == 1, error rate_limited"} <= set(texts)
    assert 'stroke="#c62828" stroke-dasharray' in ran.stdout


@pytest.mark.parametrize(
    "script, message",
    [
        (None, "SVG is drawn by `dot` of Graphviz, which is not on PATH: install it, or take another format"),
        ("#!/bin/sh\necho no fonts >&2\nexit 3\n", "ended with 3: no fonts"),
    ],
)
def test_without_graphviz_it_says_what_is_missing(script: str | None, message: str, tmp_path: Path) -> None:
    """One line, exit code 2."""
    if script is not None:
        (tmp_path / "dot").write_text(script)
        (tmp_path / "dot").chmod(0o755)
    ran = called(tmp_path, "graph", TOP / "scenarios/hello.toml", "--format", "svg", path=str(tmp_path))
    assert (2, 1) == (ran.returncode, ran.stderr.count("\n"))
    assert ran.stderr.endswith(f"{message}\n")


def called(folder: Path, *arguments: object, path: str | None = None) -> subprocess.CompletedProcess[str]:
    paths = path or f"{folder}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "llmposter", *map(str, arguments)], capture_output=True, encoding="utf-8", timeout=60,
        env=os.environ | {"PATH": paths}, check=False,
    )  # fmt: skip
