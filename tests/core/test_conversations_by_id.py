"""Clients of the Responses API are told by the ids that they send back, each exactly, through the SDK and a socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest
from serving import serving

SCENARIO = """
[scenario]
name = "count"
CONFORMANCE
[vars]
n = 0

[[states.a]]
when = 'user == "call"'
think = "hm"
call = 'f()'
goto = "b"

[[states.a]]
when = 'user == "fail" and attempt == 1'
set = { n = "n + 10" }
error = { name = "rate_limited", retry_after = "1ms" }

[[states.a]]
think = "hm"
reply = "${conversation} ${turn} ${n}: ${system}"
set = { n = "n + 1" }

[[states.b]]
reply = "result ${result.text}"
goto = "a"
"""


@contextmanager
def served(conformance: str = "report", scenario: str = SCENARIO) -> Iterator[tuple[Any, openai.OpenAI]]:
    with (
        serving(scenario.replace("CONFORMANCE", f"conformance = {conformance!r}")) as server,
        openai.OpenAI(base_url=server.openai_url, api_key="any", max_retries=1) as client,
    ):
        yield server, client


def said(client: openai.OpenAI, words: Any, **more: Any) -> Any:
    return client.responses.create(model="m", input=words, **more)


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def test_clients_alike_are_told_by_the_response_that_they_go_on_from() -> None:
    """Same words, same system prompt, same connection: each stays in its own conversation."""
    with served() as (server, client):
        ones = [said(client, "hi") for _ in range(3)]
        assert ["c1 1 1: ", "c2 1 1: ", "c3 1 1: "] == [one.output_text for one in ones]
        for _ in range(2):
            ones = [said(client, "more", previous_response_id=one.id) for one in reversed(ones)][::-1]
        assert ["c1 3 3: ", "c2 3 3: ", "c3 3 3: "] == [one.output_text for one in ones]
        assert server.mock.verify().ok


@pytest.mark.parametrize("how", ["ids", "references", "sealed"])
def test_clients_alike_are_told_by_the_items_that_they_send_back(how: str) -> None:
    """The whole history, with the ids of the items, with references to them, or with sealed reasoning and no ids."""
    more: dict[str, Any] = {"store": False, "include": ["reasoning.encrypted_content"]} if how == "sealed" else {}

    def shown(item: Any) -> Any:
        if how == "references":
            return {"type": "item_reference", "id": item.id}
        kept = item.to_dict()
        return kept if how == "ids" else {name: value for name, value in kept.items() if name != "id"}

    with served() as (server, client):
        histories: list[list[Any]] = [[] for _ in range(3)]
        for turn in range(3):
            for history in histories if turn % 2 else reversed(histories):
                history.append(user("hi"))
                answer = said(client, history, **more)
                history.extend(map(shown, answer.output))
        finals = [said(client, [*history, user("hi")], **more).output_text for history in histories]
        assert ["c3 4 4: ", "c2 4 4: ", "c1 4 4: "] == finals
        assert server.mock.verify().ok


def test_one_id_used_twice_forks() -> None:
    """Each branch has its own variables; the same input at the same place is the same answer again."""
    with served() as (server, client):
        first = said(client, "hi")
        left = said(client, "left", previous_response_id=first.id)
        right = said(client, "right", previous_response_id=first.id)
        assert ["c1 2 2: ", "c2 2 2: "] == [left.output_text, right.output_text]
        assert "c1 3 3: " == said(client, "x", previous_response_id=left.id).output_text
        assert "c2 3 3: " == said(client, "x", previous_response_id=right.id).output_text
        assert [None, "c1"] == [talk["forked_from"] for talk in server.mock.conversations()]


def test_a_retry_stays_where_it_is() -> None:
    """What an error set is kept for the next attempt, which the SDK makes of itself."""
    with served() as (server, client):
        first = said(client, "hi")
        assert "c1 2 12: " == said(client, "fail", previous_response_id=first.id).output_text
        assert [1, 1, 2] == [entry["attempt"] for entry in server.mock.journal()["entries"]]


def test_instructions_are_not_carried_over_and_developer_messages_are() -> None:
    """As OpenAI has it, so that a client may say other instructions with each request."""
    with served() as (_, client):
        first = said(client, [{"role": "developer", "content": "dev"}, user("hi")], instructions="one")
        second = said(client, "hi", previous_response_id=first.id, instructions="two")
        third = said(client, "hi", previous_response_id=second.id)
        assert ["c1 1 1: one\ndev", "c1 2 2: two\ndev", "c1 3 3: dev"] == [
            first.output_text, second.output_text, third.output_text,
        ]  # fmt: skip


def test_calls_and_results_may_lie_apart() -> None:
    """A result answers a call of the response that its request goes on from."""
    with served() as (server, client):
        first = said(client, "call")
        (call,) = [item for item in first.output if item.type == "function_call"]
        output = {"type": "function_call_output", "call_id": call.call_id, "output": "22"}
        assert "result 22" == said(client, [output], previous_response_id=first.id).output_text
        assert server.mock.verify().ok
        said(client, "no result", previous_response_id=first.id)
        (violation,) = server.mock.violations()
        assert call.call_id in violation["message"]


def test_an_unknown_response_is_reported() -> None:
    """The request is answered by what it says itself; the violation says what is held."""
    with served() as (server, client):
        assert "c1 1 1: " == said(client, "hi", previous_response_id="resp_unknown").output_text
        (violation,) = server.mock.violations()
        assert violation["message"].startswith("Previous response with id 'resp_unknown' not found. llmposter holds")
        said(client, [{"type": "item_reference", "id": "msg_unknown"}, user("hi")])
        assert "Item with id 'msg_unknown' not found." == server.mock.violations()[-1]["message"]


def unstored(item: str) -> dict[str, Any]:
    return {"type": "item_reference", "id": item}


@pytest.mark.parametrize(
    "asked, more, expected, sentence",
    [
        ("hi", {"previous_response_id": "resp_x"},
         (400, "previous_response_id", "previous_response_not_found"),
         "Previous response with id 'resp_x' not found. "),
        ("hi", {"conversation": "conv_x"}, (404, None, None), "Conversation with id 'conv_x' not found. "),
        ([unstored("msg_x"), user("hi")], {}, (404, "input", None), "Item with id 'msg_x' not found."),
    ],
)  # fmt: skip
def test_an_unknown_history_is_rejected_as_openai_does(
    asked: Any, more: dict[str, Any], expected: tuple[Any, ...], sentence: str
) -> None:
    """Where the scenario rejects what breaks the protocol."""
    with served("reject") as (_, client):
        with pytest.raises(openai.APIStatusError) as raised:
            said(client, asked, **more)
        assert expected == ((told := raised.value).status_code, told.param, told.code)
        assert sentence in told.message


@pytest.mark.parametrize("shown", [dict, lambda item: {"type": "item_reference", "id": item["id"]}])
def test_an_item_that_was_not_stored_is_rejected_as_openai_does(shown: Any) -> None:
    """Sent back without its sealed content, or only named, it is a 404 that says why."""
    with served("reject") as (_, client):
        first = said(client, "hi", store=False)
        with pytest.raises(openai.NotFoundError) as raised:
            said(client, [user("hi"), *(shown(item.to_dict()) for item in first.output), user("more")])
        assert ("input", None) == (raised.value.param, raised.value.code)
        sentence = (
            f"Item with id '{first.output[0].id}' not found. Items are not persisted when `store` is set to false."
        )
        assert sentence in raised.value.message


def test_where_conformance_is_off_nothing_is_said_of_it() -> None:
    """The request is answered by what it says itself."""
    with served("off") as (server, client):
        assert "c1 1 1: " == said(client, "hi", previous_response_id="resp_x").output_text
        assert server.mock.verify().ok


def test_a_server_that_was_started_again_knows_no_response_but_every_history() -> None:
    """A history is replayed; a response's id alone has none to replay, and the violation says so."""
    scenario = SCENARIO.replace("${conversation} ", "")  # a replay does not know how it was called
    with served(scenario=scenario) as (_, client):
        first = said(client, "hi")
    with served(scenario=scenario) as (server, client):
        history = [user("hi"), *first.output, user("more")]
        second = said(client, history)
        third = said(client, [*history, *second.output, user("more")])
        assert ["2 2: ", "3 3: "] == [second.output_text, third.output_text]
        assert server.mock.verify().ok
        said(client, "more", previous_response_id=first.id)
        assert "none from before it was started" in server.mock.violations()[0]["message"]


def test_a_reset_forgets_what_was_held() -> None:
    """Of one session, or of all."""
    with served() as (server, client):
        first = said(client, "hi")
        server.mock.reset("")
        # The same run makes the same ids: this answer has the very id that it was to go on from.
        again = said(client, "hi", previous_response_id=first.id)
        assert first.id == again.id
        assert 1 == len(list(client.responses.input_items.list(again.id)))
        server.mock.reset("")
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(first.id)
        first = said(client, "hi")
        server.mock.reset()
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(first.id)
