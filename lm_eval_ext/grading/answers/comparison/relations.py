"""Equations and inequalities, up to a factor, a swap of sides, or turning the chain round."""

from __future__ import annotations

from fractions import Fraction

from lm_eval_ext.grading.answers.comparison.expressions import identical
from lm_eval_ext.grading.answers.comparison.points import real_points
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.syntax.nodes import Call, Group, Node, Relation, differ, symbols
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}
"""The sign after a swap of sides."""


@rule("relations.multiples", "relations.no-multiples", "relations.signs-differ")
def same_relation(left: Relation, right: Relation, evaluator: Evaluator) -> Outcome:
    """Equations up to a factor or a swap of sides; inequalities up to a positive factor or turning round."""
    if not (_is_simple(left) and _is_simple(right)):
        return _same_chain(left, right, evaluator)
    factor = _constant_ratio(_gap(left), _gap(right), evaluator)
    if factor is None:
        return Outcome(False, "relations.no-multiples", differ(left, right, ": no multiples of each other"))
    sign = right.signs[0] if factor > 0 else _TURNED[right.signs[0]]
    if left.signs[0] == sign:
        return Outcome(True, "relations.multiples", "one is a multiple of the other")
    return Outcome(False, "relations.signs-differ", differ(left, right, " in their signs"))


def _is_simple(relation: Relation) -> bool:
    sides = len(relation.terms) == 2 and not any(isinstance(t, (Group, Relation)) for t in relation.terms)
    return sides and relation.signs[0] in _TURNED


def _gap(relation: Relation) -> Node:
    left, right = relation.terms
    return Call("add", (left, Call("neg", (right,))))


def _constant_ratio(left: Node, right: Node, evaluator: Evaluator) -> Fraction | None:
    """c with left = c * right and c != 0, or None."""
    ratios = set[Fraction]()
    for point in real_points(sorted(symbols(left) | symbols(right)), []):
        here, there = evaluator.value_or_none(left, point), evaluator.value_or_none(right, point)
        if not (here and there and isinstance(here, Fraction) and isinstance(there, Fraction)):
            return None
        ratios.add(here / there)
        if len(ratios) > 1:
            return None
    return ratios.pop()


@rule("relations.same-chain", "relations.differ")
def _same_chain(left: Relation, right: Relation, evaluator: Evaluator) -> Outcome:
    turned = Relation(right.terms[::-1], tuple(_TURNED.get(s, s) for s in right.signs[::-1]))
    for other in (right, turned):
        if other.signs == left.signs and len(other.terms) == len(left.terms):
            pairs = zip(left.terms, other.terms, strict=True)
            if all(_is_same_term(a, b, evaluator) for a, b in pairs):
                return Outcome(True, "relations.same-chain", "the same relation")
    return Outcome(False, "relations.differ", differ(left, right))


def _is_same_term(a: Node, b: Node, evaluator: Evaluator) -> bool:
    if a == b:
        return True
    expressions = not any(isinstance(n, (Group, Relation)) for n in (a, b))
    return expressions and identical(a, b, evaluator).equal is True
