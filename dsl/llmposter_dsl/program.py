"""The file as meant: states, rules as closures, replies as templates; immutable.

Everything a Program holds can be asked without failing: conditions answer with a bool, expressions with a plain
value, templates with text. What they are asked about is an `Env`. (msgspec's structs, as in `expressions.syntax`.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from llmposter_dsl.companion import OAuth
from llmposter_dsl.flow import Chunk as Chunk  # noqa: PLC0414 - what a Program is made of is imported from here
from llmposter_dsl.flow import Delivery as Delivery  # noqa: PLC0414
from llmposter_dsl.flow import Flow as Flow  # noqa: PLC0414
from llmposter_dsl.flow import Latency as Latency  # noqa: PLC0414
from llmposter_dsl.flow import Pace as Pace  # noqa: PLC0414
from llmposter_dsl.place import Place

Value: TypeAlias = Any
"""A value of the language: str, int, float, bool, `Duration`, list, dict, None; never anything else."""


class Duration(float):
    """A length of time in seconds. Written out as the language writes it: ``250ms``, ``2s``, ``15m``."""

    __slots__ = ()

    def __str__(self) -> str:
        for seconds, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
            if self and self % seconds == 0:
                return f"{int(self // seconds)}{unit}"
        return f"{float(self) * 1000:g}ms"

    __repr__ = __str__


class Env(Protocol):
    """What compiled code asks: the facts by attribute (`llmposter_dsl.facts`), variables, and these.

    `groups` is emptied before a rule is tried; a regular expression that matches puts its named groups there.
    *place* is text that names the call in the file, so that chance can be seeded by it.
    """

    vars: Mapping[str, Value]
    groups: dict[str, Value]

    def result_of(self, tool: str) -> Value: ...
    def fired(self, rule: str) -> int: ...
    def chance(self, place: str, probability: float) -> bool: ...
    def random(self, place: str, low: float, high: float) -> float: ...
    def uuid(self, place: str) -> str: ...
    def now(self) -> str: ...
    def __getattr__(self, fact: str) -> Value: ...


class Expression(msgspec.Struct, frozen=True, eq=False):
    """An expression, compiled.

    Attributes:
        text: as written.
        place: the string that holds it.
        type: the type's name, as `is TYPE` spells it, or ``json``.
        evaluate: gives its value; never raises.
        volatile: its value may differ when a history is replayed (`now()`, `uuid()`, `age`, `idle`, `elapsed`).
    """

    text: str
    place: Place
    type: str
    evaluate: Callable[[Env], Value]
    volatile: bool = False


NeedKind: TypeAlias = Literal["is", "holds", "folded"]


class Need(msgspec.Struct, frozen=True):
    """A fact that is this text, holds it, or holds it once both are case-folded (*text* is so already)."""

    fact: str
    text: str
    kind: NeedKind


class Condition(msgspec.Struct, frozen=True, eq=False):
    """A condition, compiled, with the parts that `and` joins, so that a miss can be explained.

    Attributes:
        holds: whether it is true; never raises.
        parts: the operands of a top-level `and`, each with its own place; a single one otherwise.
        subjects: the operands whose values tell why it was false: ``user``, ``attempt``, ``result("x").json.n``.
        volatile: as in `Expression`; or it draws by chance.
        groups: the named groups that its regular expressions bind; each may be null.
        needs: whenever it is true, one of these is met; empty where nothing is known.
        apart: takes it apart, where its tree is known.
    """

    text: str
    place: Place
    holds: Callable[[Env], bool]
    parts: tuple[Condition, ...] = ()
    subjects: tuple[Expression, ...] = ()
    volatile: bool = False
    groups: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    apart: Callable[[], Branch] | None = None


class Branch(msgspec.Struct, frozen=True, eq=False):
    """A condition and what it is made of, down to what joins no others.

    Attributes:
        word: ``and``, ``or`` or ``not``, of the *operands*; "" where there are none.
        node: its tree, as `expressions.syntax` has it.
    """

    condition: Condition
    word: Literal["and", "or", "not", ""]
    operands: tuple[Branch, ...]
    node: Any


class Template(msgspec.Struct, frozen=True, eq=False):
    """Text with `${…}` in it, compiled.

    Attributes:
        place: the string that holds it.
        pieces: text and expressions in turn; a template without expressions has one piece of text, or none.
        constant: the text, where no expression is in it; else None.
    """

    place: Place
    pieces: tuple[str | Expression, ...]
    render: Callable[[Env], str]
    constant: str | None = None

    @property
    def volatile(self) -> bool:
        return any(isinstance(piece, Expression) and piece.volatile for piece in self.pieces)


class Data(msgspec.Struct, frozen=True, eq=False):
    """JSON data with templates in its strings, compiled.

    Attributes:
        build: gives the value; a string that is one `${…}` and nothing else keeps the value's type.
        constant: no expression is in it, so that `build` gives the same each time.
        volatile: as in `Expression`.
        type: as in `Expression`.
        members: what a map holds, where its keys stand in the file; None for anything else.
        items: what a list holds, likewise.
        key: the place of its key, where it is a member.
    """

    place: Place
    build: Callable[[Env], Value]
    constant: bool
    volatile: bool = False
    type: str = "json"
    members: Mapping[str, Data] | None = None
    items: tuple[Data, ...] | None = None
    key: Place | None = None


class Call(msgspec.Struct, frozen=True, eq=False):
    """A tool call to make.

    Attributes:
        arguments: a map to send as JSON; or a `Template` whose text is sent as it is.
        id: an id of the author's own, or None for one that the server makes.
        undeclared: the model is meant to call a tool that there may not be.
    """

    place: Place
    tool: str
    arguments: Data | Template
    id: Template | None = None
    undeclared: bool = False


class Say(msgspec.Struct, frozen=True, eq=False):
    """Reasoning, text, structured output and tool calls, in this order; at least one of them."""

    think: Template | None = None
    reply: Template | None = None
    json: Data | None = None
    calls: tuple[Call, ...] = ()


class Refuse(msgspec.Struct, frozen=True, eq=False):
    """The provider's own form of refusal."""

    text: Template


class Fail(msgspec.Struct, frozen=True, eq=False):
    """The provider's own HTTP error: by name, by status, or a name with another status.

    `retry_date`: the header tells `retry_after` as a date. `more`: members that its body has beside its own, or null.
    """

    name: str | None = None
    status: int | None = None
    type: str | None = None
    code: str | None = None
    message: Template | None = None
    headers: tuple[tuple[str, Template], ...] = ()
    retry_after: Duration | None = None
    retry_date: bool = False
    more: Data | None = None


class Made(msgspec.Struct, frozen=True, eq=False):
    """What only the request decides: an answer, or the error that making it ends in."""

    make: Callable[[Env], Say | Fail]


class Usage(msgspec.Struct, frozen=True):
    """Token counts that a rule gives in place of the estimate; None leaves the estimate."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    reasoning: int | None = None


class Token(msgspec.Struct, frozen=True):
    """A credential that every session begins with.

    Attributes:
        uses: requests after which it is spent; None for no limit.
        lifetime: seconds after which it expires, from the beginning of the session; None for no end.
    """

    name: str
    value: str
    uses: int | None = None
    lifetime: float | None = None


class Auth(msgspec.Struct, frozen=True):
    """That requests need a credential, which are good, and the companion that gives out more, where there is one."""

    tokens: tuple[Token, ...] = ()
    oauth: OAuth | None = None


class Limit(msgspec.Struct, frozen=True):
    """So many requests or tokens may be used at once; all of them come back, evenly, in *per* seconds."""

    what: Literal["requests", "tokens"]
    most: int
    per: float


class TokenEnd(msgspec.Struct, frozen=True):
    """What a rule does to the credential of its request: at once, after so many more uses, or after some seconds."""

    kind: Literal["expire", "revoke"]
    uses: int = 0
    seconds: float = 0.0


Action: TypeAlias = Literal["drop", "close", "stall", "hang", "corrupt", "duplicate", "error", "send"]
PointKind: TypeAlias = Literal[
    "before headers",
    "inside headers",
    "after headers",
    "chunks",
    "events",
    "bytes",
    "time",
    "halfway",
    "inside tool arguments",
    "between tool calls",
    "before finish",
    "before usage",
    "before the end",
    "everywhere",
]


class Point(msgspec.Struct, frozen=True):
    """Where in an answer a fault strikes.

    Attributes:
        kind: ``events`` are the provider's own, ``chunks`` those of them that say a stretch of the answer; ``bytes``
            are of the body, ``time`` is counted from the head. ``everywhere`` is each event, for ``duplicate`` alone.
        amount: how many chunks, events, bytes or seconds go before.
    """

    kind: PointKind
    amount: float = 0.0


class Fault(msgspec.Struct, frozen=True, eq=False):
    """How the delivery of an answer breaks.

    Attributes:
        text: the phrase as written.
        point: as written, or what the action has where nothing is.
        seconds: of ``stall``.
        error: of ``error``.
        status, body, media: of ``send``; without a status it is 200, without a media type what the answer would be.
    """

    text: str
    place: Place
    action: Action
    point: Point
    seconds: float = 0.0
    error: Fail | None = None
    status: int | None = None
    body: str = ""
    media: str = ""


class Chaos(msgspec.Struct, frozen=True, eq=False):
    """That this share of the requests, 0 to 1, gets one of these in place of its answer."""

    rate: float
    faults: tuple[Fault, ...] = ()
    errors: tuple[Fail, ...] = ()


class Unsteady(msgspec.Struct, frozen=True, eq=False):
    """What becomes of the delivery of a share of a rule's answers.

    Attributes:
        rate: the share, 0 to 1. seed: draws beside the scenario's own, or None.
        flow: in place of the rule's own, or None. faults: likewise.
    """

    rate: float
    seed: int | None = None
    flow: Flow | None = None
    faults: tuple[Fault, ...] = ()


class Rule(msgspec.Struct, frozen=True, eq=False):
    """One rule.

    Attributes:
        name: as given, else ``state#n``, ``always#n``, ``otherwise#n``, n from 1.
        group: the state it stands under, or ``always`` or ``otherwise``.
        named: whether the author gave the name.
        outcome: None for a pass-through rule, which has a `goto`. A rule that has only `faults` says an empty text.
    """

    name: str
    group: str
    place: Place
    named: bool = False
    when: Condition | None = None
    times: int | None = None
    expect: tuple[Condition, ...] = ()
    set: tuple[tuple[str, Expression | Data], ...] = ()
    outcome: Say | Refuse | Fail | Made | None = None
    finish: str | None = None
    usage: Usage | None = None
    headers: tuple[tuple[str, Template], ...] = ()
    delivery: Delivery = msgspec.field(default_factory=Delivery)
    goto: str | None = None
    token: TokenEnd | None = None
    faults: tuple[Fault, ...] = ()
    unsteady: Unsteady | None = None


class InputRule(msgspec.Struct, frozen=True, eq=False):
    """A rule for an input that is no conversation: a text to embed, a text or an image to moderate.

    Attributes:
        name: ``embeddings#n`` or ``moderations#n``, n from 1.
        times: how often it fires at most in one session.
        outcome: a vector as it is sent, or the categories that are flagged; None for what the input has without a rule.
        set: variables that sessions share (`Program.shared`), with their new values.
    """

    name: str
    place: Place
    outcome: tuple[float, ...] | frozenset[str] | Fail | None
    when: Condition | None = None
    times: int | None = None
    faults: tuple[Fault, ...] = ()
    set: Mapping[str, Value] = {}


class ExampleTurn(msgspec.Struct, frozen=True, eq=False):
    """One turn of an example, as language.md section 11 has it; `kind` says which of the forms it is.

    Attributes:
        kind: ``user``, ``tool``, ``results``, ``retry``, ``messages`` or ``wait`` (a wait alone).
        user: text, for ``user``.
        results: for ``tool`` and ``results``: (tool name or "", value, is error); one for each.
        messages: for ``messages``: the messages as written, each a mapping.
        request: `request` of this turn merged over those before it; plain data.
        wait: seconds of clock to pass before it.
        expect: conditions over the answer. state: the state after it, or None.
    """

    place: Place
    kind: Literal["user", "tool", "results", "retry", "messages", "wait"]
    user: str = ""
    results: tuple[tuple[str, Value, bool], ...] = ()
    messages: tuple[Mapping[str, Value], ...] = ()
    request: Mapping[str, Value] = {}
    wait: float = 0.0
    times: int = 1
    expect: tuple[Condition, ...] = ()
    state: str | None = None
    state_place: Place | None = None


class Example(msgspec.Struct, frozen=True, eq=False):
    """A transcript to play offline. `providers` is empty for all."""

    name: str
    place: Place
    turns: tuple[ExampleTurn, ...]
    providers: tuple[str, ...] = ()


class Program(msgspec.Struct, frozen=True, eq=False):
    """One scenario, checked and compiled.

    Attributes:
        states: every state in the order of the file, with its rules (a final one may have none).
        vars: first values. tools: JSON Schema of the parameters by tool name.
        serves: None for all. key: the expression of `scenario.conversation`.
        unmatched: None for ``explain``. foreign: ``start``, ``latest``, ``reject`` or ``state:NAME``.
        models: those that conditions name, in the order of the file.
        auth: None where requests need no credential. chaos: None where every request gets its answer.
        kind: ``fixtures`` match every request anew, whatever was answered before, and want requests to be as the Rust
            program wanted them.
        shared: variables that are the session's: all of its conversations see and set the same.
    """

    name: str
    place: Place
    start: str
    states: Mapping[str, tuple[Rule, ...]]
    description: str = ""
    final: frozenset[str] = frozenset()
    always: tuple[Rule, ...] = ()
    otherwise: tuple[Rule, ...] = ()
    vars: Mapping[str, Value] = {}
    tools: Mapping[str, Mapping[str, Value]] = {}
    serves: Condition | None = None
    expect: tuple[Condition, ...] = ()
    key: Expression | None = None
    seed: int = 0
    unmatched: Fail | None = None
    foreign: str = "start"
    conformance: Literal["report", "reject", "off"] = "report"
    examples: tuple[Example, ...] = ()
    embeddings: tuple[InputRule, ...] = ()
    moderations: tuple[InputRule, ...] = ()
    models: tuple[str, ...] = ()
    auth: Auth | None = None
    limits: tuple[Limit, ...] = ()
    chaos: Chaos | None = None
    kind: Literal["scenario", "fixtures"] = "scenario"
    shared: frozenset[str] = frozenset()

    def begins(self, state: str) -> bool:
        """Whether conversations may begin in a state, also those with a foreign history."""
        return state == self.start or self.foreign == f"state:{state}"

    @property
    def remembers(self) -> bool:
        """Whether an answer can depend on where its conversation stands."""
        return self.kind == "scenario" or not self.shared.issuperset(self.vars)
