"""Any bytes at all to every wire and every endpoint: an answer, never an exception.

The bodies begin as what each SDK really sends, and are then damaged, changed in one place, or made up of their words.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from captured import paths, requests, words
from damaging import ANY_JSON, PLAIN, damaged, put
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judging import judges
from msgspec.structs import replace
from raw_http import Answer, Raw
from sdk_values import values
from serving import programs, serving
from speaker import CONNECTION
from wire_cases import CHUNKS, REPLIES

from llmposter.core.clock import ManualClock
from llmposter.core.conformance import findings
from llmposter.core.delivery import pieces
from llmposter.core.fingerprint import Prints
from llmposter.core.mock import Mock
from llmposter.model import BadRequest, Failure, Reply, Request, Response, Turn
from llmposter.wire import endpoints, load

if TYPE_CHECKING:
    from llmposter.server import Running

SOAK = os.environ.get("LLMPOSTER_SOAK") == "1"
WIRES = sorted(load().keys() & judges().keys())
ENDPOINTS = endpoints()
MANY = settings(
    max_examples=4000 if SOAK else 120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SOME = settings(MANY, max_examples=1000 if SOAK else 40)
EVERYTHING = REPLIES["everything"]


KINDS = (None, True, 0, -1.5, 10**400, "", "x", "\ud800", [], [None], [[]], {}, {"type": "x"}, {"": None})


@cache
def documents(wire: str) -> tuple[Any, ...]:
    return tuple(json.loads(each.body) for each in requests(wire))


@cache
def made_up(wire: str) -> st.SearchStrategy[Any]:
    """JSON of the names and texts that requests of this wire have, in any order."""
    known = sorted({word for document in documents(wire) for word in words(document)})
    value = st.sampled_from(known) | PLAIN
    return st.recursive(
        value, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(known), inner, max_size=6)
    )


@st.composite
def bodies(draw: st.DrawFn, wire: str) -> bytes:
    match draw(st.integers(0, 9)):
        case 0:
            return draw(st.binary(max_size=300))
        case 1 | 2:
            return draw(damaged(draw(st.sampled_from([each.body for each in requests(wire)]))))
        case 3 | 4 | 5:
            made = draw(made_up(wire))
        case _:
            document = draw(st.sampled_from(documents(wire)))
            changed = put(document, draw(st.sampled_from(paths(document))), draw(ANY_JSON | made_up(wire)))
            made = put(changed, draw(st.sampled_from(paths(changed))), draw(made_up(wire)))
    return json.dumps(made).encode()


@st.composite
def asked(draw: st.DrawFn, wire: str) -> Request:
    base = draw(st.sampled_from(requests(wire)))
    return replace(base, body=draw(bodies(wire)))


def understood(wire: str, request: Request) -> None:
    """It is read and can be answered, or it is refused in words that the SDK shows."""
    found = load()[wire].read(request)
    match found:
        case Turn():
            assert wire == found.provider
            assert found.model is not None
            findings(found, load()[wire].unpaired)
            Prints(found.messages)
            assert 200 == load()[wire].whole(found, EVERYTHING).status
            assert list(load()[wire].stream(found, EVERYTHING, pieces(EVERYTHING, CHUNKS["whole"])))
        case BadRequest():
            assert found.message
            answer = load()[wire].bad_request(found, 0.0)
            assert 400 <= answer.status < 500
            assert json.dumps(found.message, ensure_ascii=False)[1:-1] in answer.body.decode("utf-8", "replace")
            refused(wire, answer.status, {name.lower(): value for name, value in answer.headers}, answer.body)
        case _:
            raise AssertionError(found)


def refused(wire: str, status: int, headers: dict[str, str], body: bytes) -> None:
    assert judges()[wire].failed(status, headers, body)


@pytest.mark.parametrize("wire", WIRES)
@MANY
@given(st.data())
def test_any_body_is_read_or_refused(wire: str, data: st.DataObject) -> None:
    """A `Turn` that can be answered or a `BadRequest` in the provider's own shape, and nothing else."""
    understood(wire, data.draw(asked(wire)))


@pytest.mark.parametrize("wire", WIRES)
@MANY
@given(st.data())
def test_what_the_types_of_the_sdk_allow_is_read_or_refused(wire: str, data: st.DataObject) -> None:
    """Every kind of message, part and tool that there is: the SDK's own types say what comes."""
    judge, (name, message) = judges()[wire], judges()[wire].history
    body = {**data.draw(values(judge.body)), name: data.draw(st.lists(values(message), min_size=1, max_size=4))}
    if "model" in judge.body.__annotations__:
        body["model"] = "some-model"
    understood(wire, replace(requests(wire)[0], body=json.dumps(body).encode()))


@pytest.mark.parametrize("wire", WIRES)
def test_each_value_may_be_anything(wire: str) -> None:
    """One value of a real request after the other replaced by each kind of JSON, or left out."""
    for base, document in zip(requests(wire), documents(wire), strict=True):
        for path in paths(document):
            for value in (
                None,
                True,
                0,
                -1.5,
                10**400,
                "",
                "x",
                "\ud800",
                [],
                [None],
                [[]],
                {},
                {"type": "x"},
                {"": None},
            ):
                understood(wire, replace(base, body=json.dumps(put(document, path, value)).encode()))


# --- what stands beside the conversations -----------------------------------------------------------------------------

RULES = """
[[states.ask]]
reply = "hello"
call  = "now()"

[[embeddings]]
when   = 'text contains "e"'
vector = [1, 2]

[[embeddings]]
when  = 'text contains "x"'
error = 429

[[moderations]]
when  = 'text contains "e"'
flags = ["hate"]
"""
PROGRAMS = programs(RULES)
OPEN = re.compile(r"\{[^}]*\}")
NAMES = st.sampled_from(["x", "gpt-4o", "a b", "ünï", "999", "200", "ft:a:b", "\x00", "%", "..", "a/b"])
QUERIES = st.dictionaries(
    st.sampled_from(["limit", "after", "before_id", "after_id", "pageSize", "pageToken", "order", "stream", "include"]),
    st.sampled_from(["", "1", "0", "-1", "99999999999999999999", "asc", "true", "x", "²"]),
    max_size=3,
)


def stocked() -> tuple[Mock, list[str]]:
    """A mock that every wire has asked, and what can be made was made; with all ids that were heard of."""
    mock, ids = Mock(PROGRAMS, ManualClock(1_700_000_000.0)), ["x"]
    for wire in WIRES:
        turn = load()[wire].read(requests(wire)[0])
        assert isinstance(turn, Turn)
        reply = mock.answer(turn).step.outcome
        assert isinstance(reply, Reply)
        ids += named(json.loads(load()[wire].whole(turn, reply).body))
    for endpoint in ENDPOINTS:
        for route in endpoint.routes:
            made = Request("POST", route.path, {}, {}, b"{}", CONNECTION)
            if route.method == "POST" and "{" not in route.path:
                found = endpoint.answer(made, mock.desk(made))
                ids += named(json.loads(found.body)) if isinstance(found, Response) else []
    return mock, ids


def named(value: Any) -> list[str]:
    """Every id in a JSON document."""
    match value:
        case dict():
            own = [value["id"]] if isinstance(value.get("id"), str) else []
            return own + [id_ for inner in value.values() for id_ in named(inner)]
        case list():
            return [id_ for inner in value for id_ in named(inner)]
        case _:
            return []


@pytest.mark.parametrize("number", range(len(ENDPOINTS)), ids=[type(each).__name__ for each in ENDPOINTS])
@SOME
@given(st.data())
def test_an_endpoint_answers_anything(number: int, data: st.DataObject) -> None:
    """JSON, events, an error or a refusal; never an exception; and the same request is answered alike."""
    (mock, ids), (other, _) = stocked(), stocked()
    route = data.draw(st.sampled_from(ENDPOINTS[number].routes))
    path = OPEN.sub(lambda _: data.draw(st.sampled_from(ids) | NAMES), route.path)
    method = "POST" if route.method == "*" else route.method
    body = data.draw(st.binary(max_size=50) | bodies(data.draw(st.sampled_from(WIRES))))
    request = Request(method, path, data.draw(QUERIES), {}, body, CONNECTION)
    found = ENDPOINTS[number].answer(request, mock.desk(request))
    assert found == ENDPOINTS[number].answer(request, other.desk(request))
    match found:
        case Response():
            assert 200 <= found.status < 600
            assert not found.body or found.body.startswith(b"event:") or json.loads(found.body) is not None
        case Failure():
            assert found.status is None or 400 <= found.status < 600
        case BadRequest():
            assert found.message
        case _:
            raise AssertionError(found)


# --- over the socket --------------------------------------------------------------------------------------------------

SCENARIO = """
[scenario]
conformance = "{conformance}"

[[states.ask]]
reply = '''
${{user}}|${{system}}|${{assistant}}|${{last}}|${{turn}}|${{model}}|${{json(params)}}|${{json(metadata)}}|
${{json(tools)}}|${{images}}${{files}}${{tokens}}'''
think = "${{json(results)}}|${{result.json.x}}|${{any(messages, it.text contains 'x')}}"
"""


OF_THE_CONNECTION = ("host", "content-length", "transfer-encoding", "connection", "accept-encoding")


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Running]]:
    with ExitStack() as stack:
        yield [stack.enter_context(serving(SCENARIO.format(conformance=each))) for each in ("report", "reject", "off")]


def changes(wire: str, count: int) -> Iterator[Request]:
    """Real requests with a few values changed for others of their kind, or damaged."""
    chance = random.Random(wire)
    known = sorted({word for document in documents(wire) for word in words(document)})
    for _ in range(count):
        number = chance.randrange(len(requests(wire)))
        base, document = requests(wire)[number], documents(wire)[number]
        for _ in range(chance.randint(0, 4)):
            document = put(document, chance.choice(paths(document)), chance.choice((*KINDS, chance.choice(known))))
        body = json.dumps(document).encode()
        if chance.random() < 0.2:
            at = chance.randrange(len(body))
            body = body[:at] + chance.randbytes(chance.randint(0, 8)) + body[at + chance.randint(0, 8) :]
        yield replace(base, body=body)


def sent(raw: Raw, request: Request) -> Answer:
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    headers = {name: value for name, value in request.headers.items() if name not in OF_THE_CONNECTION}
    return raw.ask("POST", request.path + (f"?{query}" if query else ""), request.body, **headers)


@pytest.mark.parametrize("wire", WIRES)
def test_the_server_answers_whatever_comes(servers: list[Running], wire: str) -> None:
    """On one connection: each body gets its answer, or a 4xx that the provider's SDK understands."""
    for server in servers:
        statuses = set()
        with Raw(server.url) as raw:
            for request in changes(wire, 10_000 // len(servers) if SOAK else 170):
                answer = sent(raw, request)
                statuses.add(answer.status)
                assert answer.status < 500, (request.body, answer)
                if answer.status != 200:
                    refused(wire, answer.status, answer.headers, answer.body)
            assert 200 == sent(raw, requests(wire)[0]).status
        assert {200, 400} <= statuses, statuses
