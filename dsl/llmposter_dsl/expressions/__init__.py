"""The expression language: text in a scenario to compiled conditions, values, templates, data and calls.

Nothing here raises for a text that is wrong: it is reported, and the answer is None.
"""

from __future__ import annotations

from llmposter_dsl.expressions.check import Report
from llmposter_dsl.expressions.make import call, condition, value
from llmposter_dsl.expressions.scope import Scope, Used
from llmposter_dsl.expressions.template import data, template

__all__ = ["Report", "Scope", "Used", "call", "condition", "data", "template", "value"]
