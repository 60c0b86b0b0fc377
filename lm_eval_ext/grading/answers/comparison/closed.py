"""Closed values: numbers and tuples of numbers, which leave no room for opinion."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.grading.answers.semantics.claims import Answer
from lm_eval_ext.grading.answers.syntax.nodes import Call, Group, Node, Quantity, Relation, Symbol, walk


def closed_shape(parts: Sequence[Answer]) -> tuple[object, ...] | None:
    """How many closed values there are and in which brackets; None where anything else is said.

    What has letters or units, conditions or other words leaves room for opinion.
    """
    answer = parts[0]
    if (
        len(parts) > 1
        or answer.word
        or answer.choice
        or answer.again
        or answer.features
        or any(s.conditions for s in answer.items)
    ):
        return None
    nodes = [value for solution in answer.items for _, value in solution.values]
    if not all(_is_closed(n) for root in nodes for n in walk(root)):
        return None
    return tuple((n.open, n.close, len(n.items)) if isinstance(n, Group) else "value" for n in nodes)


def _is_closed(node: Node) -> bool:
    if isinstance(node, Call):
        return node.name not in ("equals", "apply")
    return not isinstance(node, (Symbol, Relation, Quantity))
