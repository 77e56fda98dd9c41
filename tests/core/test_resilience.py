"""The verdict on journals that are made up: what is proven, what is not, and that nobody is called bad for nothing."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from talking import PLACE, connection

from llmposter.core.conversation import Conversation, Step, Struck
from llmposter.core.findings import MOST_SHOWN, shape_of
from llmposter.core.journal import Entry
from llmposter.core.resilience import Verdict, judged
from llmposter.model import Connection, Failure, Request, Violation
from llmposter_dsl.program import Fault, Point

MANY = 3_000 if os.environ.get("LLMPOSTER_SOAK") else 150
NOWHERE = Conversation(state="s")
DROP = Struck(Fault("drop", PLACE, "drop", Point("headers")), 0)
NAMED = {"quota_exceeded": 429, "content_filter": 400, "request_too_large": 413, "invalid_api_key": 400}


def entry(at: float, status: int = 200, **more: object) -> Entry:
    """A request at that time that was answered 1 ms later; `error` names its error, `after` what that told."""
    error, told = more.pop("error", None), more.pop("after", None)
    door = {"body": b"{}", "on": ON, "token": "tk-of-a-client"}
    door |= {key: more.pop(key) for key in door.keys() & more.keys()}
    headers = {"authorization": f"Bearer {door['token']}"}
    session = str(more.pop("session", "s"))
    request = Request("POST", "/v1/messages", {}, headers, door["body"], door["on"], session)
    made = Entry(at, session, "reply" if status == 200 else "error", request, "anthropic", "m")
    if status != 200:
        made.step = Step(NOWHERE, NOWHERE, Failure(error, status, headers=tuple(more.pop("headers", ()))))
    made.finished(at + 0.001, status, 0, "complete")
    made.retry_after = told
    for name, value in more.items():
        setattr(made, name, value)
    return made


ON = connection()


def verdict(*entries: Entry, dropped: int = 0) -> Verdict:
    for number, each in enumerate(entries, 1):
        each.number = number
    return judged(entries, dropped)


def told(*entries: Entry) -> dict[str, str]:
    return {each.check: each.verdict for each in verdict(*entries).findings}


# --- what is proven -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status, error, expected",
    [
        *((status, None, "bad") for status in (400, 403, 404, 405, 413, 422, 499)),
        *((status, None, None) for status in (408, 409, 425, 429, 500, 502, 503, 504, 529)),
        *((status, name, "bad") for name, status in NAMED.items() if name != "invalid_api_key"),
        (400, "rate_limited", "bad"),
        (429, "rate_limited", None),
    ],
)
def test_what_must_not_be_tried_again(status: int, error: str | None, expected: str | None) -> None:
    """The same request again is bad after what no retry changes, and not after what may pass."""
    assert expected == told(entry(0, status, error=error), entry(1, status, error=error)).get("no-retry")


def test_what_says_that_it_may_be_tried_again() -> None:
    """An error that asks for a retry, and a spent quota that tells when it is filled, may be tried again."""
    asks = entry(0, 400, headers=[("X-Should-Retry", "true")])
    assert "no-retry" not in told(asks, entry(1))
    quota = {"error": "quota_exceeded", "after": 1.0}
    assert {"retry-after": "good", "recovery": "good"} == told(entry(0, 429, **quota), entry(1.1))


@pytest.mark.parametrize(
    "status, error, outcome", [(401, None, "error"), (400, "invalid_api_key", "error"), (403, None, "rejected")]
)
@pytest.mark.parametrize("token, expected", [("tk-of-a-client", "bad"), ("tk-another", "good")])
def test_a_credential_that_was_refused(status: int, error: str | None, outcome: str, token: str, expected: str) -> None:
    """However a provider says it, the same credential again is bad and another one good."""
    first = entry(0, status, error=error, outcome=outcome, conversation="c1")
    then = entry(1, status, error=error, outcome=outcome, conversation="c1")
    if expected == "good":
        then = entry(1, token=token, conversation="c1")
    assert {"credential": expected} == told(first, then)


def test_one_renewal_serves_many() -> None:
    """Requests that were on their way when a token died are none that were sent again."""
    flying = [entry(0, 401, outcome="rejected", body=b"%d" % n, on=connection()) for n in range(4)]
    (found,) = verdict(*flying, entry(1, token="tk-another")).findings
    assert ("good", 5) == (found.verdict, found.tries)
    assert "after 4 requests that met a 401" in found.message


def test_a_rule_that_refuses_a_key_ends_it_for_no_other_conversation() -> None:
    """Other conversations go on with the key that a scripted 401 has refused in one."""
    entries = [
        entry(0, 401, conversation="c1"),
        entry(1, conversation="c2", body=b"other"),
        entry(9, conversation="c3"),
    ]
    assert {"credential": "unknown"} == told(*entries)


WAITS = [
    ([1.0], "single"), ([1.0, 1.0, 1.05], "constant"), ([0.5, 1.0, 2.0], "growing"), ([1.0, 0.4, 1.6], "jittered"),
    ([0.01, 0.0, 0.02], "none"), ([0.0, 1.0], "growing"),
]  # fmt: skip


@pytest.mark.parametrize("waits, shape", WAITS)
def test_the_shape_of_waits(waits: list[float], shape: str) -> None:
    """Waits are told to be none, one, always as long, longer each time, or now longer and now shorter."""
    assert shape == shape_of(waits)


def test_a_storm_is_one_only_where_nobody_asked_for_it() -> None:
    """More than ten tries within five seconds; a client that comes when it is told to makes none."""
    hasty = [entry(n * 0.4, 503) for n in range(12)]
    assert "bad" == told(*hasty)["storm"]
    assert "storm" not in told(*hasty[:10])
    assert "storm" not in told(*(entry(n * 0.4, 503, after=0.3) for n in range(12)))
    assert "storm" not in told(*(entry(n * 0.6, 503) for n in range(12)))


def test_a_finding_shows_where_to_look() -> None:
    """Numbers, times, waits and their ratio; of many tries the first, and how many there are."""
    (found,) = verdict(entry(0, 503, after=2.0), entry(1.001)).bad
    assert [(1, None, None), (2, 1.0, 0.5)] == [(each.number, each.wait, each.ratio) for each in found.evidence]
    assert "bad: @s: came back after 1 s where a 503 told it to wait 2 s (journal 1, 2)" == found.line()
    many = verdict(*(entry(n, 400) for n in range(99))).bad[0]
    assert (99, MOST_SHOWN) == (many.tries, len(many.evidence))
    assert many.line().endswith("(journal 1, 2, 3, 4, 5, 6, …)")


def test_what_the_history_proves() -> None:
    """Violations that tell of a broken answer taken for a whole one, or of two results of one call, are bad."""
    for violation, check in (
        (Violation("truncated", "a truncated answer was taken for a whole one"), "truncated"),
        (Violation("conformance", 'the tool call "c" has more than one result: send one for each call'), "twice"),
    ):
        taken = entry(0)
        taken.step = Step(NOWHERE, NOWHERE, Failure(), violations=(violation, Violation("expect", "no")))
        assert [(check, "bad", violation.message)] == [(f.check, f.verdict, f.message) for f in verdict(taken).findings]


def test_what_the_journal_dropped_is_told() -> None:
    """Of what is gone nothing is known, and that is said first."""
    found = verdict(entry(0, 400), dropped=7)
    assert ("journal", "unknown") == (found.findings[0].check, found.findings[0].verdict)
    assert "dropped 7 of its oldest entries" in found.lines()[0]
    assert (True, 7) == (found.ok, found.data()["dropped"])


# --- what is not ----------------------------------------------------------------------------------------------------


NOBODY = {"session": "", "scenario": "fake", "conversation": "c1"}


@pytest.mark.parametrize(
    "first, second, expected",
    [
        ({"session": ""}, {"session": ""}, "bad"),
        ({"session": ""}, {"session": "", "on": connection()}, "unknown"),
        ({"session": "a"}, {"session": "a", "on": connection()}, "bad"),
        ({"session": "a", "retry": 0}, {"session": "a", "retry": 0, "on": connection()}, "unknown"),
        ({"session": "", "retry": 0}, {"session": "", "retry": 1, "on": connection()}, "bad"),
        ({"session": "", "retry": 1}, {"session": "", "retry": 1, "on": connection()}, "good"),
        ({"session": "a"}, {"session": "b"}, "good"),
        ({"conversation": "c1"}, {"conversation": "c2"}, "good"),
        (NOBODY | {"attempt": 1}, NOBODY | {"attempt": 2, "on": connection()}, "bad"),
        (NOBODY | {"attempt": 1}, NOBODY | {"attempt": 1, "on": connection()}, "unknown"),
        ({}, {"body": b"{ }"}, "good"),
        ({"conversation": "c1"}, {"conversation": "c1", "attempt": 2, "body": b"{ }"}, "bad"),
        ({"conversation": "c1"}, {"conversation": "c1", "attempt": 2, "body": b"{ }", "model": "n"}, "good"),
        ({}, {"time": 700.0}, "good"),
    ],
)  # fmt: skip
def test_whose_request_it_is(first: dict[str, object], second: dict[str, object], expected: str) -> None:
    """The same request again is a retry only where session, conversation, count or connection tell so."""
    assert expected == told(entry(0, 400, **first), entry(1, 400, **second))["no-retry"]


def test_who_stands_between_two_tries_is_taken_for_none_of_them() -> None:
    """The count of an SDK proves nothing once another client may have been counted in."""
    first = entry(0, 429, after=1.0, session="", retry=0, outcome="limited")
    other = entry(0.5, 429, after=9.0, session="", retry=0, outcome="limited", on=connection())
    back = entry(1.1, session="", retry=1, on=connection())
    assert verdict(first, other, back).ok


def test_a_clock_that_stood_still_proves_nothing() -> None:
    """Neither that a client waited nor that it did not."""
    for after in (None, 5.0):
        tries = [entry(0, 503, after=after, ended=0.0) for _ in range(12)]
        assert {"unknown"} == set(told(*tries).values())


def test_an_answer_that_is_still_going_out_is_no_failure() -> None:
    """Two that ask the same at the same time are two."""
    pending = entry(0)
    pending.ended, pending.how = None, "pending"
    assert {} == told(pending, entry(0.1))


# --- properties -----------------------------------------------------------------------------------------------------


@dataclass
class Honest:
    """A client that does as it is told: it waits, gives up in time, lets be what lasts, and renews what has died."""

    draw: st.DrawFn
    session: str
    counts: bool
    number: int
    on: Connection = field(default_factory=connection)
    secret: int = 0
    time: float = 0.0
    entries: list[Entry] = field(default_factory=list)

    def lives(self) -> list[Entry]:
        self.time = self.draw(st.floats(0, 5))
        for thing in range(self.draw(st.integers(1, 4))):
            # Others ask the same, but it asks nothing anew that has failed: that would be a retry.
            self.asks(thing, b"%d" % thing)
            self.time += self.draw(st.floats(0.01, 20))
        return self.entries

    def asks(self, thing: int, body: bytes) -> None:
        attempt = 0
        for tried in range(self.draw(st.integers(1, 6))):
            kind = self.draw(st.sampled_from(["fine", "told", "busy", "limited", "broken", "left", "lasting", "dead"]))
            told = self.draw(st.floats(0.02, 8)) if kind in ("told", "limited") else None
            attempt += kind not in ("limited", "dead")
            self.entries.append(self.entry(kind, told, tried, f"c{self.number}-{thing}", attempt, body))
            self.time += 0.002 if told is None else told + 0.002
            match kind:
                case "fine" | "lasting":
                    return
                case "busy" | "broken" | "left":
                    self.time += 0.1 * 2**tried
                case "dead":
                    self.secret += 1
            if kind in ("broken", "left"):
                self.on = connection()

    def entry(self, kind: str, told: float | None, tried: int, talk: str, attempt: int, body: bytes) -> Entry:
        status = {"told": 429, "busy": 503, "limited": 429, "lasting": 400, "dead": 401}.get(kind, 200)
        made = entry(self.time, status, session=self.session, body=body, on=self.on, after=told,
                     token=f"tk-{self.number}-{self.secret}", retry=tried if self.counts else None)  # fmt: skip
        if kind in ("limited", "dead"):
            made.outcome = "limited" if kind == "limited" else "rejected"
        else:
            made.scenario, made.conversation, made.attempt = "fake", talk, attempt
        if kind == "broken":
            made.how, made.step = "reset", Step(NOWHERE, NOWHERE, Failure(), struck=(DROP,))
        if kind == "left":
            made.how = "client left"
        return made


@st.composite
def honest(draw: st.DrawFn) -> list[Entry]:
    """What honest clients left in a journal: some have a session, others share the one without a name."""
    entries: list[Entry] = []
    for number in range(draw(st.integers(1, 5))):
        session = draw(st.sampled_from(["", f"s{number}"]))
        entries += Honest(draw, session, draw(st.booleans()), number).lives()
    return sorted(entries, key=lambda each: each.time)


@given(honest())
@settings(max_examples=MANY, deadline=None)
def test_an_honest_client_is_never_called_bad(entries: list[Entry]) -> None:
    """Whatever happens to it, and whoever asks the same beside it."""
    found = verdict(*entries)
    assert found.ok, found.lines()


@given(st.floats(0.1, 100), st.floats(0.01, 0.9), st.booleans())
def test_who_comes_too_early_is_found(told_: float, share: float, counts: bool) -> None:
    """Whatever it was told, and however much too early it is."""
    retry = (0, 1) if counts else (None, None)
    entries = (entry(0, 429, after=told_, retry=retry[0]), entry(0.001 + told_ * share, retry=retry[1]))
    (early,) = verdict(*entries).bad
    assert "retry-after" == early.check
    assert early.evidence[1].ratio == pytest.approx(share, abs=0.001)


HOWS = ["pending", "complete", "client left", "server stopped", "failed", "reset", "closed"]
OUTCOMES = [
    "reply", "error", "miss", "refused", "unrouted", "repeated", "endpoint", "rejected", "limited", "event",
]  # fmt: skip


@st.composite
def anything(draw: st.DrawFn) -> list[Entry]:
    """Entries that make no sense together."""
    numbers = count()
    connections = [connection() for _ in range(3)]

    def one() -> Entry:
        made = entry(
            next(numbers) * 0.5 + draw(st.floats(-1, 1)),
            draw(st.sampled_from([200, 400, 401, 429, 503, 999])),
            error=draw(st.sampled_from([None, *NAMED])),
            session=draw(st.sampled_from(["", "s"])),
            body=draw(st.sampled_from([b"", b"1"])),
            on=draw(st.sampled_from(connections)),
            token=draw(st.sampled_from(["", "tk-1", "tk-2"])),
            conversation=draw(st.sampled_from(["", "c1"])),
            outcome=draw(st.sampled_from(OUTCOMES)),
            how=draw(st.sampled_from(HOWS)),
            attempt=draw(st.integers(0, 3)),
            retry=draw(st.sampled_from([None, 0, 1, 2])),
            retry_after=draw(st.sampled_from([None, 0.0, 1.0, 1e12])),
        )
        if draw(st.booleans()):
            made.ended = draw(st.sampled_from([None, made.time, made.time - 1, made.time + 5]))
        if draw(st.booleans()):
            made.lighten()
        if draw(st.booleans()):
            made.step = None
        if draw(st.integers(0, 9)) == 0:
            made.request = None
        return made

    return [one() for _ in range(draw(st.integers(0, 20)))]


@given(anything())
@settings(max_examples=MANY, deadline=None)
def test_any_journal_has_a_verdict(entries: list[Entry]) -> None:
    """It is data, its lines are lines, each finding shows entries that are there, and it is ok if none is bad."""
    found = verdict(*entries)
    data = json.loads(json.dumps(found.data()))
    assert found.ok == (data["bad"] == 0)
    assert len(found.findings) == data["good"] + data["bad"] + data["unknown"] == len(data["lines"])
    assert all("\n" not in line for line in found.lines())
    numbers = {each.number for each in entries}
    assert all(seen.number in numbers for each in found.findings for seen in each.evidence)
    assert found == verdict(*entries)
