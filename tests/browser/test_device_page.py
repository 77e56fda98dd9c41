"""The page where a person lets a device in, driven as people drive it, while Authlib's client is the device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import openai
import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from client_app import App
from playwright.sync_api import Page, expect
from serving import serving

from llmposter.core.clock import ManualClock
from llmposter.server import Running

SCENARIO = """
[auth.oauth]
client_id       = "tv"
approval        = "ask"
device_lifetime = "10m"
user            = { sub = "alice" }

[[states.talk]]
reply = "Hello, ${token.name}."
"""
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
LABEL = "The code that your device shows"
NO_SCRIPTS = {"java_script_enabled": False}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(SCENARIO, clock="manual") as running:
        yield running


class Device:
    """A television: it shows a code, and polls."""

    def __init__(self, server: Running) -> None:
        assert server.oauth is not None
        self._server, self._issuer = server, server.oauth.url
        self._client = OAuth2Client("tv", token_endpoint_auth_method="none", scope="openid email")
        form = {"client_id": "tv", "scope": "openid email"}
        told = httpx.post(f"{self._issuer}/device_authorization", data=form).json()
        self.code, self.page, self.whole = (
            told[name] for name in ("user_code", "verification_uri", "verification_uri_complete")
        )
        self._secret = told["device_code"]

    def waits(self, seconds: float) -> None:
        clock = self._server.clock
        assert isinstance(clock, ManualClock)
        clock.advance(seconds)

    def polls(self) -> str:
        """What the model says to it, or the error in place of a token."""
        self.waits(5)
        try:
            token = self._client.fetch_token(f"{self._issuer}/token", grant_type=GRANT, device_code=self._secret)
        except OAuthError as error:
            return str(error.error)
        asked: list[Any] = [{"role": "user", "content": "Hi"}]
        with openai.OpenAI(base_url=self._server.openai_url, api_key=token["access_token"], max_retries=0) as client:
            return str(client.chat.completions.create(model="gpt-4o", messages=asked).choices[0].message.content)

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def device(server: Running) -> Iterator[Device]:
    with closing(Device(server)) as device:
        yield device


def click(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def says(page: Page, heading: str) -> None:
    expect(page.get_by_role("heading")).to_have_text(heading)


TYPED: dict[str, Callable[[str], str]] = {
    "as it is shown": str,
    "in small letters": str.lower,
    "without the hyphen": lambda code: code.replace("-", ""),
    "with spaces": lambda code: f" {code.replace('-', ' ')} ",
}


@pytest.mark.parametrize("page", [{}, NO_SCRIPTS], ids=["scripts", "no scripts"], indirect=True)
@pytest.mark.parametrize("typed", TYPED)
def test_a_person_types_the_code(page: Page, device: Device, typed: str) -> None:
    """However it is written, it leads to the question; the device waits until that is answered, and goes on."""
    page.goto(device.page)
    page.get_by_label(LABEL).fill(TYPED[typed](device.code))
    click(page, "Continue")
    says(page, "Connect a device?")
    expect(page.get_by_text(device.code)).to_be_visible()
    assert "authorization_pending" == device.polls()
    click(page, "Approve")
    says(page, "Access was given.")
    assert "Hello, alice." == device.polls()


@pytest.mark.parametrize("page", [{}, NO_SCRIPTS], ids=["scripts", "no scripts"], indirect=True)
@pytest.mark.parametrize(
    "button, heading, told",
    [("Approve", "Access was given.", "Hello, alice."), ("Deny", "Access was refused.", "access_denied")],
)
def test_a_person_follows_the_whole_address(page: Page, device: Device, button: str, heading: str, told: str) -> None:
    """With the code in the address there is nothing to type; it is shown, to be compared with the device's."""
    page.goto(device.whole)
    expect(page.get_by_text(device.code)).to_be_visible()
    click(page, button)
    says(page, heading)
    assert told == device.polls()


def test_a_wrong_code_may_be_corrected(page: Page, device: Device) -> None:
    """What was typed still stands there, marked as wrong and told about, and the right one goes on."""
    page.goto(device.page)
    page.get_by_label(LABEL).fill("NO-<b>CODE")
    click(page, "Continue")
    expect(page.get_by_role("alert")).to_have_text("No device waits with the code NO-<b>CODE.")
    field = page.get_by_label(LABEL)
    expect(field).to_have_value("NO-<b>CODE")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description("No device waits with the code NO-<b>CODE.")
    field.fill(device.code)
    field.press("Enter")
    says(page, "Connect a device?")


def test_an_empty_code_is_not_sent(page: Page, device: Device) -> None:
    """The browser asks for it."""
    page.goto(device.page)
    click(page, "Continue")
    expect(page.locator("input:invalid")).to_be_focused()
    assert device.page == page.url


def test_a_code_expires_under_the_eyes_of_a_person(page: Page, device: Device) -> None:
    """A question that was left open is not answered any more, and says why; the device hears the same."""
    page.goto(device.whole)
    device.waits(600)
    click(page, "Approve")
    expect(page.get_by_role("alert")).to_have_text(f"The code {device.code} has expired: begin again on your device.")
    assert "expired_token" == device.polls()
    page.goto(device.whole)
    expect(page.get_by_role("alert")).to_contain_text("has expired")


def test_a_code_is_answered_once(page: Page, device: Device) -> None:
    """Who says no in one window and yes in another has said no."""
    other = page.context.new_page()
    for each in (page, other):
        each.goto(device.whole)
    click(page, "Deny")
    says(page, "Access was refused.")
    click(other, "Approve")
    expect(other.get_by_role("alert")).to_have_text(f"The code {device.code} was answered before.")
    assert "access_denied" == device.polls()


def test_a_code_that_was_used_is_used(page: Page, device: Device) -> None:
    """Once the device has its tokens the address asks nothing any more."""
    page.goto(device.whole)
    click(page, "Approve")
    says(page, "Access was given.")
    assert "Hello, alice." == device.polls()
    page.goto(device.whole)
    expect(page.get_by_role("alert")).to_have_text(f"The code {device.code} was answered before.")
    assert "invalid_grant" == device.polls()


def test_a_second_click_does_no_harm(page: Page, device: Device) -> None:
    """A double click, and a result that is loaded again, say what was decided; the device gets its tokens once."""
    page.goto(device.whole)
    page.get_by_role("button", name="Approve").dblclick()
    says(page, "Access was given.")
    page.reload()
    says(page, "Access was given.")
    assert ["Hello, alice.", "invalid_grant"] == [device.polls(), device.polls()]


def test_the_way_back_asks_no_second_time(page: Page, device: Device) -> None:
    """Behind the back button there is no question that was answered."""
    page.goto(device.page)
    page.get_by_label(LABEL).fill(device.code)
    click(page, "Continue")
    click(page, "Approve")
    says(page, "Access was given.")
    page.go_back()
    expect(page.get_by_role("alert")).to_have_text(f"The code {device.code} was answered before.")
    page.go_back()
    says(page, "Connect a device")
    assert "Hello, alice." == device.polls()


def test_no_mouse_is_needed(page: Page, device: Device) -> None:
    """The field has the focus at once, and one key after another leads to the end."""
    page.goto(device.page)
    page.keyboard.type(device.code)
    page.keyboard.press("Enter")
    says(page, "Connect a device?")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Approve")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Deny")).to_be_focused()
    page.keyboard.press("Space")
    says(page, "Access was refused.")
    assert "access_denied" == device.polls()


def test_a_screen_reader_reads_it(page: Page, device: Device) -> None:
    """Everything has a role and a name, in an order that makes sense."""
    page.goto(device.page)
    expect(page.locator("body")).to_match_aria_snapshot("""
        - main:
          - heading "Connect a device" [level=1]
          - text: The code that your device shows
          - textbox "The code that your device shows"
          - button "Continue"
        - contentinfo: llmposter, an authorization server for tests
    """)
    page.goto(device.whole)
    expect(page.locator("body")).to_match_aria_snapshot(f"""
        - main:
          - heading "Connect a device?" [level=1]
          - paragraph:
            - strong: tv
            - text: wants to act for
            - strong: alice
            - text: on a device.
          - paragraph:
            - text: Go on only if the device shows
            - code: {device.code}
          - paragraph: "It asks for:"
          - list:
            - listitem:
              - code: openid
            - listitem:
              - code: email
          - button "Approve"
          - button "Deny"
        - contentinfo: llmposter, an authorization server for tests
    """)


def test_another_site_lets_no_device_in(page: Page, device: Device, app: App) -> None:
    """A form that another site sends is refused, and its frame of the page stays empty."""
    app.pages["/"] = (
        f'<form method="post" action="{device.page}"><input type="hidden" name="user_code" value="{device.code}">'
        '<button name="decision" value="approve">Win</button></form>'
    )
    page.goto(f"{app.url}/")
    click(page, "Win")
    expect(page.get_by_role("alert")).to_have_text("403: another site sent this form")
    assert "authorization_pending" == device.polls()
