r"""Eigenvectors up to a factor, and eigenvalues with their vectors in any order.

"\lambda_1 = 2, v_1 = (1, 1); \lambda_2 = 5, v_2 = (1, -2)" is a set of pairs.
"""

from __future__ import annotations

import re
from fractions import Fraction

from lm_eval_ext.grading.answers.comparison.canonical import Solutions
from lm_eval_ext.grading.answers.comparison.expressions import identical
from lm_eval_ext.grading.answers.errors import AnswerError
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.numeric.numbers import Value, same
from lm_eval_ext.grading.answers.numeric.operations import mul
from lm_eval_ext.grading.answers.syntax.nodes import Call, Node, children, differ, show, symbols, tuple_items
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

_ZERO = Fraction(0)
_VALUE = re.compile(r"lambda(?:_(\w+))?")
_VECTOR = re.compile(r"[vxu](?:_(\w+))?")


@rule("eigenvectors.same-direction", "eigenvectors.differ", "undecided.eigenvectors")
def same_direction(given: Node, wanted: Node, evaluator: Evaluator) -> Outcome:
    """Vectors that are multiples of each other by a number that is not zero."""
    try:
        mine, theirs = _numbers(given, evaluator), _numbers(wanted, evaluator)
        if len(mine) != len(theirs) or len(mine) < 2:
            return Outcome(None, "undecided.eigenvectors", "vectors of different lengths")
        at = next((i for i, v in enumerate(theirs) if not same(v, _ZERO)), 0)
        parallel = all(same(mul(a, theirs[at]), mul(b, mine[at])) for a, b in zip(mine, theirs, strict=True))
        if parallel and not same(mine[at], _ZERO):
            return Outcome(True, "eigenvectors.same-direction", "multiples of each other")
    except AnswerError as error:
        return Outcome(None, "undecided.eigenvectors", str(error))
    return Outcome(False, "eigenvectors.differ", differ(given, wanted, " in direction"))


def _numbers(vector: Node, evaluator: Evaluator) -> list[Value]:
    """Its entries; a parameter as factor, t(1, 2), counts as 1."""
    letters = sorted(symbols(vector))
    at = {letters[0]: Fraction(1)} if len(letters) == 1 else {}
    return [evaluator.value(entry, at) for entry in children(vector)]


@rule("eigenvectors.same-pairs", "eigenvectors.pairs-differ")
def same_eigenpairs(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome | None:
    """Each eigenvalue with its vector, in any order; None where either side is no list of such pairs."""
    mine, theirs = _pairs(given), _pairs(wanted)
    if not mine or not theirs:
        return None
    if len(mine) != len(theirs):
        return Outcome(False, "eigenvectors.pairs-differ", f"{len(mine)} pairs, the gold has {len(theirs)}")
    for value, vector in theirs:
        match = next(
            (
                pair
                for pair in mine
                if identical(pair[0], value, evaluator).equal
                and same_direction(pair[1], vector, evaluator).equal
            ),
            None,
        )
        if match is None:
            return Outcome(False, "eigenvectors.pairs-differ", f"no vector such as {show(vector)[:60]}")
        mine.remove(match)
    return Outcome(True, "eigenvectors.same-pairs", f"the same {len(theirs)} pairs")


def _pairs(solutions: Solutions) -> list[tuple[Node, Node]]:
    """(eigenvalue, vector) of lambda_1 = ..., v_1 = ..., ...; empty for anything else."""
    named = [pair for s in solutions if not s.conditions for pair in s.values]
    found: list[tuple[Node, Node]] = []
    value: Node | None = None
    index: str | None = None
    for name, node in named:
        if match := _VALUE.fullmatch(name):
            if value is not None:
                return []
            value, index = node, match[1]
        elif value is None or not _is_vector(node) or not _belongs(name, index):
            return []
        else:
            found.append((value, node))
            value = None
    return found if value is None else []


def _belongs(name: str, index: str | None) -> bool:
    """Whether a vector is without a name, or has the index of the eigenvalue before it."""
    match = _VECTOR.fullmatch(name)
    return not name or (match is not None and match[1] in (index, None))


def _is_vector(node: Node) -> bool:
    return len(tuple_items(node)) > 1 or (isinstance(node, Call) and node.name == "vector")
