"""One Chromium for all tests of pages; each test has a page, and nothing it keeps, of its own.

Whatever a test does, its page asks nobody but this machine, runs no dialog and breaks no Content-Security-Policy.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from browsing import FLAGS, HINT, chromium
from client_app import App
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

HERE = ("127.0.0.1", "localhost", "::1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    assert path is not None, HINT
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What a page said that no page should: in dialogs, in errors, on the console. A test that wants it clears it."""
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str], request: pytest.FixtureRequest) -> Iterator[Page]:
    """A parameter is what the context is given: a viewport, or no scripts."""
    with browser.new_context(**getattr(request, "param", {})) as context:
        asked: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        listen(context, complaints)
        page = context.new_page()
        yield page
        page.wait_for_load_state()
        assert {*HERE} >= {urlsplit(url).hostname for url in asked if url.startswith("http")}, asked
        assert [] == complaints


def listen(context: BrowserContext, complaints: list[str]) -> None:
    context.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    # Chromium tells of an answer with a status of 400 and more in the same way, which some pages have.
    context.on("console", lambda said: None if "Failed to load resource" in said.text else complaints.append(said.text))


@pytest.fixture
def app() -> Iterator[App]:
    with App() as app:
        thread = threading.Thread(target=app.serve_forever)
        thread.start()
        yield app
        app.shutdown()
        thread.join()
