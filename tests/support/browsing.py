"""Where the browser is that the tests drive; run by itself it says how to get one where there is none."""

from __future__ import annotations

import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-quic", "--disable-background-networking",
    # Neither a page nor the browser itself reaches anything but this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)  # fmt: skip
HINT = (
    "the tests of pages need Chromium: install it (Debian and Ubuntu: `apt-get install chromium`), "
    "or leave them out with `make test BROWSER=no`"
)


def chromium() -> str | None:
    """The path of a Chromium, or of a Chrome."""
    return next((found for name in NAMES if (found := shutil.which(name)) is not None), None)


if __name__ == "__main__":
    sys.exit(None if chromium() else HINT)
