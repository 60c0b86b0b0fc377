"""LaTeX commands and Unicode signs, and the token each one is. Data, no code."""

from __future__ import annotations

import unicodedata

from lm_eval_ext.grading.answers.lexicon.english import FUNCTIONS

Sign = tuple[str, str]
"""(kind, text) of a token."""


def _all(names: str, sign: Sign) -> dict[str, Sign]:
    return dict.fromkeys(names.split(), sign)


GREEK = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "rho",
    "sigma",
    "tau",
    "upsilon",
    "phi",
    "chi",
    "psi",
    "omega",
    "Gamma",
    "Delta",
    "Theta",
    "Lambda",
    "Xi",
    "Sigma",
    "Phi",
    "Psi",
    "Omega",
    "ell",
]
COMMANDS: dict[str, Sign] = {
    **{name: ("name", name) for name in GREEK},
    **{f"var{name}": ("name", name) for name in GREEK},
    **{name: ("func", name) for name in FUNCTIONS},
    **_all("tfrac dfrac cfrac", ("func", "frac")),
    **_all("dbinom tbinom", ("func", "binom")),
    **_all("angle triangle", ("func", "angle")),
    **_all("pi", ("const", "pi")),
    **_all("infty", ("const", "oo")),
    **_all("imath", ("const", "i")),
    **_all("cdot times ast bullet", ("op", "*")),
    **_all("div", ("op", "/")),
    **_all("choose", ("op", "choose")),
    **_all("pm", ("op", "±")),
    **_all("mp", ("op", "∓")),
    **_all("le leq leqslant leqq", ("op", "<=")),
    **_all("ge geq geqslant geqq", ("op", ">=")),
    **_all("ne neq", ("op", "!=")),
    **_all("lt", ("op", "<")),
    **_all("gt", ("op", ">")),
    **_all("in", ("op", "in")),
    **_all("notin", ("op", "notin")),
    **_all("mid vert lvert rvert", ("op", "|")),
    **_all("nmid", ("op", "notdivides")),
    **_all("equiv cong", ("op", "≡")),
    **_all("pmod bmod mod pod", ("op", "mod")),
    **_all("cup bigcup", ("op", "∪")),
    **_all("cap", ("op", "∩")),
    **_all("setminus backslash", ("op", "\\")),
    **_all("ldots dots cdots dotsc dotsb dotso vdots", ("op", "...")),
    **_all("to mapsto rightarrow longrightarrow longmapsto", ("op", "->")),
    **_all("lfloor", ("op", "⌊")),
    **_all("rfloor", ("op", "⌋")),
    **_all("lceil", ("op", "⌈")),
    **_all("rceil", ("op", "⌉")),
    **_all("langle", ("op", "(")),
    **_all("rangle", ("op", ")")),
    **_all("lbrace", ("op", "\\{")),
    **_all("rbrace", ("op", "\\}")),
    **_all("colon", ("op", ":")),
    **_all("prime", ("op", "'")),
    **_all("approx simeq approxeq doteq thickapprox", ("op", "≈")),
    **_all("permil perthousand textperthousand", ("op", "‰")),
    **_all("euro", ("op", "€")),
    **_all("pounds", ("op", "£")),
    **_all("degree degrees circ", ("op", "°")),
    **_all("quad qquad", ("op", "gap")),
    **_all("emptyset varnothing", ("word", "none")),
    **_all("implies Rightarrow Longrightarrow", ("word", "then")),
    **_all("iff Leftrightarrow Longleftrightarrow", ("word", "iff")),
    **_all("land wedge", ("word", "and")),
    **_all("lor vee", ("word", "or")),
    **_all("forall", ("word", "for")),
    **_all("exists", ("word", "some")),
}
"""Without the backslash."""

DROPPED = frozenset(
    "left right big Big bigl bigr Bigl Bigr bigg Bigg biggl biggr Biggl Biggr middle displaystyle "
    "textstyle boxed fbox limits nolimits boldsymbol bm mathbf mathit mathsf mathcal pmb medskip "
    "mathbb mathscr underbrace".split()
)
"""Commands about looks alone."""

TEXT = frozenset(
    "text textbf textit textrm textsf mathrm operatorname mbox hbox emph textnormal intertext".split()
)
"""Commands whose argument is words."""

_GREEK_SPELLING = {"LAMDA": "lambda"}


def _greek(sign: str) -> Sign | None:
    words = unicodedata.name(sign, "").split()
    if words[:1] != ["GREEK"] or words[2:3] != ["LETTER"]:
        return None
    name = _GREEK_SPELLING.get(words[3], words[3].lower())
    return "name", name.capitalize() if words[1] == "CAPITAL" else name


_SAME_AS = {
    "·×∙⋅∗": "cdot", "÷": "div", "≤⩽≦": "le", "≥⩾≧": "ge", "≠": "ne", "∈": "in", "∉": "notin", "∪": "cup",
    "∩": "cap", "∖": "setminus", "∞": "infty", "∣": "mid", "∤": "nmid", "±": "pm", "∓": "mp", "≡": "equiv",
    "°º˚": "degree", "⌊": "lfloor", "⌋": "rfloor", "⌈": "lceil", "⌉": "rceil", "∠△": "angle", "→↦⟶": "to",
    "…⋯": "ldots", "′": "prime", "⇒⟹": "implies", "⇔⟺": "iff", "∧": "land", "∨": "lor", "∀": "forall",
    "∃": "exists", "∅": "emptyset", "√": "sqrt", "∏": "prod", "∑": "sum", "⟨": "langle", "⟩": "rangle",
}  # fmt: skip
UNICODE: dict[str, Sign] = {
    **{sign: COMMANDS[name] for signs, name in _SAME_AS.items() for sign in signs},
    **{chr(code): sign for code in range(0x391, 0x3CA) if (sign := _greek(chr(code)))},
    **{"π": ("const", "pi"), "∛": ("func", "cbrt"), "•": ("op", ";"), "’": ("op", "'")},
    **dict.fromkeys("−–—‒", ("op", "-")),
    **{sign: ("op", sign) for sign in "≢≈‰€£¥"},
    "≃": ("op", "≈"),
}
PAIRS = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "⌊": "⌋", "⌈": "⌉"}
MATRICES = {f"begin {m}": f"end {m}" for m in "matrix pmatrix bmatrix Bmatrix smallmatrix".split()}
BRACKETS = {**PAIRS, **MATRICES}
"""What opens, and what closes it: tokens between them stay together."""
CURRENCIES = frozenset(["$", "€", "£", "¥"])
"""Each is a unit, before its number or behind it."""
OPEN, CLOSE = frozenset(BRACKETS), frozenset(BRACKETS.values())
