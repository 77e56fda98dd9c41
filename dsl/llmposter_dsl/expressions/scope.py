"""What names mean at a place of a scenario, and a record of which of them were used."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

from llmposter_dsl.facts import Vocabulary
from llmposter_dsl.place import Within
from llmposter_dsl.types import Type


@dataclass(frozen=True, slots=True)
class Used:
    """Names that the expressions of a scope, and of scopes made from it, have read; the sets grow.

    Attributes:
        models: values that conditions compare `model` with, in the order in which they came.
        filled: variables that are filled in, each with its place: what is said, called or set has them.
    """

    facts: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    tools: set[str] = field(default_factory=set)
    rules: set[str] = field(default_factory=set)
    models: dict[str, None] = field(default_factory=dict)
    filled: list[tuple[str, Within]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean.

    Attributes:
        vocabulary: `facts.REQUEST`, `facts.RULE` or `facts.ANSWER`.
        variables: their types, as `types.of` gives them.
        tools: the declared tools and their schemas; None or empty: any tool will do.
        rules: the names that `fired` may ask for; None: any.
        groups: named groups of the rule's condition; each may be null.
        credentials: requests present one; without it the fact `token` is null.
    """

    vocabulary: Vocabulary
    variables: Mapping[str, Type] = field(default_factory=dict)
    tools: Mapping[str, Any] | None = None
    rules: AbstractSet[str] | None = None
    groups: tuple[str, ...] = ()
    used: Used = field(default_factory=Used)
    credentials: bool = True

    def with_groups(self, names: tuple[str, ...]) -> Scope:
        """The same with these named groups, for what a rule does once its condition held."""
        return replace(self, groups=names)
