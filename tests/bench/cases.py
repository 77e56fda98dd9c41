"""What is asked of every server alike: the same rules, said as each of them wants them, and the same requests."""

from __future__ import annotations

import json
from dataclasses import dataclass

from asking import ASKING, HEADERS
from load import NUMBER

REPLY = "Hello there! How can I help you today? Ask me anything you like."


@dataclass(frozen=True)
class Case:
    """One kind of request against one number of rules of which the last alone matches.

    Attributes:
        messages: of the history, the one to be answered included.
        wire: whose words it is asked in.
    """

    name: str
    rules: int = 1
    messages: int = 1
    stream: bool = False
    wire: str = "openai"

    @property
    def path(self) -> str:
        return self._asked()[0]

    @property
    def body(self) -> str:
        return json.dumps(self._asked()[1])

    @property
    def headers(self) -> dict[str, str]:
        """Those that not every wire is asked with."""
        return HEADERS.get(self.wire, {})

    @property
    def request(self) -> str:
        body = self.body
        head = [
            f"POST {self.path} HTTP/1.1",
            "host: localhost",
            "accept: application/json",
            "authorization: Bearer sk-bench",
            "content-type: application/json",
            f"content-length: {len(body)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join([*head, "", body])

    def _asked(self) -> tuple[str, dict[str, object]]:
        said: list[tuple[str, str]] = []
        for n in range(self.messages // 2):
            said += [("user", f"hello {n}"), ("assistant", REPLY)]
        return ASKING[self.wire]([*said, ("user", f"hello {NUMBER.decode()}")], self.stream)


PLAIN = Case("plain, 1 rule")
STREAMED = Case("streamed, 1 rule", stream=True)
HISTORY = Case("history of 41 messages", messages=41)
THOUSAND = Case("1,000 rules, the last matches", rules=1_000)
MANY = Case("10,000 rules, the last matches", rules=10_000)


def words(rules: int) -> list[str]:
    """What the user's text has to hold for each rule; no request has but the last."""
    return [*(f"nothing {n} of this" for n in range(rules - 1)), "hello"]


def toml(case: Case) -> str:
    """As llmposter's scenario."""
    rules = [f'[[states.talk]]\nwhen = \'user contains "{word}"\'\nreply = "{REPLY}"\n' for word in words(case.rules)]
    return "\n".join(rules)


def fixtures_json(case: Case) -> str:
    """As aimock's fixtures."""
    rules = [{"match": {"userMessage": word}, "response": {"content": REPLY}} for word in words(case.rules)]
    return json.dumps({"fixtures": rules})


def fixtures_yaml(case: Case) -> str:
    """As the fixtures of llmposter 0.5."""
    return json.dumps(
        {"fixtures": [{"match": {"user_message": word}, "response": {"content": REPLY}} for word in words(case.rules)]}
    )


def fakellm_yaml(case: Case) -> str:
    """As the rules of fakellm."""
    rules = [
        {"name": f"rule {n}", "when": {"messages_contain": word}, "respond": {"content": REPLY}}
        for n, word in enumerate(words(case.rules))
    ]
    return json.dumps({"version": 1, "rules": rules})
