"""Orders of letters: b < a < d < c, and the same as a list."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.syntax.nodes import Relation, Symbol
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

_LEAST = 3


@rule("orders.same", "orders.differ", "ambiguous.reversed-order")
def same_order(given: Sequence[Solution], wanted: Sequence[Solution]) -> Outcome | None:
    """A chain of three or more letters, and a list of the same letters; None for anything else."""
    for chain, other in ((_chain(given), _listed(wanted)), (_chain(wanted), _listed(given))):
        if chain is None or other is None or sorted(chain) != sorted(other):
            continue
        said = f"{', '.join(chain)} and {', '.join(other)}"
        if chain == other:
            return Outcome(True, "orders.same", said)
        if chain == other[::-1]:  # the list may begin with the largest
            return Outcome(None, "ambiguous.reversed-order", said)
        return Outcome(False, "orders.differ", said)
    return None


def _chain(solutions: Sequence[Solution]) -> list[str] | None:
    if len(solutions) != 1 or len(solutions[0].values) != 1 or solutions[0].conditions:
        return None
    node = solutions[0].values[0][1]
    if not isinstance(node, Relation) or len(set(node.signs)) != 1 or node.signs[0] not in "<>":
        return None
    names = [term.name for term in node.terms if isinstance(term, Symbol)]
    return names if len(names) == len(node.terms) >= _LEAST else None


def _listed(solutions: Sequence[Solution]) -> list[str] | None:
    names = [
        s.values[0][1].name
        for s in solutions
        if len(s.values) == 1 and s.in_order and isinstance(s.values[0][1], Symbol)
    ]
    return names if len(names) == len(solutions) >= _LEAST else None
