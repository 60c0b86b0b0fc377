r"""Sums with an ellipsis: 1 + x + x^2/2 + ..., 1 + 1/2 + ... + 1/n."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from lm_eval_ext.grading.answers.errors import AnswerError
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.numeric.numbers import as_real
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Node,
    Number,
    Symbol,
    children,
    number,
    substitute,
    symbols,
    walk,
    with_children,
)
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

Identical = Callable[[Node, Node], bool]
ELLIPSIS = Symbol("...")
_INDEX = Symbol("#sum")
_NEEDED_TERMS = 3
_SMALL = Fraction(1, 10**8)
_STARTS = (1, 0, 2, 3)


def has_ellipsis(node: Node) -> bool:
    return any(n == ELLIPSIS for n in walk(node))


def closed(node: Node, is_identical: Identical) -> Node:
    """With a sum over an index for each a_1 + a_2 + ... + a_n whose last term shows the general one."""
    below = children(node)
    if not below:
        return node
    node = with_children(node, tuple(closed(c, is_identical) for c in below))
    if not isinstance(node, Call) or node.name != "add" or node.args.count(ELLIPSIS) != 1:
        return node
    at = node.args.index(ELLIPSIS)
    numbered = isinstance(last := node.args[-1], Call) and last.name == "apply"  # a_n shows it alone
    if at < (1 if numbered else 2) or at != len(node.args) - 2:
        return node
    return _general(node.args[:at], last, is_identical) or node


def _general(shown: Sequence[Node], last: Node, is_identical: Identical) -> Node | None:
    for letter in sorted(symbols(last) & set("ijklmnpqN")):
        for start in _STARTS:
            terms = (_numbered(last, letter, number(start + i)) for i in range(len(shown)))
            if all(is_identical(t, s) for t, s in zip(terms, shown, strict=True)):
                body = substitute(last, {letter: _INDEX})
                return Call("sum", (_INDEX, number(start), Symbol(letter), body))
    return None


def _numbered(node: Node, letter: str, value: Number) -> Node:
    """The term at a number: a_n becomes a_1."""
    node = substitute(node, {letter: value})
    return _with_names(node)


def _with_names(node: Node) -> Node:
    if isinstance(node, Call) and node.name == "apply" and len(node.args) == 2:
        name, index = node.args
        if isinstance(name, Symbol) and isinstance(index, Number):
            return Symbol(f"{name.name}_{index.value}")
    below = children(node)
    return with_children(node, tuple(map(_with_names, below))) if below else node


@rule("expansions.same-terms", "expansions.differ", "undecided.ellipsis")
def same_expansion(left: Node, right: Node, is_identical: Identical, evaluator: Evaluator) -> Outcome:
    """Series of which the first terms are shown, beside another such or beside what they expand.

    Three shown terms decide; beside a function or a sum they must be its expansion at 0 to their order.
    """
    unknown = Outcome(None, "undecided.ellipsis", "an ellipsis")
    mine, theirs = _shown(left), _shown(right)
    letters = symbols(left) | symbols(right)
    if (mine is None and theirs is None) or len(letters - {"..."}) != 1:
        return unknown
    if mine and theirs:
        count = min(len(mine), len(theirs))
        if count < _NEEDED_TERMS or _goes_on_with(left) != _goes_on_with(right):
            return unknown
        same = is_identical(Call("add", tuple(mine[:count])), Call("add", tuple(theirs[:count])))
    else:
        shown, other = (mine, right) if mine else (theirs, left)
        if shown is None or has_ellipsis(other) or len(shown) < _NEEDED_TERMS:
            return unknown
        (letter,) = letters - {"..."}
        expands = _expands(shown, other, letter, evaluator)
        if expands is None:
            return unknown
        same = expands
    if same:
        return Outcome(True, "expansions.same-terms", "the same first terms")
    return Outcome(False, "expansions.differ", "other first terms")


def _goes_on_with(node: Node) -> str:
    """The sign before the ellipsis."""
    return "-" if isinstance(node, Call) and node.args[-1] != ELLIPSIS else "+"


def _shown(node: Node) -> list[Node] | None:
    """The terms before an ellipsis that ends a sum; None for anything else."""
    if not isinstance(node, Call) or node.name != "add":
        return None
    terms = list(node.args)
    if isinstance(last := terms[-1], Call) and last.name == "neg":
        terms[-1] = last.args[0]
    if terms[-1] != ELLIPSIS or any(map(has_ellipsis, terms[:-1])):
        return None
    return terms[:-1]


def _expands(shown: Sequence[Node], other: Node, letter: str, evaluator: Evaluator) -> bool | None:
    """Whether what `other` has beyond the shown terms is small beside the last of them, near 0."""
    at = {letter: _SMALL}
    try:
        total = as_real(evaluator.value(Call("add", tuple(shown)), at))
        value = as_real(evaluator.value(other, at))
        last, first = (abs(as_real(evaluator.value(t, at))) for t in (shown[-1], shown[-2]))
    except AnswerError:
        return None
    if not last or last >= first / 100:  # no powers of the letter in rising order
        return None
    return bool(abs(value - total) < last / 1000)
