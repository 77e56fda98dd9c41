"""Which path leads to whom: wires and endpoints beside each other, and what clients ask for in place of a route."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from llmposter.model import Connection, Request, Route
from llmposter.server.routes import Beside, Routes


def wire(name: str, *routes: str) -> SimpleNamespace:
    return SimpleNamespace(name=name, routes=tuple(Route(*each.split(" ")) for each in routes))


def endpoint(name: str, *routes: str, only: str = "") -> SimpleNamespace:
    """An endpoint; *only* takes requests that have this header alone."""
    chosen = (lambda request: only in request.headers) if only else None
    return SimpleNamespace(provider=name, routes=tuple(Route(*each.split(" "), only=chosen) for each in routes))


WIRES = [
    wire("chat", "POST /v1/chat/completions"),
    wire("responses", "POST /v1/responses"),
    wire("messages", "POST /v1/messages"),
    wire(
        "gemini",
        *(
            f"POST /{version}/{kind}/{{model}}:{action}"
            for version in ("v1beta", "v1")
            for kind in ("models", "tunedModels")
            for action in ("generateContent", "streamGenerateContent")
        ),
    ),
]
ENDPOINTS = [
    endpoint("any", "GET /v1/models", "GET /v1/models/{model*}", "* /code/{status}"),
    endpoint("a", "GET /v1/models", "GET /v1/models/{model*}", only="x-a"),
    endpoint("b", "GET /v1/models", "GET /v1beta/models/{model*}", only="x-b"),
    endpoint("kept", "GET /v1/responses/{id}", "DELETE /v1/responses/{id}", "GET /v1/responses/{id}/input_items"),
    endpoint("counted", "POST /v1/{kind}/{model}:countTokens", "POST /v1/responses/input_tokens"),
]


@pytest.fixture(scope="module")
def routes() -> Routes:
    return Routes(WIRES, ENDPOINTS)


def found(routes: Routes, asked: str, *headers: str) -> tuple[str, str] | None:
    """Path and name of who answers."""
    method, path = asked.split(" ", 1)
    spot = routes.at(path)
    answerer = spot.by(method)
    if isinstance(answerer, Beside):
        request = Request(method, spot.path, {}, dict.fromkeys(headers, "1"), b"", Connection(1))
        answerer = answerer.of(request)
    return None if answerer is None else (spot.path, getattr(answerer, "name", None) or answerer.provider)


@pytest.mark.parametrize(
    "asked, name",
    [
        ("POST /v1/chat/completions", "chat"),
        ("GET /v1/chat/completions", None),
        ("POST /v1beta/models/gemini-2.5-pro:generateContent", "gemini"),
        ("POST /v1/models/gemini-2.5-pro:streamGenerateContent", "gemini"),
        ("POST /v1beta/tunedModels/mine-1.0:generateContent", "gemini"),
        ("POST /v1beta/models/odd:name:generateContent", "gemini"),
        ("POST /v1beta/models/a/b:generateContent", None),
        ("POST /v1beta/models/:generateContent", None),
        ("POST /v1/models/gemini-2.5-pro:countTokens", "counted"),
        ("GET /v1/models", "any"),
        ("HEAD /v1/models", "any"),
        ("GET /v1/models/gpt-4o", "any"),
        ("GET /v1/models/ft:gpt-4o:org/name with space", "any"),
        ("GET /v1/models/x:generateContent", "any"),
        ("GET /v1/responses/resp_1", "kept"),
        ("DELETE /v1/responses/resp_1", "kept"),
        ("GET /v1/responses/resp_1/input_items", "kept"),
        ("GET /v1/responses/resp_1/else", None),
        ("POST /v1/responses/input_tokens", "counted"),
        ("GET /v1/responses/input_tokens", "kept"),
        ("POST /v1/responses", "responses"),
        ("BREW /code/418", "any"),
        ("GET /nowhere", None),
    ],
)
def test_a_path_and_a_method_name_who_answers(routes: Routes, asked: str, name: str | None) -> None:
    """One path may have wires and endpoints by different methods; HEAD is answered where an endpoint answers GET."""
    path = asked.split(" ", 1)[1]
    assert (name and (path, name)) == found(routes, asked)


@pytest.mark.parametrize(
    "headers, name",
    [((), "any"), (("x-a",), "a"), (("x-b",), "b"), (("x-a", "x-b"), "a"), (("x-c",), "any")],
)
def test_endpoints_that_share_a_path_are_told_apart(routes: Routes, headers: tuple[str, ...], name: str) -> None:
    """Who claims a request has it; who claims none has the rest."""
    assert ("/v1/models", name) == found(routes, "GET /v1/models", *headers)


def test_a_request_that_nobody_claims_has_no_answer(routes: Routes) -> None:
    """Where every endpoint wants something of a request, one without it is not answered."""
    assert ("/v1beta/models/x", "b") == found(routes, "GET /v1beta/models/x", "x-b")
    assert found(routes, "GET /v1beta/models/x") is None


@pytest.mark.parametrize(
    "asked, path",
    [
        ("/chat/completions", "/v1/chat/completions"),
        ("/openai/v1/chat/completions", "/v1/chat/completions"),
        ("/openai/chat/completions", "/v1/chat/completions"),
        ("/v1beta/openai/chat/completions", "/v1/chat/completions"),
        ("/openai/deployments/my-model/chat/completions", "/v1/chat/completions"),
        ("/api/v1/chat/completions", "/v1/chat/completions"),
        ("/anthropic/v1/messages", "/v1/messages"),
        ("/anthropic/messages", "/v1/messages"),
        ("/messages", "/v1/messages"),
        ("/gemini/v1beta/models/x:generateContent", "/v1beta/models/x:generateContent"),
        ("/google/models/x:generateContent", "/v1/models/x:generateContent"),
        ("/openai/v1/responses", "/v1/responses"),
        ("/v1/v1/chat/completions", None),
        ("/openai/v1/v1/messages", None),
        ("/openai", None),
        ("/openai/", None),
        ("/openaiv1/messages", None),
        ("/elsewhere/v1/messages", None),
    ],
)
def test_base_urls_of_gateways_are_understood(routes: Routes, asked: str, path: str | None) -> None:
    """A known prefix is taken off, a missing /v1 put on, and nothing else guessed."""
    told = found(routes, f"POST {asked}")
    assert path == (told and told[0])


@pytest.mark.parametrize(
    "path, headers, provider",
    [
        ("/v1/messages/batches", (), "messages"),
        ("/proxy/v1/messages", (), "messages"),
        ("/v1beta/models/x:unheardOf", (), "gemini"),
        ("/v1/chat", (), "chat"),
        ("/v1/responses/x/y", (), "kept"),
        ("/v1/models/x", (), "any"),
        ("/v1/models/x", ("x-a",), "a"),
        ("/v1beta/models/x", (), "gemini"),
        ("/v1/files", (), ""),
        ("/v1/files", ("x-a",), "a"),
        ("/v1/chat/something", ("x-b",), "b"),
        ("/", (), ""),
    ],
)
def test_a_request_resembles_those_of_a_provider(
    routes: Routes, path: str, headers: tuple[str, ...], provider: str
) -> None:
    """By headers that tell whose client asks, else by the words of the path."""
    assert provider == routes.resembled(Request("POST", path, {}, dict.fromkeys(headers, "1"), b"", Connection(1)))


def test_two_wires_cannot_have_one_route() -> None:
    """The message says which."""
    with pytest.raises(ValueError, match="two wires answer one route: POST /a, POST /a"):
        Routes([wire("a", "POST /a"), wire("b", "POST /a")])
