"""Each solution on its own: sets opened, signs and permutations written out, ranges of integers closed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations, product
from math import ceil, floor

from lm_eval_ext.grading.answers.comparison.conditions import letters_of, renamed
from lm_eval_ext.grading.answers.comparison.expressions import identical
from lm_eval_ext.grading.answers.comparison.fibonacci import with_fibonacci
from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.conditions import IT
from lm_eval_ext.grading.answers.syntax.nodes import (
    ONE,
    Call,
    Condition,
    Group,
    Node,
    Number,
    Property,
    Relation,
    Symbol,
    children,
    number,
    substitute,
    symbols,
    walk,
    with_children,
)

Solutions = tuple[Solution, ...]
_LATEST_START = 5
_MAX_SIGNS = 4
_MAX_PERMUTED = 5
_MOST_INSTANCES = 24
_COUNTING = frozenset("ijklmn")


def without_start(solutions: Solutions) -> Solutions:
    """Without "for n >= 2" behind the only formula for a_n: it says where n starts, and is no case."""
    if len(solutions) != 1 or not solutions[0].arguments:
        return solutions
    solution = solutions[0]
    kept = tuple(c for c in solution.conditions if not _is_start(c, solution.arguments))
    return (replace(solution, conditions=kept),)


def _is_start(condition: Condition, arguments: tuple[str, ...]) -> bool:
    if not isinstance(condition, Relation) or condition.signs not in ((">=",), (">",)):
        return False
    letter, start = condition.terms
    if not isinstance(letter, Symbol) or letter.name not in arguments or letter.name not in "ijklmn":
        return False
    return isinstance(start, Number) and start.value.denominator == 1 and start.value <= _LATEST_START


def listed(solutions: Solutions, evaluator: Evaluator) -> Solutions:
    """1, 2, ..., m are all the integers from 1 to m."""
    dots, it = Symbol("..."), Symbol(IT)
    values = [s.values[0][1] for s in solutions if len(s.values) == 1 and not s.conditions]
    if len(values) != len(solutions) or values.count(dots) != 1:
        return solutions
    at = values.index(dots)
    before, after = values[:at], values[at + 1 :]
    if len(before) < 2 or len(after) > 1:
        return solutions
    if not all(identical(Call("add", (a, ONE)), b, evaluator).equal for a, b in pairwise(before)):
        return solutions
    between = Relation((before[0], it, *after), ("<=",) * (1 + len(after)))
    return (Solution((("", it),), (Property("integer", it), between)),)


def expanded(solutions: Solutions) -> Solutions:
    """Each solution on its own: sets opened, ± written out, permutations listed."""
    alone = len(solutions) == 1
    solutions = tuple(_in_order_of(solutions[0], _put_in(with_fibonacci(s))) for s in solutions)
    return tuple(
        single
        for solution in solutions
        for limited in _instances(_with_equations(_with_both_signs(_whole_chain(solution))))
        for element in _elements(limited, alone)
        for signed in _signed(element)
        for single in _reordered(signed)
    )


def _put_in(solution: Solution) -> Solution:
    """x = y + 16, y = 3 gives x = 19."""
    known: dict[str, Node] = {
        n: v for n, v in solution.values if n and not symbols(v) and not isinstance(v, (Group, Relation))
    }
    values = ((n, substitute(v, known) if symbols(v) & known.keys() else v) for n, v in solution.values)
    return replace(solution, values=tuple(values))


def _in_order_of(first: Solution, solution: Solution) -> Solution:
    """a = p = 3, b = 4 behind a = 2, b = 2, p = 2: the unknowns in the order of the first solution."""
    names, values = [n for n, _ in first.values], dict(solution.values)
    if len(values) < len(solution.values) or sorted(names) != sorted(values):
        return solution
    return replace(solution, values=tuple((n, values[n]) for n in names))


def _with_both_signs(solution: Solution) -> Solution:
    """x != +-5 is x != 5 and x != -5."""
    conditions: list[Condition] = []
    for condition in solution.conditions:
        last = condition.terms[-1] if isinstance(condition, Relation) else None
        if isinstance(condition, Relation) and condition.signs == ("!=",) and _is_plus_minus(last):
            assert isinstance(last, Call)
            for value in (last.args[0], Call("neg", last.args)):
                conditions.append(Relation((condition.terms[0], value), ("!=",)))
        else:
            conditions.append(condition)
    return replace(solution, conditions=tuple(conditions))


def _whole_chain(solution: Solution) -> Solution:
    """x = y = z gives all three the value of z, whatever that is."""
    last = {value for _, value in solution.values}
    letter = next(iter(last)) if len(last) == 1 < len(solution.values) and not solution.arguments else None
    if (
        not isinstance(letter, Symbol)
        or letter.name in {n for n, _ in solution.values}
        or solution.conditions
    ):
        return solution
    if len(letter.name) > 1 or letter.name in "ktsr":
        return solution
    return replace(
        solution, values=(*solution.values, (letter.name, letter)), conditions=(Property("real", letter),)
    )


def _with_equations(solution: Solution) -> Solution:
    """(m, n) with n = m^2 is (m, m^2); p with p = 4k + 3 is 4k + 3."""
    names = letters_of_tuple(solution)
    if (form := _with_form(solution)) is not None:
        return form
    for condition in solution.conditions if len(names) > 1 else ():
        if not isinstance(condition, Relation) or condition.signs != ("=",):
            continue
        for letter, value in (condition.terms, condition.terms[::-1]):
            if (
                isinstance(letter, Symbol)
                and letter.name in names
                and symbols(value) <= names - {letter.name}
            ):
                put_in: dict[str, Node] = {letter.name: value}
                rest = tuple(renamed(c, put_in) for c in solution.conditions if c is not condition)
                values = tuple((n, substitute(v, put_in)) for n, v in solution.values)
                return replace(solution, values=values, conditions=rest)
    return solution


def _with_form(solution: Solution) -> Solution | None:
    """The values of a described letter by the form that they have; None where there is none."""
    letter = solution.values[0][1]
    if len(solution.values) > 1 or not isinstance(letter, Symbol) or solution.arguments:
        return None
    for condition in solution.conditions:
        if isinstance(condition, Relation) and condition.signs == ("=",) and condition.terms[0] == letter:
            form = condition.terms[1]
            if symbols(form) and letter.name not in symbols(form) and not isinstance(form, (Group, Relation)):
                rest = tuple(
                    renamed(c, {letter.name: form}) for c in solution.conditions if c is not condition
                )
                return replace(solution, values=((letter.name, form),), conditions=rest)
    return None


def letters_of_tuple(solution: Solution) -> set[str]:
    """Those of (m, n); empty for anything but a tuple of different letters."""
    node = solution.values[0][1]
    if len(solution.values) > 1 or not isinstance(node, Group) or node.open != "(":
        return set()
    names = {n.name for n in node.items if isinstance(n, Symbol)}
    return names if len(names) == len(node.items) else set()


def _is_plus_minus(node: Node | None) -> bool:
    return isinstance(node, Call) and node.name == "pm" and len(node.args) == 1


def _instances(solution: Solution) -> list[Solution]:
    """The values for k in {0, 1, 2}, or for 1 <= k <= 6, one by one."""
    for condition in solution.conditions:
        letter, each = _choices(condition)
        if (
            each
            and letter in solution.letters - {IT}
            and all(v != Symbol(letter) for _, v in solution.values)
        ):
            rest = tuple(c for c in solution.conditions if letter not in letters_of(c))
            return [
                replace(
                    solution,
                    values=tuple((n, substitute(v, {letter: value})) for n, v in solution.values),
                    conditions=rest,
                )
                for value in each
            ]
    return [solution]


def _choices(condition: Condition) -> tuple[str, tuple[Node, ...]]:
    """The letter that a condition limits to few values, and these; ("", ()) for any other."""
    if not isinstance(condition, Relation):
        return "", ()
    first, *others = condition.terms
    if condition.signs == ("in",) and isinstance(first, Symbol) and isinstance(others[0], Group):
        values = others[0].items if others[0].open == "{" else ()
        return (first.name, values) if len(values) <= _MOST_INSTANCES else ("", ())
    middle = others[0] if len(others) == 2 and set(condition.signs) <= {"<", "<="} else None
    if not isinstance(middle, Symbol) or middle.name not in _COUNTING:
        return "", ()
    return middle.name, _between(first, others[1], condition.signs)


def _between(low: Node, high: Node, signs: tuple[str, ...]) -> tuple[Node, ...]:
    """The integers between two numbers, if they are few."""
    if not isinstance(low, Number) or not isinstance(high, Number):
        return ()
    first = floor(low.value) + 1 if signs[0] == "<" else ceil(low.value)
    last = ceil(high.value) - 1 if signs[1] == "<" else floor(high.value)
    return tuple(map(number, range(first, last + 1))) if last - first < _MOST_INSTANCES else ()


def _elements(solution: Solution, alone: bool) -> list[Solution]:
    """x in {1, 2} is x = 1 or x = 2; one set of several values is several solutions."""
    if len(solution.values) != 1 or solution.order:
        return [solution]
    name, node = solution.values[0]
    if alone and isinstance(node, Group) and node.open == "{":
        return [
            Solution(((name, each),), solution.conditions, arguments=solution.arguments)
            for each in node.items
        ]
    if isinstance(node, Call) and node.name == "union":
        sets = [a for a in node.args if isinstance(a, Group) and a.open == "{"]
        if len(sets) == len(node.args):
            return [Solution(((name, each),), solution.conditions) for a in sets for each in a.items]
    return [solution]


def _signed(solution: Solution) -> list[Solution]:
    """± written out: each on its own, but all together where there is a ∓ or one value has several names."""
    signs = {
        id(n): n.name
        for _, v in solution.values
        for n in walk(v)
        if isinstance(n, Call) and n.name in ("pm", "mp")
    }
    if not signs:
        return [solution]
    if len(signs) > _MAX_SIGNS:
        raise Unreadable("too many signs")
    together = "mp" in signs.values()
    found = []
    for choice in product((True, False), repeat=1 if together else len(signs)):
        upper = dict(zip(signs, choice * len(signs) if together else choice, strict=True))
        found.append(replace(solution, values=tuple((n, _with_sign(v, upper)) for n, v in solution.values)))
    return found


def _with_sign(node: Node, upper: dict[int, bool]) -> Node:
    if isinstance(node, Relation) or not children(node):
        return node
    new = tuple(_with_sign(child, upper) for child in children(node))
    if isinstance(node, Call) and node.name in ("pm", "mp"):
        return new[0] if upper[id(node)] == (node.name == "pm") else _negated(new[0])
    return with_children(node, new)


def _negated(node: Node) -> Node:
    """-(1, 2) is (-1, -2)."""
    if isinstance(node, Group):
        return replace(node, items=tuple(map(_negated, node.items)))
    return Call("neg", (node,))


def _reordered(solution: Solution) -> list[Solution]:
    """All permutations, or the cyclic ones, of a tuple announced so."""
    if not solution.order:
        return [solution]
    names, values = zip(*solution.values, strict=True)
    if len(values) == 1 and isinstance(values[0], Group):
        values = values[0].items
        names = ("",) * len(values)
    if len(values) > _MAX_PERMUTED:
        raise Unreadable("too many values to permute")
    if solution.order == "cyclic":
        orders = [values[i:] + values[:i] for i in range(len(values))]
    else:
        orders = list(permutations(values))
    return [Solution(tuple(zip(names, o, strict=True)), solution.conditions) for o in dict.fromkeys(orders)]
