"""Responses and conversation objects that are held, through the official SDK and strictly read, over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from judging import strictly
from openai.types.conversations import Conversation, ConversationItem
from openai.types.responses import CompactedResponse, Response, ResponseItem
from serving import serving

KNOWN = ("store",)
SCENARIO = """
[scenario]
name = "weather"

[[states.ask]]
when = 'user contains "weather"'
think = "They want the weather."
call = 'get_weather(city: "Paris")'
goto = "got"

[[states.ask]]
reply = "${turn}: ${system}"

[[states.got]]
when = 'result("get_weather") exists'
reply = "It is ${result.text}."
goto = "ask"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with serving(SCENARIO) as running:
        yield running


@pytest.fixture
def client(server: Any, request: pytest.FixtureRequest) -> Iterator[openai.OpenAI]:
    """A client in a session of its own."""
    name = "".join(letter for letter in request.node.name if letter.isalnum())
    with openai.OpenAI(base_url=f"{server.session_url(name)}/v1", api_key="any", max_retries=0) as found:
        yield found


def output(call: Any, text: str) -> dict[str, str]:
    return {"type": "function_call_output", "call_id": call.call_id, "output": text}


def asked(client: openai.OpenAI) -> tuple[Response, Response]:
    """A call, and the answer to its result."""
    first = client.responses.create(model="m", input="weather?")
    again = client.responses.create(
        model="m", previous_response_id=first.id, input=[output(first.output[-1], "22")], metadata={"run": "7"}
    )
    assert "It is 22." == again.output_text
    return first, again


# --- responses ----------------------------------------------------------------------------------------------------


def test_a_response_is_retrieved_as_it_was_given(client: openai.OpenAI) -> None:
    """To the byte, with all that it repeats of its request."""
    first, again = asked(client)
    assert first == client.responses.retrieve(first.id)
    assert again == client.responses.retrieve(again.id)
    assert (first.id, {"run": "7"}) == (again.previous_response_id, again.metadata)
    assert client.responses.retrieve(first.id)._request_id == first._request_id is not None
    assert client.conversations.create()._request_id


@pytest.mark.parametrize("after", [None, 3, 100])
def test_a_response_is_streamed_again(client: openai.OpenAI, after: int | None) -> None:
    """All its events, or those after a number."""
    first, _ = asked(client)
    with client.responses.create(model="m", input="weather?", stream=True) as events:
        types = [event.type for event in events]
    stream = client.responses.retrieve(first.id, stream=True, **({} if after is None else {"starting_after": after}))
    numbers = [(event.type, event.sequence_number) for event in stream]
    expected = [event for event in types if not event.endswith(".delta")]
    told = [name for name, _ in numbers if not name.endswith(".delta")]
    assert list(range(0 if after is None else after + 1, len(numbers) + (0 if after is None else after + 1))) == [
        number for _, number in numbers
    ]
    assert expected == told if after is None else expected[len(expected) - len(told) :] == told


def test_the_input_of_a_response_is_listed_with_its_history(client: openai.OpenAI) -> None:
    """All that the answer was made from, the newest first, page by page, each item valid."""
    first, again = asked(client)
    kinds = ["message", "reasoning", "function_call", "function_call_output"]
    assert kinds == [item.type for item in client.responses.input_items.list(again.id, order="asc")]
    pages = list(client.responses.input_items.list(again.id, limit=1))
    assert kinds[::-1] == [item.type for item in pages]
    assert 4 == len({item.id for item in pages})
    assert [item.id for item in first.output] == [item.id for item in pages[1:3]][::-1]
    for item in pages:
        strictly(ResponseItem, item.to_json(), KNOWN)


def test_every_form_of_input_is_listed_in_full(client: openai.OpenAI) -> None:
    """Items that came in a short form, and one that was only referred to."""
    first, _ = asked(client)
    again = client.responses.create(
        model="m",
        input=[
            {"role": "developer", "content": "be brief"},
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "x"}],
            },
            {"role": "assistant", "content": "yes"},
            {"role": "user", "content": "weather?"},
            {"type": "item_reference", "id": first.output[0].id},
            {"type": None, "id": first.output[1].id},
            output(first.output[-1], "23"),
            {"type": "custom_tool_call", "call_id": "c", "name": "sh", "input": "ls"},
            {"type": "custom_tool_call_output", "call_id": "c", "output": "x"},
            {"role": "user", "content": "and?"},
        ],
    )
    items = list(client.responses.input_items.list(again.id, order="asc", limit=100))
    assert ["be brief", "a", "yes", "weather?", "and?"] == [
        item.content[0].text for item in items if item.type == "message"
    ]
    assert [item.id for item in first.output] == [item.id for item in items[4:6]]
    assert 10 == len(items)
    for item in items:
        strictly(ResponseItem, item.to_json(), KNOWN)


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"order": "up"}])
def test_a_page_that_cannot_be_is_refused(client: openai.OpenAI, query: dict[str, Any]) -> None:
    """Its bounds are OpenAI's."""
    first, _ = asked(client)
    with pytest.raises(openai.BadRequestError):
        client.responses.input_items.list(first.id, extra_query=query)


def test_a_deleted_response_is_gone(client: openai.OpenAI) -> None:
    """From then on it is not found, by whatever way it is asked for."""
    first, again = asked(client)
    client.responses.delete(first.id)
    client.responses.retrieve(again.id)
    for ask in (
        client.responses.retrieve, client.responses.delete, client.responses.cancel, client.responses.input_items.list,
    ):  # fmt: skip
        with pytest.raises(openai.NotFoundError, match=f"Response with id '{first.id}' not found."):
            ask(first.id)
    with pytest.raises(openai.NotFoundError, match="'msg_no' not found"):
        client.responses.input_items.list(again.id, after="msg_no")


def test_what_is_not_stored_is_not_found(client: openai.OpenAI) -> None:
    """`store` false."""
    found = client.responses.create(model="m", input="hi", store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(found.id)


def test_sessions_do_not_share_responses(server: Any, client: openai.OpenAI) -> None:
    """An id of another session is unknown."""
    first, _ = asked(client)
    with (
        openai.OpenAI(base_url=f"{server.session_url('another')}/v1", api_key="any") as other,
        pytest.raises(openai.NotFoundError),
    ):
        other.responses.retrieve(first.id)


@pytest.mark.parametrize("background", [True, False])
def test_a_response_is_answered_already_when_it_is_cancelled(client: openai.OpenAI, *, background: bool) -> None:
    """One of the background is complete at once, so that a client that polls for it stops."""
    found = client.responses.create(model="m", input="hi", background=background)
    assert ("completed", background) == (found.status, found.background)
    with pytest.raises(openai.BadRequestError, match="completed" if background else "synchronous"):
        client.responses.cancel(found.id)


def test_tokens_are_counted_as_usage_counts_them(client: openai.OpenAI) -> None:
    """With the history that the request goes on from; without a model too."""
    first, _ = asked(client)
    more: dict[str, Any] = {"instructions": "be brief", "previous_response_id": first.id}
    more["input"] = [output(first.output[-1], "22")]
    counted = client.responses.input_tokens.count(**more)
    assert client.responses.create(model="m", **more).usage.input_tokens == counted.input_tokens
    assert 0 == client.responses.input_tokens.count().input_tokens
    with pytest.raises(openai.BadRequestError):
        client.responses.input_tokens.count(input=5)


# --- summing up ---------------------------------------------------------------------------------------------------


def summed_up(client: openai.OpenAI, **asked: Any) -> list[Any]:
    """The output of a compaction, as a client sends it back: messages of the user, and one item for the rest."""
    found = client.responses.compact(model="m", **asked).to_dict(warnings=False)
    *messages, last = found["output"]
    strictly(CompactedResponse, json.dumps({**found, "output": [last]}))
    assert ("compaction", {"user"}) == (last["type"], {message["role"] for message in messages})
    return [*messages, last]


def test_a_history_that_was_summed_up_goes_on_where_it_stood(client: openai.OpenAI) -> None:
    """By the id of the last response, or by the history itself, and again."""
    _, again = asked(client)
    short = summed_up(client, previous_response_id=again.id)
    assert ["weather?"] == [item["content"][0]["text"] for item in short[:-1]]
    third = client.responses.create(model="m", input=[*short, {"role": "user", "content": "and?"}])
    assert "3: " == third.output_text
    shorter = summed_up(client, input=[*short, {"role": "user", "content": "and?"}, *third.output])
    last = client.responses.create(model="m", input=[*shorter, {"role": "user", "content": "weather"}])
    assert ["reasoning", "function_call"] == [item.type for item in last.output]


def test_a_history_without_an_answer_is_summed_up_too(client: openai.OpenAI) -> None:
    """The conversation then begins."""
    short = summed_up(client, input="hi")
    assert "1: " == client.responses.create(model="m", input=short).output_text
    with pytest.raises(openai.BadRequestError):
        client.responses.compact(model="m")


# --- conversation objects -------------------------------------------------------------------------------------------


def test_a_conversation_holds_what_is_said_in_it(client: openai.OpenAI) -> None:
    """Each response goes on from all before, developer messages included, and adds its input and its output."""
    made = client.conversations.create(
        items=[{"role": "developer", "content": "be brief"}, {"role": "user", "content": "weather?"}]
    )
    first = client.responses.create(model="m", conversation=made.id)
    again = client.responses.create(model="m", conversation={"id": made.id}, input=[output(first.output[-1], "22")])
    last = client.responses.create(model="m", conversation=made.id, input="and?", instructions="now")
    assert ("It is 22.", "3: now\nbe brief") == (again.output_text, last.output_text)
    assert made.id == last.conversation.id
    items = list(client.conversations.items.list(made.id, order="asc", limit=3))
    assert [
        "message", "message", "reasoning", "function_call", "function_call_output", "message", "message", "message",
    ] == [item.type for item in items]  # fmt: skip
    assert ["developer", "user", "assistant", "user", "assistant"] == [i.role for i in items if i.type == "message"]
    assert len(items) == len({item.id for item in items})
    for item in items:
        strictly(ConversationItem, item.to_json(), KNOWN)
    listed = list(client.responses.input_items.list(again.id, order="asc"))
    assert [item.id for item in items[:5]] == [item.id for item in listed]


def test_a_conversation_is_kept_and_forgotten(client: openai.OpenAI) -> None:
    """Retrieved, changed and deleted; then not found."""
    made = client.conversations.create(metadata={"a": "1"})
    assert made == client.conversations.retrieve(made.id)
    strictly(Conversation, made.to_json())
    assert {"b": "2"} == client.conversations.update(made.id, metadata={"b": "2"}).metadata
    assert {"b": "2"} == client.conversations.retrieve(made.id).metadata
    assert [] == list(client.conversations.items.list(made.id))
    gone = client.conversations.delete(made.id)
    assert (made.id, True, "conversation.deleted") == (gone.id, gone.deleted, gone.object)
    with pytest.raises(openai.NotFoundError, match=f"Conversation with id '{made.id}' not found."):
        client.conversations.retrieve(made.id)
    assert made.id != client.conversations.create().id


def test_items_are_added_and_removed(client: openai.OpenAI) -> None:
    """An item can be read by its id; without it the conversation goes on from what is left."""
    made = client.conversations.create(items=[{"role": "developer", "content": "one"}])
    added = client.conversations.items.create(
        made.id, items=[{"role": "developer", "content": "two"}, {"role": "user", "content": "hi"}]
    )
    two, hi = added.data
    assert (two.id, hi.id, False) == (added.first_id, added.last_id, added.has_more)
    assert two == client.conversations.items.retrieve(two.id, conversation_id=made.id)
    first = client.responses.create(model="m", conversation=made.id)
    assert "1: one\ntwo" == first.output_text
    assert made.id == client.conversations.items.delete(two.id, conversation_id=made.id).id
    with pytest.raises(openai.NotFoundError, match=f"Item with id '{two.id}' not found in conversation '{made.id}'."):
        client.conversations.items.retrieve(two.id, conversation_id=made.id)
    with pytest.raises(openai.NotFoundError):
        client.conversations.items.delete(two.id, conversation_id=made.id)
    assert [hi.id, first.output[0].id] == [item.id for item in client.conversations.items.list(made.id, order="asc")][
        1:
    ]
    assert "2: one" == client.responses.create(model="m", conversation=made.id, input="and?").output_text


SHORT: list[Any] = [
    {"role": "user", "content": "a"},
    {"type": None, "role": "user", "content": [{"type": "input_image"}, {"type": "input_file"}]},
    {"role": "developer", "content": []},
    {"role": "assistant", "content": [{"type": "output_text", "text": "x"}], "status": None},
    {"type": "magic"},
    {"type": "web_search_call", "id": "ws_1", "status": 3},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{"},
    {"type": "function_call_output", "call_id": "c", "output": []},
    {"type": None, "id": "msg_x"},
    {"id": ""},
    {"type": "reasoning", "summary": []},
    {"type": "compaction", "encrypted_content": "?"},
    {"type": "item_reference", "id": "rs_0123456789abcdef012345671001000"},
]


@pytest.mark.parametrize("n", range(len(SHORT)))
def test_whatever_was_taken_is_listed(client: openai.OpenAI, n: int) -> None:
    """Also what OpenAI would refuse, and what nobody holds, which is left out; and it is found by its id."""
    made = client.conversations.create(items=[SHORT[n], *SHORT])
    items = client.get(f"/conversations/{made.id}/items?limit=100", cast_to=dict)["data"]
    assert len(SHORT) - 3 <= len(items) <= len(SHORT) + 1
    for item in items:
        assert item == client.get(f"/conversations/{made.id}/items/{item['id']}", cast_to=dict)
    client.delete(f"/conversations/{made.id}/items/{items[0]['id']}", cast_to=object)
    left = client.get(f"/conversations/{made.id}/items?limit=100", cast_to=dict)["data"]
    assert items[1:] == left


BAD = [
    ("/conversations", {"items": "hi"}, "items"),
    ("/conversations", {"items": [{"role": "user"}]}, "items[0].content"),
    ("/conversations", {"metadata": 1}, "metadata"),
    ("/conversations/{id}", {"metadata": 1}, "metadata"),
    ("/conversations/{id}/items", {}, "items"),
    ("/conversations/{id}/items", {"items": [{"type": "function_call", "call_id": 1}]}, "items[0].call_id"),
]


@pytest.mark.parametrize("path, body, param", BAD)
def test_a_wrong_body_is_refused(client: openai.OpenAI, path: str, body: Any, param: str) -> None:
    """In OpenAI's words, with the place."""
    made = client.conversations.create()
    with pytest.raises(openai.BadRequestError) as raised:
        client.post(path.format(id=made.id), body=body, cast_to=object)
    assert param == raised.value.param


def test_a_response_that_the_sdk_asks_for_again_is_said_once(client: openai.OpenAI) -> None:
    """A retry in a conversation gets its answer again, and the conversation holds it once."""
    made = client.conversations.create()
    retry = {"x-stainless-retry-count": "1"}
    first = client.responses.create(model="m", conversation=made.id, input="hi")
    again = client.responses.create(model="m", conversation=made.id, input="hi", extra_headers=retry)
    assert first == again
    assert 2 == len(list(client.conversations.items.list(made.id)))
    assert "2: " == client.responses.create(model="m", conversation=made.id, input="hi").output_text


def test_the_async_client_does_all_of_it(server: Any) -> None:
    """The same calls, awaited."""

    async def go() -> None:
        url = f"{server.session_url('async')}/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key="any", max_retries=0) as client:
            made = await client.conversations.create()
            found = await client.responses.create(model="m", conversation=made.id, input="hi")
            assert found == await client.responses.retrieve(found.id)
            assert 2 == len([item async for item in client.conversations.items.list(made.id)])
            assert 1 == len([item async for item in client.responses.input_items.list(found.id)])
            await client.responses.delete(found.id)
            assert (await client.conversations.delete(made.id)).deleted

    asyncio.run(go())


def test_nothing_of_this_breaks_the_run(client: openai.OpenAI, server: Any, request: pytest.FixtureRequest) -> None:
    """Asking for what is held, or is not, leaves `verify` clean."""
    first, again = asked(client)
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)
    client.conversations.create(items=[{"role": "user", "content": "hi"}])
    name = "".join(letter for letter in request.node.name if letter.isalnum())
    assert server.mock.verify(name).ok
    assert again.output_text
