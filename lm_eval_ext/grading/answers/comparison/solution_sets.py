"""Two lists of solutions, matched one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from lm_eval_ext.grading.answers.comparison.canonical import Solutions, expanded, listed, without_start
from lm_eval_ext.grading.answers.comparison.curves import same_branches
from lm_eval_ext.grading.answers.comparison.eigenvectors import same_eigenpairs
from lm_eval_ext.grading.answers.comparison.families import same_cases, same_family, same_list
from lm_eval_ext.grading.answers.comparison.number_sets import same_number_set
from lm_eval_ext.grading.answers.comparison.outcomes import first, first_failure
from lm_eval_ext.grading.answers.comparison.periodic import same_periodic
from lm_eval_ext.grading.answers.comparison.sequences import same_constant, same_terms
from lm_eval_ext.grading.answers.comparison.sides import (
    as_condition,
    as_relations,
    at_its_bound,
    in_links,
    in_tuples,
    opened,
    unnumbered,
    with_loser,
    with_parameters,
    without_zero,
)
from lm_eval_ext.grading.answers.comparison.solutions import may_be_equal, same_solution, show_solution
from lm_eval_ext.grading.answers.comparison.values import same_value
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.syntax.nodes import Group, Node, Relation, Symbol, tuple_items
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

MAX_SOLUTIONS = 150


Decide = Callable[[Solutions, Solutions, Evaluator], Outcome | None]


def _first(
    rules: Iterable[Decide], given: Solutions, wanted: Solutions, evaluator: Evaluator
) -> Outcome | None:
    """The outcome of the first of these that decides."""
    outcomes = (decide(given, wanted, evaluator) for decide in rules)
    return next((outcome for outcome in outcomes if outcome is not None), None)


@rule("undecided.too-many-solutions", "undecided.list-with-ellipsis")
def same_solutions(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome:
    """Whether two lists of solutions are the same set."""
    as_written = (same_terms, same_constant, same_eigenpairs, _as_multisets, _set_by_set)
    if (decided := _first(as_written, given, wanted, evaluator)) is not None:
        return decided
    given, wanted = (listed(expanded(without_start(s)), evaluator) for s in _in_one_form(given, wanted))
    if max(len(given), len(wanted)) > MAX_SOLUTIONS:
        return Outcome(None, "undecided.too-many-solutions", "too many solutions to match")
    if (decided := same_periodic(given, wanted, evaluator)) is not None:
        return decided
    outcome = _matched(given, wanted, evaluator)
    if outcome.equal:
        return outcome
    together = (_as_branches, same_list, same_number_set, same_cases, same_family)
    if (decided := _first(together, given, wanted, evaluator)) is not None:
        return decided
    if outcome.equal is False and any(v == Symbol("...") for s in (*given, *wanted) for _, v in s.values):
        return Outcome(None, "undecided.list-with-ellipsis", "a list with an ellipsis")
    return outcome


def _in_one_form(given: Solutions, wanted: Solutions) -> tuple[Solutions, Solutions]:
    """Both sides, each in a form that the other has."""
    wanted = at_its_bound(wanted, given)
    given, wanted = as_relations(given, wanted), as_relations(wanted, given)
    given, wanted = in_links(given, wanted), in_links(wanted, given)
    given, wanted = as_condition(given, wanted), as_condition(wanted, given)
    wanted = with_loser(wanted, given)  # an answer has to name both, where the gold does
    given = with_loser(given, wanted) if len(given) == 1 and given[0].exact else given
    given, wanted = without_zero(given, wanted), without_zero(wanted, given)
    given, wanted = _in_all_orders(given, wanted), _in_all_orders(wanted, given) if len(given) > 1 else wanted
    given, wanted = opened(given, wanted), opened(wanted, given)
    given, wanted = in_tuples(given, wanted), in_tuples(wanted, given)
    given, wanted = with_parameters(given, wanted), with_parameters(wanted, given)
    return unnumbered(given, wanted), unnumbered(wanted, given)


def _as_branches(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome | None:
    """y = +-sqrt(x^2 + C) beside y^2 = x^2 + C."""
    for one, other in ((given, wanted), (wanted, given)):
        names = {s.values[0][0] for s in one if len(s.values) == 1 and not s.conditions}
        equation = other[0].values[0][1] if len(other) == 1 and len(other[0].values) == 1 else None
        if len(one) == 2 and len(names) == 1 and "" not in names and isinstance(equation, Relation):
            branches = [Relation((Symbol(n), v), ("=",)) for s in one for n, v in s.values]
            return same_branches(branches, equation, evaluator)
    return None


@rule("sets.count-differs")
def _set_by_set(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome | None:
    """{x : x > 3}, {x : x > 0} are two sets, and "x > 3, y > 0" speaks of two letters: nothing is united."""
    if all(s.braced for s in (*given, *wanted)) and max(len(given), len(wanted)) > 1:
        if len(given) != len(wanted):
            return Outcome(False, "sets.count-differs", f"{len(given)} sets, the gold has {len(wanted)}")
        pairs = list(zip(given, wanted, strict=True))
    else:
        mine, theirs = _by_letter(given), _by_letter(wanted)
        if mine is None or theirs is None or mine.keys() != theirs.keys():
            return None
        pairs = [(mine[letter], theirs[letter]) for letter in mine]
    outcomes = [same_solutions((a,), (g,), evaluator) for a, g in pairs]
    return first_failure(outcomes) or outcomes[0]


def _by_letter(items: Solutions) -> dict[str, Solution] | None:
    """The range of each of several letters; None for anything else."""
    found = {v.name: i for i in items for _, v in i.values if isinstance(v, Symbol) and i.conditions}
    return found if 1 < len(found) == len(items) else None


def _in_all_orders(items: Solutions, other: Solutions) -> Solutions:
    """{3, 5} beside (3, 5), (5, 3) stands for both orders."""
    several = len(other) > len(items) or any(i.order for i in other)
    tuples = several and all(len(i.values) > 1 or tuple_items(i.values[0][1]) for i in other)
    return tuple(_in_any_order(i) if tuples and _are_unordered((i,)) else i for i in items)


def _in_any_order(item: Solution) -> Solution:
    """The tuples with the elements of a set; one that holds sets stays."""
    name, node = item.values[0]
    if not isinstance(node, Group) or any(isinstance(each, Group) for each in node.items):
        return item
    return replace(item, values=((name, Group("(", ")", node.items)),), order="permutations")


def _as_multisets(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome | None:
    """{1, 2, 3} for "the permutations of (1, 2, 3)"."""
    for one, other in ((given, wanted), (wanted, given)):
        if len(one) == len(other) == 1 and one[0].order == "permutations" and _are_unordered(other):
            values = tuple(v for _, v in one[0].values)
            if len(values) == 1 and isinstance(values[0], Group):
                values = values[0].items
            as_set = replace(one[0], values=(("", Group("{", "}", values)),), order="")
            sides = (as_set, wanted[0]) if one is given else (given[0], as_set)
            return same_solution(*sides, evaluator)
    return None


def _matched(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome:
    if _are_unordered(wanted):
        given = tuple(map(_unordered, given))
    if len(given) != len(wanted):
        outcome = _as_one_tuple(given, wanted, evaluator)
        if outcome is not None and outcome.equal:
            return outcome
    return _one_by_one(*_without_repetitions(given, wanted, evaluator), evaluator)


@rule("solutions.same", "solutions.differ", "solutions.count-differs")
def _one_by_one(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome:
    if len(given) != len(wanted):
        mine, theirs = (", ".join(map(show_solution, side))[:60] for side in (given, wanted))
        counts = f"{len(given)} solutions, the gold has {len(wanted)}: {mine}; {theirs}"
        return Outcome(False, "solutions.count-differs", counts)
    left, found, missing = list(given), list[Outcome](), list[Solution]()
    for solution in wanted:
        match, outcome = _first_equal(left, solution, evaluator)
        if match is not None:
            left.pop(match)
        if outcome is not None:
            found.append(outcome)
        else:
            missing.append(solution)
    if missing and all(o.equal is not False for o in found):
        sides = f"{show_solution(left[0])} and {show_solution(missing[0])}"
        return Outcome(False, "solutions.differ", f"{sides} differ")
    if len(found) == 1 or first_failure(found):
        return first(found, False, None)
    return Outcome(True, "solutions.same", f"the same {len(wanted)} solutions")


def _first_equal(
    given: list[Solution], wanted: Solution, evaluator: Evaluator
) -> tuple[int | None, Outcome | None]:
    """(index of the first equal one, outcome); without one, what is known of the difference, if anything."""
    outcomes: list[Outcome] = []
    for i, solution in enumerate(given):
        if may_be_equal(solution, wanted, evaluator):
            outcome = same_solution(solution, wanted, evaluator)
            if outcome.equal:
                return i, outcome
            outcomes.append(outcome)
    undecided = next((o for o in outcomes if o.equal is None), None)
    return None, undecided or (outcomes[0] if outcomes and len(given) == 1 else None)


def _as_one_tuple(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome | None:
    """ "1, 2" for (m, n) = (1, 2): the values in the order of the names.

    [1, 2, 3] may list a set: of a gold {1, 2, 3} in any order, else in the order of the gold.
    """
    is_gold = len(wanted) == 1
    one, several = (wanted, given) if is_gold else (given, wanted)
    if len(one) != 1 or not _are_single_values(several):
        return None
    entries, listed = _entries(one[0]), tuple(s.values[0][1] for s in several)
    if len(entries) != len(listed):
        return None
    if all(s.in_order and not s.values[0][0] for s in several):
        plain = Solution(tuple(("", v) for v in listed))
        return same_solution(*((plain, one[0]) if is_gold else (one[0], plain)), evaluator)
    bracket = one[0].values[0][1]
    if not isinstance(bracket, Group) or bracket.open != "[":
        return None
    brackets = ("[", "]") if is_gold else ("{", "}")
    groups = Group(*brackets, entries), Group(*brackets, listed)
    return same_value(*(groups[::-1] if is_gold else groups), evaluator)


def _are_single_values(solutions: Solutions) -> bool:
    return len(solutions) > 1 and all(len(s.values) == 1 for s in solutions)


def _entries(solution: Solution) -> tuple[Node, ...]:
    """Its values, or those of a tuple of three or more: two in brackets may be an interval."""
    if len(solution.values) > 1:
        return tuple(v for _, v in solution.values)
    entries = tuple_items(solution.values[0][1])
    return entries if len(entries) > 2 else ()


def _without_repetitions(
    given: Solutions, wanted: Solutions, evaluator: Evaluator
) -> tuple[Solutions, Solutions]:
    """{1, 1, 2} is {1, 2}; but of two lists that both repeat some, 2, 2, 3 is not 2, 3, 3."""
    mine, theirs = _distinct(given, evaluator), _distinct(wanted, evaluator)
    both_repeat = len(mine) < len(given) and len(theirs) < len(wanted)
    if both_repeat and all(s.in_order or s.values[0][0] for s in (*given, *wanted)):
        return given, wanted
    return mine, theirs


def _distinct(solutions: Solutions, evaluator: Evaluator) -> Solutions:
    kept: list[Solution] = []
    for new in solutions:
        near = (k for k in kept if not new.conditions and may_be_equal(new, k, evaluator))
        if new not in kept and not any(same_solution(new, k, evaluator).equal for k in near):
            kept.append(new)
    return tuple(kept)


def _are_unordered(solutions: Solutions) -> bool:
    """Whether each is a set of several values."""
    return all(
        len(s.values) == 1 and isinstance(v := s.values[0][1], Group) and v.open == "{" and len(v.items) > 1
        for s in solutions
    )


def _unordered(solution: Solution) -> Solution:
    name, node = solution.values[0]
    if len(solution.values) == 1 and (entries := tuple_items(node)):
        return Solution(((name, Group("{", "}", entries)),), solution.conditions)
    return solution
