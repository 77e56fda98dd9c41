"""What holds for every endpoint beside the conversations, whoever wrote it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import programs

from llmposter.core.clock import ManualClock
from llmposter.core.mock import Mock
from llmposter.model import BadRequest, Connection, Failure, Request, Response
from llmposter.wire import endpoints, load

ROUTES = [(endpoint, route) for endpoint in endpoints() for route in endpoint.routes]
SCENARIO = """
[[states.talk]]
reply = "hello"

[[embeddings]]
when = 'text contains "e"'
vector = [1, 2]

[[embeddings]]
when = 'text contains "x"'
error = 429

[[moderations]]
when = 'text contains "e"'
flags = ["hate"]
"""
FIELDS = (
    *("model", "input", "dimensions", "encoding_format", "messages", "contents", "content", "requests", "items"),
    *("metadata", "instructions", "max_tokens", "tools", "generateContentRequest", "outputDimensionality"),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 10**20) | st.floats() | st.sampled_from(["m", "text", "user", "", "é"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "role", "text", "parts", "content", "id", "model"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
BODIES = st.binary(max_size=20) | st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5).map(
    lambda body: json.dumps(body).encode()
)
NAMES = st.sampled_from(["x", "gpt-4o", "resp_1", "a b", "ünï", "999", "200", "ft:a:b", "\x00", "%"])
QUERIES = st.dictionaries(
    st.sampled_from(["limit", "after", "before_id", "after_id", "pageSize", "pageToken", "order", "stream", "key"]),
    st.sampled_from(["", "1", "0", "-1", "99999999999999999999", "asc", "true", "x", "²"]),
    max_size=3,
)


PROGRAMS = programs(SCENARIO)


def fresh() -> Mock:
    return Mock(PROGRAMS, ManualClock(1_000_000.0))


@pytest.mark.parametrize("endpoint, route", ROUTES, ids=[f"{route.method} {route.path}" for _, route in ROUTES])
@given(data=st.data())
def test_any_request_has_an_answer(endpoint: Any, route: Any, data: st.DataObject) -> None:
    """A response whose body is JSON, an error or a refusal; never an exception. The same request is answered alike."""
    path = re.sub(r"\{[^}]*\}", lambda _: data.draw(NAMES), route.path)
    method = "POST" if route.method == "*" else route.method
    request = Request(method, path, data.draw(QUERIES), {}, data.draw(BODIES), Connection(1))
    told = [endpoint.answer(request, mock.desk(request)) for mock in (fresh(), fresh())]
    assert told[0] == told[1]
    match told[0]:
        case Response(body=body):
            assert not body or body.startswith(b"event:") or json.loads(body) is not None
        case Failure(status=status):
            assert status is None or 400 <= status < 600
        case BadRequest(message=message):
            assert message


def test_every_endpoint_speaks_as_a_wire_or_as_nobody() -> None:
    """Its provider words what goes wrong."""
    assert {endpoint.provider for endpoint in endpoints()} <= {*load(), ""}
