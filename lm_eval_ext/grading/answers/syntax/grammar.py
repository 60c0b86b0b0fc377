r"""From tokens to an expression or a relation.

>>> show(parse(tokens(r"\frac{2n}{3} + 1")))
'(((2*n)/3) + 1)'
"""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.syntax.expressions import Expressions
from lm_eval_ext.grading.answers.syntax.nodes import Call, Node, Relation, Symbol, symbols

RELATIONS = frozenset(["=", "<", ">", "<=", ">=", "!=", "in", "notin", "≡", "≢", "|", "notdivides"])
DOMAINS = frozenset("RZNQC")


def parse(tokens: Sequence[Token]) -> Node:
    """The expression or relation that all of `tokens` form. Raises Unreadable."""
    parser = Relations(tokens)
    node = parser.relation()
    if parser.peek() is not None:
        raise Unreadable(f"unexpected {parser.peek()!r}")
    return node


class Relations(Expressions):
    """Chains of relations, and the sets that stand after "in"."""

    def relation(self) -> Node:
        terms, signs = [self.ratio()], list[str]()
        while (sign := self.peek()) in RELATIONS | {"≈"} and not (sign == "|" and self.bars):
            self.position += 1
            assert sign is not None
            if sign == "≈" and symbols(terms[-1]):
                raise Unreadable("the value is only near")
            if sign == "≈":
                terms[-1] = Call("about", (terms[-1], self.ratio()))
                continue
            if sign in ("in", "notin"):
                terms.append(self.region())
            elif sign in ("≡", "≢"):
                terms.append(self.residues(negated=sign == "≢"))
            else:
                terms.append(self.ratio())
            signs.append(sign)
        if not signs:
            return terms[0]
        return Relation(
            tuple(terms), tuple("=" if _is_plain(s, t) else s for s, t in zip(signs, terms[1:], strict=True))
        )

    def residues(self, negated: bool) -> Node:
        """What follows ≡: "3 (mod 4)", "0 or 3 (mod 4)", or just an expression (then ≡ is =)."""
        self.in_residues = True
        found = [self.ratio()]
        while self.accept(",", "or", "and"):
            self.accept("or", "and")
            found.append(self.ratio())
        self.in_residues = False
        opened = self.peek() == "(" and self.peek(1) == "mod"
        if opened:
            self.position += 1
        if self.accept("mod", "modulo"):
            found.append(self.sum())
            if opened:
                self.expect(")")
            signed = [r for f in found for r in _both_signs(f)]
            return Call("residues", tuple(signed))
        if len(found) > 1 or negated:
            raise Unreadable("residues without a modulus")
        return found[0]

    def region(self) -> Node:
        """What follows ∈: a domain, an interval, a set, unions and differences of them."""
        return self.united(self.region_part())

    def region_part(self) -> Node:
        start = self.position
        braces = bool(self.accept("{"))
        if self.kind() == "name" and self.peek() in DOMAINS:
            name = self.next().text
            if not braces or self.accept("}"):
                return Symbol(name + self.domain_part())
        self.position = start
        return self.sum()

    def domain_part(self) -> str:
        """The limit on a domain: ">0" of Z_{>0}, R^+, Z^{+}; "!=0" of R^*."""
        if not self.accept("_", "^"):
            return ""
        braces = bool(self.accept("{"))
        sign = self.accept(">", ">=", "!=", "+", "*", "<", "<=")
        if sign is None:
            raise Unreadable("a domain with an unknown limit")
        if sign in ("+", "*"):
            sign = ">" if sign == "+" else "!="
        elif self.next().text != "0":
            raise Unreadable("a domain with an unknown limit")
        if braces:
            self.expect("}")
        return sign + "0"


def _both_signs(node: Node) -> tuple[Node, ...]:
    """±1 (mod 6) is 1 or -1."""
    if isinstance(node, Call) and node.name == "pm":
        return node.args[0], Call("neg", node.args)
    return (node,)


def _is_plain(sign: str, term: Node) -> bool:
    """f(x) ≡ 0 without a modulus is an equality."""
    return sign == "≡" and not (isinstance(term, Call) and term.name == "residues")
