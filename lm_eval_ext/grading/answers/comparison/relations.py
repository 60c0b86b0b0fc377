"""Equations and inequalities, up to a factor, a swap of sides, or turning the chain round."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from lm_eval_ext.grading.answers.comparison.curves import gap, same_curves, same_solved
from lm_eval_ext.grading.answers.comparison.expressions import identical
from lm_eval_ext.grading.answers.comparison.outcomes import first
from lm_eval_ext.grading.answers.comparison.points import in_plane, real_points
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.numeric.numbers import Value, as_real, is_real, same
from lm_eval_ext.grading.answers.syntax.nodes import Call, Group, Node, Relation, differ, symbols, walk
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}
"""The sign after a swap of sides."""


@rule("relations.multiples", "relations.signs-differ")
def same_relation(left: Relation, right: Relation, evaluator: Evaluator) -> Outcome:
    """Equations up to a factor or a swap of sides; inequalities up to a positive factor or turning round.

    Without unknowns, as in 2 + 2 = 4, each side is a claim.
    """
    if isinstance(bound := right.terms[-1], Call) and bound.name == "about":  # |E| <= 1/96, about 0.0104
        forms = [replace(right, terms=(*right.terms[:-1], form)) for form in bound.args]
        return first([same_relation(left, form, evaluator) for form in forms], True, None)
    if left == right or not (_is_simple(left) and _is_simple(right)) or not (symbols(left) | symbols(right)):
        return _same_chain(left, right, evaluator)
    factor = _constant_ratio(gap(left), gap(right), evaluator)
    if factor is None:
        return _without_factor(left, right, evaluator)
    sign = right.signs[0] if factor > 0 else _TURNED[right.signs[0]]
    if left.signs[0] == sign:
        return Outcome(True, "relations.multiples", "one is a multiple of the other")
    return Outcome(False, "relations.signs-differ", differ(left, right, " in their signs"))


@rule("relations.no-multiples")
def _without_factor(left: Relation, right: Relation, evaluator: Evaluator) -> Outcome:
    """Two relations that are no multiples: the same when solved, as curves, or side by side."""
    if left.signs == right.signs == ("=",):
        for decide in (same_solved, same_curves):
            if (decided := decide(left, right, evaluator)) is not None:
                return decided
    if (chain := _same_chain(left, right, evaluator)).equal:
        return chain
    return Outcome(False, "relations.no-multiples", differ(left, right, ": no multiples of each other"))


def _is_simple(relation: Relation) -> bool:
    sides = len(relation.terms) == 2 and not any(isinstance(t, (Group, Relation)) for t in relation.terms)
    return sides and relation.signs[0] in _TURNED


def _constant_ratio(left: Node, right: Node, evaluator: Evaluator) -> Value | None:
    """c with left = c * right and c != 0, or None."""
    found: Value | None = None
    is_complex = any(n == Call("i", ()) for n in (*walk(left), *walk(right)))
    for point in real_points(sorted(symbols(left) | symbols(right)), []):
        point = in_plane(point) if is_complex else point
        here, there = evaluator.value_or_none(left, point), evaluator.value_or_none(right, point)
        if here is None or there is None or not here or not there or not (is_real(here) and is_real(there)):
            return None
        ratio = (
            here / there
            if isinstance(here, Fraction) and isinstance(there, Fraction)
            else _ratio(here, there)
        )
        if found is not None and not same(ratio, found):
            return None
        found = ratio
    return found


def _ratio(here: Value, there: Value) -> Value:
    return as_real(here) / as_real(there)


@rule("relations.same-chain", "relations.differ")
def _same_chain(left: Relation, right: Relation, evaluator: Evaluator) -> Outcome:
    others = [right]
    if set(right.signs) <= _TURNED.keys():
        others.append(Relation(right.terms[::-1], tuple(_TURNED[s] for s in right.signs[::-1])))
    for other in others:
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
