"""What Gemini answers, part by part: in the order and the places of the real API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asking_gemini import HI, PATH, WIRE, read
from wire_cases import ASTRAL, CHUNKS, PARIS, REPLIES, ROME, reply

from llmposter.core.delivery import pieces
from llmposter.model import Refusal, Reply, Text, Thinking, Tokens, ToolCall, Turn
from llmposter_dsl.compiler import compile_text

STREAMING = PATH.replace("generateContent", "streamGenerateContent")
THOUGHT = Thinking("They want the weather, so say it.")
RATINGS = [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}]


def turn(path: str = PATH, alt: str = "", **config: Any) -> Turn:
    found = read({"contents": [HI], "generationConfig": config}, path, **({"alt": alt} if alt else {}))
    assert isinstance(found, Turn)
    return found


def whole(said: Reply, **config: Any) -> dict[str, Any]:
    return json.loads(WIRE.whole(turn(**config), said).body)


def streamed(said: Reply, chunk: str = "2 words", **config: Any) -> list[dict[str, Any]]:
    frames = WIRE.stream(turn(STREAMING, "sse", **config), said, pieces(said, CHUNKS[chunk]))
    events = [frame.data for frame in frames]
    assert all(event.startswith(b"data: ") and event.endswith(b"\r\n\r\n") for event in events)
    return [json.loads(event[6:]) for event in events]


def parts(answer: dict[str, Any]) -> list[dict[str, Any]]:
    (candidate,) = answer["candidates"]
    return candidate["content"]["parts"]


def test_an_answer_has_what_the_real_one_has_and_nothing_else() -> None:
    """Candidate, usage, model and id."""
    assert {
        "candidates": [
            {
                "content": {"parts": [{"text": "It is 22°C in Paris."}], "role": "model"},
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 11,
            "cachedContentTokenCount": 3,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 2,
            "totalTokenCount": 18,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 11}],
        },
        "modelVersion": "gpt-4o",
        "responseId": "Abc123",
    } == whole(REPLIES["text"])


def test_counts_that_are_zero_are_left_out() -> None:
    """As JSON of protocol buffers has it, but for the prompt and the sum."""
    assert {
        "promptTokenCount": 0,
        "totalTokenCount": 0,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 0}],
    } == whole(REPLIES["no tokens"])["usageMetadata"]


def test_parts_stand_in_their_order() -> None:
    """Thought, texts, calls; the first call is signed."""
    found = parts(whole(REPLIES["everything"]))
    signature = found[3].pop("thoughtSignature")
    assert signature
    assert [
        {"text": "Both.", "thought": True},
        {"text": "One moment."},
        {"text": '\n{"n":1}'},
        {"functionCall": {"id": "call_a1", "name": PARIS.tool, "args": json.loads(PARIS.arguments)}},
        {"functionCall": {"id": "call_b2", "name": ROME.tool, "args": json.loads(ROME.arguments)}},
    ] == found


def test_texts_that_follow_each_other_are_lines() -> None:
    """So that the SDK, which joins the parts, shows what the chat of another provider shows."""
    said = reply(Text("Here it is:"), Text("[1]", structured=True), Text(""), Text("So."))
    texts = [part["text"] for part in parts(whole(said))]
    assert ["Here it is:", "\n[1]", "", "\nSo."] == texts
    assert "".join(texts) == "".join(part["text"] for event in streamed(said) for part in parts(event))


def test_a_text_after_a_thought_is_signed_at_its_end() -> None:
    """In its last part; a thought alone is followed by an empty one."""
    *_, last = parts(whole(REPLIES["reasoning then text"]))
    assert {"text", "thoughtSignature"} == last.keys()
    thought, empty = parts(whole(REPLIES["reasoning alone"]))
    assert ({"text": "Nothing to say.", "thought": True}, "") == (thought, empty["text"])
    assert empty["thoughtSignature"]


@pytest.mark.parametrize("config", [{"includeThoughts": False}, {"thinkingBudget": 0}])
@pytest.mark.parametrize("name", ["reasoning then text", "reasoning then call", "reasoning alone"])
def test_thoughts_that_are_not_wanted_are_not_shown(name: str, config: dict[str, Any]) -> None:
    """They are counted and signed all the same, whole and streamed."""
    answer = whole(REPLIES[name], thinkingConfig=config)
    events = streamed(REPLIES[name], thinkingConfig=config)
    for found in (parts(answer), [part for event in events for part in parts(event)]):
        assert not any("thought" in part for part in found)
        assert 1 == sum("thoughtSignature" in part for part in found)
    assert 2 == answer["usageMetadata"]["thoughtsTokenCount"] == events[-1]["usageMetadata"]["thoughtsTokenCount"]


def test_the_same_answer_has_the_same_signature_streamed() -> None:
    """So that a client may ask for the one and go on with the other."""
    for name in ("reasoning then text", "reasoning then call"):
        once = [p["thoughtSignature"] for p in parts(whole(REPLIES[name])) if "thoughtSignature" in p]
        again = [p["thoughtSignature"] for e in streamed(REPLIES[name]) for p in parts(e) if "thoughtSignature" in p]
        assert once == again
        assert 1 == len(once)


def test_an_answer_that_is_said_again_is_signed_again() -> None:
    """Equal answers have equal events, whichever of them was spoken first."""
    first, again = (streamed(reply(Thinking("Hm."), ToolCall("mine", "now", "{}"))) for _ in range(2))
    assert first == again
    assert 1 == sum("thoughtSignature" in part for event in again for part in parts(event))


def test_every_event_says_what_is_new_and_the_last_why_it_ends() -> None:
    """Each is an answer of its own, with model, id and the usage so far."""
    *events, last = streamed(REPLIES["text"])
    assert ["It is", " 22°C in", " Paris."] == [part["text"] for event in events for part in parts(event)]
    assert all("finishReason" not in event["candidates"][0] for event in events)
    assert ([{"text": ""}], "STOP") == (parts(last), last["candidates"][0]["finishReason"])
    assert all(("gpt-4o", "Abc123") == (event["modelVersion"], event["responseId"]) for event in [*events, last])


def test_usage_grows_and_ends_with_that_of_the_answer() -> None:
    """The sum is always right; reasoning is counted before the text begins."""
    said = reply(THOUGHT, Text("It rains in Paris, as it often does."), tokens=Tokens(10, 18, 0, 9))
    used = [event["usageMetadata"] for event in streamed(said)]
    totals = [each["totalTokenCount"] for each in used]
    assert (sorted(totals), whole(said)["usageMetadata"]) == (totals, used[-1])
    for each in used:
        counted = each.get("candidatesTokenCount", 0) + each.get("thoughtsTokenCount", 0)
        assert each["totalTokenCount"] == each["promptTokenCount"] + counted
        assert "candidatesTokenCount" not in each or each["thoughtsTokenCount"] == 9
    assert 2 < len(set(totals))


@pytest.mark.parametrize("chunk", CHUNKS)
def test_a_call_is_never_cut(chunk: str) -> None:
    """Whatever `stream.chunk` says: each stands whole in an event of its own, once."""
    said = [part for event in streamed(REPLIES["two parallel calls"], chunk) for part in parts(event)]
    assert [PARIS.tool, ROME.tool] == [part["functionCall"]["name"] for part in said if "functionCall" in part]
    assert 3 == len(said)


def test_a_stream_without_alt_is_one_json_array_piece_by_piece() -> None:
    """Each frame holds one answer, with the commas and brackets of the real API."""
    said = REPLIES["text"]
    frames = [frame.data for frame in WIRE.stream(turn(STREAMING), said, pieces(said, CHUNKS["2 words"]))]
    assert (b'[{"', b'\n,\r\n{"', b"\n]") == (frames[0][:3], frames[1][:6], frames[-1])
    assert streamed(said) == json.loads(b"".join(frames))
    assert "application/json; charset=UTF-8" == dict(WIRE.head(turn(STREAMING), said))["content-type"]
    assert "text/event-stream" == dict(WIRE.head(turn(STREAMING, "sse"), said))["content-type"]


def test_every_candidate_says_the_same() -> None:
    """As many as `candidateCount` asks for, in every event; usage counts the answer once."""
    for answer in (whole(REPLIES["text"], candidateCount=3), *streamed(REPLIES["text"], candidateCount=3)):
        assert [0, 1, 2] == [candidate.pop("index") for candidate in answer["candidates"]]
        assert all(candidate == answer["candidates"][0] for candidate in answer["candidates"])
        assert 11 == answer["usageMetadata"]["promptTokenCount"]


@pytest.mark.parametrize("finish, reason", [("stop", "SAFETY"), ("PROHIBITED_CONTENT", "PROHIBITED_CONTENT")])
def test_a_refusal_is_a_prompt_that_was_blocked(finish: str, reason: str) -> None:
    """No candidate, no output; one event where it is streamed."""
    said = reply(Refusal("I cannot help with that."), finish=finish)
    answer = whole(said)
    assert [answer] == streamed(said)
    assert {"promptFeedback", "usageMetadata", "modelVersion", "responseId"} == answer.keys()
    ratings = {"safetyRatings": RATINGS} if reason == "SAFETY" else {}
    feedback = {"blockReason": reason, "blockReasonMessage": "I cannot help with that.", **ratings}
    assert (feedback, 11) == (answer["promptFeedback"], answer["usageMetadata"]["totalTokenCount"])
    assert "candidatesTokenCount" not in answer["usageMetadata"]


@pytest.mark.parametrize("finish", ["content_filter", "SAFETY", "RECITATION", "SPII"])
def test_what_is_blocked_without_a_word_has_no_content(finish: str) -> None:
    """The case that so many clients do not expect."""
    word = "SAFETY" if finish == "content_filter" else finish
    expected = {"finishReason": word, "index": 0, **({"safetyRatings": RATINGS} if word == "SAFETY" else {})}
    assert [expected] == whole(reply(Text(""), finish=finish))["candidates"]
    *events, last = streamed(reply(Text("It is"), finish=finish))
    assert [expected] == last["candidates"]
    assert [[{"text": "It is"}]] == [parts(event) for event in events]
    assert [{"text": "It is"}] == parts(whole(reply(Text("It is"), finish=finish)))


@pytest.mark.parametrize("arguments", ['{"city": "Par', "[1]", '"x"', "7", "null", "{} {}", '{"a": NaN}'])
def test_arguments_that_are_no_object_are_a_malformed_call(arguments: str) -> None:
    """As the real API ends where its model wrote such a call; other parts are there, other calls are not."""
    said = reply(Text("Let me look."), ToolCall("a", "f", arguments), PARIS)
    (candidate,) = whole(said)["candidates"]
    assert [{"text": "Let me look."}] == candidate["content"]["parts"]
    assert ("MALFORMED_FUNCTION_CALL", f"Malformed function call: f({arguments})") == (
        candidate["finishReason"], candidate["finishMessage"],
    )  # fmt: skip
    *events, last = streamed(said)
    assert "Let me look." == "".join(part["text"] for event in events for part in parts(event))
    assert [{key: candidate[key] for key in ("finishReason", "finishMessage", "index")}] == last["candidates"]
    alone = whole(reply(ToolCall("a", "f", arguments)))["candidates"]
    assert last["candidates"] == alone


@pytest.mark.parametrize(
    "arguments, sent",
    [("", {}), ("  ", {}), ('{"a":\n1}', {"a": 1}), ('{"a":"\\ud83d\\ude00"}', {"a": "😀"}), ('{"a":1.0}', {"a": 1.0})],
)
def test_arguments_are_sent_as_an_object_on_one_line(arguments: str, sent: dict[str, Any]) -> None:
    """An event is a line."""
    (event, _) = streamed(reply(ToolCall("a", "f", arguments)))
    (part,) = parts(event)
    assert sent == part["functionCall"]["args"]


def test_any_text_is_one_line_of_an_event() -> None:
    """Line breaks of all kinds and characters of all planes come back as they were."""
    assert ASTRAL == "".join(part["text"] for event in streamed(reply(Text(ASTRAL))) for part in parts(event))


FINISHES = {
    # the scenario's word: Gemini's, or None where it has none
    "stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY", "pause": None,
    "end_turn": "STOP", "refusal": "SAFETY", "max_output_tokens": "MAX_TOKENS", "OTHER": "OTHER",
    "MALFORMED_RESPONSE": "MALFORMED_RESPONSE", "CONTINUATION": "CONTINUATION", "banana": None,
}  # fmt: skip


@pytest.mark.parametrize("finish", FINISHES)
def test_a_finish_word_is_gemini_s_or_a_finding(finish: str) -> None:
    """Its own goes out as it is, another provider's by its meaning, `pause` as STOP, and any other as it is."""
    word = FINISHES[finish]
    sent = word or ("STOP" if finish == "pause" else finish)
    assert sent == whole(reply(Text("x"), finish=finish))["candidates"][0]["finishReason"]
    assert (word is None) == any(finish in told for told in cannot(f'reply = "x"\nfinish = "{finish}"'))


def cannot(rule: str) -> list[str]:
    program = compile_text(f"[[states.a]]\n{rule}\n").program
    assert program is not None
    return list(WIRE.cannot(program.states["a"][0]))


@pytest.mark.parametrize(
    "rule, told",
    [
        ('reply = "x"', []),
        ('call = { tool = "f", arguments = "{}" }', []),
        ('call = { tool = "f", arguments = "${user}" }', []),
        ('call = { tool = "f", arguments = { a = "b" } }', []),
        ('error = "overloaded"', []),
        (
            'call = { tool = "f", arguments = "{" }',
            ["Gemini has no arguments but JSON objects: it ends with MALFORMED_FUNCTION_CALL in their place"],
        ),
        (
            'error = "content_filter"',
            ["Gemini has no error for content that is blocked: it answers with a block reason; write `refuse`"],
        ),
    ],
)
def test_what_gemini_cannot_say_is_a_finding(rule: str, told: list[str]) -> None:
    """A sentence for each, where the checker can know."""
    assert told == cannot(rule)
