"""The tables of docs/sdk-behaviour.md, made of what the SDKs told.

Where an SDK does the same in every way in which it is asked, a cell says it once; else it says which way does what.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any

import msgspec
from client_table import APIS
from trouble_cases import ACCESS, FAILS, FAULTS, PATIENCE, WAITS, Asked
from trouble_clients import COLUMNS, OLDER, Column, Told, Trial

from llmposter.model import Failure
from llmposter.wire import load

Heard = dict[tuple[str, Trial], Told]
"""By program and trial."""
Way = tuple[str, str]
"""An API and how it was asked."""

PROVIDERS = {"openai": ("openai", "responses"), "anthropic": ("anthropic",), "gemini": ("gemini",)}
TITLES = {"openai": "Chat Completions", "responses": "Responses", "anthropic": "Anthropic", "gemini": "Gemini"}


def tables(heard: Heard) -> dict[str, str]:
    """Each table by the name of its place in the page."""
    return {
        **{f"errors {name}": _errors(heard, apis) for name, apis in PROVIDERS.items()},
        "holds": _holds(heard),
        "waits": _waits(heard),
        "access": _access(heard),
        "older": _older(heard),
        **{
            f"faults {name} {way}": _faults(heard, apis, way)
            for (name, apis), way in product(PROVIDERS.items(), WAYS)
            if way != "helper" or name != "gemini"
        },
    }


def put(page: str, made: dict[str, str]) -> str:
    """The page with these tables in their places."""
    for name, text in made.items():
        before, begin, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        assert end, f"the page has no place for {name!r}"
        page = f"{before}{begin}\n{text}\n{end}{after}"
    return page


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"|{''.join(f' {cell} |' if cell else ' |' for cell in line)}\n" for line in lines)


# --- one cell


def cell(
    column: Column, apis: Iterable[str], case: str, says: Callable[[Trial], str], hows: tuple[str, ...] = ()
) -> str:
    """What a column says: once, or for each way in which it is asked; what most ways have in common goes first."""
    every = [way for way in product(column.apis, hows or column.ways(case)) if way[0] in apis]
    groups: dict[str, list[Way]] = {}
    for way in every:
        groups.setdefault(says(Trial(*way, case)), []).append(way)
    first, *others = sorted(groups, key=lambda text: -len(groups[text]))
    return "; ".join([first, *(f"{_ways(groups[text], every)}: {text}" for text in others)])


def _ways(some: list[Way], every: list[Way]) -> str:
    """In words, as short as they go: `streamed`, `Responses helper async`."""
    apis, hows = ({way[n]: None for way in some} for n in (0, 1))
    if len(some) < len(apis) * len(hows):
        return ", ".join(_ways([way], every) for way in some)
    told = [] if len(apis) == len({api for api, _ in every}) else [" and ".join(TITLES[api] for api in apis)]
    all_hows = {how for _, how in every}
    if len(hows) < len(all_hows):
        told.append(" and ".join(_hows(list(hows), all_hows)))
    return " ".join(told)


def _hows(some: list[str], every: set[str]) -> Iterator[str]:
    for how in some:
        pair = how.replace(" async", "")
        if how == pair:
            both = f"{how} async" in some or f"{how} async" not in every
            yield pair.partition(",")[0] + ("" if both else " sync")
        elif pair not in some:
            yield how.partition(",")[0]


# --- errors


def _errors(heard: Heard, apis: tuple[str, ...]) -> str:
    columns = [column for column in COLUMNS if set(apis) & set(column.apis)]

    def row(case: str) -> Iterator[str]:
        status, name = str(truth(apis[0], case)["status"]), "" if case.isdigit() else f"`{case}`"
        yield from (name, status)
        for column in columns:
            yield cell(column, apis, case, lambda trial, of=column.program: _raised(heard[of, trial]))

    return table(("error", "status", *(column.title for column in columns)), map(row, FAILS))


NAMED = {None: "no error", "StillWaiting": "**waits for ever**", "AbortPart": "a part `abort`"}


def _raised(told: Told) -> str:
    raised = NAMED.get(told.raised, f"`{told.raised}`")
    return raised if told.asked == 1 else f"{raised} ({told.asked})"


def truth(api: str, case: str) -> dict[str, Any]:
    """What the provider says of an error: `status`, `message`, `type`, `code`, `param`."""
    failure = Failure(status=int(case)) if case.isdigit() else Failure(name=case)
    answer = load()[api].failure(failure, 0)
    error = msgspec.json.decode(answer.body)["error"]
    named = {"type": error["status"]} if api == "gemini" else error
    return {**named, "message": error["message"], "status": answer.status}


# --- what an exception holds

WHAT = ("status", "message", "type", "code", "param")


def _holds(heard: Heard) -> str:
    columns = [column for column in COLUMNS if "told to retry" not in column.title]
    rows = ((column, api) for column in columns for api in column.apis if api != "responses")

    def row(column: Column, api: str) -> Iterator[str]:
        yield f"{column.title}, {TITLES[api]}" if len(column.apis) == len(APIS) else column.title
        found = [
            (truth(api, case), held(heard[column.program, Trial(api, how, case)]))
            for how in column.hows
            for case in FAILS
        ]
        for what in WHAT:
            yield _where([(true.get(what), holds) for true, holds in found])
        told = held(heard[column.program, Trial(api, column.hows[0], 'retry_after = "7s"')])
        yield _where([("7", told)])
        yield next((f"`{name}`" for name, value in told.items() if str(value).startswith("req_")), "no")

    heads = ("SDK", *WHAT, "`retry-after`", "request id")
    return table(heads, (row(column, api) for column, api in rows))


def held(told: Told) -> dict[str, Any]:
    """What an exception holds; where it wraps the last one, what that one holds."""
    inside = {name.removeprefix("lastError."): value for name, value in told.holds.items() if "lastError." in name}
    return inside or told.holds


def _where(found: list[tuple[Any, dict[str, Any]]]) -> str:
    """The attribute that holds the true value wherever there is one; else the one that has it as JSON in its text."""
    known = [(true, holds) for true, holds in found if true is not None]
    names = dict.fromkeys(name for _, holds in known for name in holds)
    for name in names:
        if all(holds.get(name) == true for true, holds in known):
            return f"`{name}`"
    for name in names:
        if all(f":{json.dumps(true)}" in str(holds.get(name)) for true, holds in known):
            return f"in `{name}`"
    return "no" if known else ""


# --- when they come back


def _waits(heard: Heard) -> str:
    columns = [column for column in COLUMNS if column.backs_off]

    def row(case: str, asked: Asked) -> Iterator[str]:
        yield f"`{case}`" if case != "nothing" else case
        for column in columns:
            yield cell(column, APIS, case, lambda trial, of=column: waited(heard[of.program, trial], asked, of))

    return table(("told", *(column.title for column in columns)), (row(case, asked) for case, asked in WAITS.items()))


def waited(told: Told, asked: Asked, column: Column) -> str:
    """What an SDK made of the time that it was told, in a word; in numbers where it is neither of what is known."""
    if told.asked == 1:
        return "gives up"
    if asked.seconds is not None and all(abs(each - asked.seconds) < asked.off for each in told.waits):
        return "as told" if asked.seconds else "at once"
    bounds = column.backs_off[: len(told.waits)]
    if all(low <= each <= high for each, (low, high) in zip(told.waits, bounds, strict=True)):
        return "backs off"
    return ", ".join(dict.fromkeys(f"{each:g} s" for each in told.waits))


# --- credentials and limits


def _access(heard: Heard) -> str:
    def row(name: str, column: Column, apis: tuple[str, ...]) -> Iterator[str]:
        def told(case: str) -> str:
            return cell(column, apis, case, lambda trial: _let_in(heard[column.program, trial], column))

        yield f"{column.title}, {name}" if len(column.apis) == len(APIS) else column.title
        yield cell(column, apis, "nobody knows it", lambda trial: _keys(heard[column.program, trial]))
        yield from map(told, ACCESS)

    titles = {"openai": "OpenAI", "anthropic": "Anthropic", "gemini": "Gemini"}
    rows = [
        row(titles[name], column, apis)
        for name, apis in PROVIDERS.items()
        for column in COLUMNS
        if set(apis) & set(column.apis)
    ]
    return table(("SDK", "sends its key as", *ACCESS), rows)


def _keys(told: Told) -> str:
    return " and ".join(f"`{name}`" for name in told.keys)


def _let_in(told: Told, column: Column) -> str:
    waits = f", {waited(told, PATIENCE, column)}" if told.asked > 1 else ""
    return f"{told.status} {_raised(told)}{waits}"


# --- faults

WAYS = ("whole", "streamed", "helper")


def _faults(heard: Heard, apis: tuple[str, ...], way: str) -> str:
    """Faults of which all SDKs make the same share a row."""
    columns = [column for column in COLUMNS if set(apis) & set(column.apis) and way in _ways_of(column)]
    rows: dict[tuple[str, ...], list[str]] = {}
    for fault in FAULTS:
        rows.setdefault(tuple(_of_fault(heard, column, apis, way, fault) for column in columns), []).append(fault)
    head = ("fault", *(column.title for column in columns))
    return table(head, ((", ".join(f"`{fault}`" for fault in faults), *cells) for cells, faults in rows.items()))


def _ways_of(column: Column) -> set[str]:
    return {how.replace(",", "").split()[0] for how in column.hows}


def _of_fault(heard: Heard, column: Column, apis: tuple[str, ...], way: str, fault: str) -> str:
    hows = tuple(how for how in column.ways(fault) if how.startswith(way))
    return cell(column, apis, fault, lambda trial: _broken(heard, column.program, trial), hows)


def _broken(heard: Heard, program: str, trial: Trial) -> str:
    """What a fault comes to: the exception, how often the server was asked, and how much the application got."""
    told, whole = heard[program, trial], heard[program, trial._replace(case=FAULTS[trial.case])].heard
    got = "all" if told.heard == whole else "a part" if whole.startswith(told.heard) else "another text"
    if told.raised is None:
        return got if got == "all" else f"**{got if told.heard else 'nothing'}, no error**"
    return f"{_raised(told)} after {got}" if told.heard else _raised(told)


# --- majors before


def _older(heard: Heard) -> str:
    """What differs from the newest; majors that do the same share a row."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for newest, majors in OLDER.items():
        for case, column in product((*FAILS, *WAITS, *ACCESS), majors):
            before, now = (_of_any(heard, each, case) for each in (column, newest))
            if before != now:
                found.setdefault((newest.title, case, before, now), []).append(column.title)
    rows = (("; ".join(titles), f"`{case}`", before, now) for (_, case, before, now), titles in found.items())
    return table(("SDK", "case", "it does", "the newest does"), rows)


def _of_any(heard: Heard, column: Column, case: str) -> str:
    def says(trial: Trial) -> str:
        told = heard[column.program, trial]
        if case in WAITS:
            return waited(told, WAITS[case], column)
        return _let_in(told, column) if case in ACCESS else _raised(told)

    return cell(column, APIS, case, says)
