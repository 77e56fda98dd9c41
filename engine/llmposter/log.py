"""What the server says while it runs, as lines on stderr: the only place that configures structlog.

Requests that were answered as the scenario says are told only when asked for; misses, violations, refusals and bugs
always. No secret is ever in a line.
"""

from __future__ import annotations

import logging
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmposter.core.journal import Entry
    from llmposter.sources import Reloaded
    from llmposter_dsl.diagnostic import Diagnostic

Format: TypeAlias = Literal["console", "json"]
_TROUBLE = ("miss", "refused", "unrouted")


class Log:
    """Listens to a server (`llmposter.server.watch.Watch`) and writes it down.

    Args:
        form: ``console`` for people, ``json`` for one JSON object a line.
        verbose: a line for each request, not only for those that went wrong.
    """

    def __init__(self, form: Format = "console", *, verbose: bool = False) -> None:
        self._form, self._verbose = form, verbose

    def answered(self, entry: Entry) -> None:
        """A line for the request, if it is to be told."""
        if entry.outcome in _TROUBLE or entry.how == "failed":
            self._logger.warning("request", **_fields(entry))
        elif self._verbose:
            self._logger.info("request", **_fields(entry))
        for violation in entry.violations:
            self._logger.warning(
                "violation", **_who(entry), kind=violation.kind, place=violation.place, message=violation.message
            )

    def broke(self, error: BaseException, what: str) -> None:
        """A line for a bug, with where it happened."""
        self._logger.error("bug", request=what, exc_info=error)

    def reloaded(self, reloaded: Reloaded) -> None:
        """A line for the reload, one for each conversation that it ended, and the findings."""
        scenarios, findings = ", ".join(reloaded.scenarios), self._findings(reloaded.diagnostics)
        if reloaded.swap is None:
            self._logger.error("not reloaded", cause=reloaded.cause, still_serving=scenarios, **findings)
        else:
            going_on = reloaded.swap.going_on
            self._logger.info("reloaded", cause=reloaded.cause, scenarios=scenarios, going_on=going_on, **findings)
            if reloaded.later:
                self._logger.warning("not reloaded", detail=reloaded.later)
            for ended in reloaded.swap.ended:
                who = {"session": ended.session} if ended.session else {}
                who |= {"scenario": ended.scenario, "conversation": ended.conversation}
                self._logger.warning("ended", **who, state=ended.state, detail=ended.why)

    def _findings(self, diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
        """Told at once as `llmposter lint` tells them; or, for programs, as a field of the line."""
        if not diagnostics:
            return {}
        from llmposter_dsl import report

        if self._form == "json":
            return {"findings": [report.record(each) for each in diagnostics]}
        print("\n".join(map(report.text, diagnostics)), file=sys.stderr, flush=True)  # noqa: T201 - as its printer does
        return {}

    @cached_property
    def _logger(self) -> Any:
        # Late: a run in which nothing goes wrong has no line to write, and should not wait for it.
        import structlog

        stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
        steps: list[Any] = [structlog.processors.add_log_level, stamp]
        if self._form == "json":
            steps += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
        else:
            steps.append(_console(structlog))
        structlog.configure(processors=steps, logger_factory=structlog.PrintLoggerFactory(sys.stderr))
        return structlog.get_logger()


def _console(structlog: Any) -> Any:
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), pad_event_to=0, sort_keys=False, exception_formatter=structlog.dev.plain_traceback
    )


def of_libraries(log: Log) -> None:
    """What Tornado and asyncio have to say goes the same way."""
    for name in ("tornado", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [_Bridge(log)], False


class _Bridge(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._log.broke(error or RuntimeError(record.getMessage()), record.getMessage())


def _who(entry: Entry) -> dict[str, Any]:
    who = {"session": entry.session, "scenario": entry.scenario, "conversation": entry.conversation}
    return {name: value for name, value in who.items() if value}


def _fields(entry: Entry) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if entry.request is not None:
        fields["request"] = f"{entry.request.method} {entry.request.asked or entry.request.path}"
    fields |= _who(entry)
    if entry.before:
        fields["state"] = entry.before if entry.before == entry.after else f"{entry.before} -> {entry.after}"
    if entry.rule is not None:
        fields["rule"] = entry.rule.name
    if entry.attempt > 1:
        fields["attempt"] = entry.attempt
    fields |= {"outcome": entry.outcome, "status": entry.status}
    if entry.how not in ("complete", ""):
        fields["how"] = entry.how
    if entry.detail:
        fields["detail"] = entry.detail
    return fields
