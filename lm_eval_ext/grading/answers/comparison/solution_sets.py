"""Two lists of solutions, matched one by one."""

from __future__ import annotations

from dataclasses import replace

from lm_eval_ext.grading.answers.comparison.canonical import (
    expanded,
    listed,
    opened,
    unnumbered,
    without_start,
)
from lm_eval_ext.grading.answers.comparison.families import same_cases, same_family
from lm_eval_ext.grading.answers.comparison.number_sets import same_number_set
from lm_eval_ext.grading.answers.comparison.outcomes import first_failure
from lm_eval_ext.grading.answers.comparison.solutions import may_be_equal, same_solution, show_solution
from lm_eval_ext.grading.answers.comparison.values import same_value
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.syntax.nodes import Group, Symbol, tuple_items
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

Solutions = tuple[Solution, ...]
MAX_SOLUTIONS = 150


@rule("undecided.too-many-solutions", "undecided.list-with-ellipsis")
def same_solutions(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome:
    """Whether two lists of solutions are the same set."""
    outcome = _as_multisets(given, wanted, evaluator) or _set_by_set(given, wanted, evaluator)
    if outcome is not None:
        return outcome
    given, wanted = _in_all_orders(given, wanted), _in_all_orders(wanted, given) if len(given) > 1 else wanted
    given, wanted = opened(given, wanted), opened(wanted, given)
    given, wanted = unnumbered(given, wanted), unnumbered(wanted, given)
    given, wanted = (listed(expanded(without_start(side)), evaluator) for side in (given, wanted))
    if max(len(given), len(wanted)) > MAX_SOLUTIONS:
        return Outcome(None, "undecided.too-many-solutions", "too many solutions to match")
    outcome = _matched(given, wanted, evaluator)
    if outcome.equal:
        return outcome
    for decide in (same_number_set, same_cases, same_family):
        if (decided := decide(given, wanted, evaluator)) is not None:
            return decided
    if outcome.equal is False and any(v == Symbol("...") for s in (*given, *wanted) for _, v in s.values):
        return Outcome(None, "undecided.list-with-ellipsis", "a list with an ellipsis")
    return outcome


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
    sets = [v for i in items for _, v in i.values if isinstance(v, Group)]
    nested = any(isinstance(e, Group) for v in sets for e in v.items)
    tuples = all(tuple_items(i.values[0][1]) for i in other) and len(other) > len(items)
    if not _are_unordered(items) or nested or not tuples:
        return items
    return tuple(
        replace(i, values=((n, Group("(", ")", v.items)),), order="permutations")
        for i in items
        for n, v in i.values
        if isinstance(v, Group)
    )


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


@rule("solutions.same", "solutions.differ", "solutions.count-differs")
def _matched(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome:
    if _are_unordered(wanted):
        given = tuple(map(_unordered, given))
    if len(given) != len(wanted):
        outcome = _as_one_tuple(given, wanted, evaluator)
        if outcome is not None and outcome.equal:
            return outcome
    once = _distinct(given, evaluator), _distinct(wanted, evaluator)
    in_order = all(s.in_order for s in (*given, *wanted)) and len(given) == len(wanted)
    if not in_order or len(once[0]) == len(given) or len(once[1]) == len(wanted):
        given, wanted = once  # else both sides repeat some: 2, 2, 3 is not 2, 3, 3
    if len(given) != len(wanted):
        mine, theirs = (", ".join(map(show_solution, side))[:60] for side in (given, wanted))
        counts = f"{len(given)} solutions, the gold has {len(wanted)}: {mine}; {theirs}"
        return Outcome(False, "solutions.count-differs", counts)
    left, missing = list(given), list[Solution]()
    found: list[Outcome | None] = []
    for solution in wanted:
        match, outcome = _first_equal(left, solution, evaluator)
        if match is not None:
            left.pop(match)
        elif outcome is None or outcome.equal is False:
            missing.append(solution)
        found.append(outcome)
    if missing:
        outcome = next(o for o in found if o is None or o.equal is False)
        differ = f"{show_solution(left[0])} and {show_solution(missing[0])} differ"
        return outcome or Outcome(False, "solutions.differ", differ)
    undecided = [o for o in found if o is not None and o.equal is None]
    if undecided:
        return undecided[-1]
    if len(found) == 1 and found[0] is not None:
        return found[0]
    return Outcome(True, "solutions.same", f"the same {len(wanted)} solutions")


def _first_equal(
    given: list[Solution], wanted: Solution, evaluator: Evaluator
) -> tuple[int | None, Outcome | None]:
    """(index of the first equal one, outcome); without one, what is known of the difference."""
    outcomes: list[Outcome | None] = []
    for i, solution in enumerate(given):
        near = may_be_equal(solution, wanted, evaluator)
        outcome = same_solution(solution, wanted, evaluator) if near else None
        if outcome is not None and outcome.equal:
            return i, outcome
        outcomes.append(outcome)
    undecided = next((o for o in outcomes if o is not None and o.equal is None), None)
    return None, undecided or (outcomes[0] if len(outcomes) == 1 else None)


def _as_one_tuple(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome | None:
    """ "1, 2" for (m, n) = (1, 2): the values in the order of the names.

    [1, 2, 3] may list a set: of a gold {1, 2, 3} in any order, else in the order of the gold.
    """
    for one, several in ((given, wanted), (wanted, given)):
        if len(one) != 1 or len(several) < 2 or any(len(i.values) != 1 for i in several):
            continue
        values = one[0].values
        entries = [v for _, v in values] if len(values) > 1 else list(tuple_items(values[0][1]))
        if len(entries) != len(several) or (len(values) == 1 and len(entries) < 3):
            continue
        listed = [i.values[0][1] for i in several]
        if all(i.in_order and not i.values[0][0] for i in several):
            plain = Solution(tuple(("", v) for v in listed))
            single = (plain, wanted[0]) if one is wanted else (given[0], plain)
            return same_solution(*single, evaluator)
        if isinstance(bracket := values[0][1], Group) and bracket.open == "[":
            brackets = ("[", "]") if one is wanted else ("{", "}")
            sides = Group(*brackets, tuple(entries)), Group(*brackets, tuple(listed))
            return same_value(*(sides if one is given else sides[::-1]), evaluator)
    return None


def _distinct(items: Solutions, evaluator: Evaluator) -> Solutions:
    """Without repetitions: {1, 1, 2} is {1, 2}."""
    kept: list[Solution] = []
    for item in items:
        if item not in kept and not (
            not item.conditions
            and any(
                may_be_equal(item, k, evaluator) and same_solution(item, k, evaluator).equal for k in kept
            )
        ):
            kept.append(item)
    return tuple(kept)


def _are_unordered(items: Solutions) -> bool:
    return all(
        len(i.values) == 1 and isinstance(v := i.values[0][1], Group) and v.open == "{" and len(v.items) > 1
        for i in items
    )


def _unordered(item: Solution) -> Solution:
    name, node = item.values[0]
    if len(item.values) == 1 and (entries := tuple_items(node)):
        return Solution(((name, Group("{", "}", entries)),), item.conditions)
    return item
