"""Fibonacci numbers under any usual definition: F_0 = 0 and F_1 = 1; F_1 = F_2 = 1; f_1 = 1, f_2 = 2."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from lm_eval_ext.grading.answers.errors import AnswerError
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.numeric.numbers import same
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Condition,
    Node,
    Relation,
    Symbol,
    children,
    number,
    symbols,
    walk,
    with_children,
)

_TERM = re.compile(r"([A-Za-z])_(\d+)")
_INDICES = frozenset("ijkmnrst")
_SHIFTS = (0, 1, -1, 2, -2, 3, -3)


def with_fibonacci(solution: Solution) -> Solution:
    """Its values with the function `fibonacci` for the letter that its conditions define so, or for F_n."""
    named = {name for name, _ in solution.values}
    for letter in sorted({n for _, v in solution.values for n in _sequences(v)} - named):
        about = [c for c in solution.conditions if _is_about(c, letter)]
        shift = next((s for s in _SHIFTS if all(_holds(c, letter, s) for c in about)), None)
        if shift is not None and _is_told(about, letter):
            values = tuple((name, _numbers(v, letter, shift)) for name, v in solution.values)
            kept = tuple(c for c in solution.conditions if c not in about)
            return replace(solution, values=values, conditions=kept)
    return solution


def _is_told(about: Sequence[Condition], letter: str) -> bool:
    """Whether it is known which sequence it is: by its name, first terms or recurrence; not by a_1 = 1."""
    terms = [t for c in about if isinstance(c, Relation) for t in c.terms]
    return (
        letter == "F"
        or len(terms) > (3 if letter == "f" else 5)
        or any(letter in _sequences(t) for t in terms)
    )


def _sequences(node: Node) -> set[str]:
    """The letters of which it has a term with an index, F_{n+3}."""
    terms = (n.args for n in walk(node) if isinstance(n, Call) and n.name == "apply" and len(n.args) == 2)
    return {name.name for name, index in terms if isinstance(name, Symbol) and symbols(index) <= _INDICES}


def _is_about(condition: Condition, letter: str) -> bool:
    """Whether it is an equation for terms of the sequence."""
    if not isinstance(condition, Relation) or set(condition.signs) != {"="}:
        return False
    names = frozenset[str]().union(*map(symbols, condition.terms))
    return any(name == letter or name.startswith(f"{letter}_") for name in names)


def _holds(condition: Condition, letter: str, shift: int) -> bool:
    """Whether the Fibonacci numbers, so many places further, meet the equation, at every index tried."""
    assert isinstance(condition, Relation)
    evaluator = Evaluator()
    indices = frozenset[str]().union(*map(symbols, condition.terms)) & _INDICES
    try:
        for index in (5, 8):
            at = dict.fromkeys(indices, number(index).value)
            first, *others = (evaluator.value(_numbers(t, letter, shift), at) for t in condition.terms)
            if not all(same(first, other) for other in others):
                return False
    except AnswerError:
        return False
    return True


def _numbers(node: Node, letter: str, shift: int) -> Node:
    """The terms of the sequence in it, F_7 and F_{n+1}, as Fibonacci numbers."""
    if isinstance(node, Symbol) and (term := _TERM.fullmatch(node.name)) and term[1] == letter:
        return Call("fibonacci", (number(int(term[2]) + shift),))
    if isinstance(node, Call) and node.name == "apply" and node.args[0] == Symbol(letter):
        return Call("fibonacci", (Call("add", (node.args[1], number(shift))),))
    below = children(node)
    return with_children(node, tuple(_numbers(c, letter, shift) for c in below)) if below else node
