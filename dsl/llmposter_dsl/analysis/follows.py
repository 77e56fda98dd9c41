"""Whether one test of a subject passes wherever another does, and whether two never pass together.

Every answer "yes" is sure, whatever the rest of the text is; see the property tests, which try them on texts.
"""

from __future__ import annotations

from typing import Final

from llmposter_dsl.analysis import regex
from llmposter_dsl.analysis.atoms import Atom
from llmposter_dsl.expressions import operations
from llmposter_dsl.expressions.literals import required

_PIECES: Final = frozenset(("has", "starts with", "ends with"))
_WORDY: Final = "x0_qé"
"""Characters that continue a word; one that a word does not have can stand around it."""


def follows(one: Atom, other: Atom) -> bool:
    """Whether *other* surely passes where *one*, of the same subject, does."""
    if one == other:
        return True
    if other.test == "exists":
        return not one.passes(None)
    if one.test in _PIECES:
        return _of_piece(one, other)
    if one.test == "mentions":
        return other.test == "mentions" and _mentioned(one.value[1], other.value[1])
    return one.test == "matches" and _of_match(one, other)


def exclude(one: Atom, other: Atom) -> bool:
    """Whether the two never pass together."""
    if one.test != other.test or one.test not in ("starts with", "ends with"):
        return False
    ours, theirs = one.value[1], other.value[1]
    if one.test == "starts with":
        return not ours.startswith(theirs) and not theirs.startswith(ours)
    return not ours.endswith(theirs) and not theirs.endswith(ours)


def _of_piece(one: Atom, other: Atom) -> bool:
    piece = one.value[1]
    begins, ends = one.test == "starts with", one.test == "ends with"
    match other.test:
        case "has" | "contains":
            return isinstance(other.value[1], str) and other.value[1] in piece
        case "starts with":
            return begins and isinstance(other.value[1], str) and piece.startswith(other.value[1])
        case "ends with":
            return ends and isinstance(other.value[1], str) and piece.endswith(other.value[1])
        case "mentions":
            return _holds_word(piece, other.value[1], begins=begins, ends=ends)
        case "matches":
            return _holds_match(other, piece, begins=begins, ends=ends)
        case _:
            return False


def _holds_word(piece: str, word: str, *, begins: bool, ends: bool) -> bool:
    """Whether a piece of a text mentions the word whatever stands around it."""
    beside = next((each for each in _WORDY if each not in word.casefold()), None)
    if beside is None:
        return False
    return operations.mentions(("" if begins else beside) + piece + ("" if ends else beside), word)


def _mentioned(phrase: str, word: str) -> bool:
    """Whether what mentions the phrase mentions the word."""
    inner = phrase.casefold().strip()
    beside = next((each for each in _WORDY if each not in word.casefold()), None)
    if not inner or beside is None:
        return False
    before = "" if _wordy(inner[0]) else beside
    after = "" if _wordy(inner[-1]) else beside
    return operations.mentions(before + inner + after, word)


def _wordy(char: str) -> bool:
    return char.isalnum() or char == "_"


def _holds_match(other: Atom, piece: str, *, begins: bool, ends: bool) -> bool:
    """Whether the expression finds something in the piece alone, whatever stands around it."""
    pattern, _ = other.value
    asked = regex.places(pattern)
    allowed = {*(("begin",) if begins else ()), *(("end",) if ends else ())}
    return asked is not None and asked <= allowed and other.passes(piece)


def _of_match(one: Atom, other: Atom) -> bool:
    pattern, flags = one.value
    if other.test in ("has", "contains"):
        held = () if "i" in flags else required(pattern, fold=False)
        text = other.value[1]
        # RE2 is handed a question mark for half of a character, which is none to `contains`.
        return bool(held) and isinstance(text, str) and "?" not in text and all(text in each for each in held)
    if other.test == "matches":
        ours, theirs = regex.folded(pattern, flags), regex.folded(*other.value)
        return ours is not None and theirs is not None and theirs in ours
    return False
