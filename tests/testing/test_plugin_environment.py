"""The variables by which SDKs find the session of a test, and what they keep out of sight."""

from __future__ import annotations

import os

import anthropic
import openai
import pytest
from google import genai
from plugin import given, printed, ran

from llmposter import Server, Session
from llmposter.testing.plugin.environment import point

pytest_plugins = ["pytester"]

HELLO = '[[states.talk]]\nreply = "Hello!"\n'
REAL = {
    "OPENAI_API_KEY": "sk-real",
    "OPENAI_ORG_ID": "org-real",
    "ANTHROPIC_AUTH_TOKEN": "real",
    "GOOGLE_GENAI_USE_VERTEXAI": "true",
    "AZURE_OPENAI_API_KEY": "real",
    "AZURE_OPENAI_ENDPOINT": "https://mine.openai.azure.com",
    "OPENAI_API_TYPE": "azure",
    "HTTPS_PROXY": "http://proxy.example:3128",
    "HTTP_PROXY": "http://proxy.example:3128",
    "NO_PROXY": "intra.example",
}


def by_openai() -> str:
    messages = [{"role": "user", "content": "hi"}]
    with openai.OpenAI() as client:
        return client.chat.completions.create(model="gpt-4o", messages=messages).choices[0].message.content


def by_responses() -> str:
    with openai.OpenAI() as client:
        return client.responses.create(model="gpt-4o", input="hi").output_text


def by_azure() -> str:
    messages = [{"role": "user", "content": "hi"}]
    with openai.AzureOpenAI(api_version="2024-10-21") as client:
        return client.chat.completions.create(model="gpt-4o", messages=messages).choices[0].message.content


def by_anthropic() -> str:
    messages = [{"role": "user", "content": "hi"}]
    with anthropic.Anthropic() as client:
        return client.messages.create(model="claude-of-tests", max_tokens=99, messages=messages).content[0].text


def by_google() -> str:
    with genai.Client() as client:
        return client.models.generate_content(model="gemini-2.5-flash", contents="hi").text


SDKS = {
    "openai": by_openai,
    "responses": by_responses,
    "azure": by_azure,
    "anthropic": by_anthropic,
    "google": by_google,
}


@pytest.fixture(scope="module")
def session() -> Session:
    with Server(HELLO) as server:
        yield server.session("mine")


@pytest.mark.parametrize("name", SDKS)
def test_an_sdk_as_it_comes_finds_the_session(name: str, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a developer's machine has set; the key that goes out is none of theirs."""
    for variable, value in REAL.items():
        monkeypatch.setenv(variable, value)
    before = len(session.requests)
    with pytest.MonkeyPatch.context() as patched:
        point(patched, session)
        assert "Hello!" == SDKS[name]()
        assert "real" not in {value for variable, value in os.environ.items() if variable.endswith(("KEY", "TOKEN"))}
    request = session.requests[before]
    keys = [request.headers.get(each) for each in ("authorization", "x-api-key", "x-goog-api-key", "api-key")]
    assert {"Bearer llm…", "llm…"} >= {key for key in keys if key}
    assert "org-real" not in request.headers.values()


def test_everything_is_as_before_after_the_test(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there is there again, what was not is not."""
    for variable, value in REAL.items():
        monkeypatch.setenv(variable, value)
    before = dict(os.environ)
    with pytest.MonkeyPatch.context() as patched:
        point(patched, session)
        assert session.openai_url == os.environ["OPENAI_BASE_URL"]
        assert "intra.example,127.0.0.1,localhost" == os.environ["NO_PROXY"]
    assert before == dict(os.environ)


def test_the_key_is_one_that_the_scenario_takes(pytester: pytest.Pytester) -> None:
    """The first of its tokens, or of those that the marker gives."""
    given(
        pytester,
        """
        import os, openai

        @pytest.mark.llmposter("keys.toml")
        def test_a_token_of_the_scenario():
            assert openai.OpenAI().models.list()

        @pytest.mark.llmposter("hello.toml", tokens=["sk-mine:uses=1"])
        def test_a_token_of_the_marker():
            client = openai.OpenAI(max_retries=0)
            assert client.models.list()
            with pytest.raises(openai.AuthenticationError):
                client.models.list()

        @pytest.mark.llmposter("hello.toml", environment=False)
        def test_no_variables(llmposter):
            assert "OPENAI_BASE_URL" not in os.environ
            openai.OpenAI(base_url=llmposter.openai_url, api_key="any").models.list()

        @pytest.mark.llmposter("hello.toml", oauth=True)
        def test_oauth(llmposter):
            assert llmposter.oauth_url
        """,
        keys='[auth]\ntokens = [{ name = "first", value = "sk-a-token" }]\n' + HELLO,
        hello=HELLO,
    )
    out = printed(ran(pytester, passed=4))
    assert "warning" not in out
