"""Random trees of expressions, and their text; for property tests."""

from __future__ import annotations

from typing import Any, assert_never

from hypothesis import strategies as st

from llmposter_dsl.expressions.syntax import (
    Apply,
    Calculate,
    Compare,
    Exists,
    IsType,
    Item,
    Joined,
    ListOf,
    Literal,
    MapOf,
    Matches,
    Member,
    Name,
    Negative,
    Node,
    Not,
    Pair,
)
from llmposter_dsl.facts import WORDS
from llmposter_dsl.program import Duration

COMPARISONS = (
    *("==", "!=", "<", "<=", ">", ">=", "in", "not in", "contains", "not contains"),
    *("mentions", "starts with", "ends with"),
)
KINDS = ("text", "number", "bool", "duration", "list", "map", "null")
PATTERNS = (r"a", r"^(?P<g>\w+) b", r"[/]\/", r"\d{2,}|x", r"é?", r"(?P<h>a)|(?P<k>b)")

texts = st.text(st.sampled_from("ab \"'\\/{}$é😀\n}"), max_size=6)
names = st.sampled_from(("user", "turn", "x", "order", "cart", "results", "elapsed", "größe", "in_stock", "_", "it"))
literals = st.one_of(
    st.builds(Literal, st.just("text"), texts),
    st.builds(Literal, st.just("number"), st.integers(0, 10**20) | st.sampled_from((0.5, 1e-07, 1.5e300))),
    st.builds(Literal, st.just("bool"), st.booleans()),
    st.builds(Literal, st.just("duration"), st.sampled_from((Duration(0.25), Duration(2), Duration(5400)))),
    st.just(Literal("null", None)),
)


def _pairs(values: st.SearchStrategy[Node]) -> st.SearchStrategy[tuple[Pair, ...]]:
    keys = st.sampled_from(("a", "b-c", "in", "odd key", "", '"'))
    return st.dictionaries(keys, values, max_size=3).map(lambda made: tuple(Pair(*pair) for pair in made.items()))


def _more(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    some = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(
        st.builds(ListOf, some),
        st.builds(MapOf, _pairs(inner)),
        st.builds(Member, inner, st.sampled_from(("json", "a", "in", "text"))),
        st.builds(Item, inner, inner),
        st.builds(Apply, st.sampled_from(("lower", "len", "default", "any", "text", "now")), some),
        st.builds(Not, inner),
        st.builds(Negative, inner),
        st.builds(Joined, st.sampled_from(("and", "or")), st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Compare, st.sampled_from(COMPARISONS), inner, inner),
        st.builds(Calculate, st.sampled_from("+-*/%"), inner, inner),
        st.builds(Matches, inner, st.sampled_from(PATTERNS), st.sampled_from(("", "i", "ms"))),
        st.builds(IsType, inner, st.sampled_from(KINDS)),
        st.builds(Exists, inner),
    )


trees = st.recursive(literals | st.builds(Name, names), _more, max_leaves=12)


def quoted(text: str, quote: str = '"') -> str:
    """A text as a literal."""
    return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote


def write(node: Node) -> str:
    """The tree as text, with brackets around all that could be taken otherwise."""
    match node:
        case Literal(kind="text", value=value):
            return quoted(str(value), "'" if len(str(value)) % 2 else '"')
        case Literal(value=None):
            return "null"
        case Literal(kind="bool", value=value):
            return "true" if value else "false"
        case Literal(value=value):
            return repr(value)
        case Name():
            return node.name
        case ListOf():
            return f"[{', '.join(map(write, node.items))}]"
        case MapOf():
            return f"{{{', '.join(map(_pair, node.pairs))}}}"
        case Member():
            return f"{_atom(node.of)}.{node.name}"
        case Item():
            return f"{_atom(node.of)}[{write(node.index)}]"
        case Apply():
            return f"{node.function}({', '.join(map(write, node.arguments))})"
        case Not():
            return f"not {_atom(node.operand)}"
        case Negative():
            return f"-{_atom(node.operand)}"
        case Joined():
            return f" {node.word} ".join(map(_atom, node.operands))
        case Compare() | Calculate():
            return f"{_atom(node.left)} {node.operator} {_atom(node.right)}"
        case Matches():
            return f"{_atom(node.left)} matches /{node.pattern}/{node.flags}"
        case IsType():
            return f"{_atom(node.operand)} is {node.type}"
        case Exists():
            return f"{_atom(node.operand)} exists"
        case _:
            assert_never(node)


def _atom(node: Node) -> str:
    text = write(node)
    simple = isinstance(node, (Name, ListOf, MapOf, Member, Item, Apply))
    return text if simple or (isinstance(node, Literal) and node.kind != "number") else f"({text})"


def _pair(pair: Pair) -> str:
    plain = pair.key.replace("-", "_").isidentifier()
    return f"{pair.key if plain else quoted(pair.key)}: {write(pair.value)}"


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.just(10**400) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("a", "json", "text")), inner, max_size=3)
    ),
    max_leaves=6,
)
durations = st.floats(0, 1e9).map(Duration)
soup = st.lists(
    st.one_of(
        st.sampled_from(sorted(WORDS)),
        names,
        st.sampled_from("""()[]{}.,:+-*/%<>=!&|$#@"'\\\n ?;~"""),
        st.sampled_from(
            (
                "==",
                "!=",
                "<=",
                "${",
                "$${",
                "/a/i",
                "/[",
                "2s",
                "10",
                "1.5",
                "5x",
                "'a'",
                '"b"',
                "é😀",
                "\x00",
                "\ud800",
            )
        ),
        st.text(max_size=3),
    ),
    max_size=14,
).flatmap(lambda pieces: st.sampled_from(("", " ")).map(lambda glue: glue.join(pieces)))
