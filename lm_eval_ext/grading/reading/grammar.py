r"""From tokens to an expression or a relation: a Pratt parser of the mathematics that answers are written in.

>>> show(parse(tokens(r"\frac{2n}{3} + 1")))
'(((2*n)/3) + 1)'
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from lm_eval_ext.grading.reading.lexer import Token
from lm_eval_ext.grading.reading.tree import Call, Group, Node, Num, Relation, Sym, Unreadable, number
from lm_eval_ext.grading.reading.words import NUMERALS, UNITS

MAX_DEPTH = 40
CLOSING = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "⌊": "⌋", "⌈": "⌉"}
RELATIONS = frozenset(["=", "<", ">", "<=", ">=", "!=", "in", "notin", "≡", "|", "notdivides"])
DOMAINS = frozenset("RZNQC")
_FUNCTION_LETTERS = frozenset(
    ["f", "g", "h", "F", "G", "H", "P", "Q", "phi", "psi", "tau", "sigma", "T", "W"]
)
_ONE_ARGUMENT = frozenset("sqrt cbrt floor ceil abs exp sgn".split())
_STARTS = frozenset(["(", "[", "{", "\\{", "⌊", "⌈"])


def parse(tokens: Sequence[Token]) -> Node:
    """The expression or relation that all of `tokens` form. Raises Unreadable."""
    parser = _Parser(tokens)
    node = parser.relation()
    if parser.peek() is not None:
        raise Unreadable(f"unexpected {parser.peek()!r}")
    return node


class _Parser:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = list(tokens)
        self.position = 0
        self.depth = 0
        self.bars = 0
        self.in_residues = False

    # the stream -----------------------------------------------------------------------------------------

    def peek(self, ahead: int = 0) -> str | None:
        here = self.position + ahead
        return self.tokens[here].text if here < len(self.tokens) else None

    def kind(self, ahead: int = 0) -> str | None:
        here = self.position + ahead
        return self.tokens[here].kind if here < len(self.tokens) else None

    def next(self) -> Token:
        if self.position >= len(self.tokens):
            raise Unreadable("it ends in the middle of an expression")
        self.position += 1
        return self.tokens[self.position - 1]

    def accept(self, *texts: str) -> str | None:
        text = self.peek()
        if text in texts and self.kind() in ("op", "word"):
            self.position += 1
            return text
        return None

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise Unreadable(f"{text!r} expected, found {self.peek()!r}")

    # relations ------------------------------------------------------------------------------------------

    def relation(self) -> Node:
        terms, signs = [self.ratio()], list[str]()
        while (sign := self.peek()) in RELATIONS and not (sign == "|" and self.bars):
            self.position += 1
            assert sign is not None
            if sign in ("in", "notin"):
                terms.append(self.region())
            elif sign == "≡":
                terms.append(self.residues())
            else:
                terms.append(self.ratio())
            signs.append(sign)
        if not signs:
            return terms[0]
        return Relation(
            tuple(terms), tuple("=" if _is_plain(s, t) else s for s, t in zip(signs, terms[1:], strict=True))
        )

    def residues(self) -> Node:
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
            return Call("residues", tuple(found))
        if len(found) > 1:
            raise Unreadable("residues without a modulus")
        return found[0]

    def region(self) -> Node:
        """What follows ∈: a domain, an interval, a set, unions and differences of them."""
        left = self.region_part()
        while sign := self.accept("∪", "∩", "\\") or (self.accept("U") if self.peek() == "U" else None):
            left = Call({"∩": "intersection", "\\": "minus"}.get(sign, "union"), (left, self.region_part()))
        return left

    def region_part(self) -> Node:
        start = self.position
        braces = bool(self.accept("{"))
        if self.kind() == "name" and self.peek() in DOMAINS:
            name = self.next().text
            if not braces or self.accept("}"):
                return Sym(name + self.domain_part())
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

    # expressions ----------------------------------------------------------------------------------------

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
                terms.append(Sym("..."))
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
                left = _times(left, self.signed_factor())
            elif self.accept("/"):
                left = Call("div", (left, self.signed_factor()))
            elif not self.in_residues and self.accept("mod"):
                left = Call("mod", (left, self.factor()))
            elif self.peek() in ("∪", "\\", "∩") and isinstance(left, (Group, Call, Sym)):
                return self.union_from(left)
            elif (mixed := self.mixed(left)) is not None:
                left = mixed
            elif self.starts_factor():
                left = _times(left, self.factor())
            elif self.peek() == "..." and self.peek(1) == "(":
                left = _times(left, Sym(self.next().text))
            else:
                return left

    def union_from(self, left: Node) -> Node:
        while sign := self.accept("∪", "∩", "\\"):
            left = Call({"∪": "union", "∩": "intersection", "\\": "minus"}[sign], (left, self.region_part()))
        return left

    def signed_factor(self) -> Node:
        return Call("neg", (self.signed_factor(),)) if self.accept("-") else self.factor()

    def mixed(self, left: Node) -> Node | None:
        """2 1/2 and 2\\frac{1}{2} are 5/2: an integer before a proper fraction of integers."""
        before = self.tokens[self.position - 1]
        if not (isinstance(left, Num) and left.value.denominator == 1 and before.kind == "num"):
            return None
        start = self.position
        if self.peek() == "frac" or (self.kind() == "num" and self.peek(1) == "/" and self.kind(2) == "num"):
            part = self.factor()
            if self.accept("/"):
                part = Call("div", (part, self.factor()))
            if isinstance(part, Call) and all(isinstance(a, Num) for a in part.args):
                top, bottom = (a.value for a in part.args if isinstance(a, Num))
                if 0 < top < bottom:
                    return number(left.value + top / bottom)
        self.position = start
        return None

    def starts_factor(self) -> bool:
        kind, text = self.kind(), self.peek()
        if kind in ("name", "const", "func"):
            return text != "U" or self.peek(1) not in _STARTS
        return kind == "op" and text in _STARTS and not (text == "(" and self.peek(1) == "mod")

    def factor(self) -> Node:
        base = self.postfix(self.atom())
        if self.peek() == "^" and self.kind() == "op":
            self.position += 1
            if self.accept("°"):
                return self.postfix(Call("unit", (base, Sym("°"))))
            if self.peek() == "{" and self.peek(1) == "°":
                self.position += 3
                return self.postfix(Call("unit", (base, Sym("°"))))
            base = self.postfix(Call("pow", (base, self.exponent())))
        return base

    def exponent(self) -> Node:
        if self.accept("-"):
            return Call("neg", (self.exponent(),))
        base = self.postfix(self.atom())
        return Call("pow", (base, self.exponent())) if self.accept("^") else base

    def postfix(self, node: Node) -> Node:
        while True:
            if self.peek() == "!" and self.kind() == "op":
                self.position += 1
                node = Call("factorial2" if self.accept("!") else "factorial", (node,))
            elif sign := self.accept("%", "°"):
                node = Call("unit", (node, Sym(sign)))
            elif self.kind() == "word" and self.peek() in UNITS:
                unit = UNITS[self.next().text]
                if self.accept("^"):
                    unit += f"^{self.next().text}"
                node = Call("unit", (node, Sym(unit))) if unit else node
            else:
                return node

    # atoms ----------------------------------------------------------------------------------------------

    def atom(self) -> Node:
        token = self.next()
        if token.kind == "num":
            return _literal(token.text)
        if token.kind == "const":
            return Call(token.text, ())
        if token.kind == "name":
            return self.name(token.text)
        if token.kind == "func":
            return self.function(token.text)
        if token.text == "...":
            return Sym("...")
        if token.kind == "word" and token.text in NUMERALS:
            return number(NUMERALS[token.text])
        if token.text == "|" and token.kind == "op":
            return self.absolute()
        if token.kind == "op" and token.text in _STARTS:
            return self.brackets(token.text)
        raise Unreadable(f"{token.text!r} begins no expression")

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
        if closing != CLOSING[opening] and not (
            {opening, closing} <= {"(", ")", "[", "]"} and len(items) == 2
        ):
            raise Unreadable(f"{opening} is closed by {closing}")
        if opening in "⌊⌈":
            return Call("floor" if opening == "⌊" else "ceil", (_single(items),))
        if len(items) == 1 and not (opening == "\\{") and not isinstance(items[0], Relation):
            return items[0]
        return Group(opening.strip("\\"), closing.strip("\\"), tuple(items))

    def name(self, name: str) -> Node:
        while self.accept("'"):
            name += "'"
        node: Node = Sym(name)
        if self.peek() == "_" and self.kind() == "op":
            self.position += 1
            index = self.index()
            node = Sym(f"{name}_{index.value}") if isinstance(index, Num) else Call("apply", (node, index))
        if self.peek() == "(" and self.kind() == "op" and self.peek(1) != "mod":
            return self.application(node, name)
        return node

    def index(self) -> Node:
        token = self.tokens[self.position] if self.position < len(self.tokens) else None
        if token is not None and token.text == "{":
            self.position += 1
            inside = self.sum()
            if self.accept(","):
                inside = Group("(", ")", (inside, self.sum()))
            self.expect("}")
            return inside
        if token is not None and token.text == "(":
            return self.atom()
        token = self.next()
        if token.kind not in ("num", "name", "const"):
            raise Unreadable(f"{token.text!r} as a subscript")
        return _literal(token.text) if token.kind == "num" else Sym(token.text)

    def application(self, node: Node, name: str) -> Node:
        """f(x) is a value of f; n(n - 1) is a product, and so it is left to `product`."""
        start = self.position
        arguments = self.atom_arguments()
        pair = len(arguments) == 2
        if name == "C" and pair:
            return Call("binom", arguments)
        if name in _FUNCTION_LETTERS or (len(arguments) > 1) or (start == 1 and self.peek() in ("=", "≡")):
            return Call("apply", (node, *arguments))
        self.position = start
        return node

    def atom_arguments(self) -> tuple[Node, ...]:
        opening = self.next().text
        items = [self.relation()]
        while self.accept(",", ";"):
            items.append(self.relation())
        self.expect(CLOSING[opening])
        return tuple(items)

    # functions ------------------------------------------------------------------------------------------

    def function(self, name: str) -> Node:
        if name == "frac":
            return Call("div", (self.piece(), self.piece()))
        if name == "binom":
            if self.peek() == "(":
                return Call("binom", self.atom_arguments())
            return Call("binom", (self.piece(), self.piece()))
        if name in ("sum", "prod"):
            return self.big(name)
        if name == "angle":
            return self.angle()
        if name == "overline":
            return self.digits()
        if name in ("min", "max", "gcd", "lcm"):
            if self.peek() not in ("(", "{", "\\{"):
                raise Unreadable(f"{name} of what?")
            return Call(name, self.atom_arguments())
        if name in _ONE_ARGUMENT:
            return self.root(name)
        return self.elementary(name)

    def root(self, name: str) -> Node:
        if name == "sqrt" and self.accept("["):
            degree = self.sum()
            self.expect("]")
            return Call("root", (self.piece(), degree))
        inside = self.piece()
        return Call("root", (inside, number(3))) if name == "cbrt" else Call(name, (inside,))

    def elementary(self, name: str) -> Node:
        """sin x, sin^2 x, sin(x), log_2 n, log2(n)."""
        base = exponent = None
        if self.accept("_"):
            base = self.index()
        elif (
            name == "log"
            and self.kind() == "num"
            and not self.tokens[self.position].space
            and self.kind(1) in ("name", "op")
        ):
            base = _literal(self.next().text)
        if self.accept("^"):
            exponent = self.exponent()
        inside = self.atom_arguments()[0] if self.peek() == "(" else self.bare_argument()
        if name in ("log", "ln", "lg"):
            base = number(10) if name == "lg" else base
            value: Node = Call("log", (inside,) if base is None else (inside, base))
        else:
            value = Call(name, (inside,))
        if exponent == Call("neg", (number(1),)):
            return Call("arc" + name, (inside,))
        return value if exponent is None else Call("pow", (value, exponent))

    def bare_argument(self) -> Node:
        """sin 2x y: factors up to the next function or sign."""
        inside = self.factor()
        while self.kind() in ("name", "const", "num") or (self.peek() == "frac"):
            inside = _times(inside, self.factor())
        if self.peek() == "/" and self.kind(1) in ("num", "name"):
            self.position += 1
            inside = Call("div", (inside, self.factor()))
        return inside

    def piece(self) -> Node:
        r"""The argument of a LaTeX command: a group, or one sign (\frac12 is 1/2, \sqrt2x is \sqrt{2}x)."""
        token = self.next()
        after_frac = self.position > 1 and self.tokens[self.position - 2].text == "frac"
        if token.kind == "num" and after_frac and token.text.isdigit() and len(token.text) > 1:
            self.position -= 1
            self.tokens[self.position] = Token("num", token.text[1:])
            return _literal(token.text[0])
        self.position -= 1
        return self.atom()

    def big(self, name: str) -> Node:
        self.expect("_")
        braces = bool(self.accept("{"))
        variable = self.next()
        if variable.kind not in ("name", "const"):
            raise Unreadable("a sum without an index")
        self.expect("=")
        low = self.sum()
        if braces:
            self.expect("}")
        self.expect("^")
        high = self.exponent()
        return Call(name, (Sym(variable.text), low, high, self.product()))

    def angle(self) -> Node:
        name = ""
        while self.kind() == "name" and (self.peek() or "").isupper():
            name += self.next().text
        if not name:
            raise Unreadable("an angle without letters")
        return Sym(f"∠{name}")

    def digits(self) -> Node:
        """The number written \\overline{ab}: 10a + b."""
        braces = bool(self.accept("{"))
        value: Node = number(0)
        while (self.kind() in ("name", "const", "num")) or self.peek() == "(":
            if self.kind() == "num":
                for digit in self.next().text:
                    value = Call("add", (Call("mul", (number(10), value)), _literal(digit)))
            else:
                token = self.tokens[self.position]
                part = self.atom() if token.text == "(" else Sym(self.next().text)
                value = Call("add", (Call("mul", (number(10), value)), part))
        if braces:
            self.expect("}")
        return value


def _literal(text: str) -> Num:
    if "/" in text:
        return Num(Fraction(text))
    places = len(text.partition(".")[2]) if "." in text and "e" not in text.lower() else None
    return Num(Fraction(text), places)


def _with_sign(sign: str, node: Node) -> Node:
    if sign == "+":
        return node
    return Call({"-": "neg", "±": "pm", "∓": "mp"}[sign], (node,))


def _times(left: Node, right: Node) -> Node:
    if isinstance(left, Call) and left.name == "mul":
        return Call("mul", (*left.args, right))
    return Call("mul", (left, right))


def _single(items: list[Node]) -> Node:
    if len(items) != 1:
        raise Unreadable("brackets around several things where one is needed")
    return items[0]


def _is_plain(sign: str, term: Node) -> bool:
    """f(x) ≡ 0 without a modulus is an equality."""
    return sign == "≡" and not (isinstance(term, Call) and term.name == "residues")
