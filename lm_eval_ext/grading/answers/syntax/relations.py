"""Chains of relations, and what stands on their right sides: ratios, residues, sets."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.syntax.nodes import Call, Node, Relation, Symbol, symbols
from lm_eval_ext.grading.answers.syntax.parser import Parser
from lm_eval_ext.grading.answers.syntax.sets import region

RELATIONS = frozenset(["=", "<", ">", "<=", ">=", "!=", "in", "notin", "≡", "≢", "|", "notdivides"])
_SIGNS = RELATIONS | {"≈"}


def relation(parser: Parser) -> Node:
    tokens = parser.tokens
    terms, signs = [ratio(parser)], list[str]()
    while (sign := tokens.current.text) in _SIGNS and not (sign == "|" and parser.open_bars):
        tokens.advance()
        if sign == "≈":
            if symbols(terms[-1]):
                if not _is_head(terms):
                    raise Unreadable("the value is only near")
                terms.append(ratio(parser))
                signs.append("=")
                continue
            terms[-1] = Call("about", (terms[-1], ratio(parser)))
            continue
        terms.append(_RIGHT_SIDES.get(sign, ratio)(parser))
        signs.append(_plain(sign, terms[-1]))
    return Relation(tuple(terms), tuple(signs)) if signs else terms[0]


def _is_head(terms: Sequence[Node]) -> bool:
    r"""Whether f(x) \\sim ..., y \\approx ...: what is approximated stands alone."""
    return len(terms) == 1 and (
        isinstance(terms[0], Symbol) or (isinstance(terms[0], Call) and terms[0].name == "apply")
    )


def ratio(parser: Parser) -> Node:
    parts = [parser.sum()]
    while parser.tokens.accept(":"):
        parts.append(parser.sum())
    return Call("ratio", tuple(parts)) if len(parts) > 1 else parts[0]


def residues(parser: Parser) -> Node:
    """What follows ≡: "3 (mod 4)", "0 or 3 (mod 4)", or just an expression (then ≡ is =)."""
    tokens = parser.tokens
    parser.in_residues = True
    found = [ratio(parser)]
    while tokens.accept(",", "or", "and"):
        tokens.accept("or", "and")
        found.append(ratio(parser))
    parser.in_residues = False
    opened = tokens.current.text == "(" and tokens.peek().text == "mod"
    if opened:
        tokens.advance()
    if tokens.accept("mod", "modulo"):
        found.append(parser.sum())
        if opened:
            tokens.expect(")")
        return Call("residues", tuple(r for f in found for r in _both_signs(f)))
    if len(found) > 1:
        raise Unreadable("residues without a modulus")
    return found[0]


_RIGHT_SIDES = {"in": region, "notin": region, "≡": residues, "≢": residues}


def _both_signs(node: Node) -> tuple[Node, ...]:
    """±1 (mod 6) is 1 or -1."""
    if isinstance(node, Call) and node.name == "pm":
        return node.args[0], Call("neg", node.args)
    return (node,)


def _plain(sign: str, term: Node) -> str:
    """f(x) ≡ 0 without a modulus is an equality."""
    if sign not in ("≡", "≢") or (isinstance(term, Call) and term.name == "residues"):
        return sign
    if sign == "≢":
        raise Unreadable("residues without a modulus")
    return "="
