"""Expressions by precedence: sums, products, powers, atoms."""

from __future__ import annotations

from fractions import Fraction

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon.english import NUMERALS, UNITS
from lm_eval_ext.grading.answers.lexicon.latex import BRACKETS, CURRENCIES, OPEN
from lm_eval_ext.grading.answers.syntax.applications import Applications
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Group,
    Node,
    Number,
    Quantity,
    Relation,
    Symbol,
    literal,
    number,
    show,
    times,
)

MAX_DEPTH = 40
_STARTS = frozenset(["(", "[", "{", "\\{", "⌊", "⌈"])


class Expressions(Applications):
    """A Pratt parser without relations."""

    def ratio(self) -> Node:
        parts = [self.sum()]
        while self.accept(":"):
            parts.append(self.sum())
        return Call("ratio", tuple(parts)) if len(parts) > 1 else parts[0]

    def sum(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("nested too deeply")
        terms = [self.signed()]
        while sign := self.accept("+", "-", "±", "∓", "..."):
            if sign == "...":
                terms.append(Symbol("..."))
                continue
            terms.append(_with_sign(sign, self.product()))
        self.depth -= 1
        return Call("add", tuple(terms)) if len(terms) > 1 else terms[0]

    def signed(self) -> Node:
        sign = self.accept("-", "+", "±", "∓")
        return _with_sign(sign, self.signed()) if sign else self.product()

    def product(self) -> Node:
        left = self.factor()
        while True:
            if self.accept("*"):
                left = times(left, self.signed_factor())
            elif self.accept("choose"):
                return Call("binom", (left, self.product()))
            elif self.accept("/"):
                left = Call("div", (left, self.denominator()))
            elif not self.in_residues and self.accept("mod"):
                left = Call("mod", (left, self.factor()))
            elif not isinstance(left, Number) and (whole := self.united(left)) is not left:
                return whole
            elif (mixed := self.mixed(left)) is not None:
                left = mixed
            elif self.starts_factor():
                left = times(left, self.factor())
            elif self.peek() == "..." and self.peek(1) == "(":
                left = times(left, Symbol(self.next().text))
            else:
                return left

    def denominator(self) -> Node:
        """PQ/BC is (PQ)/(BC): letters written as one word stay together."""
        below = self.signed_factor()
        while self.kind() == self.kind(-1) == "name" and not self.tokens[self.position].space:
            below = times(below, self.factor())
        return below

    def united(self, left: Node) -> Node:
        """`left` with the sets joined to it, or taken away: (a, b) U (c, d), R \\ {0}."""
        while True:
            sign = self.accept("∪", "∩", "\\")
            if sign is None and self.kind() == "name" and self.peek() == "U" and self.peek(1) in _STARTS:
                self.position += 1
                sign = "∪"
            if sign is None:
                return left
            left = Call({"∪": "union", "∩": "intersection", "\\": "minus"}[sign], (left, self.region_part()))

    def signed_factor(self) -> Node:
        return Call("neg", (self.signed_factor(),)) if self.accept("-") else self.factor()

    def mixed(self, left: Node) -> Node | None:
        """2 1/2 and 2\\frac{1}{2} are 5/2: an integer before a proper fraction of integers."""
        before = self.tokens[self.position - 1]
        if not (isinstance(left, Number) and left.value.denominator == 1 and before.kind == "num"):
            return None
        texts = [t.text for t in self.tokens[self.position : self.position + 7]]
        if len(texts) > 2 and texts[1] == "/" and texts[0].isdigit() and texts[2].isdigit():
            top, bottom, used = texts[0], texts[2], 3
        elif len(texts) == 7 and (texts[0], texts[1], texts[3], texts[4], texts[6]) == (
            "frac",
            "{",
            "}",
            "{",
            "}",
        ):
            top, bottom, used = texts[2], texts[5], 7
        elif texts[:1] == ["frac"] and len(texts) > 1 and texts[1].isdigit() and len(texts[1]) == 2:
            top, bottom, used = texts[1][0], texts[1][1], 2
        else:
            return None
        if not (top.isdigit() and bottom.isdigit() and 0 < int(top) < int(bottom)):
            return None
        self.position += used
        return number(left.value + Fraction(int(top), int(bottom)))

    def starts_factor(self) -> bool:
        kind, text = self.kind(), self.peek()
        if kind == "num":  # 48! 16!
            return self.peek(-1) in ("!", ")", "}")
        if kind in ("name", "const", "func"):
            return text != "U" or self.peek(1) not in _STARTS
        return kind == "op" and text in _STARTS and not (text == "(" and self.peek(1) == "mod")

    def factor(self) -> Node:
        base = self.postfix(self.atom())
        if self.peek() == "^" and self.kind() == "op":
            self.position += 1
            if self.accept("°"):
                return self.postfix(Quantity(base, "°"))
            if self.peek() == "{" and self.peek(1) == "°":
                self.position += 3
                return self.postfix(Quantity(base, "°"))
            base = self.postfix(Call("pow", (base, self.exponent())))
        return base

    def exponent(self) -> Node:
        if self.accept("-"):
            return Call("neg", (self.exponent(),))
        base = self.postfix(self.atom())
        return Call("pow", (base, self.exponent())) if self.accept("^") else base

    def postfix(self, node: Node) -> Node:
        if isinstance(node, Number) and self.peek() == "_" and self.kind() == "op":
            self.position += 1
            node = Quantity(node, f"base {show(self.index())}")
        while True:
            if self.peek() == "!" and self.kind() == "op":
                self.position += 1
                node = Call("factorial2" if self.accept("!") else "factorial", (node,))
            elif sign := self.accept("%", "°", *CURRENCIES):
                node = Quantity(node, sign)
            elif self.accept("‰"):
                node = Call("div", (node, number(1000)))
            elif self.kind() == "word" and self.peek() in UNITS:
                unit = self.unit()
                node = Quantity(node, unit) if unit else node
            else:
                return node

    def unit(self) -> str:
        """ "cm", "cm^2", "m/s^2", "lb/in^2": a unit and those it is divided or multiplied by."""
        power = {"square": "^2", "cubic": "^3"}.get(self.next().text, "")
        if power and self.kind() == "word" and self.peek() in UNITS:
            self.position += 1
        unit = UNITS[self.tokens[self.position - 1].text]
        unit += power if unit else ""
        if self.accept("^"):
            unit += f"^{show(self.exponent())}"
        while self.kind(1) == "word" and self.peek(1) in UNITS and (sign := self.accept("/", "*")):
            unit += sign + self.unit()
        return unit

    def atom(self) -> Node:
        token = self.next()
        if token.kind == "num":
            return literal(token.text)
        if token.kind == "const":
            return Call(token.text, ())
        if token.kind == "name":
            return self.name(token.text)
        if token.kind == "func":
            return self.function(token.text)
        if token.text == "...":
            return Symbol("...")
        if token.kind == "word" and token.text in NUMERALS:
            return number(NUMERALS[token.text])
        if token.text == "|" and token.kind == "op":
            return self.absolute()
        if token.kind == "op" and token.text in _STARTS:
            return self.brackets(token.text)
        if token.kind == "op" and token.text in CURRENCIES:
            return Quantity(self.factor(), token.text)
        if token.kind == "op" and token.text in OPEN:
            return self.matrix()
        raise Unreadable(f"{token.text!r} begins no expression")

    def matrix(self) -> Node:
        """Rows of entries; a single column is a vector like (a, b, c)."""
        rows: list[list[Node]] = [[]]
        while not (self.peek() or "end").startswith("end"):
            rows[-1].append(self.sum())
            if not self.accept("&") and self.accept("\\\\"):
                rows.append([])
        self.next()
        rows = [row for row in rows if row]
        if all(len(row) == 1 for row in rows):
            return Group("(", ")", tuple(row[0] for row in rows))
        return Group("(", ")", tuple(Group("(", ")", tuple(row)) for row in rows))

    def absolute(self) -> Node:
        self.bars += 1
        inside = self.sum()
        self.expect("|")
        self.bars -= 1
        return Call("abs", (inside,))

    def brackets(self, opening: str) -> Node:
        bars, self.bars = self.bars, 0
        items = list[Node]()
        while self.peek() not in (")", "]", "}", "\\}", "⌋", "⌉"):
            items.append(self.relation())
            if not self.accept(",", ";"):
                break
        closing = self.next().text
        self.bars = bars
        if closing != BRACKETS[opening] and not (
            {opening, closing} <= {"(", ")", "[", "]"} and len(items) == 2
        ):
            raise Unreadable(f"{opening} is closed by {closing}")
        if opening in "⌊⌈":
            return Call("floor" if opening == "⌊" else "ceil", (_single(items),))
        if len(items) == 1 and opening != "\\{" and not isinstance(items[0], Relation):
            return items[0]
        if opening == "[" and closing == "]" and _are_groups(items):
            return _rows(items)
        return Group(opening.strip("\\"), closing.strip("\\"), tuple(items))


def _with_sign(sign: str, node: Node) -> Node:
    if sign == "+":
        return node
    return Call({"-": "neg", "±": "pm", "∓": "mp"}[sign], (node,))


def _are_groups(items: list[Node]) -> bool:
    return all(isinstance(i, Group) and i.open in ("(", "[") for i in items)


def _rows(items: list[Node]) -> Group:
    """[[1, 2], [3, 4]] holds tuples, and no intervals."""
    return Group("[", "]", tuple(Group("(", ")", i.items) for i in items if isinstance(i, Group)))


def _single(items: list[Node]) -> Node:
    if len(items) != 1:
        raise Unreadable("brackets around several things where one is needed")
    return items[0]
