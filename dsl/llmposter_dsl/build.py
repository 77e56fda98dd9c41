"""A document to a Program: binder, names, expressions, machine, in this order, over one list of findings."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from llmposter_dsl import auth, bind, expressions, facts, inputs, keys, leaks, machine, names, types, words
from llmposter_dsl.answers import Answers, fail
from llmposter_dsl.chaos import chaos
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.examples import Examples, one_of
from llmposter_dsl.expressions import Scope, Used
from llmposter_dsl.includes import Gathered, gather
from llmposter_dsl.place import Within, assigned
from llmposter_dsl.program import Auth, Chaos, Condition, Expression, Fail, InputRule, Program, Rule, Value
from llmposter_dsl.rules import Compiler, Line, check_names, lines, undeclared

if TYPE_CHECKING:
    from llmposter_dsl.tree import Document


def build(
    document: Document, report: bind.Report, wanted: Collection[str] = ()
) -> tuple[Program | None, tuple[Document, ...]]:
    """The Program, or None where no meaning is left; and the documents that were read for it.

    *wanted* are codes that are looked for only where somebody asks.
    """
    findings = Findings(report)
    gathered = gather(document, findings.add)
    for each in gathered.documents:
        leaks.check(each, findings.add)
    return Builder(gathered, findings).program(wanted), tuple(gathered.documents)


class Findings:
    """Passes findings on, and remembers their codes."""

    def __init__(self, report: bind.Report) -> None:
        self._report = report
        self.codes: set[str] = set()

    def add(self, diagnostic: Diagnostic) -> None:
        self.codes.add(diagnostic.code)
        self._report(diagnostic)

    def any(self, *families: str) -> bool:
        """Whether there is a finding whose code begins with one of these."""
        return any(code.startswith(families) for code in self.codes)


class Builder:
    """Builds one Program."""

    def __init__(self, gathered: Gathered, findings: Findings) -> None:
        self.findings = findings
        self.report = findings.add
        self.gathered = gathered
        self.root = gathered.root
        self.scenario = self._scenario()
        self.vars = names.variables(gathered.named["vars"], self.report)
        self.tools = {name: each.value for name, each in gathered.named["tools"].items()}
        self.states = names.States(gathered.named["states"], self.report)
        # A variable whose name was refused may hold anything, so that one mistake is told once.
        self.types = dict.fromkeys(gathered.named["vars"], types.JSON)
        self.types |= {name: types.of(value) for name, value in self.vars.items()}
        self.used = Used()
        self.callable = self.tools

    def _scenario(self) -> bind.Table:
        return bind.table(self.root.get("scenario", {}), self.root.at("scenario"), keys.SCENARIO, self.report)

    def program(self, wanted: Collection[str]) -> Program | None:
        """The Program, or None where no meaning is left."""
        self._tools()
        groups = self._lines()
        every = [line for group in groups.values() for line in group]
        check_names(every)
        named, credentials = {line.name for line in every}, "auth" in self.root.written
        self.callable = self.tools and {**undeclared(every), **self.tools}
        scope = Scope(facts.RULE, self.types, self.callable or None, named, (), self.used, credentials)
        final = self._final(every)
        answers = Answers(self.gathered.named["defaults"], self.tools, self.report)
        compiler = Compiler(scope, self.types, self.states, answers, self.report)
        compiled = {group: [compiler.compile(line) for line in each] for group, each in groups.items()}
        answers.check_defaults()
        program = self._program(compiled, compiler, scope, final)
        if program is not None:
            machine.check(self._machine(program, compiled), self.report, wanted)
        return program

    def _tools(self) -> None:
        for name, each in self.gathered.named["tools"].items():
            from llmposter_dsl.tool_schemas import check_schema

            if not check_schema(name, each.value, each.place, self.report):
                # The tool is there; nothing can be said of its arguments.
                self.tools[name] = {}

    def _lines(self) -> dict[str, list[Line]]:
        found: dict[str, list[Line]] = {}
        for name in names.GROUPS:
            found[name] = lines(self.root.get(name, []), self.root.at(name), name, self._unknown, self.report)
        for name, (value, place) in self.gathered.named["states"].items():
            key = Within(place.document, place.path, "key")
            if name in names.GROUPS:
                help_ = f"rules for every state stand under `{name}` at the top of the file"
                self.report(Diagnostic("LP114", f"a state cannot be called `{name}`", key, help_))
            elif names.identifier(name, "a state", key, self.report):
                found |= self._state(name, value, place)
        return found

    def _state(self, name: str, value: Value, place: Within) -> dict[str, list[Line]]:
        if isinstance(value, list):
            return {name: lines(value, place, name, self._unknown, self.report)}
        help_ = "put each rule in a list: `[[states.…]]` in TOML, `- ` in YAML" if isinstance(value, dict) else None
        if value is None:
            help_ = "write `[]` for a state without rules"
        message = f"the state `{name}` is {words.kind(value)}, expected a list of rules"
        from llmposter_dsl import reshaping

        fixes = reshaping.listed(place) if isinstance(value, dict) else ()
        self.report(Diagnostic("LP111", message, place, help_, (), fixes))
        self.states.unknown = True
        return {}

    def _unknown(self, name: str, place: Within) -> Diagnostic | None:
        if name not in self.states:
            return None
        goto = assigned("goto", f'"{name}"', place)
        help_ = f"states stand under `states`; to go there write {goto}"
        message = f"`{name}` is a state, and stands here as a key of a rule"
        return Diagnostic("LP124", message, place.key(name), help_)

    # --- the scenario's own keys ------------------------------------------------------------------------------------

    def _final(self, every: list[Line]) -> frozenset[str]:
        given = bind.texts(self.scenario.get("final", []), self.scenario.at("final"), "a final state", self.report)
        targets: set[str | None] = {goto for line in every if isinstance(goto := line.table.get("goto"), str)}
        start = self.scenario.get("start")
        return self.states.final(given, targets | {start, self.scenario.get("foreign")})

    def _start(self) -> str | None:
        start: str | None = self.scenario.get("start")
        if not self.states.known:
            if "states" not in self.root.written:
                reply = assigned("reply", '"…"', self.root.place)
                yaml = self.root.place.document.kind == "yaml"
                help_ = f"write one: {'`begin` under `states`' if yaml else '`[[states.begin]]`'} with {reply}"
                self.root.refuse("LP112", "this scenario has no states", cure=help_)
            elif "states" in self.root:
                self.root.refuse("LP112", "this scenario has no states", "states")
            return None
        if start is None:
            return self.states.known[0]
        return start if self.states.check(start, self.scenario.at("start")) else None

    def _foreign(self) -> str:
        value: str = self.scenario.get("foreign", "start")
        if value in keys.FOREIGN:
            return value
        if value not in self.states:
            close = words.close(value, (*keys.FOREIGN, *self.states.known))
            help_ = f"did you mean `{close}`?" if close else f"write {words.listed(keys.FOREIGN)}, or a state"
            self.states.check(value, self.scenario.at("foreign"), help_, keys.FOREIGN)
        return f"state:{value}"

    def _name(self) -> str:
        name = self.scenario.get("name")
        if name is None:
            stem = self.root.place.source.name.replace("\\", "/").rpartition("/")[2]
            return names.as_identifier(stem.rpartition(".")[0] or stem)
        names.identifier(name, "a scenario", self.scenario.at("name"), self.report)
        return str(name)

    def _conformance(self) -> str:
        value: str = self.scenario.get("conformance", "report")
        one_of(value, keys.CONFORMANCE, "conformance", self.scenario.at("conformance"), self.report)
        return value

    def _unmatched(self, scope: Scope) -> Fail | None:
        value = self.scenario.get("unmatched", "explain")
        return None if value == "explain" else fail(value, self.scenario.at("unmatched"), scope, self.report)

    def _chaos(self, scope: Scope) -> Chaos | None:
        if "chaos" not in self.root:
            return None
        return chaos(self.root.get("chaos"), self.root.at("chaos"), scope, self.report)

    def _auth(self) -> Auth | None:
        return auth.auth(self.root.get("auth"), self.root.at("auth"), self.report) if "auth" in self.root else None

    def _outside(self) -> Scope:
        return Scope(facts.REQUEST, {}, self.tools or None, None, (), self.used)

    def _before(self, found: Diagnostic) -> None:
        """Reports a finding in an expression that is asked before there is a conversation."""
        inside = found.place.inner if found.code == "LP202" and isinstance(found.place, Within) else None
        if inside is not None:
            name = self.scenario.get(str(found.place.path[-1]))[slice(*inside)]  # type: ignore[union-attr]
            if name in facts.CONVERSATION_FACTS or name in self.vars:
                help_ = f"`{name}` belongs to a conversation, and here it is only about to be found"
                found = Diagnostic(found.code, found.message, found.place, help_)
        self.report(found)

    def _serves(self) -> Condition | None:
        if "serves" not in self.scenario:
            return None
        place = self.scenario.at("serves")
        return expressions.condition(self.scenario.get("serves"), place, self._outside(), self._before)

    def _key(self) -> Expression | None:
        if "conversation" not in self.scenario:
            return None
        text, place = self.scenario.get("conversation"), self.scenario.at("conversation")
        made = expressions.value(text, place, self._outside(), self._before)
        if made is not None and made.type not in ("text", "json"):
            message = f"{words.shown(text)} is a {made.type}, a key of a conversation is a text"
            help_ = "`text(…)` makes a text of any value"
            self.report(Diagnostic("LP206", message, place.stretch(0, len(text)), help_))
        return made

    # --- the whole --------------------------------------------------------------------------------------------------

    def _program(
        self, groups: dict[str, list[Line]], compiler: Compiler, scope: Scope, final: frozenset[str]
    ) -> Program | None:
        start = self._start()
        foreign = self._foreign()
        states = {name: groups.get(name, []) for name in self.states.known if name not in names.GROUPS}
        answer = Scope(facts.ANSWER, self.types, self.callable or None, scope.rules, (), self.used)
        credentials = self._auth()
        examples = Examples(answer, self.states, self.callable, credentials, self.report)
        program = Program(
            name=self._name(),
            place=self.root.place,
            start=start or "",
            states={name: _rules(each) for name, each in states.items()},
            description=self.scenario.get("description", ""),
            final=final,
            always=_rules(groups["always"]),
            otherwise=_rules(groups["otherwise"]),
            vars=self.vars,
            tools=self.tools,
            serves=self._serves(),
            expect=compiler.conditions(self.scenario, "expect", scope),
            key=self._key(),
            seed=self._seed(),
            unmatched=self._unmatched(scope),
            foreign=foreign,
            conformance=self._conformance(),  # type: ignore[arg-type]
            examples=examples.compile(self.root.get("examples", []), self.root.at("examples")),
            embeddings=self._inputs("embeddings"),
            moderations=self._inputs("moderations"),
            models=tuple(self.used.models),
            auth=credentials,
            limits=auth.limits(self.root.get("limits", []), self.root.at("limits"), self.report),
            chaos=self._chaos(scope),
        )
        return program if start is not None else None

    def _inputs(self, name: str) -> tuple[InputRule, ...]:
        scope, elsewhere = Scope(facts.INPUT, used=self.used), {*facts.RULE.facts, *self.vars}
        return inputs.compile_rules(name, self.root.get(name, []), self.root.at(name), scope, elsewhere, self.report)

    def _seed(self) -> int:
        seed: int = self.scenario.get("seed", 0)
        if abs(seed) >= 2**63:
            self.scenario.refuse("LP114", "`seed` is too large", "seed", cure="write a number of at most 18 digits")
        return seed

    def _machine(self, program: Program, groups: dict[str, list[Line]]) -> machine.Machine:
        declared = self.gathered.named["states"]
        return machine.Machine(
            program=program,
            states={name: groups.get(name, []) for name in program.states if name not in declared or name in groups},
            places=self._places(),
            always=groups["always"],
            otherwise=groups["otherwise"],
            entries=(program.start, program.foreign.removeprefix("state:")),
            final=program.final,
            complete=not self.states.unknown and not self.findings.any("LP11", "LP124", "LP125"),
            legible=not self.findings.any("LP11", "LP12", "LP2"),
            variables=self._keys("vars"),
            tools=self._keys("tools"),
            read=self.used.variables,
            called=self.used.tools,
            filled=self.used.filled,
        )

    def _places(self) -> dict[str, Within]:
        """Where each state's name stands: its key, else where `final` names it."""
        places, given = self._keys("states"), self.scenario.at("final")
        for index, name in enumerate(self.scenario.get("final", [])):
            if isinstance(name, str):
                places.setdefault(name, given.child(index))
        return places

    def _keys(self, section: str) -> dict[str, Within]:
        return {
            name: Within(each.place.document, each.place.path, "key")
            for name, each in self.gathered.named[section].items()
        }


def _rules(found: list[Line]) -> tuple[Rule, ...]:
    return tuple(line.rule for line in found if line.rule is not None)
