"""The page that asks a person for consent, driven as people drive it, with Authlib's client on the other side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import openai
import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from client_app import App
from playwright.sync_api import Page, expect
from serving import serving

from llmposter.server import Running

SCENARIO = """
[auth.oauth]
approval = "ask"
user     = { sub = "alice" }

[[states.talk]]
reply = "Hello, ${token.name}."
"""
PHONE = {"viewport": {"width": 360, "height": 640}}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(SCENARIO) as running:
        yield running


class Client:
    """An application, which registers by what it calls itself, and sends its user to the server."""

    def __init__(self, server: Running, app: App, name: str) -> None:
        assert server.oauth is not None
        self._server, self.issuer, self.callback = server, server.oauth.url, f"{app.url}/callback"
        metadata = {"redirect_uris": [self.callback], "client_name": name, "scope": "openid email"}
        made = httpx.post(f"{self.issuer}/register", json=metadata).json()
        self.id = made["client_id"]
        self._client = OAuth2Client(
            made["client_id"], made["client_secret"], redirect_uri=self.callback, code_challenge_method="S256"
        )

    def sends(self, **more: str) -> str:
        """Where to; what is given stands in place of what it would say."""
        self._verifier = generate_token(48)
        address, self._state = self._client.create_authorization_url(
            f"{self.issuer}/authorize", code_verifier=self._verifier, **more
        )
        return str(address)

    def comes_back(self, address: str) -> str:
        """What the model says to it once its user is back at this address, or the error in place of a token."""
        told = httpx.URL(address).params
        # Authlib leaves this to the application.
        if "error" in told:
            assert self._state == told["state"]
            return told["error"]
        try:
            token = self._client.fetch_token(
                f"{self.issuer}/token", authorization_response=address, state=self._state, code_verifier=self._verifier
            )
        except OAuthError as error:
            return str(error.error)
        asked: list[Any] = [{"role": "user", "content": "Hi"}]
        with openai.OpenAI(base_url=self._server.openai_url, api_key=token["access_token"], max_retries=0) as client:
            return str(client.chat.completions.create(model="gpt-4o", messages=asked).choices[0].message.content)

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def client(server: Running, app: App, request: pytest.FixtureRequest) -> Iterator[Client]:
    """A parameter is what it calls itself."""
    with closing(Client(server, app, getattr(request, "param", "My agent"))) as client:
        yield client


def click(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def is_back(page: Page, client: Client) -> str:
    """The address at which the browser is at the client again."""
    # A second click gives up the way that the first began, which `wait_for_url` takes for a failure.
    expect(page).to_have_url(re.compile(re.escape(client.callback) + r"\?"))
    return page.url


@pytest.mark.parametrize("page", [{}, {"java_script_enabled": False}], ids=["scripts", "no scripts"], indirect=True)
@pytest.mark.parametrize("button, told", [("Approve", "Hello, alice."), ("Deny", "access_denied")])
def test_a_person_consents_or_does_not(page: Page, client: Client, button: str, told: str) -> None:
    """The browser goes back to the client, whose token is let in; or the client hears that it was refused."""
    page.goto(client.sends())
    expect(page.get_by_role("heading")).to_have_text("Give access?")
    expect(page.get_by_role("listitem")).to_have_text(["openid", "email"])
    expect(page.get_by_text(client.callback)).to_be_visible()
    click(page, button)
    assert told == client.comes_back(is_back(page, client))


WRONG = {
    "an address of somebody else": ({"redirect_uri": "http://evil.example/callback"}, "invalid_request"),
    "another path": ({"redirect_uri": "http://localhost:1/other"}, "invalid_request"),
    "a script": ({"redirect_uri": "javascript:alert(1)"}, "invalid_request"),
    "nobody's client": ({"client_id": "nobody"}, "invalid_client"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_in_doubt_is_shown_and_not_sent(page: Page, client: Client, app: App, wrong: str) -> None:
    """The browser stays with the server, which says what is wrong, and the client is not asked for anything."""
    fields, error = WRONG[wrong]
    address = httpx.URL(client.sends()).copy_merge_params(fields)
    page.goto(str(address))
    expect(page.get_by_role("heading")).to_have_text("This did not work")
    expect(page.get_by_role("alert")).to_contain_text(f"{error}: ")
    assert page.url.startswith(f"{client.issuer}/authorize?")
    assert [] == [path for path in app.visited if "callback" in path]


def test_a_strange_scope_is_told_to_the_client(page: Page, client: Client) -> None:
    """Whatever stands in it."""
    page.goto(client.sends(scope='openid "><script>alert(1)</script>'))
    assert "invalid_scope" == client.comes_back(is_back(page, client))


HOSTILE = {
    "a script": "<script>alert(1)</script>",
    "an image": "<img src=x onerror=alert(1)>",
    "the end of an element": "</strong></p></main><h1>Give access!</h1>",
    "a form of its own": '<form action="http://evil.example"><button>Approve</button></form>',
    "a style": "<style>button{display:none}</style>",
    "an entity": "&lt;b&gt; &amp;",
    "quotes": "\"' onclick='alert(1)'",
}


@pytest.mark.parametrize("client", HOSTILE.values(), ids=HOSTILE, indirect=True)
def test_what_a_client_calls_itself_is_read_as_it_is_written(page: Page, client: Client, request: Any) -> None:
    """No name is anything but text: the page has one heading, its two buttons, and asks nobody for anything."""
    page.goto(client.sends())
    expect(page.locator("strong").first).to_have_text(request.node.callspec.params["client"])
    expect(page.get_by_role("heading")).to_have_text(["Give access?"])
    expect(page.get_by_role("button")).to_have_text(["Approve", "Deny"])
    assert [0, 1, 1] == [page.locator(each).count() for each in ("script, img", "form", "style")]
    click(page, "Approve")
    assert "Hello, alice." == client.comes_back(is_back(page, client))


@pytest.mark.parametrize("client", ["\u202egnp.exe"], indirect=True)
def test_a_name_turns_nothing_around(page: Page, client: Client) -> None:
    """A name that changes the direction of writing leaves what stands behind it where it is."""
    page.goto(client.sends())
    name, user = (page.locator("strong").nth(n).bounding_box() for n in (0, 1))
    assert name is not None
    assert user is not None
    assert name["x"] + name["width"] < user["x"]


def test_the_way_back_does_no_harm(page: Page, client: Client) -> None:
    """Behind the back button there is another question, and the answer to the first stays good."""
    page.goto(client.sends())
    click(page, "Approve")
    address = is_back(page, client)
    page.go_back()
    expect(page.get_by_role("heading")).to_have_text("Give access?")
    assert "Hello, alice." == client.comes_back(address)


def test_a_double_click_is_one_consent(page: Page, client: Client, app: App) -> None:
    """The client's address is visited once, with a code that is good."""
    page.goto(client.sends())
    page.get_by_role("button", name="Approve").dblclick()
    assert "Hello, alice." == client.comes_back(is_back(page, client))
    assert 1 == len([path for path in app.visited if path.startswith("/callback")])


@pytest.mark.parametrize("presses, told", [(1, "Hello, alice."), (2, "access_denied")])
def test_no_mouse_is_needed(page: Page, client: Client, presses: int, told: str) -> None:
    """The first key leads to Approve, the second to Deny; the ring around them can be seen."""
    page.goto(client.sends())
    for _ in range(presses):
        page.keyboard.press("Tab")
    focused = page.locator(":focus-visible")
    expect(focused).to_have_css("outline-width", "3px")
    page.keyboard.press("Enter")
    assert told == client.comes_back(is_back(page, client))


def test_a_screen_reader_reads_it(page: Page, client: Client) -> None:
    """Everything has a role and a name, in an order that makes sense; the language is told."""
    page.goto(client.sends())
    expect(page).to_have_title("Give access? - llmposter")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("body")).to_match_aria_snapshot(f"""
        - main:
          - heading "Give access?" [level=1]
          - paragraph:
            - strong: My agent
            - text: wants to act for
            - strong: alice
            - text: .
          - paragraph: "It asks for:"
          - list:
            - listitem:
              - code: openid
            - listitem:
              - code: email
          - paragraph:
            - text: You will be sent to
            - code: {client.callback}
          - button "Approve"
          - button "Deny"
        - contentinfo: llmposter, an authorization server for tests
    """)


@pytest.mark.parametrize("page", [PHONE], ids=["phone"], indirect=True)
@pytest.mark.parametrize("client", ["AnAgentWithAVeryLongNameThatNoLineBreaks" * 5], ids=["long name"], indirect=True)
def test_a_phone_shows_every_page(page: Page, client: Client) -> None:
    """Nothing is wider than the screen, whatever is written, and what is pressed is as high as a finger."""
    consent = client.sends()
    nobody = str(httpx.URL(consent).copy_set_param("client_id", "nobody"))
    places = [
        consent, nobody, f"{client.issuer}/device", f"{client.issuer}/logout",
        f"{client.issuer}/device?user_code={'W' * 90}",
    ]  # fmt: skip
    for place in places:
        page.goto(place)
        assert 360 == page.evaluate("document.documentElement.scrollWidth"), place
        heights = [button.bounding_box() for button in page.get_by_role("button").all()]
        assert all(box is not None and box["height"] >= 44 for box in heights), place


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_can_be_read_by_day_and_by_night(page: Page, client: Client, scheme: Any) -> None:
    """What is written differs enough from what is behind it (WCAG 2.2, 1.4.3: 4.5 to 1)."""
    page.emulate_media(color_scheme=scheme)
    page.goto(client.sends())
    colors = page.evaluate(
        """() => [['h1', 'main'], ['code', 'code'], ['.yes', '.yes'], ['[value=deny]', 'main'], ['footer', 'body']].map(
            (pair) => pair.map((each, n) => getComputedStyle(document.querySelector(each))[
                n ? 'backgroundColor' : 'color'].match(/\\d+/g).slice(0, 3).map(Number)))"""
    )
    assert [] == [pair for pair in colors if contrast(*pair) < 4.5]


def contrast(one: list[int], other: list[int]) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: list[int]) -> float:
    parts = [each / 255 for each in color]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_no_other_site_frames_a_page(page: Page, client: Client, app: App, complaints: list[str]) -> None:
    """A frame of another site stays empty, so that nobody is made to click what is not seen."""
    app.pages["/"] = f'<iframe src="{client.sends()}"></iframe>'.replace("&", "&amp;")
    with page.expect_console_message():
        page.goto(f"{app.url}/")
    expect(page.frame_locator("iframe").get_by_role("button")).to_have_count(0)
    (said,) = complaints
    assert "frame-ancestors 'none'" in said
    complaints.clear()


def test_a_person_logs_out(page: Page, client: Client) -> None:
    """The page says whose consents end, and a click ends them."""
    page.goto(f"{client.issuer}/logout")
    expect(page.get_by_text("All that alice has consented to ends.")).to_be_visible()
    click(page, "Log out")
    expect(page.get_by_role("heading")).to_have_text("You are logged out.")
