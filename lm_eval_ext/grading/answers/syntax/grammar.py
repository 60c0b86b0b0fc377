r"""The table of rules: which function parses what begins with, or follows, a token.

>>> show(parse(tokens(r"\frac{2n}{3} + 1")))
'(((2*n)/3) + 1)'
"""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon.english import NUMERALS
from lm_eval_ext.grading.answers.lexicon.latex import CURRENCIES, MATRICES, PAIRS
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.syntax import products, quantities
from lm_eval_ext.grading.answers.syntax.brackets import absolute, brackets, matrix
from lm_eval_ext.grading.answers.syntax.functions import function
from lm_eval_ext.grading.answers.syntax.letters import constant, letter
from lm_eval_ext.grading.answers.syntax.nodes import Node, literal, number
from lm_eval_ext.grading.answers.syntax.parser import ELLIPSIS, Grammar, Parser, no_expression
from lm_eval_ext.grading.answers.syntax.relations import relation
from lm_eval_ext.grading.answers.syntax.sets import SET_OPERATIONS, named_domain, united
from lm_eval_ext.grading.answers.syntax.vectors import combined, unit_vector


def parse(tokens: Sequence[Token]) -> Node:
    """The expression or relation that all of `tokens` form. Raises Unreadable."""
    parser = Parser(tokens, GRAMMAR)
    node = combined(relation(parser))
    if parser.tokens.current.text:
        raise Unreadable(f"unexpected {parser.tokens.current.text!r}")
    return node


def _numeral(parser: Parser, token: Token) -> Node:
    if token.text not in NUMERALS:
        raise no_expression(token)
    return number(NUMERALS[token.text])


GRAMMAR = Grammar(
    atoms={
        "num": lambda parser, token: literal(token.text),
        "const": constant,
        "name": letter,
        "func": function,
        "vec": unit_vector,
        "domain": lambda parser, token: named_domain(parser, token.text),
        "word": _numeral,
        "...": lambda parser, token: ELLIPSIS,
        "|": absolute,
        **dict.fromkeys(MATRICES, matrix),
        **dict.fromkeys(PAIRS, brackets),
        **dict.fromkeys(CURRENCIES, quantities.price),
    },
    postfix={
        "^": quantities.power,
        "!": quantities.factorial,
        "_": quantities.in_base,
        "‰": quantities.per_mille,
        **dict.fromkeys(["%", "°", *CURRENCIES], quantities.with_sign),
        "word": quantities.with_unit,
    },
    factors={
        "*": products.multiplied,
        "/": products.divided,
        "mod": products.remainder,
        "...": products.with_ellipsis,
        "num": products.with_number,
        "name": products.with_letter,
        "const": products.juxtaposed,
        "func": products.with_function,
        "vec": products.juxtaposed,
        "|": products.with_absolute,
        **dict.fromkeys(PAIRS, products.with_brackets),
        **dict.fromkeys(MATRICES, products.juxtaposed),
    },
    sets={"choose": products.chosen, **dict.fromkeys(SET_OPERATIONS, united)},
)
