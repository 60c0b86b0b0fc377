r"""Functions, roots, fractions, sums: what has a name, such as \frac12, sin 2x, log_2 n, \overline{ab}."""

from __future__ import annotations

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Node,
    Symbol,
    children,
    literal,
    number,
    times,
    with_children,
)
from lm_eval_ext.grading.answers.syntax.stream import Stream

_ONE_ARGUMENT = frozenset("sqrt cbrt floor ceil abs exp sgn".split())


class Functions(Stream):
    """What follows the name of a function."""

    def function(self, name: str) -> Node:
        if name == "frac":
            return Call("div", (self.piece(), self.piece(second=True)))
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
            base = literal(self.next().text)
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
            inside = times(inside, self.factor())
        if self.peek(-1) == "pi" and self.peek() == "/" and self.kind(1) == "num":  # sin pi/4
            self.position += 1
            inside = Call("div", (inside, self.factor()))
        return inside

    def piece(self, second: bool = False) -> Node:
        r"""The argument of a LaTeX command: a group, or one sign (\frac12 is 1/2, \sqrt2x is \sqrt{2}x)."""
        token = self.next()
        before = self.tokens[self.position - 2].text if self.position > 1 else ""
        after_frac = before == "frac" or (second and before != "}" and not token.space)
        if token.kind == "num" and after_frac and token.text.isdigit() and len(token.text) > 1:
            self.position -= 1
            self.tokens[self.position] = Token("num", token.text[1:])
            return literal(token.text[0])
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
        body = with_index(self.product(), variable.text)
        return Call(name, (Symbol(variable.text), low, high, body))

    def angle(self) -> Node:
        name = ""
        while self.kind() == "name" and (self.peek() or "").isupper():
            name += self.next().text
        if not name:
            raise Unreadable("an angle without letters")
        return Symbol(f"∠{name}")

    def digits(self) -> Node:
        """The number written \\overline{ab}: 10a + b."""
        braces = bool(self.accept("{"))
        value: Node = number(0)
        while (self.kind() in ("name", "const", "num")) or self.peek() == "(":
            if self.kind() == "num":
                for digit in self.next().text:
                    value = Call("add", (Call("mul", (number(10), value)), literal(digit)))
            else:
                token = self.tokens[self.position]
                part = self.atom() if token.text == "(" else Symbol(self.next().text)
                value = Call("add", (Call("mul", (number(10), value)), part))
        if braces:
            self.expect("}")
        return value


def with_index(node: Node, name: str) -> Node:
    """The i of a sum over i is its index, not the imaginary unit."""
    if isinstance(node, Call) and node.name == name and not node.args:
        return Symbol(name)
    below = children(node)
    return with_children(node, tuple(with_index(c, name) for c in below)) if below else node
