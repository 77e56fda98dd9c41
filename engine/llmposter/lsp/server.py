"""The language server's side of the protocol: messages to what the other modules know, and back.

Findings are published a moment after the last change, from a thread, so that nobody who types waits for them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from llmposter.lsp import acting, completing, outline, renaming, telling
from llmposter.lsp.cursor import Cursor, cursor
from llmposter.lsp.desk import Desk
from llmposter.lsp.places import Places
from llmposter.lsp.uses import Use
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.reading import KINDS
from llmposter_dsl.source import Source
from llmposter_dsl.tree import Document

QUIET = 0.15
"""Seconds without a change after which a text is checked."""

_ITEMS = {
    "key": types.CompletionItemKind.Property,
    "state": types.CompletionItemKind.EnumMember,
    "variable": types.CompletionItemKind.Variable,
    "fact": types.CompletionItemKind.Field,
    "function": types.CompletionItemKind.Function,
    "word": types.CompletionItemKind.Keyword,
    "tool": types.CompletionItemKind.Method,
    "rule": types.CompletionItemKind.Reference,
    "value": types.CompletionItemKind.Value,
}
_SYMBOLS = {
    "state": types.SymbolKind.Class,
    "rule": types.SymbolKind.Event,
    "variable": types.SymbolKind.Variable,
    "tool": types.SymbolKind.Function,
    "example": types.SymbolKind.Method,
}
_OPTIONS = types.CompletionOptions(trigger_characters=['"', "'", ".", "{", "(", " "])
_ACTIONS = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, acting.FIX_ALL])
_RENAMES = types.RenameOptions(prepare_provider=True)
_LETTERS = "_-"


class Server(LanguageServer):
    """The server, with the texts of its one editor."""

    def __init__(self) -> None:
        # Whole texts: pygls would end lines at separators of Unicode, too, and put changes of parts at wrong places.
        super().__init__("llmposter", version("llmposter"), text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.desk = Desk()
        self.found: dict[str, dict[str, list[Diagnostic]]] = {}
        """By scenario and by file."""
        self._uris: dict[str, str] = {}
        self._waiting: dict[str, asyncio.Task[None]] = {}

    @property
    def places(self) -> Places:
        return Places(types.PositionEncodingKind(self.workspace.position_encoding or "utf-16").value)

    def path(self, uri: str) -> str:
        """The real path of a document; of what is no file its address, and it is looked up nowhere."""
        found = to_fs_path(uri)
        path = os.path.realpath(found) if found else uri
        self._uris.setdefault(path, uri)
        return path

    def uri(self, source: Source) -> str:
        return self.uri_of(os.path.realpath(source.path or source.name))

    def uri_of(self, path: str) -> str:
        """The address of a file, as the editor wrote it."""
        return self._uris.get(path) or Path(path).as_uri()

    # --- checking ---------------------------------------------------------------------------------------------------

    def changed(self, path: str) -> None:
        """Checks, soon, every scenario that a file belongs to."""
        roots = self.desk.roots(path)
        for alone in {path} - set(roots):
            self.tell(alone, ())
        for root in roots:
            if (earlier := self._waiting.pop(root, None)) is not None:
                earlier.cancel()
            self._waiting[root] = asyncio.get_running_loop().create_task(self._check(root))

    async def _check(self, root: str) -> None:
        await asyncio.sleep(QUIET)
        found = await asyncio.to_thread(self.desk.check, root)
        self.tell(root, found)

    def tell(self, root: str, found: tuple[Diagnostic, ...]) -> None:
        """Publishes what was found on a scenario, file by file; files without findings any more are told so."""
        here: dict[str, list[Diagnostic]] = {root: []}
        for each in found:
            here.setdefault(os.path.realpath(each.place.source.path or root), []).append(each)
        before = self.found.get(root, {})
        self.found[root] = here
        for path in {*before, *here}:
            told = [acting.diagnostic(each, self.places, self.uri) for each in self.of(path)]
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(self.uri_of(path), told, self._version(path))
            )

    def _version(self, path: str) -> int | None:
        document = self.workspace.text_documents.get(self.uri_of(path))
        return None if document is None else document.version

    def of(self, path: str) -> list[Diagnostic]:
        """What is known to be wrong in a file, whichever scenario it belongs to."""
        every = (each for found in self.found.values() for each in found.get(path, ()))
        return list({(each.code, each.message, each.place.span): each for each in every}.values())

    # --- where something is -----------------------------------------------------------------------------------------

    def cursor(self, asked: Any) -> Cursor | None:
        path = self.path(asked.text_document.uri)
        text = self.desk.text(path)
        return cursor(text, _kind(path), self.places.offset(text, asked.position))

    def named(self, asked: Any) -> tuple[str, Use] | None:
        """The file and what is named at a position, in the text as it could last be read."""
        path = self.path(asked.text_document.uri)
        document = self.desk.document(path)
        if document is None:
            return None
        use = renaming.at(document, self.places.offset(document.source.text, asked.position))
        return None if use is None else (path, use)

    def location(self, use: Use) -> types.Location:
        return types.Location(self.uri(use.document.source), self.places.range(use.document.source, use.span))


def _kind(path: str) -> Any:
    return KINDS.get(Path(path).suffix.lower(), "toml")


def serve() -> None:
    """Serve an editor over standard input and output until it says that it ends."""
    make().start_io()


def make() -> Server:
    """A server with all its features."""
    server = Server()
    for register in (_texts, _helps, _finds, _acts):
        register(server)
    return server


def _texts(server: Server) -> None:
    @server.feature(types.INITIALIZED)
    def begin(_: types.InitializedParams) -> None:
        server.desk.folders = [folder for uri in server.workspace.folders if (folder := to_fs_path(uri)) is not None]

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(told: types.DidOpenTextDocumentParams) -> None:
        path = server.path(told.text_document.uri)
        server.desk.refresh()
        server.desk.put(path, told.text_document.text)
        server.changed(path)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(told: types.DidChangeTextDocumentParams) -> None:
        path = server.path(told.text_document.uri)
        server.desk.put(path, server.workspace.get_text_document(told.text_document.uri).source)
        server.changed(path)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(told: types.DidCloseTextDocumentParams) -> None:
        path = server.path(told.text_document.uri)
        server.desk.drop(path)
        server.tell(path, ())
        server.found.pop(path, None)

    async def saved(_: Any) -> None:
        server.desk.refresh()
        for path in list(server.desk.texts):
            server.changed(path)

    server.feature(types.TEXT_DOCUMENT_DID_SAVE)(saved)
    server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)(saved)


def _helps(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_COMPLETION, _OPTIONS)
    def complete(asked: types.CompletionParams) -> types.CompletionList:
        at, path = server.cursor(asked), server.path(asked.text_document.uri)
        if at is None:
            return types.CompletionList(is_incomplete=False, items=[])
        found = completing.complete(at, server.desk.known(path, at.data), _kind(path))
        text = server.desk.text(path)
        span = _word(server, text, asked.position)
        return types.CompletionList(is_incomplete=False, items=[_item(each, span) for each in found])

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(asked: types.HoverParams) -> types.Hover | None:
        path = server.path(asked.text_document.uri)
        text = server.desk.text(path)
        told = telling.code(text, server.places.offset(text, asked.position))
        if told is None and (at := server.cursor(asked)) is not None:
            told = telling.hover(at, server.desk.known(path, at.data))
        return None if told is None else types.Hover(types.MarkupContent(types.MarkupKind.Markdown, told))

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(asked: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        document = server.desk.document(server.path(asked.text_document.uri))
        return [] if document is None else [_symbol(server, document, each) for each in outline.outline(document)]


def _word(server: Server, text: str, position: types.Position) -> types.Range:
    """The word that a position is in: what a proposal takes the place of."""
    start = end = server.places.offset(text, position)
    while start and (text[start - 1].isalnum() or text[start - 1] in _LETTERS):
        start -= 1
    while end < len(text) and (text[end].isalnum() or text[end] in _LETTERS):
        end += 1
    source = Source("", text)
    return types.Range(server.places.position(source, start), server.places.position(source, end))


def _item(each: completing.Proposal, span: types.Range) -> types.CompletionItem:
    return types.CompletionItem(
        label=each.label,
        kind=_ITEMS[each.what],
        detail=each.detail or None,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, each.told) if each.told else None,
        text_edit=types.TextEdit(span, each.insert or each.label),
        filter_text=each.label,
    )


def _symbol(server: Server, document: Document, part: outline.Part) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=part.name,
        detail=part.detail or None,
        kind=_SYMBOLS[part.sort],
        range=server.places.range(document.source, part.span),
        selection_range=server.places.range(document.source, part.at),
        children=[_symbol(server, document, each) for each in part.parts],
    )


def _finds(server: Server) -> None:
    def located(asked: Any, find: Callable[..., list[Use]]) -> list[types.Location]:
        found = server.named(asked)
        if found is None:
            return []
        path, use = found
        return [server.location(each) for each in find(server.desk.family(path), use.kind, use.name)]

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(asked: types.DefinitionParams) -> list[types.Location]:
        return located(asked, renaming.declared)

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(asked: types.ReferenceParams) -> list[types.Location]:
        whole = asked.context.include_declaration
        return located(asked, lambda *of: [each for each in renaming.everywhere(*of) if whole or not each.defines])

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare(asked: types.PrepareRenameParams) -> types.Range | None:
        found = server.named(asked)
        return None if found is None else server.location(found[1]).range

    @server.feature(types.TEXT_DOCUMENT_RENAME, _RENAMES)
    def rename(asked: types.RenameParams) -> types.WorkspaceEdit:
        found = server.named(asked)
        if found is None:
            raise _refusal("there is no name here that can be changed")
        path, use = found
        documents = server.desk.family(path)
        broken = [each.source.name for each in documents if not server.desk.whole(str(each.source.path))]
        if broken:
            raise _refusal(f"{broken[0]} cannot be read as it is: mend it first")
        try:
            changes = renaming.rename(documents, use, asked.new_name, server.desk.with_texts(path))
        except renaming.Refused as error:
            raise _refusal(str(error)) from error
        return _edit(server, documents, changes)


def _refusal(why: str) -> JsonRpcException:
    return JsonRpcException(why, types.LSPErrorCodes.RequestFailed.value)


def _edit(server: Server, documents: tuple[Document, ...], changes: list[renaming.Change]) -> types.WorkspaceEdit:
    edits: dict[str, list[types.TextEdit]] = {}
    sources = {each.source.path: each.source for each in documents}
    for change in changes:
        span = server.places.range(sources[change.path], change.span)
        edits.setdefault(server.uri_of(change.path), []).append(types.TextEdit(span, change.text))
    return types.WorkspaceEdit(changes=dict(edits))


def _acts(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, _ACTIONS)
    def act(asked: types.CodeActionParams) -> list[types.CodeAction]:
        path, places = server.path(asked.text_document.uri), server.places
        every, only = server.of(path), asked.context.only
        here = [each for each in every if _touch(asked.range, places.range(each.place.source, each.place.span))]
        found = list(acting.actions(here, places, server.uri))
        whole = acting.fix_all(every, places, server.uri)
        found += [whole] if whole is not None else []
        return [each for each in found if not only or any(_is(str(each.kind), kind) for kind in only)]


def _is(kind: str, wanted: str) -> bool:
    return kind == wanted or kind.startswith(f"{wanted}.")


def _touch(one: types.Range, two: types.Range) -> bool:
    return one.start <= two.end and two.start <= one.end
