"""What compiled expressions call: total functions over plain values. None of them raises, whatever it is given.

The law of null: on null, or on a value of another type, ordering and text operators are false and arithmetic is null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from llmposter_dsl.program import Duration, Env, Value
from llmposter_dsl.types import kind_of

LARGEST = 1.7976931348623157e308
LONGEST = 16 * 1024 * 1024
"""Characters of a text that `+` may make; beyond it the result is null, so that no scenario can grow without end."""

MOST = 100_000
"""Values that a list or map made by an expression may hold, those inside included; beyond it the result is null."""

DEEPEST = 128


def _number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _ordered(left: Value, right: Value) -> bool:
    if isinstance(left, str):
        return isinstance(right, str)
    return _number(left) and _number(right) and isinstance(left, Duration) == isinstance(right, Duration)


def less(left: Value, right: Value) -> bool:
    return _ordered(left, right) and bool(left < right)


def less_equal(left: Value, right: Value) -> bool:
    return _ordered(left, right) and bool(left <= right)


def greater(left: Value, right: Value) -> bool:
    return _ordered(left, right) and bool(left > right)


def greater_equal(left: Value, right: Value) -> bool:
    return _ordered(left, right) and bool(left >= right)


def equal(left: Value, right: Value) -> bool:
    """Exact: `1 == 1.0`, but `true != 1` and `1s != 1`; lists and maps by what they hold."""
    pairs = [(left, right)]
    for _ in range(MOST):
        if not pairs:
            return True
        one, other = pairs.pop()
        if isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            if one is not other:
                pairs.extend(zip(one, other, strict=True))
        elif isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            if one is not other:
                pairs.extend((value, other[key]) for key, value in one.items())
        elif one != other or (one is not other and kind_of(one) != kind_of(other)):
            return False
    return False


def different(left: Value, right: Value) -> bool:
    return not equal(left, right)


def exists(value: Value) -> bool:
    return value is not None


def contains(whole: Value, part: Value) -> bool:
    """A stretch of a text, an item of a list, a key of a map."""
    if isinstance(whole, list):
        return part in whole if isinstance(part, str) else any(equal(item, part) for item in whole)
    return isinstance(whole, (str, dict)) and isinstance(part, str) and part in whole


def mentions(whole: Value, part: Value) -> bool:
    """Whole words, in any case: the characters around the find continue no word."""
    if not isinstance(whole, str) or not isinstance(part, str):
        return False
    text, word = whole.casefold(), part.casefold().strip()
    at = text.find(word) if word else -1
    while at >= 0:
        end = at + len(word)
        if not (_wordy(text[at - 1 : at]) and _wordy(word[0])) and not (
            _wordy(text[end : end + 1]) and _wordy(word[-1])
        ):
            return True
        at = text.find(word, at + 1)
    return False


def _wordy(character: str) -> bool:
    return character.isalnum() or character == "_"


def starts_with(whole: Value, part: Value) -> bool:
    return isinstance(whole, str) and isinstance(part, str) and whole.startswith(part)


def ends_with(whole: Value, part: Value) -> bool:
    return isinstance(whole, str) and isinstance(part, str) and whole.endswith(part)


def searches(search: Callable[[bytes], Any], text: Value) -> bool:
    """Whether a regular expression without named groups finds something; RE2 is handed UTF-8."""
    return isinstance(text, str) and search(text.encode("utf-8", "replace")) is not None


def captures(env: Env, search: Callable[[bytes], Any], text: Value) -> bool:
    """The same, and keeps the named groups of the find."""
    found = search(text.encode("utf-8", "replace")) if isinstance(text, str) else None
    if found is None:
        return False
    for name, value in found.groupdict().items():
        env.groups[name] = None if value is None else value.decode("utf-8", "replace")
    return True


def _within(value: Any) -> Value:
    """A result of arithmetic, null where it left the range of numbers."""
    return value if -LARGEST <= value <= LARGEST else None


def add(left: Value, right: Value) -> Value:
    if _number(left) and _number(right):
        return _calculated(left, right, lambda a, b: a + b)
    if isinstance(left, str) and isinstance(right, str):
        return left + right if len(left) + len(right) <= LONGEST else None
    if isinstance(left, list) and isinstance(right, list):
        return bounded(left + right) if len(left) + len(right) <= MOST else None
    return None


def subtract(left: Value, right: Value) -> Value:
    return _calculated(left, right, lambda a, b: a - b) if _number(left) and _number(right) else None


def _calculated(left: Any, right: Any, operation: Callable[[Any, Any], Any]) -> Value:
    long = isinstance(left, Duration)
    if long != isinstance(right, Duration):
        return None
    try:
        value = _within(operation(left, right))
    except OverflowError:
        return None
    return Duration(value) if long and value is not None else value


def multiply(left: Value, right: Value) -> Value:
    """Numbers; or a duration and a number, whichever comes first."""
    if not _number(left) or not _number(right):
        return None
    durations = isinstance(left, Duration) + isinstance(right, Duration)
    if durations == 2:
        return None
    try:
        value = _within(left * right)
    except OverflowError:
        return None
    return Duration(value) if durations and value is not None else value


def divide(left: Value, right: Value) -> Value:
    """A whole quotient of whole numbers is a whole number; a duration by a duration is a number; by zero is null."""
    if not _number(left) or not _number(right) or not right:
        return None
    long = isinstance(left, Duration)
    if isinstance(right, Duration) and not long:
        return None
    try:
        if isinstance(left, int) and isinstance(right, int) and left % right == 0:
            return left // right
        value = _within(left / right)
    except OverflowError:
        return None
    return Duration(value) if long and not isinstance(right, Duration) and value is not None else value


def modulo(left: Value, right: Value) -> Value:
    """The remainder, with the sign of the left operand."""
    if not _number(left) or not _number(right) or not right:
        return None

    def remainder(a: Any, b: Any) -> Any:
        value = abs(a) % abs(b)
        return -value if a < 0 else value

    return _calculated(left, right, remainder)


def negate(value: Value) -> Value:
    if not _number(value):
        return None
    return Duration(-value) if isinstance(value, Duration) else -value


def member(of: Value, name: str) -> Value:
    return of.get(name) if isinstance(of, dict) else None


def item(of: Value, index: Value) -> Value:
    """An item of a list, counted from the end if negative, or a value of a map."""
    if isinstance(of, dict):
        return of.get(index) if isinstance(index, str) else None
    if not isinstance(of, list) or not _number(index) or isinstance(index, Duration):
        return None
    if not -len(of) <= index < len(of) or index != int(index):
        return None
    return of[int(index)]


def bounded(value: Value) -> Value:
    """*value*, or null if it is too large or too deep, so that a list can not double for ever."""
    level: list[Value] = [value]
    seen = 0
    for _ in range(DEEPEST):
        seen += len(level)
        if seen > MOST:
            return None
        inner: list[Value] = []
        for each in level:
            if isinstance(each, list):
                inner += each
            elif isinstance(each, dict):
                inner += each.values()
        if not inner:
            return value
        if len(inner) > MOST:
            return None
        level = inner
    return None


def any_of(items: Value, holds: Callable[[Value], bool]) -> bool:
    return any(map(holds, items)) if isinstance(items, list) else False


def all_of(items: Value, holds: Callable[[Value], bool]) -> bool:
    return all(map(holds, items)) if isinstance(items, list) else False


def count_of(items: Value, holds: Callable[[Value], bool]) -> Value:
    return sum(map(holds, items)) if isinstance(items, list) else None


def length(value: Value) -> Value:
    return len(value) if isinstance(value, (str, list, dict)) else None


def lower(value: Value) -> Value:
    return value.lower() if isinstance(value, str) else None


def upper(value: Value) -> Value:
    return value.upper() if isinstance(value, str) else None


def trim(value: Value) -> Value:
    return value.strip() if isinstance(value, str) else None


_EDGE = re.compile(r"^\W+|\W+$")


def words(value: Value) -> Value:
    """The words of a text, without the punctuation around them."""
    if not isinstance(value, str):
        return None
    return [word for word in (_EDGE.sub("", each) for each in value.split()) if word]


_DIGITS = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def number(value: Value) -> Value:
    """A number as it is, a duration in seconds, a text that spells a number; else null."""
    if isinstance(value, Duration):
        return _whole(float(value))
    if _number(value):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if len(text) > 400 or not _DIGITS.fullmatch(text):
        return None
    found = float(text)
    if not -LARGEST <= found <= LARGEST:
        return None
    return int(text) if text.lstrip("+-").isdigit() else found


def _whole(value: float) -> float:
    """A number without a point where it is whole, as far as a float is exact."""
    return int(value) if abs(value) < 2**53 and value == int(value) else value


def text(value: Value) -> str:
    """As a template writes it: null is nothing, whole numbers have no point, lists and maps are JSON."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Duration():
            return str(value) if -LARGEST <= value <= LARGEST else ""
        case int():
            return str(value) if -LARGEST <= value <= LARGEST else ""
        case float():
            return str(_whole(value)) if -LARGEST <= value <= LARGEST else ""
        case _:
            return json_text(value)


def json_text(value: Value) -> str:
    """As JSON without blanks; a duration as its text, what is too deep as null."""
    from json import dumps

    return dumps(_plain(value, DEEPEST), ensure_ascii=False, separators=(",", ":"))


def jsonable(value: Value) -> Value:
    """What JSON can hold: durations become texts."""
    return _plain(value, DEEPEST) if isinstance(value, (list, dict, float)) else value


def _plain(value: Value, deepest: int) -> Value:
    match value:
        case None | bool() | str():
            return value
        case Duration():
            return text(value)
        case int() | float():
            return (_whole(value) if isinstance(value, float) else value) if -LARGEST <= value <= LARGEST else None
        case _ if not deepest:
            return None
        case dict():
            return {str(key): _plain(each, deepest - 1) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each, deepest - 1) for each in value]
        case _:
            return None


def default(value: Value, other: Value) -> Value:
    return other if value is None else value


def draws(env: Env, place: str, probability: Value) -> bool:
    return bool(env.chance(place, float(min(max(probability, 0), 1)))) if _number(probability) else False


def draw(env: Env, place: str, low: Value, high: Value) -> Value:
    """Between two whole numbers a whole one, both ends included; else any number from *low* to below *high*."""
    if not _number(low) or not _number(high) or _within(low) is None or _within(high) is None:
        return None
    low, high = min(low, high), max(low, high)
    if isinstance(low, int) and isinstance(high, int) and high - low < 2**53:
        return min(low + int(env.random(place, 0.0, float(high - low + 1))), high)
    return _within(env.random(place, float(low), float(high)))


def find(query: Callable[[Value], Iterable[Value]], body: Value) -> list[Value]:
    """What a JSONPath query finds; nothing in a body that is too deep for it."""
    try:
        return list(islice(query(body), MOST))
    except Exception:  # noqa: BLE001  (the library has its own for odd documents, and runs out of stack in deep ones)
        return []
