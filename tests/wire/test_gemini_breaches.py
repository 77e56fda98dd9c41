"""What Google refuses with a 400 although it can be read, in its words: each a breach of the turn, once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asking_gemini import HI, WIRE, call, model, read, response, turn, user

from llmposter.model import Reply, Text, Thinking, Tokens, ToolCall, Turn
from llmposter.wire.gemini_signature import CORRUPTED, INVALID, UNCHECKED, missing

ORDER = "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
COUNT = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)
STRAY = "Please ensure that function response turn comes immediately after a function call turn."
ROLE = "Please use a valid role: user, model."
NAMED = (
    "* GenerateContentRequest.tools[0].function_declarations[1].name: [FIELD_INVALID] Invalid function name. Must "
    "start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons "
    "(:), or dashes (-), with a maximum length of 64."
)
NO_DATA = (
    "* GenerateContentRequest.contents[2].parts[0].data: required oneof field 'data' must have one initialized field"
)
NO_STRUCT = (
    "Invalid value at 'contents[2].parts[0].function_response.response' (type.googleapis.com/google.protobuf.Struct)"
)
WHERE = "* GenerateContentRequest.generation_config"

BREACHES: dict[str, tuple[list[Any], dict[str, Any], list[str]]] = {
    "nothing wrong": ([HI, model("a", call()), user(response({})), model("b"), HI], {}, []),
    "chunks of a stream": ([HI, model("a"), model(call()), user(response({}))], {}, []),
    "a call without its result": ([HI, model(call()), HI], {}, [COUNT]),
    "one result for two calls": ([HI, model(call("f", "a"), call("f", "b")), user(response({}, id_="a"))], {}, [COUNT]),
    "two results for one call": ([HI, model(call()), user(response({}), response({}))], {}, [COUNT]),
    "several of them": ([HI, model(call()), HI, model(call()), HI], {}, [COUNT]),
    "a result without a call": ([HI, user(response({}))], {}, [STRAY]),
    "a result after a text": ([HI, model("a"), user(response({}))], {}, [STRAY]),
    "a call at the beginning": ([model(call()), user(response({}))], {}, [ORDER]),
    "a role of another provider": ([{"role": "assistant", "parts": [{"text": "a"}]}], {}, [ROLE]),
    "no parts": (
        [HI, {"role": "model"}], {}, ["* GenerateContentRequest.contents[1].parts: contents.parts must not be empty."],
    ),
    "an empty part": (
        [HI, model("a"), model({"thoughtSignature": "skip_thought_signature_validator"})],
        {},
        [NO_DATA],
    ),
    "a result without a name": (
        [HI, model(call()), user({"functionResponse": {"id": "c", "response": {}}})],
        {},
        ["* GenerateContentRequest.contents[2].parts[0].function_response.name: Name cannot be empty."],
    ),
    "a result that is no object": (
        [HI, model(call()), user(response("22"))],
        {},
        [NO_STRUCT],
    ),
    "a tool's name": ([HI], {"tools": [{"functionDeclarations": [{"name": "a.b:c-d"}, {"name": "7"}]}]}, [NAMED]),
    "temperature": (
        [HI], {"generationConfig": {"temperature": 3}},
        [f"{WHERE}.temperature: temperature must be in the range [0.0, 2.0]."],
    ),
    "top_p": (
        [HI], {"generationConfig": {"topP": 1.5}}, [f"{WHERE}.top_p: top_p must be in the range [0.0, 1.0]."],
    ),
    "candidates": (
        [HI], {"generationConfig": {"candidateCount": 9}},
        [f"{WHERE}.candidate_count: candidate_count must be in the range [1, 8]."],
    ),
    "stop sequences": (
        [HI], {"generationConfig": {"stopSequences": list("abcdef")}},
        [f"{WHERE}.stop_sequences: the number of stop_sequences must not exceed 5."],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_is_told_in_googles_words(name: str) -> None:
    """With its place, and no more than once."""
    contents, more, expected = BREACHES[name]
    assert tuple(expected) == turn(*contents, **more).breaches


@pytest.mark.parametrize("body", [b"{}", b'{"contents": []}', b'{"contents": null}'])
def test_a_request_without_contents_is_a_turn_with_a_breach(body: bytes) -> None:
    """The scenario decides what becomes of it."""
    found = read(body)
    assert isinstance(found, Turn)
    assert ((), ("* GenerateContentRequest.contents: contents is not specified\n",)) == (found.messages, found.breaches)


# --- signatures -------------------------------------------------------------------------------------------------------

ID = "call_0123456789abcdef01234567"
THOUGHT = Thinking("I need the tool.")
CALLED = Reply(
    "r1", 0, "m", (THOUGHT, ToolCall(ID, "f", '{"a":1.0}'), ToolCall("other", "g", "{}")), "tool_calls", Tokens()
)
SAID = Reply("r2", 0, "m", (THOUGHT, Text("It "), Text("rains.")), "stop", Tokens())


def parts(reply: Reply) -> list[dict[str, Any]]:
    """What a client keeps of an answer."""
    asked = turn(HI)
    (candidate,) = json.loads(WIRE.whole(asked, reply).body)["candidates"]
    return candidate["content"]["parts"]


def without(part: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in names}


def after_call(*echoed: dict[str, Any]) -> Turn:
    return turn(HI, model(*echoed), user(response({}, "f", None), response({}, "g", None)))


def test_signatures_that_come_back_name_their_answer() -> None:
    """The first call's, and that of a text; nothing is wrong with them."""
    found = turn(
        HI, model(*parts(CALLED)), user(response({}, "f", ID), response({}, "g", "other")), model(*parts(SAID)), HI
    )
    answers = [message for message in found.messages if message.role == "assistant"]
    assert ((), ["r1", "r2"], ["I need the tool."] * 2) == (
        found.breaches, [each.answer for each in answers], [each.thinking for each in answers],
    )  # fmt: skip
    assert [ID, "other"] == [use.id for use in answers[0].calls]


def test_a_signature_without_its_thought_is_no_breach() -> None:
    """Gemini wants the signature back, not the summary."""
    _, *rest = parts(CALLED)
    assert ((), "r1") == ((found := after_call(*rest)).breaches, found.messages[1].answer)


def test_the_order_of_keys_and_the_point_of_a_whole_number_are_no_change() -> None:
    """JavaScript writes 1.0 as 1."""
    _, first, second = parts(CALLED)
    first["functionCall"]["args"] = {"a": 1}
    assert () == after_call(first, second).breaches


def test_a_call_that_lacks_its_signature_is_told_of() -> None:
    """By its id alone, which says that it was signed; and by a thought beside it, where there is no id."""
    thought, first, second = parts(CALLED)
    bare = without(first, "thoughtSignature")
    nameless = {"functionCall": without(bare["functionCall"], "id")}
    assert (missing("f", 2),) == after_call(bare, second).breaches
    assert (missing("f", 2),) == after_call(thought, nameless, second).breaches
    assert () == after_call(nameless, second).breaches


def test_signatures_of_turns_that_are_over_are_not_asked_for() -> None:
    """A turn is over when the user says something again."""
    _, first, second = parts(CALLED)
    bare = without(first, "thoughtSignature")
    results = user(response({}, "f", None), response({}, "g", None))
    assert () == turn(HI, model(bare, second), results, model("so"), HI).breaches
    assert (missing("f", 4),) == turn(HI, model("a"), HI, model(bare, second), results).breaches


@pytest.mark.parametrize("signature", sorted(UNCHECKED))
def test_what_google_lets_stand_for_a_signature_stands_for_one(signature: str) -> None:
    """Plain, or as the bytes that it is."""
    _, first, second = parts(CALLED)
    assert () == after_call({**first, "thoughtSignature": signature}, second).breaches


@pytest.mark.parametrize("signature", ["AAAA", "no base64!", "EgxsbG1wb3N0ZXIB"])
def test_a_foreign_signature_is_corrupted(signature: str) -> None:
    """The server that made it is another one."""
    _, first, second = parts(CALLED)
    found = after_call({**first, "thoughtSignature": signature}, second)
    assert ((f"{CORRUPTED} (contents[1].parts[0])",), "") == (found.breaches, found.messages[1].answer)


@pytest.mark.parametrize("alphabet", ["+/", "-_"])
@pytest.mark.parametrize("padding", ["", "="])
def test_a_signature_may_be_spelt_in_any_base64(alphabet: str, padding: str) -> None:
    """As the JSON of protocol buffers may spell bytes."""
    _, first, second = parts(CALLED)
    spelt = first["thoughtSignature"].translate(str.maketrans("+/", alphabet)).rstrip("=")
    found = after_call({**first, "thoughtSignature": spelt + padding * (-len(spelt) % 4)}, second)
    assert ((), "r1") == (found.breaches, found.messages[1].answer)


def test_a_call_that_was_changed_beside_its_signature_is_not_valid() -> None:
    """Another tool, or other arguments; the answer is known all the same."""
    _, first, second = parts(CALLED)
    for change in ({"name": "h"}, {"args": {"a": 2}}):
        changed = {**first, "functionCall": {**first["functionCall"], **change}}
        found = turn(HI, model(changed, second), user(response({}, "f", ID), response({}, "g", "other")))
        assert ((f"{INVALID} (contents[1].parts[0])",), "r1") == (found.breaches, found.messages[1].answer)


def test_a_text_may_be_joined_and_trimmed_beside_its_signature_but_not_changed() -> None:
    """Clients put the chunks of a stream together each in its own way."""
    *_, last = parts(SAID)
    signed = {"thoughtSignature": last["thoughtSignature"]}
    assert () == turn(HI, model({"text": " It rains.\n", **signed}), HI).breaches
    assert () == turn(HI, model("It rains."), model({"text": "", **signed}), HI).breaches
    found = turn(HI, model("It"), model("snows."), model({"text": "", **signed}), HI)
    assert ((f"{INVALID} (contents[3].parts[0])",), "r2") == (found.breaches, found.messages[1].answer)
