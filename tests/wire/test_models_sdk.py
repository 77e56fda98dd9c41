"""Lists of models as the SDKs of all three providers read them, over a real socket, from one and the same path."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import openai
import pytest
from google import genai
from google.genai import types
from serving import serving

from llmposter.server import Running

PLAIN = """
[[states.talk]]
reply = "hello"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(PLAIN) as running:
        yield running


@pytest.fixture(scope="module")
def of_openai(server: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.openai_url, api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def of_anthropic(server: Running) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=server.url, api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module", params=["v1beta", "v1"])
def of_google(server: Running, request: pytest.FixtureRequest) -> genai.Client:
    options = types.HttpOptions(base_url=server.url, api_version=request.param)
    return genai.Client(api_key="any", http_options=options)


def test_openai_lists_models(of_openai: openai.OpenAI) -> None:
    """Each is one that can be retrieved, and holds what the SDK's type wants."""
    models = list(of_openai.models.list())
    assert "gpt-4o" in [model.id for model in models]
    for model in models:
        openai.types.Model.model_validate(model.to_dict(), strict=True)
        assert model == of_openai.models.retrieve(model.id)


@pytest.mark.parametrize("name", ["nope", "ft:gpt-4o:org/team:x", "with space", "ünï"])
def test_openai_has_no_other_model(of_openai: openai.OpenAI, name: str) -> None:
    """The error is OpenAI's, and names the model as it was asked for."""
    with pytest.raises(openai.NotFoundError) as raised:
        of_openai.models.retrieve(name)
    assert (f"The model '{name}' does not exist", "model_not_found", "model") == (
        raised.value.body["message"],
        raised.value.code,
        raised.value.param,
    )


def test_anthropic_lists_models(of_anthropic: anthropic.Anthropic) -> None:
    """Each is one that can be retrieved, and holds what the SDK's type wants."""
    models = list(of_anthropic.models.list())
    assert all(model.id.startswith("claude-") for model in models)
    for model in models:
        assert model == of_anthropic.models.retrieve(model.id)
        assert set(model.to_dict()) <= set(anthropic.types.ModelInfo.model_fields)


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_anthropic_lists_models_page_by_page(of_anthropic: anthropic.Anthropic, limit: int) -> None:
    """Forward and backward, each model comes once."""
    every = [model.id for model in of_anthropic.models.list()]
    assert every == [model.id for model in of_anthropic.models.list(limit=limit)]
    first, *_, last = every
    page = of_anthropic.models.list(limit=limit, before_id=last)
    assert every[-1 - limit : -1] if limit < len(every) else every[:-1] == [model.id for model in page.data]
    assert page.has_more is (limit < len(every) - 1)
    assert every[1:] == [model.id for model in of_anthropic.models.list(limit=limit, after_id=first)]


def test_anthropic_says_what_it_does_not_have(of_anthropic: anthropic.Anthropic) -> None:
    """An unknown model, an unknown cursor, and a page of no size."""
    with pytest.raises(anthropic.NotFoundError, match="model: nope"):
        of_anthropic.models.retrieve("nope")
    with pytest.raises(anthropic.BadRequestError, match="after_id"):
        of_anthropic.models.list(after_id="nope")
    with pytest.raises(anthropic.BadRequestError, match="limit"):
        of_anthropic.models.list(limit=0)


def test_gemini_lists_models(of_google: genai.Client) -> None:
    """Each is one that can be got, by its full name and by its short one."""
    models = list(of_google.models.list())
    assert "models/gemini-2.5-flash" in [model.name for model in models]
    for model in models:
        assert model == of_google.models.get(model=model.name)
        assert model == of_google.models.get(model=model.name.removeprefix("models/"))
        assert model.supported_actions
        assert model.input_token_limit


def test_gemini_lists_models_page_by_page(of_google: genai.Client) -> None:
    """Each model comes once."""
    every = [model.name for model in of_google.models.list()]
    assert every == [model.name for model in of_google.models.list(config={"page_size": 2})]
    assert [] == list(of_google.models.list(config={"query_base": False}))


def test_gemini_has_no_other_model(of_google: genai.Client) -> None:
    """The error is Gemini's."""
    with pytest.raises(genai.errors.ClientError, match="models/nope") as raised:
        of_google.models.get(model="nope")
    assert 404 == raised.value.code
