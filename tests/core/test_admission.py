"""Who is let in: the credential that a request presents, and what an answer does to it."""

from __future__ import annotations

from typing import Any

import pytest
from serving import programs

from llmposter.access import Presented, Rejected
from llmposter.core.admission import Admission, why
from llmposter.core.clock import ManualClock
from llmposter.core.credentials import Issued, of_flag
from llmposter.core.mock import Mock
from llmposter.core.rates import Rates
from llmposter.model import Connection, Message, Reply, Request, Turn
from llmposter_dsl.program import Limit

CONNECTION = Connection(1)
SCENARIO = """
[auth]
tokens = [{ name = "short", value = "sk-short", uses = 2 }, { name = "long-one", lifetime = "1m" }]

[[states.talk]]
when = 'user == "twice"'
token = "expire after 2 uses"
reply = "ok"

[[states.talk]]
when = 'user == "soon"'
token = "expire after 30s"
reply = "ok"

[[states.talk]]
when = 'user == "now"'
token = "expire"
error = "overloaded"

[[states.talk]]
when = 'user == "away"'
token = "revoke"
goto = "gone"

[[states.talk]]
reply = "${token.name} ${token.uses} ${token.age} ${token.grant}."

[[states.gone]]
reply = "gone"
"""


class Door:
    """A mock behind its gate, asked as a server asks it."""

    def __init__(self, scenario: str = SCENARIO, **more: Any) -> None:
        self.clock, made = ManualClock(1000.0), programs(scenario)
        self.mock = Mock(made, self.clock, admission=Admission(made, 1000.0, **more))

    def ask(self, text: str, *keys: str, session: str = "", retry: int | None = None) -> str:
        """The text of the answer, the name of its error, or why there is none."""
        request = Request("POST", "/v1/chat/completions", {}, {}, b"", CONNECTION, session)
        admitted = self.mock.admission.admit(request, [(True, key) for key in keys], self.clock.now())
        if isinstance(admitted, Rejected):
            self.mock.kept_out(request, "openai", admitted, 401)
            return admitted.why
        turn = Turn("openai", admitted, "m", False, "", (Message("user", text),), retry=retry)
        outcome = self.mock.answer(turn).step.outcome
        return outcome.parts[0].text if isinstance(outcome, Reply) else str(outcome.name)  # type: ignore[union-attr]


def test_a_rule_sees_the_token_of_its_request() -> None:
    """Its name, its uses with this one, its age since the session began; no grant without OAuth."""
    door = Door()
    door.clock.advance(5)
    assert ["short 1 5s .", "short 2 5s .", "spent"] == [door.ask(text, "sk-short") for text in "abc"]
    assert "long-one 1 5s ." == door.ask("d", "long-one")


@pytest.mark.parametrize(
    "text, later, answers",
    [
        ("twice", 0.0, ["ok", "ok", "ok", "spent"]),
        ("soon", 29.0, ["ok", "ok", "ok", "ok"]),
        ("soon", 30.0, ["ok", "expired", "expired", "expired"]),
        ("now", 0.0, ["overloaded", "expired", "expired", "expired"]),
        ("away", 0.0, ["gone", "revoked", "revoked", "revoked"]),
    ],
)
def test_a_rule_ends_the_token_of_its_request(text: str, later: float, answers: list[str]) -> None:
    """After its answer, which may be an error, or one that another rule gives in its place."""
    door = Door()
    heard = [door.ask(text, "long-one")]
    door.clock.advance(later)
    heard += [door.ask("twice" if text == "twice" else "soon", "long-one") for _ in range(3)]
    assert answers == heard


def test_an_answer_repeated_to_a_retry_does_nothing_again() -> None:
    """What the rule did when it fired is done."""
    door = Door()
    heard = [door.ask("twice", "long-one", retry=count) for count in (0, 1, 2, 3)]
    assert ["ok", "ok", "ok", "spent"] == heard


def test_who_is_not_let_in_moves_nothing() -> None:
    """No rule hears of it, no attempt is counted; the journal says why, and `verify` is clean."""
    door = Door()
    assert ["missing", "unknown"] == [door.ask("now"), door.ask("now", "sk-nobody-knows")]
    assert "overloaded" == door.ask("now", "sk-short")
    first, second, third = door.mock.journal()["entries"]
    assert ("rejected", "the request presents no credential", None) == (
        first["outcome"], first["detail"], first["token"]
    )  # fmt: skip
    assert ("rejected", "nobody knows the credential sk-…") == (second["outcome"], second["detail"])
    assert (1, "short") == (third["attempt"], third["token"])
    assert door.mock.verify().ok


def test_sessions_do_not_share_tokens() -> None:
    """Uses, lifetimes and ends are of one session, and a reset restores them."""
    door = Door()
    for text in "xy":
        assert all(door.ask(text, "sk-short", session=session).startswith("short") for session in "ab")
    assert ["spent", "spent"] == [door.ask("z", "sk-short", session=session) for session in "ab"]
    door.mock.reset("a")
    assert ["short 1 0ms .", "spent"] == [door.ask("y", "sk-short", session=session) for session in "ab"]
    door.mock.reset()
    assert "short 1 0ms ." == door.ask("y", "sk-short", session="b")


def test_of_several_credentials_the_first_that_is_known_counts() -> None:
    """A client may carry one of another service beside it."""
    door = Door()
    assert door.ask("x", "other", "sk-short").startswith("short 1")
    assert door.ask("y", "sk-short", "long-one").startswith("short 2")
    assert "spent" == door.ask("z", "other", "sk-short", "long-one")


def test_without_auth_every_request_is_let_in() -> None:
    """Whatever it presents, and its token is null; nothing has to be asked."""
    door = Door('[[states.s]]\nreply = "${token.name}!" # llmposter: ignore[LP503]\n')
    assert ["!", "!"] == [door.ask("x"), door.ask("y", "any")]
    assert door.mock.admission.free


def test_tokens_of_the_user_stand_beside_those_of_the_file() -> None:
    """And turn it on where the file has none; `auth` alone lets in what is issued later."""
    assert Door(tokens=[Issued("mine", "mine")]).ask("x", "mine").startswith("mine 1")
    plain = '[[states.s]]\nreply = "${token.name}" # llmposter: ignore[LP503]\n'
    door = Door(plain, tokens=[Issued("mine", "mine")])
    assert ("missing", "mine") == (door.ask("x"), door.ask("x", "mine"))
    door = Door(plain, auth=True)
    assert "unknown" == door.ask("x", "at-1")
    door.mock.admission.credentials.issue(Issued("oauth", "at-1", grant=1), 1000.0)
    assert "oauth" == door.ask("x", "at-1")


def test_a_credential_of_a_request_is_a_snapshot() -> None:
    """What a request presented stays as it was, whatever becomes of the credential."""
    admission = Admission(programs(SCENARIO), 0.0)
    request = Request("POST", "/", {}, {}, b"", CONNECTION)
    first, second = (admission.admit(request, [(False, "sk-short")], 7.0) for _ in range(2))
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert Presented("short", "sk-short", 1, 0.0) == first.credential
    assert Presented("short", "sk-short", 2, 0.0) == second.credential


@pytest.mark.parametrize(
    "text, given",
    [
        ("mine", Issued("mine", "mine")),
        ("mine:uses=3", Issued("mine", "mine", 3)),
        ("mine:lifetime=15m", Issued("mine", "mine", lifetime=900.0)),
        ("a:b:uses=1:lifetime=2s", Issued("a:b", "a:b", 1, 2.0)),
        ("mine:lifetime=2s:uses=1", Issued("mine", "mine", 1, 2.0)),
        ("mine:uses=x", '"x" is no number of uses: write a whole number from 1 on'),
        ("mine:uses=0", '"0" is no number of uses: write a whole number from 1 on'),
        ("mine:uses=1:uses=2", '"mine:uses=1:uses=2" says one thing twice'),
        ("mine:lifetime=0s", '"0s" is no lifetime: write a number and a unit: ms, s, m, h or d'),
        ("mine:lifetime=", '"" is no lifetime: write a number and a unit: ms, s, m, h or d'),
        ("mine:use=1", '"use" is nothing that a token has: it has uses and lifetime'),
        ("my key", '"my key" is no name of a token: a client sends it in a header, so that it takes no space'),
        ("", '"" is no name of a token: a client sends it in a header, so that it takes no space'),
        (":uses=1", '"" is no name of a token: a client sends it in a header, so that it takes no space'),
    ],
)
def test_a_flag_says_a_token(text: str, given: Issued | str) -> None:
    """Its name is its value; what is wrong with it is told."""
    assert given == of_flag(text)


@pytest.mark.parametrize(
    "limit, tokens, said",
    [
        (Limit("requests", 1, 60.0), 1, "above the limit of 1 requests per 1m: 1 used, 1 wanted, 60.000 s to wait"),
        (Limit("tokens", 9, 1.0), 10, "the request has 10 tokens, more than the limit of 9 tokens per 1s"),
    ],
)
def test_the_journal_says_which_limit_it_was(limit: Limit, tokens: int, said: str) -> None:
    """And how far above it the request is."""
    limits = Rates([limit])
    limits.ask(("", ""), 1, 0.0)
    refused = limits.ask(("", ""), tokens, 0.0)
    assert refused is not None
    assert said == why(refused)
