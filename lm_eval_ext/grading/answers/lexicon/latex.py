"""LaTeX commands and Unicode signs, and the token each one is. Data, no code."""

from __future__ import annotations

import unicodedata
from typing import TypeAlias

from lm_eval_ext.grading.answers.lexicon.english import FUNCTIONS

Sign: TypeAlias = tuple[str, str]
"""(kind, text) of a token."""

GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi "
    "psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega ell"
).split()
_OPERATORS = {
    "*": "cdot times ast bullet", "/": "div", "choose": "choose", "±": "pm", "∓": "mp", "<": "lt", ">": "gt",
    "<=": "le leq leqslant leqq", ">=": "ge geq geqslant geqq", "!=": "ne neq", "in": "in", "notin": "notin",
    "|": "mid vert lvert rvert", "notdivides": "nmid", "≡": "equiv cong", "mod": "pmod bmod mod pod",
    "∪": "cup bigcup", "∩": "cap", "\\": "setminus backslash", ":": "colon", "'": "prime",
    "...": "ldots dots cdots dotsc dotsb dotso vdots", "⌊": "lfloor", "⌋": "rfloor", "⌈": "lceil",
    "⌉": "rceil", "->": "to mapsto rightarrow longrightarrow longmapsto", "(": "langle", ")": "rangle",
    "\\{": "lbrace", "\\}": "rbrace", "≈": "approx simeq approxeq doteq thickapprox sim",
    "‰": "permil perthousand textperthousand", "€": "euro", "£": "pounds",
    "°": "degree degrees circ", "gap": "quad qquad",
}  # fmt: skip
_WORDS = {
    "none": "emptyset varnothing", "then": "implies Rightarrow Longrightarrow", "and": "land wedge",
    "iff": "iff Leftrightarrow Longleftrightarrow", "or": "lor vee", "for": "forall", "some": "exists",
}  # fmt: skip
_FUNCTIONS = {
    "frac": "tfrac dfrac cfrac", "binom": "dbinom tbinom", "angle": "angle triangle", "int": "int intop",
    "det": "det", "tr": "tr",
}  # fmt: skip
_CONSTANTS = {"pi": "pi", "oo": "infty", "i": "imath"}
_NAMES = {"T": "top intercal", "j": "jmath", "∇": "nabla", "∂": "partial"}
_TABLES = {"op": _OPERATORS, "word": _WORDS, "func": _FUNCTIONS, "const": _CONSTANTS, "name": _NAMES}
COMMANDS: dict[str, Sign] = {
    **{name: ("name", name) for name in GREEK},
    **{f"var{name}": ("name", name) for name in GREEK},
    **{name: ("func", name) for name in FUNCTIONS},
    **{
        name: (kind, text)
        for kind, table in _TABLES.items()
        for text, names in table.items()
        for name in names.split()
    },
}
"""Without the backslash."""

DROPPED = frozenset(
    "left right big Big bigl bigr Bigl Bigr bigg Bigg biggl biggr Biggl Biggr middle displaystyle "
    "textstyle boxed fbox limits nolimits mathit mathsf mathcal medskip mathbb mathscr underbrace vec "
    "overrightarrow boldsymbol bm mathbf pmb nonumber mathop".split()
)
"""Commands about looks alone."""
BOLD = frozenset("vec overrightarrow boldsymbol bm mathbf pmb hat widehat".split())
"""Commands that make a letter a vector: \\mathbf{i} is the first unit vector."""
ACCENTS = {
    "bar": "\u0304",
    "hat": "\u0302",
    "widehat": "\u0302",
    "tilde": "\u0303",
    "mathcal": "",
    "dot": "'",
    "ddot": "''",
}
"""Commands that make another letter of a letter, and what they add to its name."""
UNIT_VECTORS = {"i": "1", "imath": "1", "j": "2", "jmath": "2", "k": "3"}
ALIGNED = frozenset("aligned align gathered split eqnarray alignedat".split())
"""Environments of several lines, where & says only how they are aligned."""

TEXT = frozenset(
    "text textbf textit textrm textsf mathrm operatorname mbox hbox emph textnormal intertext".split()
)
"""Commands whose argument is words."""


def _greek(sign: str) -> Sign | None:
    words = unicodedata.name(sign, "").split()
    if words[:1] != ["GREEK"] or words[2:3] != ["LETTER"]:
        return None
    name = "lambda" if words[3] == "LAMDA" else words[3].lower()
    return "name", name.capitalize() if words[1] == "CAPITAL" else name


_SAME_AS = {
    "·×∙⋅∗": "cdot", "÷": "div", "≤⩽≦": "le", "≥⩾≧": "ge", "≠": "ne", "∈": "in", "∉": "notin", "∪": "cup",
    "∩": "cap", "∖": "setminus", "∞": "infty", "∣": "mid", "∤": "nmid", "±": "pm", "∓": "mp", "≡": "equiv",
    "°º˚": "degree", "⌊": "lfloor", "⌋": "rfloor", "⌈": "lceil", "⌉": "rceil", "∠△": "angle", "→↦⟶": "to",
    "…⋯": "ldots", "′’": "prime", "⇒⟹": "implies", "⇔⟺": "iff", "∧": "land", "∨": "lor", "∀": "forall",
    "∃": "exists", "∅": "emptyset", "√": "sqrt", "∛": "cbrt", "∏": "prod", "∑": "sum", "⟨": "langle",
    "⟩": "rangle", "≈≃": "approx", "‰": "permil", "€": "euro", "£": "pounds", "π": "pi",
}  # fmt: skip
UNICODE: dict[str, Sign] = {
    **{chr(code): sign for code in range(0x391, 0x3CA) if (sign := _greek(chr(code)))},
    **{sign: COMMANDS[name] for signs, name in _SAME_AS.items() for sign in signs},
    **dict.fromkeys("−–—‒", ("op", "-")),
    **{"•": ("op", ";"), "≢": ("op", "≢"), "¥": ("op", "¥")},
}
PAIRS = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "⌊": "⌋", "⌈": "⌉"}
MATRICES = {f"begin {m}": f"end {m}" for m in "matrix pmatrix bmatrix Bmatrix smallmatrix array".split()}
BRACKETS = {**PAIRS, **MATRICES}
"""What opens, and what closes it: tokens between them stay together."""
OPEN, CLOSE = frozenset(BRACKETS), frozenset(BRACKETS.values())
CURRENCIES = frozenset(["$", "€", "£", "¥"])
"""Each is a unit, before its number or behind it."""
