"""What conditions say of each other: a small decision procedure over their trees.

It answers only what is sure. Conditions are taken apart into tests of one subject each (`atoms`), of which `theory`
says whether some of them can hold at once, and `refute` whether whole conditions can. `values` finds what passes them.
"""

from __future__ import annotations

from llmposter_dsl.analysis.atoms import Atom, Clause, Signed, clauses
from llmposter_dsl.analysis.refute import refuted, ways
from llmposter_dsl.analysis.theory import Known, contradict

__all__ = ["Atom", "Clause", "Known", "Signed", "clauses", "contradict", "refuted", "ways"]
