"""What a converter says of what it cannot carry over, and what it keeps of what its user wrote."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import serving

from llmposter.convert import Converted, Format, convert, text_of
from llmposter.lint import check
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.report import text

HERE = Path(__file__).parent


def made(folder: Path, name: str, content: str) -> Converted:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    found = convert(path)
    assert isinstance(found, Converted), found
    return found


def remarks(folder: Path, name: str, content: str) -> list[str]:
    return [str(each).replace(f"{folder}/", "") for each in made(folder, name, content).remarks]


def aimock(*fixtures: Any) -> str:
    return "\n".join(['{"fixtures": [', ",\n".join(json.dumps(each) for each in fixtures), "]}"])


SAID: Any = {"content": "x"}
AIMOCK = {
    "another endpoint": (
        {"match": {"endpoint": "image"}, "response": SAID},
        "2:24: lost: the endpoint `image` is not served here; the fixture is left out",
    ),
    "another answer": (
        {"match": {}, "response": {"image": {"url": "u"}}},
        "2:27: lost: an answer of `image` cannot be given; the fixture is left out",
    ),
    "an odd key": (
        {"match": {}, "response": SAID, "replaySpeed": 2},
        "2:60: lost: `replaySpeed` cannot be carried over",
    ),
    "an odd match": (
        {"match": {"predicate": "x"}, "response": SAID},
        "2:25: lost: `match.predicate` cannot be carried over, and is not asked for",
    ),
    "an odd part": (
        {"match": {}, "response": {"content": "x", "webSearches": ["y"]}},
        "2:59: lost: `response.webSearches` cannot be carried over",
    ),
    "an order": (
        {"match": {}, "response": {"blocks": [{"type": "toolCall", "name": "a"}, {"type": "text", "text": "b"}]}},
        "2:38: otherwise: a text is said before the calls, whatever the order of the `blocks`",
    ),
    "an odd status": (
        {"match": {}, "response": {"error": {"message": "x"}, "status": 200}},
        "2:65: lost: an error cannot have the status 200; it is sent as 500",
    ),
    "no table": ("x", "2:1: lost: expected `object`, got `str`; it is left out"),
    "nothing": ({"match": {}}, "2:1: lost: object missing required field `response`; it is left out"),
    "no number": (
        {"match": {"turnIndex": "2"}, "response": SAID},
        "2:25: lost: expected `int | null`, got `str`; it is left out",
    ),
}


@pytest.mark.parametrize("case", AIMOCK.values(), ids=AIMOCK)
def test_what_a_fixture_of_aimock_loses_is_told_with_its_place(case: tuple[Any, str], tmp_path: Path) -> None:
    """At the value in its file, and above the rule that is left."""
    fixture, told = case
    content = aimock(fixture, {"match": {}, "response": {"content": "rest"}})
    assert [f"a.json:{told}"] == remarks(tmp_path, "a.json", content)
    sentence = told.rpartition(": ")[2] if "lost: `" in told else told.split(": ", 2)[-1]
    assert f"# {sentence[:1].upper()}{sentence[1:]}.\n" in text_of(made(tmp_path, "a.json", content))


MOCK_LLM = {
    "another path": (
        "path: /v1/models",
        "lost: only answers at `/v1/chat/completions` are carried over, not those at `/v1/models`",
    ),
    "another method": ("path: /v1/.*\n    method: get", "lost: a chat is asked for with POST, not with get"),
    "an odd question": (
        "path: chat\n    match: 'sum(body.x) > `1`'",
        "lost: there is no function for `sum` in `sum(body.x) > `1``; this rule never fires",
    ),
    "no JMESPath": ('path: chat\n    match: "§"', "lost: `§` is not JMESPath that is read here; this rule never fires"),
    "an empty list": (
        'path: chat\n    match: "body.messages[?a]"',
        "otherwise: a filter that finds nothing is no match; mock-llm takes the empty list for one",
    ),
}


@pytest.mark.parametrize("case", MOCK_LLM.values(), ids=MOCK_LLM)
def test_what_a_rule_of_mock_llm_loses_is_told(case: tuple[str, str], tmp_path: Path) -> None:
    """Whether it is a part of the rule or the whole of it."""
    rule, told = case
    content = f'rules:\n  - {rule}\n    response: {{status: 200, content: \'{{"choices": [{{"message": {{}}}}]}}\'}}\n'
    (found,) = remarks(tmp_path, "m.yaml", content)
    assert told == found.split(": ", 1)[1]


ANSWERS = {
    "a template that is the message": (
        '{"choices": [{"message": {{jmes request body.messages[0]}}}]}',
        "lost: a message that is a part of the request cannot be said",
    ),
    "another context": (
        '{"choices": [{"message": {"content": "{{jmes other x}}"}}]}',
        "lost: there is nothing but `request` to ask, not `other`",
    ),
    "two choices": (
        '{"choices": [{"message": {"content": "a"}}, {"message": {"content": "b"}}]}',
        "lost: only the first of `choices` is carried over",
    ),
    "another model": (
        '{"model": "m1", "choices": [{"message": {"content": "a"}}]}',
        "otherwise: the answer names the model that was asked for, not `m1`",
    ),
    "templates of no answer": (
        "{{timestamp}}",
        "lost: templates of a body that is no answer of a chat are sent as they are",
    ),
    "what templates cannot ask": (
        '{"choices": [{"message": {"content": "{{jmes request body.x | y}}"}}]}',
        "lost: there is no expression for `|` in `body.x | y`; nothing is said in its place",
    ),
}


@pytest.mark.parametrize("case", ANSWERS.values(), ids=ANSWERS)
def test_what_an_answer_of_mock_llm_loses_is_told(case: tuple[str, str], tmp_path: Path) -> None:
    """At the text that holds it."""
    content, told = case
    written = yaml.safe_dump({"rules": [{"path": "chat", "response": {"status": 200, "content": content}}]})
    (found,) = remarks(tmp_path, "m.yaml", written)
    assert told == found.split(": ", 1)[1]


def test_a_file_of_which_nothing_is_left_is_a_scenario_that_says_nothing(tmp_path: Path) -> None:
    """One that is sound: what was said of its entries stands in its head."""
    found = made(tmp_path, "a.json", aimock({"match": {"endpoint": "fal"}, "response": SAID}))
    (tmp_path / "a.toml").write_text(text_of(found), encoding="utf-8")
    assert () == check([tmp_path / "a.toml"]).diagnostics
    assert {"scenario": {"final": ["answer"]}, "states": {"answer": []}} == found.data
    assert "# The endpoint `fal` is not served here" in text_of(found)


def test_a_key_of_the_whole_file_that_is_lost_is_told(tmp_path: Path) -> None:
    """In the head of the scenario too."""
    content = 'oauth: {enabled: true}\nrules: [{path: chat, response: {content: \'{"choices": [{"message": {}}]}\'}}]\n'
    found = made(tmp_path, "m.yaml", content)
    assert ["`oauth` cannot be carried over"] == [each.sentence for each in found.remarks]
    assert text_of(found).startswith(
        "# Converted from m.yaml, a file of mock-llm.\n# `oauth` cannot be carried over.\n"
    )


def test_what_a_rule_of_fakellm_loses_is_told(tmp_path: Path) -> None:
    """Whatever its later versions can match."""
    content = "rules:\n  - when: {moon: full}\n    respond: {content: x}\n  - respond: {}\n"
    assert [
        "f.yaml:2:18: lost: `when.moon` cannot be carried over, and is not asked for",
        "f.yaml:4:14: otherwise: the answer has no fingerprint of the request",
    ] == remarks(tmp_path, "f.yaml", content)


COMMENTED = """\
# Of the whole file.
version: 1

# Of all rules?
rules:
  # Of the first.
  - name: one   # at its name
    when: {turn: 1}
    respond:
      # deep inside
      content: "one # not a comment"
  # Of the second.
  - name: two
    respond: {content: two}  # at its end
# The end.
"""


def test_comments_are_kept_where_they_stand(tmp_path: Path) -> None:
    """Those of an entry above its rule, in their order; the others at the head of the file."""
    written = text_of(made(tmp_path, "c.yaml", COMMENTED), "yaml")
    head, one, two = written.split("name:")[:3]
    assert "# Of the whole file.\n# Of all rules?\n" in head
    assert head.endswith("    # Of the first.\n    # at its name\n    # deep inside\n    - ")
    assert one.endswith("    # Of the second.\n    # at its end\n    # The end.\n    - ")
    assert "#" not in two


def test_a_file_of_nobody_is_told(tmp_path: Path) -> None:
    """With what would be right."""
    cases = {
        "s.yaml": ("states: {a: []}", "this is a scenario already"),
        "a.json": ('{"llm": {"fixtures": "x.json"}}', "this is the configuration of aimock, not its fixtures"),
        "n.yaml": ("a: 1", "this is no file of"),
        "b.json": ('{"fixtures": [}', "broken JSON: expecting value"),
        "d.json": ("[" * 200 + "]" * 200, "values are nested more than 100 levels deep"),
        "i.json": ('{"fixtures": [NaN]}', "broken JSON: `NaN` is no JSON"),
        "l.json": ("[1]", "this is no file of"),
        "e.yaml": ("# nothing\n", "this is no file of"),
        "z.yaml": ("\n", "the file is empty"),
        "t.txt": ("", "`t.txt` is no file that can be read here"),
    }
    for name, (content, told) in cases.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
        found = convert(tmp_path / name)
        assert isinstance(found, tuple)
        assert found[0].message.startswith(told), text(found[0])
        assert isinstance(found[0], Diagnostic)
        assert "`states`" not in text(found[0])


@pytest.mark.parametrize(
    ("expected", "content", "format_"),
    [
        (("`fixtures` is missing", "try `--from fakellm`"), '{"rules": []}', "aimock"),
        (("`fixtures` is no list", None), '{"fixtures": {}}', "aimock"),
        (("`rules` is missing", "try `--from aimock`"), '{"fixtures": [{"match": {}}]}', "mock-llm"),
        (("`rules` is missing", None), '{"version": 1}', "mock-llm"),
        (("`rules` is no list", None), '{"rules": "x"}', "fakellm"),
        (("`rules` is missing", None), '{"a": 1}', "fakellm"),
    ],
)
def test_a_file_of_another_format_is_told(
    expected: tuple[str, str | None], content: str, format_: Format, tmp_path: Path
) -> None:
    """Where it is said whose it is and it is not: what it has not, and what it may be."""
    path = tmp_path / "x.json"
    path.write_text(content, encoding="utf-8")
    found = convert(path, format_)
    assert isinstance(found, tuple)
    (one,) = found
    assert f"this is no file of {format_}: {expected[0]}" == one.message
    assert (one.help or "None").endswith(str(expected[1]))


def test_a_folder_need_not_have_one_format_alone(tmp_path: Path) -> None:
    """Where it is said which: what is not of it is lost, and told; where nothing is, all are told."""
    (tmp_path / "a.json").write_text('{"name": "x"}', encoding="utf-8")
    found = convert(tmp_path, "fakellm")
    assert isinstance(found, tuple)
    (tmp_path / "b.yaml").write_text("rules: [{respond: {content: y}}]", encoding="utf-8")
    both = convert(tmp_path, "fakellm")
    assert isinstance(both, Converted)
    assert ["`rules` is no list"] == [remark.sentence for remark in both.remarks if remark.lost]


def test_what_is_not_sound_in_the_other_file_is_told_in_the_scenario(tmp_path: Path) -> None:
    """Above the value that the language refuses."""
    found = made(tmp_path, "a.json", aimock({"match": {}, "response": SAID, "chaos": {"dropRate": 2}}))
    assert "# This is not sound: a probability is between 0 and " in text_of(found)


def test_a_body_that_is_no_answer_of_a_chat_is_sent_as_it_is(tmp_path: Path) -> None:
    """Quotes, line ends and all."""
    body = '{"detail": "a \\"b\\" — ü",\n "n": [1]}\n'
    written = yaml.safe_dump({"rules": [{"path": "chat", "response": {"status": 418, "content": body}}]})
    (tmp_path / "m.toml").write_text(text_of(made(tmp_path, "m.yaml", written)), encoding="utf-8")
    asked = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    with serving(tmp_path / "m.toml") as server, pytest.raises(HTTPError) as caught:
        urlopen(Request(f"{server.url}/v1/chat/completions", json.dumps(asked).encode()))
    with caught.value as answer:
        assert (418, body.strip()) == (answer.code, answer.read().decode())


def test_the_files_of_a_folder_are_one(tmp_path: Path) -> None:
    """In the order of their names, whatever stands beside them; if they are of one format."""
    (tmp_path / "b.json").write_text(aimock({"match": {}, "response": {"content": "second"}}), encoding="utf-8")
    (tmp_path / "a.json").write_text(
        aimock({"match": {"userMessage": "x"}, "response": {"content": "first"}}), encoding="utf-8"
    )
    (tmp_path / "notes.md").write_text("No fixtures.", encoding="utf-8")
    found = convert(tmp_path)
    assert isinstance(found, Converted)
    assert "Converted from a.json and b.json, files of aimock." == found.comments[()]
    assert ["first", "second"] == [rule["reply"] for rule in found.data["states"]["answer"]]
    (tmp_path / "c.yaml").write_text("rules: []", encoding="utf-8")
    mixed = convert(tmp_path)
    assert isinstance(mixed, tuple)
    assert "the files of this folder are not of one format" == mixed[0].message
    (tmp_path / "empty").mkdir()
    assert isinstance(convert(tmp_path / "empty"), tuple)


def test_a_file_can_be_said_to_be_of_somebody(tmp_path: Path) -> None:
    """Where what stands in it would not tell."""
    (tmp_path / "r.yaml").write_text("rules: []", encoding="utf-8")
    for format_ in ("mock-llm", "fakellm"):
        found = convert(tmp_path / "r.yaml", format_)
        assert isinstance(found, Converted)
        assert f"a file of {format_}" in found.comments[()]


ODD = st.sampled_from([None, True, -1, 2.5, "", "x", "${", "a'b\"c\\/", [], [1], ["x"], {}, {"a": 1}, {"content": []}])
FILES = [path for path in sorted(HERE.glob("*/*")) if "." not in path.stem]


@settings(deadline=None, max_examples=150)
@given(path=st.sampled_from(FILES), place=st.randoms(use_true_random=False), odd=ODD, times=st.integers(1, 3))
def test_no_file_makes_a_converter_fail(path: Path, place: Any, odd: Any, times: int, tmp_path_factory: Any) -> None:
    """With anything in the place of anything it still gives a scenario, or says why not, and it can be written."""
    content = path.read_text(encoding="utf-8")
    data = json.loads(content) if path.suffix == ".json" else yaml.safe_load(content)
    for _ in range(times):
        _put(data, place, copy.deepcopy(odd))
    damaged = tmp_path_factory.mktemp("damaged") / f"d{path.suffix}"
    damaged.write_text(json.dumps(data), encoding="utf-8")
    found = convert(damaged, path.parent.name)  # type: ignore[arg-type]
    if isinstance(found, Converted):
        assert text_of(found, "yaml")


def _put(value: Any, place: Any, odd: Any) -> None:
    """Puts *odd* somewhere in *value*."""
    while isinstance(value, dict | list) and value:
        step = place.choice(list(value) if isinstance(value, dict) else range(len(value)))
        if not isinstance(value[step], dict | list) or place.random() < 0.3:
            value[step] = odd
            return
        value = value[step]
