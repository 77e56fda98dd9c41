"""What clients come back to by its id: bounded, each session for itself, and the history of the request in front."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from llmposter.beside import Kept, Thread
from llmposter.core import kept
from llmposter.core.kept import Library, Shelf, following, said
from llmposter.model import (
    BadRequest,
    Connection,
    Failure,
    Message,
    Reference,
    Reply,
    Request,
    Text,
    Tokens,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)  # fmt: skip

LOST = BadRequest("Lost.", code="gone")
HI, AND = Message("user", "hi"), Message("user", "and?")


def turn(*messages: Message, body: bytes = b"{}", session: str = "s", **more: object) -> Turn:
    request = Request("POST", "/", {}, {}, body, Connection(1), session)
    return Turn("responses", request, "m", False, str(more.pop("system", "")), messages or (HI,), **more)


def reply(name: str = "a", text: str = "yes", *calls: ToolCall) -> Reply:
    return Reply(name, 0, "m", (Text(text), *calls), "stop", Tokens())


def thread(library: Library, name: str = "conv_1") -> Thread:
    found = library.threads.get("s", name)
    assert found is not None
    return found


# --- a shelf ------------------------------------------------------------------------------------------------------


def test_a_shelf_holds_so_many() -> None:
    """Of more, the one that was not asked for longest goes."""
    shelf: Shelf[int] = Shelf(3)
    for n in range(3):
        shelf.put("s", str(n), n, 1)
    assert 0 == shelf.get("s", "0")
    shelf.put("s", "3", 3, 1)
    assert [0, None, 2, 3] == [shelf.get("s", str(n)) for n in range(4)]


def test_a_shelf_holds_so_many_bytes() -> None:
    """One that is larger than all of it is held alone."""
    shelf: Shelf[int] = Shelf(100, 10)
    for n in range(4):
        shelf.put("s", str(n), n, 4)
    assert [None, None, 2, 3] == [shelf.get("s", str(n)) for n in range(4)]
    shelf.put("s", "4", 4, 11)
    assert (1, 4) == (len(shelf), shelf.get("s", "4"))
    shelf.put("s", "4", 4, 1)
    shelf.put("s", "5", 5, 9)
    assert 2 == len(shelf)


def test_sessions_do_not_see_each_other() -> None:
    """The same id may stand in both, and one is reset alone."""
    shelf: Shelf[int] = Shelf()
    shelf.put("one", "x", 1, 1)
    shelf.put("two", "x", 2, 1)
    shelf.reset("one")
    shelf.reset("three")
    assert (None, 2) == (shelf.get("one", "x"), shelf.get("two", "x"))
    assert (True, False) == (shelf.drop("two", "x"), shelf.drop("two", "x"))


def test_fresh_ids_are_fresh_and_the_same_in_each_run() -> None:
    """No two alike, each session for itself, from the beginning after a reset."""
    library, again = Library(), Library()
    first = [library.fresh("s") for _ in range(3)]
    assert first == [again.fresh("s") for _ in range(3)]
    assert 4 == len({*first, library.fresh("other")})
    library.reset("s")
    assert first[0] == library.fresh("s")


# --- going on -----------------------------------------------------------------------------------------------------


def test_a_request_goes_on_from_an_answer() -> None:
    """The history and the answer, which its id names, stand in front of what it says itself."""
    library = Library()
    library.keep(turn(keep=True), reply())
    told = library.told(turn(AND, previous="a", lost=LOST))
    assert (HI, Message("assistant", "yes", answer="a"), AND) == told.messages
    assert (None, ()) == (told.lost, told.breaches)
    library.keep(replace(told, keep=True), reply("b", "no"))
    assert 5 == len(library.told(turn(HI, previous="b")).messages)


def test_instructions_hold_for_one_request() -> None:
    """What is carried is the rest of the system prompt, and stands behind them."""
    before = Kept(turn(system="one\ntwo", carried="two"), reply())
    assert ("three\ntwo\nfour", "two\nfour") == (
        (told := following(before, turn(AND, system="three\nfour", carried="four"))).system, told.carried
    )  # fmt: skip
    assert ("two", "two") == ((told := following(before, turn(AND))).system, told.carried)
    assert ("x", "") == (
        (told := following(Kept(turn(system="y"), reply()), turn(AND, system="x"))).system,
        told.carried,
    )


@pytest.mark.parametrize("named", [{"previous": "x"}, {"thread": "conv_x"}])
def test_what_is_not_held_is_a_breach(named: dict[str, str]) -> None:
    """In the provider's words, first of all breaches, with what is held at all; the request stands alone."""
    told = Library().told(turn(breaches=("other",), lost=LOST, **named))
    lost, other = told.breaches
    assert lost.message.startswith(
        f"Lost. llmposter holds the last {kept.MOST} answers, up to 64 MiB, none from before"
    )
    assert ("other", LOST, (HI,)) == (other, told.lost, told.messages)


def test_what_is_not_held_may_be_a_failure_of_the_provider() -> None:
    """Then it is no breach, and the answer."""
    told = Library().told(turn(previous="x", lost=Failure("not_found", message="Gone.")))
    assert isinstance(told.lost, Failure)
    assert ((), True) == (told.breaches, (told.lost.message or "").startswith("Gone. llmposter holds the last"))


def test_the_tools_of_an_answer_are_those_of_the_requests_that_inherit_them() -> None:
    """Where the provider keeps them with it; elsewhere a request has its own."""
    before = Kept(turn(tools=(Tool("f"),)), reply())
    assert (Tool("f"),) == following(before, turn(AND, inherits=True)).tools
    assert (Tool("g"),) == following(before, turn(AND, tools=(Tool("g"),))).tools


def test_an_answer_that_is_not_to_be_kept_is_not() -> None:
    """`keep` says so."""
    library = Library()
    library.keep(turn(), reply())
    assert None is library.answers.get("s", "a")


def test_a_reference_is_the_answer_that_it_names() -> None:
    """What is not held stays as it came, and is a breach."""
    library = Library()
    library.keep(turn(keep=True), reply("a", "yes", ToolCall("c", "f", "{}")))
    empty = Message("assistant", answer="a"), Message("assistant", answer="b")
    references = (Reference(1, "a", BadRequest("No a.")), Reference(2, "b", BadRequest("No b.")))
    told = library.told(turn(HI, *empty, AND, references=references))
    assert (HI, said(reply("a", "yes", ToolCall("c", "f", "{}"))), empty[1], AND) == told.messages
    (breach,) = told.breaches
    assert breach.message.startswith("No b. llmposter holds")


# --- conversation objects -------------------------------------------------------------------------------------------


def test_a_thread_holds_what_is_said_in_it() -> None:
    """What was put in, each request and each answer, in order."""
    library = Library()
    assert not library.add(turn(thread="conv_1"))
    library.hold("s", Thread("conv_1", 0))
    assert library.add(turn(HI, thread="conv_1", system="be", carried="be"))
    told = library.told(turn(AND, thread="conv_1", lost=LOST))
    assert ((HI, AND), "be", None) == (told.messages, told.system, told.lost)
    library.keep(told, reply())
    assert [None, reply()] == [each.reply for each in thread(library).kept]
    assert (HI, AND, said(reply()), HI) == library.told(turn(HI, thread="conv_1")).messages


def test_results_that_follow_each_other_are_one_message() -> None:
    """Also where one stands in the conversation and the other in the request."""
    library = Library()
    library.hold("s", Thread("conv_1", 0))
    one, two = (Message("tool", results=(ToolResult(name, "1"),)) for name in "ab")
    library.add(turn(HI, one, thread="conv_1"))
    told = library.told(turn(two, AND, thread="conv_1"))
    assert (HI, Message("tool", results=(*one.results, *two.results)), AND) == told.messages


def test_a_retry_in_a_thread_goes_on_from_where_it_did_before() -> None:
    """The SDK asks again what was answered already: neither the question nor the answer is there twice."""
    library = Library()
    library.hold("s", Thread("conv_1", 0))
    for body, answer in ((b"1", "a"), (b"2", "b"), (b"2", "b")):
        told = library.told(turn(HI, body=body, thread="conv_1", retry=1))
        library.keep(told, reply(answer))
    assert ["a", "b"] == [each.reply.id for each in thread(library).kept if each.reply]
    assert 3 == len(library.told(turn(HI, body=b"2", thread="conv_1", retry=2)).messages)
    assert 5 == len(library.told(turn(HI, body=b"2", thread="conv_1", retry=0)).messages)
