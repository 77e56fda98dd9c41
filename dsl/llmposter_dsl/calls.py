"""Tool calls of a rule: the forms of `call`, and what can be known of their arguments before any request."""

from __future__ import annotations

from collections.abc import Mapping

from llmposter_dsl import bind, expressions, keys, names, words
from llmposter_dsl.bind import Table
from llmposter_dsl.expressions import Scope
from llmposter_dsl.place import Within
from llmposter_dsl.program import Call, Data, Template, Value


def calls(table: Table, scope: Scope, tools: Mapping[str, Value]) -> tuple[Call, ...]:
    """The calls that the key `call` of a rule holds."""
    value, place = table.get("call"), table.at("call")
    if not isinstance(value, list):
        found = [_call(value, place, scope, tools, table.report)]
    else:
        form = keys.Form(frozenset((str, dict)), "a text such as `tool(argument: value)`, or a table")
        found = [
            _call(each, at, scope, tools, table.report)
            for each, at in bind.items(value, place, form, "a call", table.report)
        ]
        if not value:
            table.refuse("LP114", "the list of calls is empty", "call", cure="take `call` out, or name a tool")
    return tuple(each for each in found if each is not None)


def _call(value: Value, place: Within, scope: Scope, tools: Mapping[str, Value], report: bind.Report) -> Call | None:
    return (
        _expression(value, place, scope, tools, report)
        if isinstance(value, str)
        else _table(value, place, scope, tools, report)
    )


def _expression(text: str, place: Within, scope: Scope, tools: Mapping[str, Value], report: bind.Report) -> Call | None:
    made = expressions.call(text, place, scope, report)
    if made is None:
        return None
    start = len(text) - len(text.lstrip())
    at = place.stretch(start, start + len(made.tool))
    if names.tool(made.tool, tools, at, report) and tools.get(made.tool):
        from llmposter_dsl.tool_schemas import check_call

        check_call(made, at, tools[made.tool], report)
    return made


def _table(
    value: dict[str, Value], place: Within, scope: Scope, tools: Mapping[str, Value], report: bind.Report
) -> Call | None:
    table = bind.table(value, place, keys.CALL, report)
    arguments = _arguments(table, scope)
    id_ = expressions.template(table.get("id"), table.at("id"), scope, report) if "id" in table else None
    tool, undeclared = table.get("tool"), table.get("undeclared", False)
    if tool is None or not _named(table, tool):
        return None
    if not undeclared and not names.tool(tool, tools, table.at("tool"), report):
        return None
    scope.used.tools.add(tool)
    if arguments is None:
        return None
    made = Call(place, tool, arguments, id_, undeclared)
    if tools.get(tool):
        from llmposter_dsl.tool_schemas import check_call

        check_call(made, table.at("tool"), tools[tool], report)
    return made


def _named(table: Table, tool: str) -> bool:
    if tool.strip() and "${" not in tool:
        return True
    table.refuse("LP114", f"{words.shown(tool)} cannot be the name of a tool", "tool")
    return False


def _arguments(table: Table, scope: Scope) -> Data | Template | None:
    value, place = table.get("arguments", {}), table.at("arguments")
    if isinstance(value, str):
        return expressions.template(value, place, scope, table.report)
    return expressions.data(value, place, scope, table.report)
