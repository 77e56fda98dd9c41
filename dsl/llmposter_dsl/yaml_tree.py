"""YAML 1.2 core, from the flat events of PyYAML: a first pass makes values, a second one, when asked, places.

The only importer of yaml. Never composes with PyYAML's own composer, which recurses (in C until the process dies).
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from llmposter_dsl.diagnostic import Diagnostic, Edit, Fix, Related
from llmposter_dsl.place import At
from llmposter_dsl.source import Source, Span
from llmposter_dsl.tree import DEEPEST, Loaded, Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter_dsl.inner import Form

MOST_COPIES = 100_000
"""How many values aliases may stand for in one document."""

MOST_ERRORS = 100
"""How many errors one reading tells of."""

_TAG = "tag:yaml.org,2002:"
_BOOLS = {**dict.fromkeys(("true", "True", "TRUE"), True), **dict.fromkeys(("false", "False", "FALSE"), False)}
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MAYBE_NUMBER = frozenset("-+.0123456789")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CUT = re.compile(r"[ \t]+#(?=[^\s#])[^\n]*")


def load(source: Source, *, numbers: bool = True) -> Loaded | tuple[Diagnostic, ...]:
    """The values of a YAML text; *numbers*: only those that JSON can hold."""
    if (bad := _FORBIDDEN.search(source.text)) is not None:
        message = f"the control character U+{ord(bad[0]):04X} cannot stand in YAML"
        return (Diagnostic("LP104", message, At(source, Span(*bad.span())), 'write it as an escape in "…"'),)
    import yaml

    values = _Values(source, numbers=numbers)
    try:
        for event in _events(source.text):
            values.take(event)
            if values.stopped or len(values.errors) > MOST_ERRORS:
                break
    except yaml.MarkedYAMLError as error:
        values.errors.append(_broken(source, error))
    except (yaml.YAMLError, ValueError) as error:
        values.errors.append(Diagnostic("LP104", f"broken YAML: {str(error).splitlines()[0]}", At(source, Span(0, 0))))
    if values.twice:
        values.errors += _duplicates(source)[:MOST_ERRORS]
    if values.errors:
        return tuple(values.errors)
    if values.documents == 0:
        return Loaded(None)
    return Loaded(values.root, tuple(values.findings))


def places(source: Source) -> Node:
    """The places of a text that `load` accepted."""
    return _Places(source.text).build()


def comments(text: str) -> Iterator[int]:
    """Where each comment starts."""
    import yaml

    at = 0
    for event in _events(text):
        if isinstance(event, yaml.ScalarEvent):
            start, end = _written(text, event)
            yield from _comments_between(text, at, start)
            if event.style in ("|", ">"):
                header = text.find("\n", start)
                yield from _comments_between(text, start, header if header >= 0 else end)
            at = max(at, end)
    yield from _comments_between(text, at, len(text))


def _comments_between(text: str, at: int, end: int) -> Iterator[int]:
    while (at := text.find("#", at, end)) >= 0:
        if at == 0 or text[at - 1] in " \t\n\r":
            yield at
            line_end = text.find("\n", at)
            at = line_end if line_end >= 0 else end
        else:
            at += 1


def _events(text: str) -> Iterator[Any]:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.parse(text, loader)


class _Frame:
    """A mapping or sequence that is being read."""

    __slots__ = ("anchor", "awaits_key", "before", "height", "into", "key")

    def __init__(self, into: Any, anchor: str | None, before: int) -> None:
        self.into, self.anchor, self.before = into, anchor, before
        self.awaits_key = isinstance(into, dict)
        self.key: Any = None
        self.height = 1


class _Values:
    """The first pass: values, and whatever is wrong with them."""

    def __init__(self, source: Source, *, numbers: bool) -> None:
        self.source, self.text, self.numbers = source, source.text, numbers
        self.root: Any = None
        self.documents = 0
        self.errors: list[Diagnostic] = []
        self.findings: list[Diagnostic] = []
        self.twice = self.stopped = False
        self.count = self.copies = 0
        self.frames: list[_Frame] = []
        self.anchors: dict[str, tuple[Any, int, int]] = {}
        self.cuts = _CUT.search(source.text) is not None

    def take(self, event: Any) -> None:
        match type(event).__name__:
            case "ScalarEvent":
                self._scalar(event)
            case "MappingStartEvent":
                self._open(event, {}, "map")
            case "SequenceStartEvent":
                self._open(event, [], "seq")
            case "MappingEndEvent" | "SequenceEndEvent":
                self._close()
            case "AliasEvent":
                self._alias(event)
            case "DocumentStartEvent":
                self.documents += 1
                if self.documents > 1:
                    self._error(event, "LP108", "a file holds one YAML document, here a second one begins")
                    self.stopped = True

    def _scalar(self, event: Any) -> None:
        value = event.value
        if (event.implicit[0] and event.tag != "!") or event.tag not in (None, "!", _TAG + "str"):
            value = self._typed(event)
        if self.cuts and not event.style:
            self._look_for_cut(event, value)
        if event.anchor is not None:
            self.anchors[event.anchor] = value, 1, 0
        self._put(value, event)

    def _typed(self, event: Any) -> Any:
        value, tag = event.value, None if event.implicit[0] else event.tag
        if tag is None and not (value[:1] in _MAYBE_NUMBER or value in _NULLS or value in _BOOLS):
            return value
        resolved = _resolve(value)
        if resolved is _NO_NUMBER and not self.numbers:
            return _beyond_json(value)
        if resolved is _NO_NUMBER:
            self._error(
                event, "LP114", f"`{value[:40]}` is no number that JSON can hold", "write it in quotes, as text"
            )
            return value
        wanted = {"null": type(None), "bool": bool, "int": int, "float": (int, float)}
        if tag is None:
            return resolved
        name = tag.removeprefix(_TAG)
        if name not in wanted or not tag.startswith(_TAG):
            self._error(event, "LP104", f"the tag `{_tag_shown(tag)}` means nothing here", "leave it out")
            return value
        if not isinstance(resolved, wanted[name]) or (name != "bool" and isinstance(resolved, bool)):  # type: ignore[arg-type]
            self._error(event, "LP104", f"`{value[:40]}` is not what its tag `!!{name}` says")
        return float(resolved) if name == "float" and isinstance(resolved, int) else resolved

    def _look_for_cut(self, event: Any, value: Any) -> None:
        cut = _CUT.match(self.text, event.end_mark.index)
        if cut is None or not isinstance(value, str) or (self.frames and self.frames[-1].awaits_key):
            return
        start, _ = _written(self.text, event)
        message = f"the text ends before `{cut[0].strip()[:30]}`, which is a comment"
        place = At(self.source, Span(start, cut.end()))
        cure = "put the text in quotes, or a space after `#`"
        self.findings.append(Diagnostic("LP123", message, place, cure, (), _in_quotes(place)))

    def _open(self, event: Any, into: Any, kind: str) -> None:
        if event.tag not in (None, "!", _TAG + kind):
            self._error(event, "LP104", f"the tag `{_tag_shown(event.tag)}` means nothing here", "leave it out")
        if self.frames and self.frames[-1].awaits_key:
            self._error(event, "LP104", "a key must be text, not a list or a map")
            self.stopped = True
        if len(self.frames) >= DEEPEST:
            self._error(event, "LP107", f"values are nested more than {DEEPEST} levels deep")
            self.stopped = True
        self.frames.append(_Frame(into, event.anchor, self.count))
        if event.anchor is not None:
            self.anchors.pop(event.anchor, None)

    def _close(self) -> None:
        frame = self.frames.pop()
        self.count += 1
        if frame.anchor is not None:
            self.anchors[frame.anchor] = frame.into, self.count - frame.before, frame.height
        self._into(frame.into, frame.height, None)

    def _alias(self, event: Any) -> None:
        known = self.anchors.get(event.anchor)
        if known is None:
            inside = any(frame.anchor == event.anchor for frame in self.frames)
            says = "stands inside what it repeats" if inside else "repeats nothing: there is no such anchor before it"
            self._error(event, "LP107" if inside else "LP104", f"the alias `*{event.anchor}` {says}")
            self._put(None, event, known=False)
            return
        value, size, height = known
        self.copies += size
        self.count += size - 1
        if self.copies > MOST_COPIES or len(self.frames) + height > DEEPEST:
            self._error(event, "LP107", f"the alias `*{event.anchor}` makes the document too large or too deep")
            self.stopped = True
        self._put(value, event, height)

    def _put(self, value: Any, event: Any, height: int = 0, *, known: bool = True) -> None:
        self.count += 1
        if known and self.frames and self.frames[-1].awaits_key:
            value = self._key(value, event)
        self._into(value, height, event)

    def _key(self, value: Any, event: Any) -> str:
        plain = type(event).__name__ == "ScalarEvent" and not event.style
        if plain and value == "<<":
            self._error(event, "LP104", "YAML 1.2 has no merge key `<<`", "write the members out")
        elif not isinstance(value, str):
            written = self.text[slice(*_written(self.text, event))]
            self._error(event, "LP104", f"a key must be text, `{written[:40]}` is not", f'write "{written[:40]}"')
        return str(value)[:200] if not isinstance(value, str) else value

    def _into(self, value: Any, height: int, event: Any) -> None:
        if not self.frames:
            self.root = value
            return
        frame = self.frames[-1]
        frame.height = max(frame.height, height + 1)
        if isinstance(frame.into, list):
            frame.into.append(value)
        elif frame.awaits_key:
            frame.awaits_key = False
            frame.key = value if event is not None and isinstance(value, str) else ""
            self.twice = self.twice or frame.key in frame.into
        else:
            frame.into[frame.key] = value
            frame.awaits_key = True

    def _error(self, event: Any, code: str, message: str, help_: str | None = None) -> None:
        start, end = _written(self.text, event)
        if type(event).__name__ in ("MappingStartEvent", "SequenceStartEvent"):
            start = event.start_mark.index
            end = max(end, start + 1)
        if code == "LP104" and "tag" in message:
            start = event.start_mark.index
        place = At(self.source, Span(start, min(max(end, start), len(self.text))))
        self.errors.append(Diagnostic(code, message, place, help_))


def _in_quotes(place: At) -> tuple[Fix, ...]:
    """A text without quotes put into some, with the comment that was to be a part of it."""
    from llmposter_dsl.written import in_double_quotes

    text = place.source.text[place.span.start : place.span.end].rstrip()
    if "\n" in text:
        return ()
    quoted = f"'{text}'" if "'" not in text else in_double_quotes(text)
    return (Fix("put all of it in quotes", (Edit(place, quoted),), safe=True),)


_NO_NUMBER = object()


def _resolve(value: str) -> Any:
    """A plain scalar as YAML 1.2's core schema has it; `_NO_NUMBER` for one that JSON cannot hold."""
    if value in _NULLS:
        return None
    if value in _BOOLS:
        return _BOOLS[value]
    if _INT.fullmatch(value):
        base = {"0x": 16, "0o": 8}.get(value[:2], 10)
        digits = value[2:] if base != 10 else value
        # 64 bits need at most 22 octal digits; leading zeros beyond 40 places are nobody's number
        number = int(digits, base) if len(digits) <= 40 else 1 << 64
        return number if -(1 << 63) <= number < 1 << 63 else _NO_NUMBER
    if _FLOAT.fullmatch(value):
        real = float(value)
        return real if math.isfinite(real) else _NO_NUMBER
    return _NO_NUMBER if _NOT_FINITE.fullmatch(value) else value


def _beyond_json(value: str) -> float | int:
    if _INT.fullmatch(value):
        return int(value, 0 if value[:2] in ("0o", "0x") else 10) if len(value) <= 40 else 1 << 64
    return float(value.replace(".", "", 1) if _NOT_FINITE.fullmatch(value) else value)


def _tag_shown(tag: str) -> str:
    return f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag


def _written(text: str, event: Any) -> tuple[int, int]:
    """Where a value is written, without the anchor and the tag before it."""
    start, end = event.start_mark.index, event.end_mark.index
    if getattr(event, "anchor", None) is None and getattr(event, "tag", None) is None:
        return start, end
    if type(event).__name__ == "AliasEvent":
        return start, end
    return _skip_properties(text, start, end), end


def _skip_properties(text: str, at: int, end: int) -> int:
    while at < end:
        if text[at] == "#":
            line_end = text.find("\n", at, end)
            at = end if line_end < 0 else line_end
        elif text[at] in "&!":
            while at < end and not text[at].isspace():
                at += 1
        elif text[at].isspace():
            at += 1
        else:
            break
    return at


class _Places:
    """The second pass: the same events again, to nodes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.anchors: dict[str, tuple[Node, str | None]] = {}
        self.open: list[tuple[Node, str | None, list[tuple[str, Span]]]] = []
        self.root: Node | None = None
        self.twice: list[tuple[str, Node, Node]] = []

    def build(self) -> Node:
        for event in _events(self.text):
            self.take(event)
        assert self.root is not None, "a text that was read has a root"
        return self.root

    def take(self, event: Any) -> None:
        match type(event).__name__:
            case "ScalarEvent":
                self._scalar(event)
            case "AliasEvent":
                node, text = self.anchors.get(event.anchor, (Node(Span(0, 0)), None))
                span = Span(event.start_mark.index, event.end_mark.index)
                self._put(Node(span, None, node.children, node.raw, node.form), text)
            case "MappingStartEvent" | "SequenceStartEvent":
                children: Any = {} if type(event).__name__ == "MappingStartEvent" else []
                start = event.start_mark.index
                if event.anchor is not None or event.tag is not None:
                    start = _skip_properties(self.text, start, len(self.text))
                self.open.append((Node(Span(start, start), None, children), event.anchor, []))
            case "MappingEndEvent" | "SequenceEndEvent":
                self._close(event)

    def _scalar(self, event: Any) -> None:
        start, end = _written(self.text, event)
        style: Form = event.style or ""
        raw = Span(start, end)
        if style in ("|", ">"):
            end = start + len(self.text[start:end].rstrip())
        node = Node(Span(start, end), None, None, raw, style)
        if event.anchor is not None:
            self.anchors[event.anchor] = node, event.value
        self._put(node, event.value)

    def _close(self, event: Any) -> None:
        node, anchor, _ = self.open.pop()
        end = event.end_mark.index
        # The end mark of a block is where the next token starts; its last child says better where it ends.
        if event.start_mark.index == end:
            children = node.children.values() if isinstance(node.children, dict) else node.children or ()
            ends = [max(c.span.end, c.key.end if c.key else 0) for c in children]
            end = max([node.span.start, *ends])
        node.span = Span(node.span.start, end)
        if anchor is not None:
            self.anchors[anchor] = node, None
        self._put(node, None)

    def _put(self, node: Node, text: str | None) -> None:
        if not self.open:
            self.root = node
            return
        holder, _, key = self.open[-1]
        if isinstance(holder.children, list):
            holder.children.append(node)
        elif not key:
            key.append((text or "", node.span))
        else:
            assert isinstance(holder.children, dict)
            name, node.key = key.pop()
            if name in holder.children:
                self.twice.append((name, node, holder.children[name]))
            else:
                holder.children[name] = node


def _duplicates(source: Source) -> list[Diagnostic]:
    import yaml

    second = _Places(source.text)
    try:
        for event in _events(source.text):
            second.take(event)
    except yaml.YAMLError:
        pass  # the first pass has told of it
    return [
        Diagnostic(
            "LP105",
            f"`{name}` is defined twice",
            At(source, node.key or node.span),
            None,
            (Related(At(source, first.key or first.span), "first defined here"),),
            _without_second(source, first, node),
        )
        for name, node, first in second.twice
    ]


def _without_second(source: Source, first: Node, second: Node) -> tuple[Fix, ...]:
    """The second of two pairs taken out, where it has lines of its own; safe where they say the same."""
    text = source.text
    assert second.key is not None
    start = text.rfind("\n", 0, second.key.start) + 1
    end = text.find("\n", max(second.span.end, second.raw.end - 1 if second.raw else 0))
    end = len(text) if end < 0 else end + 1
    if text[start : second.key.start].strip() or text[second.span.end : end].split("#")[0].strip():
        return ()
    same = text[first.span.start : first.span.end] == text[second.span.start : second.span.end]
    return (Fix("take the second out", (Edit(At(source, Span(start, end)), ""),), same),)


_PROBLEMS = (
    ("mapping values are not allowed", "a `:` cannot stand here", "put text that holds `: ` in quotes"),
    ("',' or ']'", "expected `,` or `]` in this list", None),
    ("',' or '}'", "expected `,` or `}` in this map", None),
    ("'-' indicator", "expected another `- ` item of the list, or less indentation", None),
    ("<block end>", "expected another item or key at the same indentation", None),
    ("expected key", "expected another key at the same indentation", None),
    ("expected ':'", "expected `:` after the key", None),
    ("node content", "expected a value", None),
    ("unknown escape character", 'this is no escape of a "…" string', "write `\\\\` for a backslash, or use '…'"),
    ("cannot start any token", "this character cannot begin a value", "put the text in quotes; indent with spaces"),
    ("document start", "expected the end of the document", None),
)


def _broken(source: Source, error: Any) -> Diagnostic:
    """A syntax error, in our words where the parser's are obscure."""
    text, problem = source.text, error.problem or "broken YAML"
    at = min(error.problem_mark.index if error.problem_mark else 0, len(text))
    if "unexpected end of stream" in problem and error.context_mark is not None:
        start = min(error.context_mark.index, len(text) - 1)
        end = text.find("\n", start)
        place = At(source, Span(start, end if end >= 0 else len(text)))
        return Diagnostic("LP104", f"this string is not closed; expected `{text[start]}`", place)
    message, help_ = next(((ours, help_) for theirs, ours, help_ in _PROBLEMS if theirs in problem), (problem, None))
    end = at + 1 if at < len(text) and text[at] != "\n" else at
    return Diagnostic("LP104", message, At(source, Span(at, end)), help_)
