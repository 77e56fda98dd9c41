"""Answers that break before a client with a bearer token of Google's: the token was let in, and ends as it would."""

from __future__ import annotations

from contextlib import ExitStack

import httpx2
import pytest
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials
from serving import serving

pytestmark = pytest.mark.usefixtures("transport")

BROKEN = """
[auth]
tokens = [{ name = "bearer", value = "ya29.good-one", uses = 3 }, { name = "other", value = "ya29.other-one" }]

[[states.talk]]
when = 'user == "break"'
reply = "one two three four five six seven eight nine ten"
stream = { chunk = "1 word" }
fault = "%s"

[[states.talk]]
when = 'user == "away"'
token = "%s"
reply = "gone, with all that was said"
fault = "%s"

[[states.talk]]
reply = "${token.name} ${token.uses}"
"""


def google(stack: ExitStack, url: str, token: str) -> genai.Client:
    """A client of Vertex AI, which has a bearer token and no key."""
    there = types.HttpOptions(base_url=url)
    client = genai.Client(vertexai=True, project="p", location="l", http_options=there, credentials=Credentials(token))
    stack.callback(client.close)
    return client


@pytest.mark.parametrize(
    "fault", ["drop before headers", "drop after 3 chunks", "error overloaded after 3 chunks", "error 503"]
)
def test_a_broken_answer_is_a_use_of_googles_bearer_token_too(fault: str) -> None:
    """What breaks is the answer; the token was let in, and its third use is its last."""
    with serving(BROKEN % (fault, "expire", "drop")) as server, ExitStack() as stack:
        client = google(stack, server.url, "ya29.good-one")
        assert "bearer 1" == client.models.generate_content(model="m", contents="a").text
        with pytest.raises((httpx2.HTTPError, errors.APIError, ValueError)):
            list(client.models.generate_content_stream(model="m", contents="break"))
        assert "bearer 3" == client.models.generate_content(model="m", contents="b").text
        with pytest.raises(errors.ClientError) as caught:
            client.models.generate_content(model="m", contents="c")
        assert (401, "UNAUTHENTICATED") == (caught.value.code, caught.value.status)
        assert "ACCESS_TOKEN_EXPIRED" in str(caught.value)
        assert (
            "other 1"
            == google(stack, server.url, "ya29.other-one").models.generate_content(model="m", contents="d").text
        )


@pytest.mark.parametrize("end, said", [("expire", "ACCESS_TOKEN_EXPIRED"), ("revoke", "UNAUTHENTICATED")])
def test_a_rule_ends_googles_bearer_token_with_an_answer_that_breaks(end: str, said: str) -> None:
    """The client has not heard the answer, and the token has ended all the same."""
    with serving(BROKEN % ("drop", end, "drop before headers")) as server, ExitStack() as stack:
        client = google(stack, server.url, "ya29.good-one")
        with pytest.raises(httpx2.HTTPError):
            client.models.generate_content(model="m", contents="away")
        with pytest.raises(errors.ClientError) as caught:
            client.models.generate_content(model="m", contents="and now?")
        assert (401, True) == (caught.value.code, said in str(caught.value))
