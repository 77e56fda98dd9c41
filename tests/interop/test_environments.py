"""The environments hold what their files pin, and no client in them reaches anything but this machine."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from client_table import CLIENTS
from clients import INTEROP, Ran, environment, node, python
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PINS = INTEROP / "environments"
FIRST = {client.environment: name for name, client in reversed(CLIENTS.items())}
TEST_NET = "192.0.2.1"  # RFC 5737: never anybody's


def pinned(name: str) -> dict[str, str]:
    lines = [line for line in (PINS / f"{name}.txt").read_text().splitlines() if not line.lstrip().startswith("#")]
    wanted = [need for line in lines if (need := Requirement(line)).marker is None or need.marker.evaluate()]
    return {canonicalize_name(need.name): str(need.specifier).removeprefix("==") for need in wanted}


def locked() -> dict[str, str]:
    lock = json.loads((INTEROP / "js" / "package-lock.json").read_text())["packages"]
    return {name.removeprefix("node_modules/"): entry["version"] for name, entry in lock.items() if name}


@pytest.mark.parametrize("client", [name for where, name in FIRST.items() if where != "node"])
def test_an_environment_holds_exactly_what_is_pinned(ran: Ran, client: str) -> None:
    """Nothing resolves to another version in silence."""
    found = {canonicalize_name(name): version for name, version in ran.versions.items()}
    assert pinned(CLIENTS[client].environment) == found


def test_a_new_version_of_a_package_asks_for_no_new_lock() -> None:
    """No package is asked for by a tag: npm looks tags up anew and refuses a lock that holds an older version."""
    package = json.loads((INTEROP / "js" / "package.json").read_text())
    assert {"*"} == {*package["dependencies"].values(), *package["devDependencies"].values()}


@pytest.mark.parametrize("client", [FIRST["node"]])
def test_node_holds_exactly_what_is_locked(ran: Ran, client: str) -> None:
    """Likewise; and the lock names no host."""
    assert locked() == {**locked(), **ran.versions}
    assert "resolved" not in (INTEROP / "js" / "package-lock.json").read_text()
    assert int(re.match(r"v(\d+)", subprocess.check_output([*node(), "--version"], text=True))[1]) >= 22


OUTSIDE = {
    "a socket": [*python("newest"), "-c", f"import socket; socket.socket().connect(('{TEST_NET}', 8080))"],
    "a datagram": [
        *python("newest"), "-c", f"import socket as s; s.socket(type=s.SOCK_DGRAM).sendto(b'x', ('{TEST_NET}', 9))",
    ],
    "a name": [*python("newest"), "-c", "import socket; socket.getaddrinfo('telemetry.example', 443)"],
    "a library": [*python("newest"), "-c", f"import httpx; httpx.post('http://{TEST_NET}:8080/')"],
    "asyncio": [
        *python("previous"), "-c", f"import asyncio; asyncio.run(asyncio.open_connection('{TEST_NET}', 8080))",
    ],
    "fetch of Node": [*node(), "--input-type=module", "-e", f"await fetch('http://{TEST_NET}:8080/')"],
    "a name in Node": [*node(), "--input-type=module", "-e", "await fetch('http://telemetry.example/')"],
    "http of Node": [*node(), "-e", f"require('http').get('http://{TEST_NET}:8080/')"],
}  # fmt: skip


@pytest.mark.parametrize("way", OUTSIDE)
def test_a_client_that_reaches_out_is_ended(way: str, tmp_path: Path) -> None:
    """It gets no further than wanting to, and tells where it wanted to go."""
    ended = subprocess.run(
        OUTSIDE[way], env=environment(tmp_path), capture_output=True, text=True, check=False, timeout=60
    )
    assert 97 == ended.returncode, ended.stderr
    assert "the client wanted to reach" in ended.stderr


def rows(head: str) -> list[list[str]]:
    """The cells of a table in the docs, its head and its line too."""
    text = (INTEROP.parents[1] / "docs" / "clients.md").read_text(encoding="utf-8")
    table = head + text.partition(f"\n{head}")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def told() -> list[tuple[str, str, str]]:
    """Package, environment and version of every cell of the tables in the docs."""
    found, columns = [], []
    for line in (INTEROP.parents[1] / "docs" / "clients.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        if line.startswith("| package"):
            columns = cells[1:]
        elif line.startswith("| `") and columns:
            found += [(cells[0], where, version) for where, version in zip(columns, cells[1:], strict=True) if version]
        elif not line.startswith("|"):
            columns = []
    return found


def wanted() -> list[tuple[str, str]]:
    """Every package that an environment is made for."""
    named = [
        (Requirement(line).name, path.stem) for path in PINS.glob("*.in") for line in path.read_text().splitlines()
    ]
    return named + [
        (name, "node") for name in json.loads((INTEROP / "js" / "package.json").read_text())["dependencies"]
    ]


SHOWN = {
    "`openai`, Python and JavaScript": "openai",
    "`anthropic`, `@anthropic-ai/sdk`": "anthropic",
    "`google-genai`, `@google/genai`": "google",
    "Vercel's AI SDK": "vercel",
    "OpenAI Agents SDK": "openai-agents",
    "LangChain and LangGraph": "langchain",
    "PydanticAI": "pydantic-ai",
    "smolagents": "smolagents",
    "LiteLLM": "litellm",
    "LlamaIndex": "llama-index",
    "Google ADK": "adk",
}
"""What the docs call the programs."""


def test_the_docs_tell_what_each_client_is_tried_on() -> None:
    """Every program, on every API that it plays in any environment."""
    apis = [name.strip(" `") for name in rows("| client | `openai`")[0][1:]]
    found = {
        (SHOWN[shown], api): cell.strip()
        for shown, *cells in rows("| client | `openai`")[2:]
        for api, cell in zip(apis, cells, strict=True)
        if cell
    }
    played = {(name.split("/")[1], api): "loop" for name, client in CLIENTS.items() for api, _ in client.loops}
    played |= {(name.split("/")[1], api): "all" for name, client in CLIENTS.items() for api in client.cases}
    assert played == found


def test_the_docs_tell_the_versions_that_are_pinned() -> None:
    """All of them, and none that is not."""
    held = {where: locked() if where == "node" else pinned(where) for _, where in wanted()}
    assert {(name, where, held[where][name]) for name, where in wanted() if name != "zod"} == set(told())
