"""What a request would get, told without answering it: over the admin API, and on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import serving

SCENARIO = """
[scenario]
name = "order"
final = ["done"]

[vars]
city = "Rome"

[[states.ask]]
when = 'user contains "tea" and not (attempt < 2 or model starts with "gpt")'
reply = "tea"

[[states.ask]]
when = 'user matches /go to (?P<place>\\w+)/'
set = { city = "place" }
goto = "there"

[[states.there]]
when = "attempt == 1"
error = { name = "rate_limited", retry_after = "1ms" }

[[states.there]]
reply = "welcome to ${city}"
goto = "done"
"""
TEA = [{"role": "user", "content": "tea, please"}]
GO = [{"role": "user", "content": "go to Oslo"}]


def body(messages: list[dict[str, Any]], model: str = "gpt-4o") -> dict[str, Any]:
    return {"model": model, "messages": messages}


def given(messages: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"path": "/v1/chat/completions", "body": body(messages), **more}


def explain(url: str, request: Any) -> Any:
    return httpx.post(f"{url}/_llmposter/explain", json=request).json()


def test_every_condition_is_told_with_its_values_and_what_would_match() -> None:
    """A rule that does not match has the tree of its condition, and a sentence for each operand that is in the way."""
    with serving(SCENARIO) as server:
        told = explain(server.url, given(TEA))
    assert (None, "ask#1", "ask", 1) == (told["fires"], told["closest"], told["state"], told["attempt"])
    first, second = told["stages"][0]["rules"]
    tea, nothing = first["when"]["operands"]
    assert ("and", False) == (first["when"]["word"], first["when"]["held"])
    assert (True, {"user": '"tea, please"'}) == (tea["held"], tea["values"])
    assert ("not", ["or"]) == (nothing["word"], [each["word"] for each in nothing["operands"]])
    assert [
        "attempt must be at least 2 (attempt is 1)",
        'model must not start with "gpt" (model is "gpt-4o")',
    ] == first["changes"]
    assert [r'user must match /go to (?P<place>\w+)/ (user is "tea, please")'] == second["changes"]


def test_what_passes_on_leads_to_the_rules_of_the_next_state() -> None:
    """The way of a request through the states is told, and where it ends."""
    with serving(SCENARIO) as server:
        told = explain(server.url, given(GO))
    assert [("ask", ["does not match", "passes on"]), ("there", ["fires", "would fire"])] == [
        (stage["state"], [rule["verdict"] for rule in stage["rules"]]) for stage in told["stages"]
    ]
    assert ("there#1", "the answer was error rate_limited 429", "there") == (
        told["fires"],
        told["answer"],
        told["state_after"],
    )


def test_it_moves_nothing_and_stands_where_the_conversation_stands() -> None:
    """Asked before, between and after, it tells the attempt that comes next; no request is added by it."""
    with serving(SCENARIO) as server:
        seen = [explain(server.url, given(GO)) for _ in range(2)]
        assert [[], []] == [server.mock.journal()["entries"], server.mock.conversations()]
        with httpx.Client(base_url=server.url) as client:
            assert 429 == client.post("/v1/chat/completions", json=body(GO)).status_code
            seen.append(explain(server.url, given(GO)))
            answer = client.post("/v1/chat/completions", json=body(GO)).json()["choices"][0]["message"]
            seen.append(explain(server.url, given([*GO, answer, {"role": "user", "content": "and now?"}])))
        assert 2 == len(server.mock.journal()["entries"])
    assert [("ask", 1), ("ask", 1), ("there", 2), ("done", 1)] == [(told["state"], told["attempt"]) for told in seen]
    assert "welcome to Oslo" == answer["content"]
    assert ("there#2", 'the answer was the text "welcome to Oslo"') == (seen[2]["fires"], seen[2]["answer"])
    assert "the conversation has ended" in seen[3]["why"]


def test_a_session_has_conversations_of_its_own() -> None:
    """By its base URL or by the path of the request."""
    with serving(SCENARIO) as server:
        httpx.post(f"{server.url}/@a/v1/chat/completions", json=body(GO))
        told = [
            explain(f"{server.url}/@a", given(GO)),
            explain(server.url, {"path": "/@a/v1/chat/completions", "body": body(GO)}),
            explain(f"{server.url}/@b", given(GO)),
        ]
    assert [("a", 2), ("a", 2), ("b", 1)] == [(each["session"], each["attempt"]) for each in told]


def test_it_can_look_from_elsewhere() -> None:
    """From another state, and with other variables."""
    with serving(SCENARIO) as server:
        told = explain(server.url, given(TEA, state="there", vars={"city": "Bari"}))
        wrong = [explain(server.url, given(TEA, state="nowhere")), explain(server.url, given(TEA, vars={"town": 1}))]
    assert ("there", {"city": "Bari"}, "there#1") == (told["state"], told["vars"], told["fires"])
    assert [
        'scenario "order" has no state "nowhere": it has ask, there, done',
        'scenario "order" has no variable "town": it has city',
    ] == [each["error"]["message"] for each in wrong]


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ([], "the body is no object"),
        ({"path": "/v1/nowhere", "body": {}}, '"/v1/nowhere" is no path of a conversation'),
        ({"path": "/v1/embeddings", "body": {}}, '"/v1/embeddings" is no path of a conversation'),
        ({"provider": "acme", "body": {}}, 'there is no provider "acme": it is one of '),
        ({"path": "/v1/messages", "body": {"model": "m"}}, "anthropic refuses it: "),
        ({"path": "/v1/messages", "body": {}, "state": 1}, '"state" is a text and "vars" an object'),
    ],
)
def test_what_is_no_request_says_why(request_: Any, told: str) -> None:
    """A 400 with one sentence."""
    with serving(SCENARIO) as server:
        answer = httpx.post(f"{server.url}/_llmposter/explain", json=request_)
    assert 400 == answer.status_code
    assert told in answer.json()["error"]["message"]


def test_a_secret_of_the_request_is_not_told_whole() -> None:
    """A condition that reads a credential shows its first characters."""
    scenario = SCENARIO.replace('user contains "tea"', 'headers["x-api-key"] == "k"', 1)
    with serving(scenario) as server:
        told = explain(server.url, given(TEA, headers={"x-api-key": "sk-very-secret"}))
    assert "sk-" in json.dumps(told)
    assert "very-secret" not in json.dumps(told)


# --- on the command line ------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "order.toml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "go.json").write_text(json.dumps(body(GO)), encoding="utf-8")
    (tmp_path / "tea.json").write_text(json.dumps(given(TEA)), encoding="utf-8")
    return tmp_path


def call(cwd: Path, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "llmposter", "explain", "order.toml", *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, cwd=cwd, timeout=60, check=False)


def test_the_command_tells_the_way_of_a_request(files: Path) -> None:
    """Every rule with its place and its condition, and at the end what is answered."""
    told = call(files, "--request", "go.json")
    assert (0, "") == (told.returncode, told.stderr)
    assert told.stdout.splitlines() == [
        "read as openai; --provider says otherwise",
        'scenario "order" (order.toml), attempt 1, city = "Rome"',
        'state "ask"',
        "  ask#1 (order.toml:9:1) does not match",
        "      false and:",
        '        false user contains "tea"   (user is "go to Oslo")',
        "        false not:",
        "          true  or:",
        "            true  attempt < 2   (attempt is 1)",
        '            true  model starts with "gpt"   (model is "gpt-4o")',
        '      to match: user must contain "tea" (user is "go to Oslo")',
        "      to match: attempt must be at least 2 (attempt is 1)",
        '      to match: model must not start with "gpt" (model is "gpt-4o")',
        "  ask#2 (order.toml:13:1) passes on",
        '      true  user matches /go to (?P<place>\\w+)/   (user is "go to Oslo")',
        'state "there"',
        "  there#1 (order.toml:18:1) fires",
        "      true  attempt == 1   (attempt is 1)",
        "  there#2 (order.toml:22:1) would fire",
        "",
        "there#1 answers: the answer was error rate_limited 429",
    ]


def test_no_answer_is_an_exit_code(files: Path) -> None:
    """1 where no rule answers; and stdin and JSON go as well."""
    told = call(files, "--request", "-", "--format", "json", given=json.dumps(given(TEA)))
    assert (1, "ask#1") == (told.returncode, json.loads(told.stdout)["closest"])
    assert "no rule answers; the closest is ask#1" in call(files, "--request", "tea.json").stdout


def test_one_rule_can_be_asked_about(files: Path) -> None:
    """With `--rule` the others are left out; one that is not tried is told."""
    told = call(files, "--request", "tea.json", "--rule", "ask#2")
    assert ("ask#2" in told.stdout, "ask#1 (" in told.stdout) == (True, False)
    told = call(files, "--request", "tea.json", "--rule", "there#1")
    assert 2 == told.returncode
    assert 'no rule "there#1" is tried for this request: ask#1, ask#2' in told.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--request", "none.json"], 'cannot read "none.json"'),
        (["--request", "order.toml"], '"order.toml" is not JSON'),
        (["--request", "tea.json", "--var", "city"], '"city" gives no variable a value'),
        (["--request", "tea.json", "--state", "x"], 'has no state "x"'),
        ([], "missing option '--request'"),
    ],
)
def test_what_cannot_be_explained_says_why(files: Path, arguments: list[str], told: str) -> None:
    """One line, exit code 2, no traceback."""
    ended = call(files, *arguments)
    assert (2, 1) == (ended.returncode, ended.stderr.count("\n"))
    assert told in ended.stderr
