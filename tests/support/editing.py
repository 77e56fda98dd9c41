"""An editor for tests: pygls' own client, with a language server as a subprocess behind real pipes.

Documents are edited as a person types: each change is told as the server asks for it, by its range or by the whole
text, and what the server publishes is awaited.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.lsp.client import LanguageClient

T = TypeVar("T")
SERVER = (sys.executable, "-m", "llmposter", "lsp")
PATIENCE = 60.0


class Editor:
    """One editor with one server; `settings` are what it answers to `workspace/configuration`."""

    def __init__(self, folder: Path, settings: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self.settings = settings or {}
        self.client = LanguageClient("tests", "1")
        self.published: dict[str, list[types.Diagnostic]] = {}
        self.counts: dict[str, int] = {}
        self.versions: dict[str, int] = {}
        self.texts: dict[str, str] = {}
        self.whole = False
        self._news = asyncio.Condition()
        self._listen()

    def _listen(self) -> None:
        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        async def published(told: types.PublishDiagnosticsParams) -> None:
            async with self._news:
                self.published[told.uri] = list(told.diagnostics)
                self.counts[Path(told.uri).name] = self.counts.get(Path(told.uri).name, 0) + 1
                self._news.notify_all()

        @self.client.feature(types.WORKSPACE_CONFIGURATION)
        def configuration(asked: types.ConfigurationParams) -> list[Any]:
            return [self.settings.get(item.section or "") for item in asked.items]

        @self.client.feature(types.CLIENT_REGISTER_CAPABILITY)
        def register(_: types.RegistrationParams) -> None:
            return None

    async def start(self, command: tuple[str, ...]) -> types.ServerCapabilities:
        await self.client.start_io(*command, cwd=self.folder)
        workspace = types.WorkspaceClientCapabilities(configuration=True, workspace_edit=_EDITS)
        general = types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind.Utf16])
        answer = await self.client.initialize_async(
            types.InitializeParams(
                capabilities=types.ClientCapabilities(workspace=workspace, general=general),
                root_uri=self.folder.as_uri(),
                workspace_folders=[types.WorkspaceFolder(self.folder.as_uri(), "tests")],
            )
        )
        sync = answer.capabilities.text_document_sync
        self.whole = getattr(sync, "change", sync) == types.TextDocumentSyncKind.Full
        self.client.initialized(types.InitializedParams())
        return answer.capabilities

    async def stop(self) -> int | None:
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await self.client.stop()
        return self.client._server.returncode if self.client._server is not None else None

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str | None = None) -> None:
        """Opens a file of the folder, or one that is only in the editor."""
        path = self.folder / name
        self.texts[name] = path.read_text(encoding="utf-8") if text is None else text
        self.versions[name] = 1
        language = "toml" if path.suffix == ".toml" else "yaml"
        item = types.TextDocumentItem(self.uri(name), language, 1, self.texts[name])
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def close(self, name: str) -> None:
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(self.at(name)))

    def type(self, name: str, old: str, new: str) -> None:
        """Puts *new* in the place of *old*, which stands once in the text, as one change."""
        text = self.texts[name]
        assert text.count(old) == 1, (text.count(old), old)
        start = text.index(old)
        span = types.Range(position(text, start), position(text, start + len(old)))
        self.texts[name] = text[:start] + new + text[start + len(old) :]
        self.versions[name] += 1
        document = types.VersionedTextDocumentIdentifier(self.versions[name], self.uri(name))
        change: types.TextDocumentContentChangeEvent = types.TextDocumentContentChangePartial(range=span, text=new)
        if self.whole:
            change = types.TextDocumentContentChangeWholeDocument(self.texts[name])
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    async def told(self, name: str, holds: Callable[[list[types.Diagnostic]], bool]) -> list[types.Diagnostic]:
        """What is published for a file, as soon as it is what is waited for."""
        uri = self.uri(name)

        def there() -> bool:
            return uri in self.published and holds(self.published[uri])

        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(there), PATIENCE)
            except TimeoutError:
                raise AssertionError(f"published for {name}: {self.published.get(uri)}") from None
            return self.published[uri]

    def at(self, name: str) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri(name))

    def mark(self, name: str, before: str, after: str = "") -> types.Position:
        """The place between two texts, which together stand once in the document."""
        text = self.texts[name]
        assert text.count(before + after) == 1, (text.count(before + after), before + after)
        return position(text, text.index(before + after) + len(before))


_EDITS = types.WorkspaceEditClientCapabilities(document_changes=True)


def position(text: str, offset: int) -> types.Position:
    """Line and UTF-16 units of an offset, counted here once more so that the server is not its own judge."""
    *above, line = re.split(r"\r\n|\r|\n", text[:offset])
    return types.Position(len(above), len(line.encode("utf-16-le")) // 2)


def offset(text: str, at: types.Position) -> int:
    """The offset of a line and its UTF-16 units."""
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n|\Z)", text)
    units = lines[at.line].encode("utf-16-le")[: at.character * 2]
    return sum(map(len, lines[: at.line])) + len(units.decode("utf-16-le"))


def edited(text: str, edits: list[types.TextEdit]) -> str:
    """The text after edits, as an editor applies them: from the last to the first."""
    for edit in sorted(edits, key=lambda each: (each.range.start.line, each.range.start.character), reverse=True):
        text = text[: offset(text, edit.range.start)] + edit.new_text + text[offset(text, edit.range.end) :]
    return text


def with_editor(
    folder: Path,
    work: Callable[[Editor], Coroutine[Any, Any, T]],
    command: tuple[str, ...] = SERVER,
    settings: dict[str, Any] | None = None,
) -> T:
    """What *work* makes with an editor whose server runs while it does."""

    async def run() -> T:
        editor = Editor(folder, settings)
        await editor.start(command)
        try:
            return await work(editor)
        finally:
            await editor.stop()

    return asyncio.run(run())
