"""One solution against one of the gold: unknowns by name or in order, bound letters renamed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import permutations

from lm_eval_ext.grading.answers.comparison.outcomes import first_failure
from lm_eval_ext.grading.answers.comparison.ranges import range_difference
from lm_eval_ext.grading.answers.comparison.relations import same_relation
from lm_eval_ext.grading.answers.comparison.sequences import same_shifted
from lm_eval_ext.grading.answers.comparison.solution_spaces import same_space
from lm_eval_ext.grading.answers.comparison.values import same_value
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.conditions import declared
from lm_eval_ext.grading.answers.syntax.nodes import (
    Group,
    Node,
    Relation,
    Symbol,
    show,
    substitute,
    symbols,
    tuple_items,
)
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

_MAX_BOUND = 3
_NEAR = 0.02
"""More than any rounding that is accepted."""


@rule("unknowns.differ", "families.renamed-parameter")
def same_solution(given: Solution, wanted: Solution, evaluator: Evaluator) -> Outcome:
    """One solution against one of the gold: by the names of the unknowns, or in their order."""
    pairs = _paired(given, wanted)
    if pairs is None:
        names = f"the unknowns are {_names(given)}, in the gold {_names(wanted)}"
        return Outcome(False, "unknowns.differ", names)
    for turn, renaming in enumerate(_renamings(given, wanted, pairs)):
        outcome = _same_values([(substitute(a, renaming), g) for a, g in pairs], evaluator)
        if outcome.equal:
            difference = range_difference(given, wanted, renaming, evaluator)
            if difference is None:
                return Outcome(True, "families.renamed-parameter", outcome.detail) if turn else outcome
            outcome = difference
    if (decided := same_space(given, wanted, pairs, evaluator)) is not None:
        return decided
    if (shifted := same_shifted(given, wanted, evaluator)) is not None:
        return shifted
    if (equations := _as_equations(given, wanted)) is not None:
        return same_relation(*equations, evaluator)
    return outcome


def _as_equations(given: Solution, wanted: Solution) -> tuple[Relation, Relation] | None:
    """ "n = 2m" and "m = n/2" are one equation, though they name different unknowns."""
    if len(given.values) != 1 or len(wanted.values) != 1 or given.arguments or wanted.arguments:
        return None
    (my_name, mine), (name, theirs) = given.values[0], wanted.values[0]
    if given.conditions != wanted.conditions or not symbols(mine) or not symbols(theirs):
        return None
    if my_name == name != "":
        return None
    left, right = _equation(my_name, mine), _equation(name, theirs)
    stated = isinstance(mine, Relation) or isinstance(theirs, Relation) or (my_name and name)
    return (left, right) if left and right and stated else None


def _equation(name: str, node: Node) -> Relation | None:
    """y = 2x + 3, or 2x - y + 3 = 0 as it is."""
    if isinstance(node, Relation):
        return node
    return Relation((Symbol(name), node), ("=",)) if name and not isinstance(node, Group) else None


def may_be_equal(given: Solution, wanted: Solution, evaluator: Evaluator) -> bool:
    """False where both are numbers, or tuples of such, that are far apart: a cheap first look."""
    mine, theirs = _approximate(given, evaluator), _approximate(wanted, evaluator)
    if mine is None or theirs is None or len(mine) != len(theirs) or any(name for name, _ in given.values):
        return True
    return all(abs(a - b) <= _NEAR * max(1.0, abs(a), abs(b)) for a, b in zip(mine, theirs, strict=True))


def _approximate(solution: Solution, evaluator: Evaluator) -> list[float] | None:
    nodes = [v for _, v in solution.values]
    if len(nodes) == 1 and isinstance(nodes[0], Group):
        nodes = list(tuple_items(nodes[0]))
    found = [number for n in nodes if (number := evaluator.approximate(n)) is not None]
    return found if nodes and len(found) == len(nodes) else None


def show_solution(solution: Solution) -> str:
    return ", ".join((f"{n} = " if n else "") + show(v)[:60] for n, v in solution.values)


def _names(solution: Solution) -> str:
    return ", ".join(n or "without a name" for n, _ in solution.values)


def _paired(given: Solution, wanted: Solution) -> list[tuple[Node, Node]] | None:
    left, right = dict(given.values), dict(wanted.values)
    if len(left) == len(given.values) > 1 and set(left) == set(right):
        return [(left[name], right[name]) for name in right]
    if _are_apart(given, wanted) or _is_misnamed(set(left), set(right)):
        return None
    mine, theirs = [v for _, v in given.values], [v for _, v in wanted.values]
    if len(mine) == 1 < len(theirs):
        mine = _opened(mine[0])
    elif len(theirs) == 1 < len(mine):
        theirs = _opened(theirs[0])
    return list(zip(mine, theirs, strict=True)) if len(mine) == len(theirs) else None


def _is_misnamed(mine: set[str], theirs: set[str]) -> bool:
    """(p, w) = (7, 3) for (p, q) = (7, 3): some unknowns have the names of the gold, another has not."""
    other = mine ^ theirs
    shared = bool(mine & theirs - {""}) and len(mine) == len(theirs) > 1
    marked = "(_\N{COMBINING MACRON}\N{COMBINING CIRCUMFLEX ACCENT}"
    return shared and bool(other) and all(len(name) == 1 or set(marked) & set(name) for name in other)


def _are_apart(given: Solution, wanted: Solution) -> bool:
    """Names that cannot mean the same: a minimum and a maximum, f(2) and f(3)."""
    if len(given.values) != 1 or len(wanted.values) != 1:
        return False
    mine, theirs = given.values[0][0], wanted.values[0][0]
    if "'" in mine + theirs and mine.partition("(")[0] == theirs.partition("(")[0]:
        return _are_other_derivatives(mine, theirs)
    if {mine, theirs} & _EXTREMES and {mine, theirs} & _CONSTANTS:
        return False  # the constant M that is asked for is the least one
    fixed = any("(" in n or n in _EXTREMES or _PARTIAL.fullmatch(n) for n in (mine, theirs))
    return bool(mine and theirs) and mine != theirs and fixed


def _are_other_derivatives(mine: str, theirs: str) -> bool:
    """dx/dt is x', and neither dx/ds nor x'(2)."""
    by = {name.partition("(")[2] for name in (mine, theirs)} - {""}
    return len(by) > 1 or any(argument[0].isdigit() for argument in by)


_PARTIAL = re.compile(r"[A-Za-z]_[xyz]+")
"""f_x, which is not f_y."""
_EXTREMES = frozenset(["minimum", "maximum"])
_CONSTANTS = frozenset(["M", "K", "C", "c", "k", "lambda"])


def _opened(node: Node) -> list[Node]:
    return list(tuple_items(node)) or [node]


def _renamings(
    given: Solution, wanted: Solution, pairs: list[tuple[Node, Node]]
) -> Iterator[dict[str, Node]]:
    """Ways to name the bound letters as the gold does: arguments in order, then parameters in any order."""
    fixed: dict[str, Node] = {a: Symbol(g) for a, g in zip(given.arguments, wanted.arguments, strict=False)}
    mine = frozenset[str]().union(*(symbols(a) for a, _ in pairs)) - set(given.arguments)
    taken = (set(wanted.arguments) & mine) if len(given.arguments) == len(wanted.arguments) else set[str]()
    fixed |= {name: Symbol(f"{name}*") for name in taken}  # f(w) = x + 1 is not f(x) = x + 1
    yield fixed
    theirs = frozenset[str]().union(*(symbols(g) for _, g in pairs)) - set(wanted.arguments)
    free = sorted((mine - theirs) | (declared(given.conditions) & mine))
    targets = sorted((theirs - mine) | (declared(wanted.conditions) & theirs))
    if set(targets) & (declared(given.conditions) - set(free)):
        return  # 2w - 1 if x > 1
    allowed = all(side.arguments or side.conditions for side in (given, wanted))
    if allowed and free and len(free) == len(targets) <= _MAX_BOUND:
        for order in permutations(targets):
            yield {**fixed, **{a: Symbol(g) for a, g in zip(free, order, strict=True)}}


def _same_values(pairs: list[tuple[Node, Node]], evaluator: Evaluator) -> Outcome:
    """The first difference, else the first that is undecided, else the last."""
    outcomes: list[Outcome] = []
    for given, wanted in pairs:
        outcomes.append(same_value(given, wanted, evaluator))
        if outcomes[-1].equal is False:
            return outcomes[-1]
    return first_failure(outcomes) or outcomes[-1]
