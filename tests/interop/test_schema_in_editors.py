"""What editors check scenarios with reads our JSON Schema: Taplo for TOML, yaml-language-server for YAML."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from clients import INTEROP, environment, node
from editing import Editor, with_editor
from lsprotocol import types

from llmposter.fixtures import is_fixture_file
from llmposter_dsl.schema import FILE, text

TOP = Path(__file__).parents[2]
TOOLS = INTEROP / "js/node_modules"
WRONG_TOML = [TOP / "tests/dsl/err" / f"{name}.toml" for name in ("lp110_typo_in_rule", "lp111_header_is_a_number")]


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schema") / FILE
    path.write_text(text(), encoding="utf-8")
    return path


def taplo(schema: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [*node(), str(TOOLS / "@taplo/cli/dist/cli.js"), "lint", "--no-auto-config", "--colors", "never"]
    called = [*command, "--schema", schema.as_uri(), *map(str, files)]
    return subprocess.run(
        called, capture_output=True, text=True, check=False, timeout=100, env=environment(schema.parent)
    )


def test_taplo_passes_the_gallery(schema: Path) -> None:
    """Every TOML scenario that can be run as it is."""
    ran = taplo(schema, *sorted(TOP.glob("scenarios/**/*.toml")))
    assert (0, []) == (ran.returncode, re.findall(r"^error: .*", ran.stderr, re.MULTILINE))


@pytest.mark.parametrize("path", WRONG_TOML, ids=lambda path: path.stem)
def test_taplo_tells_what_is_wrong(schema: Path, path: Path) -> None:
    """A misspelt key, and a value of another type, at their lines."""
    ran = taplo(schema, path)
    assert ran.returncode != 0
    assert f"{path}:" in ran.stderr


def test_yaml_language_server_passes_the_gallery_tells_and_completes(schema: Path, tmp_path: Path) -> None:
    """No finding on the YAML scenarios that can be run; one on a misspelt key, by a modeline; keys are proposed."""
    files = [path for path in sorted(TOP.glob("scenarios/**/*.yaml")) if not is_fixture_file(path)]
    for path in files:
        line = f"# yaml-language-server: $schema={schema.as_uri()}\n"
        (tmp_path / path.name).write_text(line + path.read_text(encoding="utf-8"), encoding="utf-8")
    settings = {"yaml": {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}}

    async def work(editor: Editor) -> None:
        for path in files:
            editor.open(path.name)
            assert [] == await editor.told(path.name, lambda _: True)
        editor.type("support.yaml", "\nvars:\n", "\nincluds: []\n\nvars:\n")
        found = await editor.told("support.yaml", bool)
        assert ["Property includs is not allowed."] == [each.message for each in found]
        at = editor.mark("support.yaml", "\ninclud", "s:")
        asked = types.CompletionParams(editor.at("support.yaml"), at)
        proposed = await editor.client.text_document_completion_async(asked)
        assert isinstance(proposed, types.CompletionList)
        assert "include" in {item.label for item in proposed.items}

    server = str(TOOLS / "yaml-language-server/bin/yaml-language-server")
    with_editor(tmp_path, work, (*node(), server, "--stdio"), settings)
