"""Sets of numbers as they are described: by conditions, as an interval, by the values of a parameter."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

from lm_eval_ext.grading.answers.comparison.canonical import Solutions
from lm_eval_ext.grading.answers.comparison.conditions import is_integral, letters_of, renamed
from lm_eval_ext.grading.answers.errors import TooLarge, Undefined
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.numeric.numbers import Value, same
from lm_eval_ext.grading.answers.numeric.predicates import holds
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.conditions import IT
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Condition,
    Group,
    Node,
    Property,
    Relation,
    Symbol,
    show,
    symbols,
    walk,
)
from lm_eval_ext.grading.answers.syntax.sets import DOMAINS

X = Symbol("#x")
IS_INTEGER = Property("integer", X)
INTEGER_LETTERS = frozenset("ijklmnst")
REACH = 700
"""How far an integer parameter runs in either direction."""
_ORDER = frozenset(["<", ">", "<=", ">="])


@dataclass(frozen=True)
class Part:
    """Numbers x: one number, else the values of a parameter, else all that meet the conditions but some."""

    conditions: tuple[Condition, ...] = ()
    number: Node | None = None
    values: frozenset[Fraction] | None = None
    excluded: frozenset[Value] = frozenset()

    def is_described(self) -> bool:
        return self.number is None and self.values is None

    def limits(self) -> tuple[Condition, ...]:
        """Its conditions; a number counts as one."""
        return self.conditions + ((Relation((X, self.number), ("=",)),) if self.number is not None else ())

    def has(self, point: Value, evaluator: Evaluator) -> bool:
        if self.number is not None:
            return same(point, evaluator.value(self.number))
        if self.values is not None:
            return point in self.values
        meets = all(holds(c, {X.name: point}, evaluator) for c in self.conditions)
        return meets and point not in self.excluded


def is_combination(node: Node) -> bool:
    return isinstance(node, Call) and node.name in ("union", "minus", "intersection")


def read_parts(solutions: Solutions, beside_description: bool, evaluator: Evaluator) -> list[Part] | None:
    """Each solution as a set of numbers x; None if one is none."""
    if _are_cases(solutions):
        return None
    alone = len(solutions) == 1
    found: list[Part] = []
    for solution in solutions:
        if len(solution.values) != 1 or solution.arguments:
            return None
        part = (
            _described(solution, evaluator)
            or _region(solution, alone)
            or _inequality(solution)
            or _number(solution)
            or _parametric(solution, beside_description and alone, evaluator)
        )
        if part is None:
            return None
        found.append(part)
    return found


def _are_cases(solutions: Solutions) -> bool:
    """ "n if n is even, n - 1 if n is odd" are the cases of one function, not a set of numbers."""
    described = {v.name for s in solutions for _, v in s.values if isinstance(v, Symbol)}
    return any(described & symbols(v) for s in solutions for _, v in s.values if not isinstance(v, Symbol))


def _described(solution: Solution, evaluator: Evaluator) -> Part | None:
    """ "n even", "all primes p > 2", "n != 2^k for k >= 0"."""
    node = solution.values[0][1]
    if not isinstance(node, Symbol) or not solution.conditions:
        return None
    conditions = tuple(renamed(c, {node.name: X, IT: X}) for c in solution.conditions)
    own = tuple(c for c in conditions if letters_of(c) <= {X.name})
    excluded = _excluded([c for c in conditions if c not in own], evaluator)
    if Property("otherwise", X) in own or any(map(_is_implicit, own)) or excluded is None:
        return None
    if not excluded:
        return Part(own, excluded=excluded)
    counts = is_integral(own) or (node.name in INTEGER_LETTERS and _are_whole(excluded))
    return Part((*own, IS_INTEGER), excluded=excluded) if counts else None


def _are_whole(values: frozenset[Value]) -> bool:
    return all(isinstance(v, Fraction) and v.denominator == 1 for v in values)


def _excluded(conditions: list[Condition], evaluator: Evaluator) -> frozenset[Value] | None:
    """The values of the forms that x does not have; None where any condition says something else."""
    forms = {c: told for c in conditions if (told := _other_form(c)) is not None}
    found = set[Value]()
    for condition, (letter, form) in forms.items():
        limits = tuple(c for c in conditions if c != condition and letters_of(c) == {letter})
        found |= _values_at_integers(form, letter, limits, evaluator)
    rest = [c for c in conditions if c not in forms]
    letters = {letter for letter, _ in forms.values()}
    return (
        frozenset(found) if all(len(letters_of(c)) == 1 and letters_of(c) <= letters for c in rest) else None
    )


def _other_form(condition: Condition) -> tuple[str, Node] | None:
    """("k", 2^k) of x != 2^k."""
    nodes = (condition.subject, *condition.args) if isinstance(condition, Property) else condition.terms
    says = condition.name if isinstance(condition, Property) else "".join(condition.signs)
    letters = letters_of(condition) - {X.name}
    if says != "!=" or len(nodes) != 2 or nodes[0] != X or len(letters) != 1:
        return None
    letter = next(iter(letters))
    return (letter, nodes[1]) if letter in INTEGER_LETTERS else None


def _is_implicit(condition: Condition) -> bool:
    """x^2 = 4: which numbers solve it, the sample points do not show."""
    if not isinstance(condition, Relation) or not {"=", "!="} & set(condition.signs):
        return False
    return X not in condition.terms


def _region(solution: Solution, alone: bool) -> Part | None:
    """R, a union, or a pair in brackets: an interval where it is all that is said, else a pair of numbers."""
    node = solution.values[0][1]
    pair = isinstance(node, Group) and len(node.items) == 2 and node.open in "([" and node.close in ")]"
    if solution.conditions or not ((pair and alone) or is_combination(node) or isinstance(node, Symbol)):
        return None
    known = node.name in DOMAINS if isinstance(node, Symbol) else not symbols(node) - DOMAINS
    return Part((Relation((X, node), ("in",)),)) if known else None


def _inequality(solution: Solution) -> Part | None:
    node = solution.values[0][1]
    if not isinstance(node, Relation) or not set(node.signs) <= _ORDER or len(symbols(node)) != 1:
        return None
    if any(isinstance(n, Call) and n.name == "apply" for n in walk(node)):
        return None
    (letter,) = symbols(node)
    return Part((renamed(node, {letter: X}),))


def _number(solution: Solution) -> Part | None:
    node = solution.values[0][1]
    if solution.conditions or symbols(node) or isinstance(node, (Group, Relation)):
        return None
    return Part(number=node)


def _parametric(solution: Solution, beside_description: bool, evaluator: Evaluator) -> Part | None:
    """The values of "4k + 3" or "2^k (k >= 0)" for an integer k: those that the sample points can meet."""
    name, node = solution.values[0]
    if _is_prime_power(node, solution.conditions):
        return Part((Property("primepower", X),))
    if len(symbols(node)) != 1 or isinstance(node, (Symbol, Group, Relation)):
        return None
    if not name and not (beside_description and solution.conditions):
        return None  # without a name it is a formula in that letter, not a set
    (letter,) = symbols(node)
    if not all(letters_of(c) == {letter} for c in solution.conditions):
        return None
    by_letter = letter in INTEGER_LETTERS and all(map(_is_bound, solution.conditions))
    if not by_letter and not is_integral(solution.conditions):
        return None
    values = _values_at_integers(node, letter, solution.conditions, evaluator)
    if not all(isinstance(v, Fraction) for v in values):
        return None
    return Part((IS_INTEGER,), values=values)


def _is_prime_power(node: Node, conditions: tuple[Condition, ...]) -> bool:
    """Whether it is p^k for all primes p and all positive integers k."""
    if not isinstance(node, Call) or node.name != "pow":
        return False
    said = {show(n): {c for c in conditions if n in _subjects(c)} for n in node.args if isinstance(n, Symbol)}
    if len(said) != 2 or sum(map(len, said.values())) != len(conditions):
        return False
    base, exponent = ({_plain(c) for c in each} for each in said.values())
    return base == {"prime"} and exponent - {"integer"} in ({"positive"}, {"natural"}, {">= 1"}, {"> 0"})


def _subjects(condition: Condition) -> tuple[Node, ...]:
    return (condition.subject,) if isinstance(condition, Property) else condition.terms[:1]


def _plain(condition: Condition) -> str:
    """ "prime", ">= 1"; empty for what is neither."""
    if isinstance(condition, Property):
        return condition.name if condition.holds else ""
    return f"{condition.signs[0]} {show(condition.terms[-1])}" if len(condition.signs) == 1 else ""


def _values_at_integers(
    node: Node, letter: str, conditions: tuple[Condition, ...], evaluator: Evaluator
) -> frozenset[Value]:
    values = set[Value]()
    for k in range(-REACH, REACH + 1):
        with suppress(Undefined, TooLarge):
            at = {letter: Fraction(k)}
            if all(holds(c, at, evaluator) for c in conditions):
                values.add(evaluator.value(node, at))
    return frozenset(values)


def _is_bound(condition: Condition) -> bool:
    """k >= 0, k positive: no word of what kind of number k is."""
    if isinstance(condition, Property):
        return condition.name not in ("real", "rational", "complex", "irrational")
    return "in" not in condition.signs and "notin" not in condition.signs
