"""TOML: tomli decides what is valid and what a value is; a small Lark grammar, run only when asked, finds the places.

The only importer of tomli.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from llmposter_dsl.diagnostic import Diagnostic, Edit, Fix, Related
from llmposter_dsl.place import At
from llmposter_dsl.source import Source, Span
from llmposter_dsl.tree import DEEPEST, Loaded, Node, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lark import Lark, Token, Tree

_LEXEME = re.compile(
    r'"""(?:[^"\\]|\\[\s\S]|"{1,2}(?!"))*+"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*+'{3,5}"
    r'|"(?!"")(?:[^"\\\n]|\\.)*+"'
    r"|'(?!'')[^'\n]*+'"
    r"|#[^\n]*|[\[\]{}]|[\"']"
)
"""What matters to brackets and comments; a lone quote begins a string that is not closed."""

_CLOSER = {"[": "]", "{": "}"}
_WORD = re.compile(r"[^\s,=\[\]{}#]+|\S")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_KEYS = re.compile(r"[ \t]*[A-Za-z0-9_-]+(?:[ \t]*\.[ \t]*[A-Za-z0-9_-]+)*[ \t]*")
_LONG = re.compile(r"[-+]?[0-9_]{1000,}")


def load(source: Source) -> Loaded | tuple[Diagnostic, ...]:
    """The values of a TOML text; dates and times become the text as written."""
    import tomli

    if (at := _too_deep(source.text)) is not None:
        return (_deep(source, at),)
    try:
        data = tomli.loads(source.text)
    except tomli.TOMLDecodeError as error:
        return (_broken(source, error.msg, min(error.pos, len(source.text))),)
    except RecursionError:
        return (_deep(source, 0),)
    except ValueError:  # an integer of more digits than Python converts
        return (_long_integer(source),)
    _dates_to_text(source, data)
    return Loaded(data)


def comments(text: str) -> Iterator[int]:
    """Where each comment starts."""
    return (found.start() for found in _LEXEME.finditer(text) if found[0][0] == "#")


def headers(text: str) -> Iterator[tuple[tuple[str, ...], Span]]:
    """The headers of tables in a text that `load` accepted, with the names that each has."""
    for header in _headers(text):
        yield tuple(name for name, _ in _header_parts(text, header)), header


def places(source: Source) -> Node:
    """The places of a text that `load` accepted."""
    return _Builder(source.text).build()


@cache
def _parser() -> Lark:
    from lark import Lark

    import llmposter_grammar

    return Lark(
        llmposter_grammar.text("toml.lark"),
        parser="lalr",
        lexer="contextual",
        propagate_positions=True,
        maybe_placeholders=False,
    )


class _Builder:
    """Follows the headers of a document, and the pairs below one when they are asked for.

    *clash* notes where a key meets one that is there already.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.root = Node(Span(0, len(text.rstrip())), children={})
        self.clash: tuple[Span, Span] | None = None
        self._last = self.root

    def build(self) -> Node:
        table, start = self.root, 0
        for header in _headers(self.text):
            self._leave(table, start, header.start)
            self.clash = None
            table, start = self._header(header), header.end
        self._leave(table, start, len(self.text))
        return self.root

    def end(self) -> None:
        """The pairs that end the document worked out, so that a clash among them is noted."""
        self._last.child("")

    def _leave(self, table: Node, start: int, end: int) -> None:
        """What stands from *start* to *end* are the pairs of *table*."""
        self._last = table
        if not self.text[start:end].isspace() and start < end:
            table.later = lambda: self._fill(table, start, end)

    def _fill(self, table: Node, start: int, end: int) -> None:
        for statement in _parser().parse(self.text[start:end]).children:
            self.clash = None
            self._pairs(table, statement, start)  # type: ignore[arg-type]

    def _header(self, header: Span) -> Node:
        parts = _header_parts(self.text, header)
        *parents, (name, key) = parts
        holder = self._descend(self.root, parents)
        there = holder.child(name)
        if self.text.startswith("[[", header.start):
            if there is None or not isinstance(there.children, list) or there.closed:
                self._note(key, there)
                there = _put(holder, name, Node(header, key, []))
            item = Node(header, None, {})
            there.children.append(item)  # type: ignore[union-attr]
            return item
        if there is not None and isinstance(there.children, dict) and not there.closed:
            self._note(key, there)
            there.span, there.key = header, key
            return there
        self._note(key, there)
        return _put(holder, name, Node(header, key, {}))

    def _pairs(self, table: Node, pair: Tree[Token], base: int) -> None:
        """A pair of key and value, and all that stands inside the value; never recurses."""
        todo: list[tuple[Node, Tree[Token]]] = [(table, pair)]
        while todo:
            into, tree = todo.pop()
            if tree.data == "pair":
                written, value = tree.children
                *parents, (name, key) = _key_parts(written, base)  # type: ignore[arg-type]
                holder = self._descend(into, parents)
                self._note(key, holder.child(name))
                node = _put(holder, name, Node(_span(value, base), key, closed=True))
                todo += _inside(node, value)  # type: ignore[arg-type]
            else:
                node = Node(_span(tree, base), closed=True)
                into.children.append(node)  # type: ignore[union-attr]
                todo += _inside(node, tree)

    def _descend(self, node: Node, parts: list[tuple[str, Span]]) -> Node:
        """The table that the leading parts of a dotted key lead to, made where it is only implied."""
        for name, key in parts:
            further = node.child(name)
            if further is None or further.children is None or further.closed:
                self._note(key, further)
                further = _put(node, name, Node(key, key, {}))
            node = further.children[-1] if isinstance(further.children, list) else further
        return node

    def _note(self, key: Span, there: Node | None) -> None:
        if there is not None:
            self.clash = key, there.key or there.span


def header_keys(text: str) -> Iterator[list[tuple[str, Span]]]:
    """The keys of each header of a text that `load` accepted, with their places; a table may have many headers."""
    return (_header_parts(text, header) for header in _headers(text))


def _headers(text: str) -> Iterator[Span]:
    """Where the headers of tables are: brackets that begin a line and stand in no value."""
    depth, start = 0, -1
    for found in _LEXEME.finditer(text):
        match found[0]:
            case "[" | "{":
                if depth == 0 and _begins_line(text, found.start()):
                    start = found.start()
                depth += 1
            case "]" | "}":
                depth -= 1
                if depth == 0 and start >= 0:
                    yield Span(start, found.end())
                    start = -1


def _begins_line(text: str, at: int) -> bool:
    return not text[text.rfind("\n", 0, at) + 1 : at].strip(" \t")


def _header_parts(text: str, header: Span) -> list[tuple[str, Span]]:
    brackets = 2 if text.startswith("[[", header.start) else 1
    start, end = header.start + brackets, header.end - brackets
    if _BARE_KEYS.fullmatch(text, start, end):  # as nearly all are; a parser for each would cost far more
        return [(found[0], Span(*found.span())) for found in _BARE_KEY.finditer(text, start, end)]
    pair = _parser().parse(text[start:end] + "=0").children[0]
    return _key_parts(pair.children[0], start)  # type: ignore[union-attr,arg-type]


def _inside(node: Node, value: Tree[Token]) -> list[tuple[Node, Tree[Token]]]:
    match value.data:
        case "array":
            node.children = []
        case "inline":
            node.children = {}
        case _:
            if value.children[0][0] in "\"'":  # type: ignore[index]
                node.raw, node.form = node.span, "toml"
            return []
    return [(node, child) for child in reversed(value.children)]  # type: ignore[misc]


def _put(holder: Node, name: str, node: Node) -> Node:
    holder.children[name] = node  # type: ignore[index,call-overload]
    return node


def _key_parts(key: Tree[Token], base: int) -> list[tuple[str, Span]]:
    return [(_unquoted(part.children[0]), _span(part, base)) for part in key.children]  # type: ignore[union-attr,arg-type]


def _unquoted(token: Token) -> str:
    if token[0] == '"':
        from llmposter_dsl.inner import units

        return "".join(unit[0] for unit in units(token, "toml"))
    return token[1:-1] if token[0] == "'" else str(token)


def _span(tree: Any, base: int) -> Span:
    return Span(base + tree.meta.start_pos, base + tree.meta.end_pos)


def _dates_to_text(source: Source, data: dict[str, Any]) -> None:
    """Dates as written. Their text is in the source only, so a file that holds one pays for its places."""
    tree: Node | None = None
    for path, value, holder in walk(data):
        if not isinstance(value, dict | list | str | int | float):
            tree = tree or places(source)
            span = _descend(tree, path).span
            holder[path[-1]] = source.text[span.start : span.end]


def _descend(node: Node, path: tuple[Any, ...]) -> Node:
    for step in path:
        further = node.child(step)
        assert further is not None, "the grammar and tomli see the same values"
        node = further
    return node


def _too_deep(text: str) -> int | None:
    """Where a bracket is nested too deep, before tomli recurses into it."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return None
    depth = 0
    for found in _LEXEME.finditer(text):
        if found[0] in "[{":
            depth += 1
            if depth > DEEPEST:
                return found.start()
        elif found[0] in "]}":
            depth = max(0, depth - 1)
    return None


def _deep(source: Source, at: int) -> Diagnostic:
    place = At(source, Span(at, at + 1))
    return Diagnostic("LP107", f"values are nested more than {DEEPEST} levels deep", place)


def _long_integer(source: Source) -> Diagnostic:
    found = _LONG.search(source.text)
    span = Span(*found.span()) if found else Span(0, 0)
    return Diagnostic("LP114", "an integer must fit in 64 bits", At(source, span), "write it in quotes, as text")


def _broken(source: Source, problem: str, at: int) -> Diagnostic:
    if problem.startswith(("Cannot ", "Duplicate ")):
        return _duplicate(source, problem, at)
    if problem.startswith(("Unterminated", "Illegal character '\\n'", "Expected \"'")):
        return _unclosed(source, at)
    found = _WORD.match(source.text, at)
    word = found[0] if found else ""
    shown = f"`{word}`" if word else "the end of the line" if at < len(source.text) else "the end of the file"
    message, help_ = _worded(problem, shown, word)
    return Diagnostic("LP103", message, At(source, Span(at, at + len(word))), help_)


def _worded(problem: str, shown: str, word: str) -> tuple[str, str | None]:
    quote = f'text needs quotes: "{word}"' if word[:1].isalpha() else None
    match problem:
        case "Invalid value":
            return f"expected a value, found {shown}", quote
        case "Invalid statement" | "Invalid initial character for a key part":
            return f"expected a key or a `[table]`, found {shown}", None
        case "Expected newline or end of document after a statement":
            return f"expected the end of the line after the value, found {shown}", "text needs quotes around all of it"
        case "Expected '=' after a key in a key/value pair":
            return f"expected `=` after the key, found {shown}", None
        case "Expected ']' at the end of a table declaration":
            return f"expected `]` after the table's name, found {shown}", None
        case "Expected ']]' at the end of an array declaration":
            return f"expected `]]` after the table's name, found {shown}", None
        case "Unclosed array":
            return f"expected `,` or `]` in this list, found {shown}", quote
        case "Unclosed inline table":
            return f"expected `,` or `}}` in this table, found {shown}", quote
        case "Unescaped '\\' in a string":
            return "this is no escape of a TOML string", "write `\\\\` for a backslash, or put the text in '…'"
        case "Invalid hex value":
            return f"expected hexadecimal digits after the escape, found {shown}", None
        case "Escaped character is not a Unicode scalar value":
            return "the escape is not a Unicode character", None
        case "Invalid date or datetime":
            return f"there is no such date or time: {shown}", None
        case _:  # control characters, and what a later tomli may find
            return problem[:1].lower() + problem[1:], None


def _unclosed(source: Source, at: int) -> Diagnostic:
    """A string without its end, underlined from where it starts."""
    start, quote = at, '"'
    for found in _LEXEME.finditer(source.text):
        if found[0] in ("'", '"'):
            start, quote = found.start(), found[0]
            break
    quote = quote * 3 if source.text.startswith(quote * 3, start) else quote
    end = source.text.find("\n", start)
    span = Span(start, end if end >= 0 else len(source.text))
    return Diagnostic("LP103", f"this string is not closed; expected `{quote}`", At(source, span))


def _duplicate(source: Source, problem: str, at: int) -> Diagnostic:
    """Two definitions of one key: tomli says that there are, the places say which."""
    read = source.text[:at]
    open_: list[str] = []
    for found in _LEXEME.finditer(read):
        if found[0] in "[{":
            open_.append(_CLOSER[found[0]])
        elif found[0] in "]}" and open_:
            open_.pop()
    builder = _Builder(read + "".join(reversed(open_)))
    builder.build()
    builder.end()
    if builder.clash is None:
        return Diagnostic("LP105", problem[:1].lower() + problem[1:], At(source, Span(max(0, at - 1), at)))
    key, first = builder.clash
    related = Related(At(source, first), "first defined here")
    message, fixes = f"`{source.text[key.start : key.end]}` is defined twice", _without_second(source, first, key)
    return Diagnostic("LP105", message, At(source, key), None, (related,), fixes)


def _without_second(source: Source, first: Span, key: Span) -> tuple[Fix, ...]:
    """The second of two pairs taken out, each of which is alone in its line; safe where they say the same."""
    lines = [At(source, _line_of(source.text, each)) for each in (first, key)]
    said = [source.text[each.span.start : each.span.end].strip() for each in lines]
    if any(line[:1] == "[" for line in said) or not all(map(_is_pair, said)):
        return ()
    same = said[0] == said[1] or _pair(said[0]) == _pair(said[1])
    return (Fix("take the second out", (Edit(lines[1], ""),), same),)


def _line_of(text: str, span: Span) -> Span:
    end = text.find("\n", span.end)
    return Span(text.rfind("\n", 0, span.start) + 1, len(text) if end < 0 else end + 1)


def _pair(line: str) -> dict[str, Any]:
    import tomli

    return tomli.loads(line)


def _is_pair(line: str) -> bool:
    import tomli

    try:
        return bool(_pair(line))
    except tomli.TOMLDecodeError:
        return False
