"""Letters with what hangs on them: a_1, f(x), f'(x), C(n, k)."""

from __future__ import annotations

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon.latex import BRACKETS, CLOSE, OPEN
from lm_eval_ext.grading.answers.syntax.functions import Functions
from lm_eval_ext.grading.answers.syntax.nodes import Call, Group, Node, Number, Symbol, literal

_FUNCTION_LETTERS = frozenset("f g h F G H P Q phi psi tau sigma T W".split())


class Applications(Functions):
    """What follows a letter."""

    def name(self, name: str) -> Node:
        while self.accept("'"):
            name += "'"
        node: Node = Symbol(name)
        if self.peek() == "_" and self.kind() == "op":
            self.position += 1
            index = self.index()
            node = (
                Symbol(f"{name}_{index.value}") if isinstance(index, Number) else Call("apply", (node, index))
            )
        if self.peek() == "(" and self.kind() == "op" and self.peek(1) != "mod":
            return self.application(node, name)
        return node

    def index(self) -> Node:
        token = self.tokens[self.position] if self.position < len(self.tokens) else None
        if token is not None and token.text == "{":
            self.position += 1
            if self.kind() in ("func", "word") and self.peek(1) == "}":  # N_{\\min}
                name = Symbol(self.next().text)
                self.position += 1
                return name
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
        return literal(token.text) if token.kind == "num" else Symbol(token.text)

    def application(self, node: Node, name: str) -> Node:
        """f(x) is a value of f; n(n - 1) is a product, and so it is left to `product`."""
        commas, after = self.look_inside()
        named = self.position == 1 and after in ("=", "≡")
        if name == "C" and commas == 1:
            return Call("binom", self.atom_arguments())
        if name in _FUNCTION_LETTERS or commas or named:
            return Call("apply", (node, *self.atom_arguments()))
        return node

    def look_inside(self) -> tuple[int, str | None]:
        """How many commas the bracket here has at its own level, and the token after it."""
        depth = commas = 0
        for i in range(self.position, len(self.tokens)):
            text = self.tokens[i].text
            depth += (text in OPEN) - (text in CLOSE)
            commas += depth == 1 and text in (",", ";")
            if depth == 0:
                return commas, self.tokens[i + 1].text if i + 1 < len(self.tokens) else None
        return commas, None

    def atom_arguments(self) -> tuple[Node, ...]:
        opening = self.next().text
        items = [self.relation()]
        while self.accept(",", ";"):
            items.append(self.relation())
        self.expect(BRACKETS[opening])
        return tuple(items)
