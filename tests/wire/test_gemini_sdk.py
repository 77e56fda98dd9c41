"""Google's own SDK against the real server: chats, automatic function calling, parsing, streams, counts and vectors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from enum import Enum
from itertools import count
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel
from raw_http import Raw
from serving import serving

from llmposter.server import Running

MODEL = "gemini-2.5-flash"
SCENARIO = """
[scenario]
name  = "gemini"
final = ["ask", "again", "done"]

[vars]
ticks = 0

[[states.ask]]
when = 'user == "weather?"'
call = ['get_weather(city: "Paris")', 'get_weather(city: "Rome")']
goto = "weather"

[[states.ask]]
when  = 'user == "think"'
think = "Let me see."
call  = "now()"
goto  = "noon"

[[states.ask]]
when = 'user == "tick"'
call = "now()"
goto = "ticking"

[[states.ask]]
when  = 'user == "long"'
think = "A long one."
reply = "One two three four five six seven eight nine ten."
goto  = "again"

[[states.ask]]
when   = 'user == "bad"'
refuse = "I cannot help with that."

[[states.ask]]
when = 'user == "json"'
json = { city = "Paris", temps = [1, 2.5] }

[[states.ask]]
when  = 'user == "colour"'
reply = "RED"

[[states.ask]]
when  = 'user == "image"'
expect = "images == 1 and files == 1"
reply = "A picture."

[[states.weather]]
expect = [
  'all(results, it.tool == "get_weather")',
  'results[0].arguments.city == "Paris" and results[1].arguments.city == "Rome"',
]
reply  = "${results[0].text} and ${results[1].text}"
goto   = "done"

[[states.noon]]
when = "result.error"
reply = "It broke: ${result.text}"
goto  = "done"

[[states.noon]]
think = "So it is."
reply = "It is ${result.text}."
goto  = "after"

[[states.after]]
expect = 'user == "sure?" and turn == 3'
reply  = "Quite sure."
goto   = "done"

[[states.again]]
expect = 'user == "again" and turn == 2'
reply  = "Eleven."
goto   = "done"

[[states.ticking]]
when = "ticks < 4"
set  = { ticks = "ticks + 1" }
call = "now()"

[[states.ticking]]
reply = "Five ticks."
goto  = "done"
"""
SESSIONS = count()


def get_weather(city: str) -> str:
    """Tells the weather of a city."""
    return f"{city}: 22°C"


def now() -> str:
    """Tells the time."""
    return "noon"


def broken() -> str:
    """Fails."""
    raise ValueError("no clock")


broken.__name__ = "now"


class Weather(BaseModel):
    city: str
    temps: list[float]


class Colour(Enum):
    RED = "RED"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(SCENARIO) as running:
        yield running


@pytest.fixture
def session(server: Running) -> Iterator[str]:
    """A session of the test's own, which ends without a problem."""
    name = f"s{next(SESSIONS)}"
    yield name
    verdict = server.mock.verify(name)
    assert verdict.ok, verdict


@pytest.fixture(params=["v1beta", "v1"])
def client(server: Running, session: str, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=server.session_url(session), api_version=request.param)
    with genai.Client(api_key="any", http_options=options) as found:
        yield found


def told(client: genai.Client, contents: Any, *, stream: bool, **config: Any) -> str:
    asked = {"model": MODEL, "contents": contents, "config": types.GenerateContentConfig(**config)}
    if stream:
        return "".join(chunk.text or "" for chunk in client.models.generate_content_stream(**asked))
    return client.models.generate_content(**asked).text or ""


@pytest.mark.parametrize("stream", [False, True])
def test_functions_are_called_by_the_sdk_itself(client: genai.Client, *, stream: bool) -> None:
    """Two at once; their results have no ids, and are known by name and order all the same."""
    assert "Paris: 22°C and Rome: 22°C" == told(client, "weather?", stream=stream, tools=[get_weather])


@pytest.mark.parametrize("stream", [False, True])
def test_functions_are_called_one_after_the_other(client: genai.Client, *, stream: bool) -> None:
    """Five turns of one call each."""
    assert "Five ticks." == told(client, "tick", stream=stream, tools=[now])


@pytest.mark.parametrize("stream", [False, True])
def test_a_function_that_fails_is_a_result_with_an_error(client: genai.Client, *, stream: bool) -> None:
    """The SDK says so in `response.error`; the signature of the call came back with it."""
    text = told(client, "think", stream=stream, tools=[broken])
    assert text.startswith("It broke: ")
    assert text.endswith("no clock")


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_goes_on(client: genai.Client, *, stream: bool) -> None:
    """Its history holds the chunks of a stream one by one, with calls, results and signatures."""
    config = {"tools": [now], "thinking_config": {"include_thoughts": True}}
    chat = client.chats.create(model=MODEL, config=config)
    assert "It is noon." == said(chat, "think", stream=stream)
    assert "Quite sure." == said(chat, "sure?", stream=stream)
    assert {"user", "model"} == {content.role for content in chat.get_history(curated=True)}


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_with_thoughts_that_are_not_asked_for_goes_on(client: genai.Client, *, stream: bool) -> None:
    """The signature at the end of a text is kept with it."""
    chat = client.chats.create(model=MODEL, config={"thinking_config": {"include_thoughts": False}})
    assert "One two three four five six seven eight nine ten." == said(chat, "long", stream=stream)
    assert not any(part.thought for content in chat.get_history() for part in content.parts)
    assert any(part.thought_signature for content in chat.get_history() for part in content.parts)
    assert "Eleven." == said(chat, "again", stream=stream)


def said(chat: Any, text: str, *, stream: bool) -> str:
    if stream:
        return "".join(chunk.text or "" for chunk in chat.send_message_stream(text))
    return chat.send_message(text).text


def test_an_answer_goes_on_from_what_the_model_has_said_last(client: genai.Client) -> None:
    """The words that a client puts into the model's mouth are one message with the answer."""
    begun = [types.UserContent("long"), types.ModelContent("Zero. ")]
    answer = client.models.generate_content(model=MODEL, contents=begun)
    contents = [*begun, answer.candidates[0].content, types.UserContent("again")]
    assert "Eleven." == told(client, contents, stream=False)


def test_structured_output_is_parsed(client: genai.Client) -> None:
    """Into the user's own class, or plain data for a JSON schema."""
    found = client.models.generate_content(
        model=MODEL,
        contents="json",
        config={"response_mime_type": "application/json", "response_schema": Weather},
    )
    assert Weather(city="Paris", temps=[1, 2.5]) == found.parsed
    found = client.models.generate_content(
        model=MODEL,
        contents="json",
        config={"response_mime_type": "application/json", "response_json_schema": Weather.model_json_schema()},
    )
    assert {"city": "Paris", "temps": [1, 2.5]} == json.loads(found.text)
    found = client.models.generate_content(
        model=MODEL, contents="colour", config={"response_mime_type": "text/x.enum", "response_schema": Colour}
    )
    assert Colour.RED == found.parsed


def test_a_blocked_prompt_has_no_candidate(client: genai.Client) -> None:
    """A chat forgets it, as with the real API."""
    chat = client.chats.create(model=MODEL)
    answer = chat.send_message("bad")
    assert ("SAFETY", "I cannot help with that.") == (
        answer.prompt_feedback.block_reason, answer.prompt_feedback.block_reason_message,
    )  # fmt: skip
    assert (None, None, []) == (answer.candidates, answer.text, chat.get_history(curated=True))
    assert "RED" == chat.send_message("colour").text


def test_attachments_are_counted(client: genai.Client) -> None:
    """Bytes and files by their kind."""
    parts = [
        "image",
        types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png"),
        types.Part.from_uri(file_uri="gs://bucket/paper.pdf", mime_type="application/pdf"),
    ]
    assert "A picture." == told(client, parts, stream=False)


def test_the_answer_is_all_there(client: genai.Client) -> None:
    """Usage, model, id, reason and headers, as the SDK shows them."""
    found = client.models.generate_content(model=f"models/{MODEL}", contents="long")
    used = found.usage_metadata
    assert used.total_token_count == used.prompt_token_count + used.candidates_token_count + used.thoughts_token_count
    assert (MODEL, "STOP", 24) == (found.model_version, found.candidates[0].finish_reason, len(found.response_id))
    assert "application/json; charset=UTF-8" == found.sdk_http_response.headers["content-type"]
    *_, last = client.models.generate_content_stream(model=MODEL, contents="long")
    assert used == last.usage_metadata


def test_every_option_of_the_sdk_is_read(client: genai.Client, server: Running, session: str) -> None:
    """A request with all that it can send breaks nothing."""
    told(
        client,
        "colour",
        stream=False,
        system_instruction="be brief",
        temperature=0.5,
        top_p=0.5,
        top_k=3,
        candidate_count=1,
        max_output_tokens=5,
        stop_sequences=["x"],
        presence_penalty=0.1,
        frequency_penalty=0.1,
        seed=7,
        response_mime_type="text/plain",
        response_modalities=["TEXT"],
        media_resolution="MEDIA_RESOLUTION_LOW",
        safety_settings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        thinking_config={"thinking_level": "LOW"},
        tools=[{"google_search": {}}, {"code_execution": {}}, {"function_declarations": [{"name": "f"}]}],
        tool_config={"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
        cached_content="cachedContents/1",
        automatic_function_calling={"disable": True},
    )
    (entry,) = server.mock.journal(session=session)["entries"]
    assert (200, []) == (entry["status"], entry["violations"])


def test_the_async_client_does_all_of_it(server: Running, session: str) -> None:
    """Whole, streamed, in a chat, and with functions."""

    async def go() -> None:
        options = types.HttpOptions(base_url=server.session_url(session))
        async with genai.Client(api_key="any", http_options=options).aio as client:
            config = types.GenerateContentConfig(tools=[get_weather])
            found = await client.models.generate_content(model=MODEL, contents="weather?", config=config)
            assert "Paris: 22°C and Rome: 22°C" == found.text
            chunks = await client.models.generate_content_stream(model=MODEL, contents="weather?", config=config)
            assert "Paris: 22°C and Rome: 22°C" == "".join([chunk.text or "" async for chunk in chunks])
            chat = client.chats.create(model=MODEL, config={"tools": [now]})
            chunks = await chat.send_message_stream("think")
            assert "It is noon." == "".join([chunk.text or "" async for chunk in chunks])
            assert "Quite sure." == (await chat.send_message("sure?")).text
            with pytest.raises(errors.ClientError, match="no rule"):
                await client.models.generate_content(model=MODEL, contents="what else")

    asyncio.run(go())
    # The miss was meant.
    server.mock.reset(session)


def test_a_stream_without_alt_is_an_array_that_comes_piece_by_piece(server: Running, session: str) -> None:
    """Chunked on the wire, and the same answers as the events."""
    body = {"contents": [{"parts": [{"text": "long"}]}]}
    path = f"/@{session}/v1beta/models/{MODEL}:streamGenerateContent"
    with Raw(server.url) as raw:
        array, events = raw.ask("POST", path, body), raw.ask("POST", f"{path}?alt=sse", body)
    assert ("chunked", "application/json; charset=UTF-8") == (
        array.headers["transfer-encoding"], array.headers["content-type"],
    )  # fmt: skip
    assert "text/event-stream" == events.headers["content-type"]
    told = [json.loads(event.removeprefix(b"data: ")) for event in events.body.split(b"\r\n\r\n")[:-1]]
    texts = [part["text"] for answer in array.json for part in answer["candidates"][0]["content"]["parts"]]
    assert texts == [part["text"] for answer in told for part in answer["candidates"][0]["content"]["parts"]]
    assert "A long one.One two three four five six seven eight nine ten." == "".join(texts)


# --- conformance ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("conformance", ["report", "reject"])
def test_a_signature_that_is_left_out_is_told_of(conformance: str) -> None:
    """As a violation; or refused as Gemini refuses it, which no retry mends."""
    scenario = f"""
[scenario]
conformance = "{conformance}"

[[states.ask]]
think = "Let me see."
call  = "now()"
goto  = "noon"

[[states.noon]]
reply = "It is ${{result.text}}."
"""
    with (
        serving(scenario) as running,
        genai.Client(api_key="any", http_options=types.HttpOptions(base_url=running.url)) as client,
    ):
        content = client.models.generate_content(model=MODEL, contents="hi").candidates[0].content
        for part in content.parts:
            part.thought_signature = None
        result = types.UserContent(types.Part.from_function_response(name="now", response={"result": "noon"}))
        contents = [types.UserContent("hi"), content, result]
        if conformance == "report":
            assert "It is noon." == client.models.generate_content(model=MODEL, contents=contents).text
        else:
            with pytest.raises(errors.ClientError, match="missing a thought_signature") as raised:
                client.models.generate_content(model=MODEL, contents=contents)
            assert (400, "INVALID_ARGUMENT") == (raised.value.code, raised.value.status)
        (problem,) = running.mock.verify().problems
        assert ("violation", True) == (problem.kind, "`default_api:now` , position 2" in problem.message)
