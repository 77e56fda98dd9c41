"""Every code of the checker, its severity and its title, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Code:
    """What is the same for every finding of one code."""

    severity: Severity
    title: str


def _errors(**titles: str) -> dict[str, Code]:
    return {code: Code("error", title) for code, title in titles.items()}


def _warnings(**titles: str) -> dict[str, Code]:
    return {code: Code("warning", title) for code, title in titles.items()}


CODES: dict[str, Code] = {
    **_errors(
        LP101="file cannot be read",
        LP102="not UTF-8 text",
        LP103="broken TOML",
        LP104="broken YAML",
        LP105="duplicate key",
        LP106="file too large",
        LP107="nested too deeply, or too many aliases",
        LP108="not a scenario document",
        LP110="unknown key",
        LP111="wrong type",
        LP112="missing key",
        LP113="keys that exclude each other",
        LP114="value not allowed",
        LP115="key that this version does not know yet",
        LP116="include that cannot be merged",
        LP120="syntax error in an expression",
        LP121="syntax error in a template",
        LP122="control character in a regular expression",
        LP124="state's name used as a rule key",
        LP125="goto inside error",
        LP126="syntax error in a fault",
    ),
    **_warnings(
        LP123="plain YAML text cut by ` #`",
    ),
    **_errors(
        LP201="unknown state",
        LP202="unknown name",
        LP203="unknown attribute",
        LP204="unknown function",
        LP205="wrong arguments of a function",
        LP206="types that do not go together",
        LP207="bad regular expression",
        LP208="bad JSONPath",
        LP209="unknown tool",
        LP210="call arguments against the tool's schema",
        LP211="unknown error name",
        LP212="bad JSON Schema of a tool",
        LP213="unknown rule",
        LP214="name that cannot be a variable",
        LP215="value of another type than the variable's",
    ),
    **_warnings(
        LP301="unreachable state",
        LP302="rule that can never fire",
        LP305="unused variable",
        LP306="unused tool",
        LP310="two scenarios with one name",
    ),
    **_errors(
        LP303="dead end that is not final",
        LP304="pass-through cycle",
        LP307="example that fails",
    ),
    "LP391": Code("info", "rule that a replayed history may not find again"),
    **_warnings(
        LP401="answer that a provider cannot express",
        LP402="fault that never strikes",
    ),
    **_errors(
        LP501="unknown action on a token",
        LP502="two tokens with one name or value",
    ),
    **_warnings(
        LP503="token where requests need none",
    ),
    "LP504": Code("info", "token that outlives a test"),
    **_warnings(
        LP505="no credential that is good",
        LP511="delay longer than clients wait",
        LP512="jitter or burst without a pace",
        LP901="unused suppression",
        LP902="secret that looks real",
    ),
}
