"""When the chunks of a stream are due, as data: no clock, no socket."""

from __future__ import annotations

from math import fsum, isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import program
from speaker import request
from wire_cases import ASTRAL, CHUNKS, PARIS, REPLIES, ROME, reply

from llmposter.core.chance import Chance
from llmposter.core.clock import ManualClock
from llmposter.core.conversation import Conversation, Moment, Step
from llmposter.core.delivery import pieces, plan
from llmposter.core.mock import Mock
from llmposter.core.pacing import Rhythm, rhythm
from llmposter.lint.player import play
from llmposter.model import Failure, Frame, Reply, Send, Text, Thinking, Turn, Wait
from llmposter.wire import load
from llmposter_dsl.delivery_forms import chunk, jitter, latency, pace
from llmposter_dsl.program import Delivery, Flow, Pace

WIRES = load()
WORDS = reply(Text("one two three four"))


def turn(*, stream: bool = True) -> Turn:
    return Turn("openai", request(b""), "m", stream=stream, system="", messages=())


def items(given_: Reply, flow: Flow, cut: str = "1 word", wire: str = "anthropic", seed: bytes = b"s", **more):
    somewhere = Conversation(state="start")
    beat = Rhythm(flow, 0.0 if flow.ttft is None else flow.ttft.a, seed)
    delivery = Delivery(chunk=CHUNKS.get(cut) or chunk(cut), flow=flow)
    step = Step(somewhere, somewhere, given_, delivery=delivery, rhythm=beat, **more)
    return list(plan(step, turn(), WIRES[wire], 0.0).items)


def waits(*given_: object, **more: object) -> list[float]:
    return [item.seconds for item in items(*given_, **more) if isinstance(item, Wait)]


def flow(ttft: str = "", pace_: str = "", jitter_: str = "±0%", burst: float = 0.0) -> Flow:
    made = Flow(latency(ttft) if ttft else None, pace(pace_) if pace_ else None, jitter(jitter_), burst)
    assert not any(isinstance(value, str) for value in (made.ttft, made.pace, made.jitter))
    return made


FORMS = [
    # reply, cut, ttft, pace, the waits
    (WORDS, "1 word", "", "40ms", [0.04, 0.04, 0.04]),
    (WORDS, "1 word", "1s", "40ms", [1, 0.04, 0.04, 0.04]),
    (WORDS, "1 word", "1s", "", [1]),
    (WORDS, "1 word", "", "2 words/s", [0.5, 0.5, 0.5]),
    (WORDS, "2 words", "1s", "2 words/s", [1, 1]),
    (WORDS, "whole", "1s", "2 words/s", [1]),
    # 18 letters: 8, 8 and 2.
    (WORDS, "2 tokens", "", "4 tokens/s", [0.5, 0.125]),
    (WORDS, "2 tokens", "3s", "4 tokens/s", [3, 0.5, 0.125]),
    (WORDS, "10 characters", "", "10 characters/s", [0.8]),
    # A word counts where it begins: "one t" "wo th" "ree f" "our".
    (WORDS, "5 characters", "", "1 word/s", [1, 1]),
    (WORDS, "1 word", "", "0ms", []),
    # Arguments are paced as text is, from the last part on: {"city ":" Paris "," unit ":" celsius "}
    (reply(Text("Let me"), PARIS), "1 word", "1s", "100ms", [1, 0.1, 0.1, 0.1, 0.1, 0.1]),
    (reply(PARIS), "1 word", "1s", "1 word/s", [1, 1, 1, 1]),
    (reply(Thinking("a b"), Text("c d")), "1 word", "1s", "1 word/s", [1, 1, 1, 1]),
    # Bytes of UTF-8 make tokens, as the usage has them.
    (reply(Text("東京都")), "1 token", "", "1 token/s", [0.75, 0.75]),
    (REPLIES["empty text"], "1 word", "1s", "1s", []),
]


@pytest.mark.parametrize("given_, cut, ttft, pace_, expected", FORMS)
def test_the_waits_are_those_of_the_form(given_, cut: str, ttft: str, pace_: str, expected: list[float]) -> None:
    """The first token comes after `ttft`; each chunk after it takes its time at the pace."""
    assert pytest.approx(expected) == waits(given_, flow(ttft, pace_), cut)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", REPLIES)
def test_a_paced_stream_is_the_stream_with_waits(wire: str, name: str) -> None:
    """The frames are those of the wire, in their order; only waits come between, and an empty send for the head."""
    for cut, made in CHUNKS.items():
        said = items(REPLIES[name], flow("1s", "40ms", "±50%", 0.3), cut, wire)
        frames = [item for item in said if isinstance(item, Frame)]
        heads = [item for item in said if isinstance(item, Send) and not isinstance(item, Frame)]
        asked = turn()
        assert list(WIRES[wire].stream(asked, REPLIES[name], pieces(REPLIES[name], made))) == frames
        assert heads in ([], [Send(b"")])
        assert not heads or said[0] == heads[0]


@pytest.mark.parametrize("wire", WIRES)
def test_a_stream_takes_its_time_on_every_api(wire: str) -> None:
    """Arguments that an API sends in one go are as late as their last token is elsewhere."""
    for given_ in (WORDS, reply(Text("a b"), PARIS, ROME), REPLIES["text"]):
        assert pytest.approx(fsum(waits(given_, flow("1s", "8 tokens/s")))) == fsum(
            waits(given_, flow("1s", "8 tokens/s"), wire=wire)
        )


@pytest.mark.parametrize("wire", WIRES)
def test_the_head_comes_before_the_first_token(wire: str) -> None:
    """Latency is before the head, `ttft` after it, whether or not the API has a frame of its own to begin with."""
    first, head, *rest = items(WORDS, flow("2s"), wire=wire, latency=1.0)
    assert (Wait(1.0), True) == (first, isinstance(head, Send))
    assert Wait(2.0) in rest
    assert b"one" not in head.data


TEXT = reply(Text(ASTRAL * 8))


@settings(max_examples=40)
@given(st.floats(0, 1), st.floats(0, 0.9), st.binary(min_size=1, max_size=16))
def test_jitter_and_burst_keep_the_pace(jitter_: float, burst: float, seed: bytes) -> None:
    """The mean of many gaps is that of the pace, and no gap is longer than jitter and burst allow."""
    made = Flow(None, Pace(0.04, "chunk"), jitter_, burst)
    count = len(list(pieces(TEXT, CHUNKS["1 token"]))) - 3
    found = waits(TEXT, made, "1 token", seed=seed)
    longest = 0.04 * (1 + jitter_) / (1 - burst)
    assert max(found, default=0) <= longest * 1.0001
    # Five times the deviation of a mean of so many draws that lie between nothing and the longest.
    assert abs(fsum(found) / count - 0.04) <= 5 * longest / 2 / count**0.5


def test_a_burst_is_chunks_without_a_wait() -> None:
    """As many as the share says, none of them told apart by a wait of nothing."""
    count = len(list(pieces(TEXT, CHUNKS["1 token"]))) - 3
    found = waits(TEXT, Flow(None, Pace(0.03, "chunk"), 0.0, 0.25), "1 token")
    assert isclose(0.75, len(found) / count, abs_tol=0.05)
    assert {0.04} == {round(seconds, 9) for seconds in found}


def test_jitter_draws_every_gap_anew() -> None:
    """Between the bounds, and no two alike."""
    found = waits(TEXT, Flow(None, Pace(1.0, "chunk"), 0.2, 0.0), "4 tokens")
    assert 0.8 <= min(found) < 0.85 < 1.15 < max(found) <= 1.2
    assert len(found) == len(set(found))


def test_the_same_seed_gives_the_same_waits() -> None:
    """The same point of the same conversation waits alike; another attempt, rule or seed does not."""
    varied, moment = flow("uniform(1s, 9s)", "1s", "±50%", 0.2), Moment(0.0, fingerprint="f")

    def drawn(seed: int = 0, attempt: int = 1, rule: str = "a") -> Rhythm:
        return rhythm(varied, Chance(seed, Moment(0.0, attempt, fingerprint=moment.fingerprint)), rule)

    assert drawn() == drawn()
    others = [drawn(), drawn(seed=1), drawn(attempt=2), drawn(rule="b")]
    assert 4 == len({each.seed for each in others}) == len({each.ttft for each in others})
    assert waits(TEXT, varied, seed=drawn().seed) == waits(TEXT, varied, seed=drawn().seed)
    assert waits(TEXT, varied, seed=drawn().seed) != waits(TEXT, varied, seed=drawn(attempt=2).seed)


SCENARIO = """
[defaults.stream]
chunk = "1 word"
pace = "1s"
[[states.a]]
when = "user == 'own'"
stream = { pace = "2s", ttft = "5s" }
reply = "one two three"
[[states.a]]
when = "user == 'fails'"
error = "overloaded"
[[states.a]]
reply = "one two three"
"""


@pytest.mark.parametrize(
    "said, stream, expected",
    [("own", True, [5, 2, 2]), ("x", True, [1, 1]), ("own", False, []), ("fails", True, [])],
)
def test_a_rule_fills_in_the_defaults_key_by_key(said: str, stream: bool, expected: list[float]) -> None:
    """Its own keys of `stream`, else those of `defaults`; whole answers and errors know none of them."""
    mock = Mock([program(SCENARIO)], ManualClock())
    body = b'{"model":"m","stream":%b,"messages":[{"role":"user","content":"%b"}]}' % (
        b"true" if stream else b"false",
        said.encode(),
    )
    asked = WIRES["openai"].read(request(body, "/v1/chat/completions"))
    step = mock.answer(asked).step
    planned = plan(step, asked, WIRES["openai"], 0.0)
    assert expected == [item.seconds for item in planned.items if isinstance(item, Wait)]
    assert isinstance(step.outcome, Failure) == (said == "fails")


def test_an_example_lets_the_time_of_an_answer_pass() -> None:
    """A stream takes latency, first token and pace; a whole answer its latency."""
    turns = """turns = [
  { user = "hi", request = { stream = %s } },
  { user = "and?", expect = 'reply == "%s"' },
]"""
    scenario = """
[[states.a]]
when = "turn > 1"
reply = "${idle}"
[[states.a]]
latency = "1s"
stream = { chunk = "1 word", ttft = "2s", pace = "2 words/s" }
reply = "one two three four five"
[[examples]]
"""
    for stream, idle in (("true", "5s"), ("false", "1s")):
        for result in play(program(scenario + turns % (stream, idle))):
            assert () == result.failures


def test_an_answer_without_a_flow_has_no_rhythm() -> None:
    """Nothing is drawn and nothing waited for where the scenario says nothing of time."""
    mock = Mock([program("[[states.a]]\nstream = { chunk = '1 word' }\nreply = 'a b c'\n")], ManualClock())
    asked = WIRES["openai"].read(request(b'{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}'))
    step = mock.answer(asked).step
    assert (None, None) == (step.rhythm, step.delivery.flow)
