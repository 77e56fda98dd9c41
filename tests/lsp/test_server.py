"""The language server over real pipes, driven by pygls' own client as an editor drives it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from editing import Editor, edited, with_editor
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from llmposter import lint

TOML = """\
[scenario]
start = "ask"
final = ["done"]

[vars]
city = ""

[tools.get_weather]
type = "object"
properties = { city = { type = "string" } }

# 🌦 a comment of two units
[[states.ask]]
name = "asks"
when = 'user matches /in (?P<where>\\w+)/'
set = { city = "where" }
call = 'get_weather(city: city)'
goto = "tell"

[[states.ask]]
reply = "🌦 Where, ${default(user, city)}?"

[[states.tell]]
when = 'result("get_weather") exists and fired("asks") > 0 and state == "tell"'
reply = "It is fine in ${city}."
goto = "done"

[[states.tell]]
reply = "Wait."

[[examples]]
turns = [
  { user = "in Rome", state = "tell" },
  { tool = "get_weather", result = "fine", expect = 'reply contains "Rome"', state = "done" },
]
"""
YAML = """\
scenario:
  start: ask
  final: [done]
vars:
  city: ""
states:
  ask:
    - when: 'user matches /in (?P<where>\\w+)/'
      set: {city: "where"}
      reply: 'In ${city}'
      goto: done
    - reply: Where?
"""


def codes(found: list[types.Diagnostic]) -> list[object]:
    return [each.code for each in found]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.toml").write_text(TOML, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(YAML, encoding="utf-8")
    return tmp_path


def labels(found: object) -> set[str]:
    assert isinstance(found, types.CompletionList)
    return {item.label for item in found.items}


async def completed(editor: Editor, name: str, before: str, after: str = "") -> types.CompletionList:
    asked = types.CompletionParams(editor.at(name), editor.mark(name, before, after))
    found = await editor.client.text_document_completion_async(asked)
    assert isinstance(found, types.CompletionList)
    return found


async def hovered(editor: Editor, name: str, before: str, after: str = "") -> str:
    asked = types.HoverParams(editor.at(name), editor.mark(name, before, after))
    found = await editor.client.text_document_hover_async(asked)
    assert found is not None
    assert isinstance(found.contents, types.MarkupContent)
    return found.contents.value


def test_the_scenarios_of_these_tests_are_clean(folder: Path) -> None:
    """What the tests below begin with has no findings."""
    assert () == lint.check([folder / "a.toml", folder / "b.yaml"]).diagnostics


def test_findings_come_while_one_types_and_go_when_they_are_mended(folder: Path) -> None:
    """An unsaved text counts, broken or whole; places are in UTF-16 units; the file on the disk is not asked."""

    async def work(editor: Editor) -> None:
        editor.open("a.toml")
        assert [] == await editor.told("a.toml", lambda found: found == [])
        editor.type("a.toml", "🌦 Where, ${default(user", "🌦 Where, ${default(usr")
        found = await editor.told("a.toml", bool)
        assert ["LP202"] == codes(found)
        assert "did you mean `user`?" in found[0].message
        at = editor.mark("a.toml", "${default(", "usr")
        assert types.Range(at, editor.mark("a.toml", "default(usr", ", city")) == found[0].range
        editor.type("a.toml", '(usr, city)}?"', "(user, city)}?")
        assert ["LP103"] == codes(await editor.told("a.toml", lambda found: codes(found) == ["LP103"]))
        editor.type("a.toml", "(user, city)}?", '(user, city)}?"')
        assert [] == await editor.told("a.toml", lambda found: found == [])
        editor.type("a.toml", 'goto = "done"\n', 'goto = "done"\nreply = "It"\n')
        assert ["LP105"] == codes(await editor.told("a.toml", bool))
        editor.close("a.toml")
        assert [] == await editor.told("a.toml", lambda found: found == [])

    with_editor(folder, work)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_ends_of_lines_end_lines(folder: Path, end: str) -> None:
    """Separators of Unicode and form feeds above a change move neither the change nor what is found."""

    async def work(editor: Editor) -> None:
        editor.open("a.toml", f"# \u2028 \u2029 \x85\n{TOML}".replace("\n", end))
        await editor.told("a.toml", lambda found: found == [])
        editor.type("a.toml", "🌦 Where, $", "🌦 \u2028 Where, $")
        editor.type("a.toml", "default(user", "default(usr")
        found = await editor.told("a.toml", bool)
        assert ["LP202"] == codes(found)
        at = editor.mark("a.toml", "${default(", "usr")
        assert types.Range(at, editor.mark("a.toml", "default(usr", ", city")) == found[0].range
        editor.type("a.toml", "default(usr", "default(user")
        assert [] == await editor.told("a.toml", lambda found: found == [])

    with_editor(folder, work)


def test_a_burst_of_changes_is_checked_once(folder: Path) -> None:
    """Whoever types fast hears of the last text only."""

    async def work(editor: Editor) -> None:
        editor.open("b.yaml")
        await editor.told("b.yaml", lambda found: found == [])
        before = editor.counts["b.yaml"]
        for number in range(20):
            editor.type("b.yaml", f"Where {number - 1}?" if number else "Where?", f"Where {number}?")
        editor.type("b.yaml", "goto: done", "goto: dome")
        assert {"LP201"} == set(codes(await editor.told("b.yaml", bool)))
        assert editor.counts["b.yaml"] - before <= 10

    with_editor(folder, work)


def test_included_texts_count_before_they_are_saved(tmp_path: Path) -> None:
    """A change of an included text mends, and breaks, the scenario that includes it, opened or not."""
    (tmp_path / "main.toml").write_text('include = ["parts.yaml"]\n[[states.ask]]\nreply = "x"\ngoto = "end"\n')
    (tmp_path / "parts.yaml").write_text("states:\n  end:\n    - reply: The end.\n")

    async def work(editor: Editor) -> None:
        editor.open("parts.yaml")
        assert [] == await editor.told("parts.yaml", lambda found: found == [])
        editor.type("parts.yaml", "  end:", "  finish:")
        assert ["LP201"] == codes(await editor.told("main.toml", lambda found: "LP201" in codes(found)))
        editor.type("parts.yaml", "reply", "replay")
        assert "LP110" in codes(await editor.told("parts.yaml", lambda found: "LP110" in codes(found)))
        editor.type("parts.yaml", "  finish:\n    - replay", "  end:\n    - reply")
        assert [] == await editor.told("main.toml", lambda found: found == [])
        asked = types.DefinitionParams(editor.at("parts.yaml"), editor.mark("parts.yaml", "  en", "d:"))
        assert await editor.client.text_document_definition_async(asked)
        editor.open("main.toml")
        asked = types.DefinitionParams(editor.at("main.toml"), editor.mark("main.toml", 'goto = "en', 'd"'))
        found = await editor.client.text_document_definition_async(asked)
        assert isinstance(found, list)
        assert [editor.uri("parts.yaml")] == [each.uri for each in found if isinstance(each, types.Location)]
        new = await editor.client.text_document_rename_async(
            types.RenameParams(editor.at("main.toml"), editor.mark("main.toml", 'goto = "en', 'd"'), "over")
        )
        assert new is not None
        assert {editor.uri("main.toml"), editor.uri("parts.yaml")} == set(new.changes or {})

    with_editor(tmp_path, work)


def test_what_is_no_scenario_is_left_alone(tmp_path: Path) -> None:
    """Editors ask about every file of a kind; a file that has nothing of a scenario has no findings."""

    async def work(editor: Editor) -> None:
        editor.open("Cargo.toml", '[package]\nname = "x"\n')
        assert [] == await editor.told("Cargo.toml", lambda _: True)

    with_editor(tmp_path, work)


COMPLETED = [
    ("a.toml", 'goto = "done"', 'goto = "done"\nla', "\nla", "", {"latency"}, {"goto", "llmposter"}),
    ("a.toml", '"Wait."', '"Wait."\nstream = { p', "stream = { p", "", {"pace", "chunk"}, {"reply"}),
    ("a.toml", '"Wait."', '"Wait."\ngoto = ', "goto = ", "\n\n[[examples", {"ask", "tell", "done"}, {"user"}),
    ("a.toml", '"Wait."', '"Wait."\ngoto = "', 'goto = "', "\n", {"ask", "tell"}, {"user"}),
    ("a.toml", '"Wait."', '"Wait."\nfault = "dr', 'fault = "dr', "", {"drop", "stall", "error"}, {"halfway"}),
    ("a.toml", '"Wait."', '"Wait."\nfault = "drop after ', "drop after ", "", {"3", "headers"}, {"halfway"}),
    ("a.toml", '"Wait."', '"Wait."\nfault = "error ', '"error ', "", {"overloaded", "503"}, {"halfway"}),
    ("a.toml", '"Wait."', '"${us', '"${us', "", {"user", "city", "lower"}, {"where"}),
    ("a.toml", '"Wait."', '"Wait."\nwhen = "token.', '"token.', "", {"uses", "age"}, {"user"}),
    ("a.toml", '"Wait."', '"Wait."\nwhen = \'result("', 'Wait."\nwhen = \'result("', "", {"get_weather"}, {"user"}),
    ("a.toml", '"Wait."', '"Wait."\nwhen = \'state == "', "when = 'state == \"", "", {"ask", "tell"}, {"user"}),
    ("a.toml", '"Wait."', '"Wait."\nerror = "', 'error = "', "", {"overloaded", "rate_limited"}, {"user"}),
    (
        "a.toml",
        "expect = 'reply contains \"Rome\"'",
        "expect = 'rep",
        "expect = 'rep",
        "",
        {"reply", "calls"},
        {"user"},
    ),
    ("a.toml", 'city = "where"', "ci", "set = { ci", "", {"city"}, {"user", "reply"}),
    ("a.toml", "'get_weather(city: city)'", "'get_weather(", "'get_weather(", "\n", {"city"}, {"user"}),
    ("a.toml", "'get_weather(city: city)'", "'get_weather(city: ", "(city: ", "\n", {"user", "where"}, {"reply"}),
    ("a.toml", 'start = "ask"', 'start = "ask"\nconformance = "', 'conformance = "', "", {"report", "off"}, {"user"}),
    ("b.yaml", "goto: done", "goto: ", "goto: ", "\n", {"ask"}, {"user"}),
    ("b.yaml", "- reply: Where?", "- reply: Where?\n      wh", "\n      wh", "", {"when"}, {"reply"}),
    ("b.yaml", "- reply: Where?", "- ", "done\n    - ", "", {"when", "reply"}, {"llmposter"}),
    ("b.yaml", "'In ${city}'", "'In ${", "'In ${", "", {"city", "where", "user"}, {"goto"}),
    (
        "b.yaml",
        "- reply: Where?",
        "- reply: Where?\n      when: user con",
        "user con",
        "",
        {"contains", "user"},
        {"goto"},
    ),
]


def test_a_text_in_the_middle_of_a_word_is_completed(folder: Path) -> None:
    """Keys, states, faults, facts, functions, tools and words, where the text that is typed is not whole yet."""

    async def work(editor: Editor) -> None:
        for number, (name, old, new, before, after, there, absent) in enumerate(COMPLETED):
            row = f"{number}{name}"
            editor.open(row, TOML if name == "a.toml" else YAML)
            editor.type(row, old, new)
            found = labels(await completed(editor, row, before, after))
            assert (new, set(), set()) == (new, there - found, absent & found)

    with_editor(folder, work)


def test_a_proposal_takes_the_place_of_the_word_and_makes_a_scenario(folder: Path) -> None:
    """What an editor does with a proposal gives the text that was meant."""

    async def work(editor: Editor) -> None:
        editor.open("a.toml")
        editor.type("a.toml", 'goto = "tell"', 'goto = "te"')
        found = await completed(editor, "a.toml", 'goto = "te', '"')
        edit = next(item.text_edit for item in found.items if item.label == "tell")
        assert isinstance(edit, types.TextEdit)
        assert TOML == edited(editor.texts["a.toml"], [edit])

    with_editor(folder, work)


HOVERED = [
    ("a.toml", "wh", "en = 'user", "When the rule fires."),
    ("a.toml", "when = 'us", "er matches", "Text of the last message that the user wrote"),
    ("a.toml", "default", "(user", "or `b` where `a` is null"),
    ("a.toml", "fine in ${ci", "ty}", "a variable"),
    ("a.toml", "call = 'get_wea", "ther(", "a tool"),
    ("a.toml", 'goto = "te', 'll"', "a state with 2 rules"),
    ("a.toml", "[[states.as", "k]]\nname", "a state with 2 rules"),
    ("a.toml", "exists and fi", "red(", "How often that rule fired"),
    ("b.yaml", "go", "to: done", "The next state."),
    ("b.yaml", "user mat", "ches /in", "regular expression"),
]


def test_hovering_tells_what_a_word_means(folder: Path) -> None:
    """Keys, facts, functions, variables, tools and states, also while another line is broken."""

    async def work(editor: Editor) -> None:
        for name in ("a.toml", "b.yaml"):
            editor.open(name)
        for name, before, after, told in HOVERED:
            assert told in await hovered(editor, name, before, after)
        editor.type("a.toml", "[scenario]\n", '[scenario]\nname = "\n')
        for name, before, after, told in HOVERED:
            assert told in await hovered(editor, name, before, after)

    with_editor(folder, work)


def test_hovering_over_a_code_explains_it(folder: Path) -> None:
    """In a comment that answers a finding, too."""

    async def work(editor: Editor) -> None:
        editor.open("a.toml", TOML.replace("# 🌦 a comment", "# llmposter: ignore[LP301] a comment"))
        assert "Unreachable state" in (await hovered(editor, "a.toml", "ignore[LP", "301")).replace("unr", "Unr")

    with_editor(folder, work)


RENAMED = [
    ("a.toml", 'goto = "te', 'll"', "report", 5),
    ("a.toml", "[[states.as", "k]]\nname", "question", 3),
    ("a.toml", "fine in ${ci", "ty}", "town", 5),
    ("a.toml", 'fired("as', 'ks")', "the first", 2),
    ("a.toml", 'result("get_wea', 'ther")', "look_up", 4),
    ("b.yaml", "goto: do", "ne", "over", 2),
    ("b.yaml", "  as", "k:", "begin", 2),
    ("b.yaml", "In ${ci", "ty}", "town", 3),
]


def test_a_name_is_changed_wherever_it_stands(folder: Path) -> None:
    """In headers, `start`, `final`, `goto`, `set`, expressions and examples; what comes of it is clean and the same."""

    async def work(editor: Editor) -> None:
        for name in ("a.toml", "b.yaml"):
            editor.open(name)
        for name, before, after, new, places in RENAMED:
            at, document = editor.mark(name, before, after), editor.at(name)
            ready = await editor.client.text_document_prepare_rename_async(types.PrepareRenameParams(document, at))
            assert isinstance(ready, types.Range)
            answer = await editor.client.text_document_rename_async(types.RenameParams(document, at, new))
            assert answer is not None
            edits = [each for each in (answer.changes or {})[editor.uri(name)] if isinstance(each, types.TextEdit)]
            assert (new, places) == (new, len(edits))
            context = types.ReferenceContext(include_declaration=True)
            asked = types.ReferenceParams(context, document, at)
            listed = await editor.client.text_document_references_async(asked)
            assert [each.range for each in listed or ()] == [each.range for each in edits]
            (folder / name).write_text(edited(editor.texts[name], edits), encoding="utf-8")
            assert () == lint.check([folder / name]).diagnostics

    with_editor(folder, work)


REFUSED = [
    ('goto = "te', 'll"', "ask", "a name here already"),
    ('goto = "te', 'll"', "two words", "letters, digits, `_` and `-`"),
    ('goto = "te', 'll"', "always", "cannot be the name of a state"),
    ("fine in ${ci", "ty}", "user", "it is a fact"),
    ("fine in ${ci", "ty}", "where", "a name here already"),
    ("It is ", "fine in", "x", "no name here"),
]


def test_a_name_that_cannot_be_is_refused(folder: Path) -> None:
    """With a sentence, and nothing is changed; so is every name while a file cannot be read."""

    async def refusal(editor: Editor, before: str, after: str, new: str) -> str:
        asked = types.RenameParams(editor.at("a.toml"), editor.mark("a.toml", before, after), new)
        with pytest.raises(JsonRpcException) as refused:
            await editor.client.text_document_rename_async(asked)
        return str(refused.value)

    async def work(editor: Editor) -> None:
        editor.open("a.toml")
        for before, after, new, why in REFUSED:
            assert why in await refusal(editor, before, after, new)
        editor.type("a.toml", 'start = "ask"', "start = ")
        assert "cannot be read as it is" in await refusal(editor, "[[states.te", "ll]]\nwhen", "x")

    with_editor(folder, work)


def test_going_to_a_state_finds_its_headers(folder: Path) -> None:
    """Every table that declares it, from `goto`, an example and a comparison."""

    async def work(editor: Editor) -> None:
        editor.open("a.toml")
        for before, after in (('goto = "te', 'll"'), ('Rome", state = "te', 'll"'), ('state == "te', 'll"')):
            asked = types.DefinitionParams(editor.at("a.toml"), editor.mark("a.toml", before, after))
            found = await editor.client.text_document_definition_async(asked)
            lines = editor.texts["a.toml"].split("\n")
            assert isinstance(found, list)
            told = [lines[each.range.start.line] for each in found if isinstance(each, types.Location)]
            assert ["[[states.tell]]"] * 2 == told

    with_editor(folder, work)


def test_an_outline_has_states_with_their_rules(folder: Path) -> None:
    """In the order of the file, each inside of what it belongs to."""

    async def work(editor: Editor) -> None:
        editor.open("a.toml")
        asked = types.DocumentSymbolParams(editor.at("a.toml"))
        found = await editor.client.text_document_document_symbol_async(asked)
        symbols = [each for each in found or () if isinstance(each, types.DocumentSymbol)]
        assert ["city", "get_weather", "ask", "tell", "example 1"] == [each.name for each in symbols]
        assert ["asks", "rule 2"] == [each.name for each in symbols[2].children or ()]
        for each in (*symbols, *(child for one in symbols for child in one.children or ())):
            assert each.range.start <= each.selection_range.start
            assert each.selection_range.end <= each.range.end

    with_editor(folder, work)


def test_a_finding_can_be_answered_by_a_comment(folder: Path) -> None:
    """The action that an editor offers takes a warning away; there is none for an error."""

    async def work(editor: Editor) -> None:
        editor.open("b.yaml", YAML + "  lost:\n    - reply: Nobody comes here.\n")
        found = await editor.told("b.yaml", bool)
        assert ["LP301"] == codes(found)
        assert [types.DiagnosticTag.Unnecessary] == list(found[0].tags or ())
        context = types.CodeActionContext(found)
        asked = types.CodeActionParams(editor.at("b.yaml"), found[0].range, context)
        offered = await editor.client.text_document_code_action_async(asked)
        action = next(each for each in offered or () if each.title == "Ignore LP301 here")
        assert isinstance(action, types.CodeAction)
        assert action.edit is not None
        edits = (action.edit.changes or {})[editor.uri("b.yaml")]
        text = edited(editor.texts["b.yaml"], [each for each in edits if isinstance(each, types.TextEdit)])
        (folder / "b.yaml").write_text(text, encoding="utf-8")
        assert () == lint.check([folder / "b.yaml"]).diagnostics

    with_editor(folder, work)


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    """One line, and no traceback."""
    (tmp_path / "pygls.py").write_text("raise ModuleNotFoundError('no pygls', name='pygls')\n")

    async def run() -> tuple[int | None, bytes]:
        program = "import sys; sys.path.insert(0, sys.argv.pop(1)); from llmposter.cli import main; main(['lsp'])"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, str(tmp_path), stderr=asyncio.subprocess.PIPE
        )
        _, errors = await process.communicate()
        return process.returncode, errors

    code, errors = asyncio.run(run())
    assert (2, b'llmposter: the language server needs more: pip install "llmposter[lsp]"') == (code, errors.strip())
