"""Brackets of all kinds: groups, sets, intervals, matrices, absolute values, arguments of functions."""

from __future__ import annotations

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon.latex import BRACKETS, CLOSE
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.syntax.nodes import Call, Group, Node, Relation
from lm_eval_ext.grading.answers.syntax.parser import Parser
from lm_eval_ext.grading.answers.syntax.relations import relation

_HALF_OPEN = {"(", ")", "[", "]"}
_ROUNDED = {"⌊": "floor", "⌈": "ceil"}


def arguments(parser: Parser) -> tuple[Node, ...]:
    opening = parser.tokens.next().text
    items = [relation(parser)]
    while parser.tokens.accept(",", ";"):
        items.append(relation(parser))
    parser.tokens.expect(BRACKETS[opening])
    return tuple(items)


def absolute(parser: Parser, _: Token) -> Node:
    parser.open_bars += 1
    inside = parser.sum()
    parser.tokens.expect("|")
    parser.open_bars -= 1
    return Call("abs", (inside,))


def brackets(parser: Parser, token: Token) -> Node:
    opening = token.text
    bars, parser.open_bars = parser.open_bars, 0
    items = list[Node]()
    while parser.tokens.current.text not in CLOSE:
        items.append(relation(parser))
        if not parser.tokens.accept(",", ";"):
            break
    closing = parser.tokens.next().text
    parser.open_bars = bars
    half_open = {opening, closing} <= _HALF_OPEN and len(items) == 2
    if closing != BRACKETS[opening] and not half_open:
        raise Unreadable(f"{opening} is closed by {closing}")
    if opening in _ROUNDED:
        return Call(_ROUNDED[opening], (_single(items),))
    if len(items) == 1 and opening != "\\{" and not isinstance(items[0], Relation):
        return items[0]
    if opening == "[" and closing == "]":
        items = _rows(items)
    return Group(opening.strip("\\"), closing.strip("\\"), tuple(items))


def matrix(parser: Parser, _: Token) -> Node:
    """Rows of entries; a single column is a vector like (a, b, c)."""
    tokens = parser.tokens
    rows: list[list[Node]] = [[]]
    while tokens.current.text and not tokens.current.text.startswith("end"):
        rows[-1].append(parser.sum())
        if not tokens.accept("&") and tokens.accept("\\\\"):
            rows.append([])
    tokens.next()
    rows = [row for row in rows if row]
    if all(len(row) == 1 for row in rows):
        return Group("(", ")", tuple(row[0] for row in rows))
    return Group("(", ")", tuple(Group("(", ")", tuple(row)) for row in rows))


def _rows(items: list[Node]) -> list[Node]:
    """[[1, 2], [3, 4]] holds tuples, and no intervals."""
    groups = [i for i in items if isinstance(i, Group) and i.open in "([" and i.close == BRACKETS[i.open]]
    return [Group("(", ")", g.items) for g in groups] if len(groups) == len(items) else items


def _single(items: list[Node]) -> Node:
    if len(items) != 1:
        raise Unreadable("brackets around several things where one is needed")
    return items[0]
