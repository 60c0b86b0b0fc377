r"""Formulas that math-verify can read whole, and changes of them that it must find different.

Its parser drops what it does not understand: it reads `\neg 42`, `42‰` and `$41$ no $42$` as 42. So it gets
one formula, in signs that it knows. Where it says "equal", each number, letter and sign of both sides is
changed in turn; if it still says "equal", it has not read that place. Strings only.

    >>> formula(r"$y(x) \approx \dfrac{x}{2}$"), is_known(formula(r"$41$ no $42$"))
    ('\\frac{x}{2}', False)
    >>> list(changes("2x+1"))
    ['3x+1', '2w+1', '2x-1', '2x+2']
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lm_eval_ext.grading.answers.lexicon.latex import GREEK
from lm_eval_ext.grading.normalization import plain_unicode

MAX_TOKENS = 300
_DELIMITERS = (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"))
_LAYOUT = re.compile(
    r"\\(?:left|right|[Bb]igg?[lrm]?|displaystyle|textstyle|limits|nolimits)(?![A-Za-z])\s*\.?"
    r"|(?<!\\)\\[,;:! ]|\\q?quad(?![A-Za-z])"
)
_FRACTION = re.compile(r"\\[dtc]frac(?![A-Za-z])")
_NAMED_FUNCTION = re.compile(r"\\(?:text|mathrm|operatorname)\s*\{\s*([a-z]+)\s*\}")
_HEAD = re.compile(
    r"\s*([A-Za-z](?:_\w|_\{\w+\})?)\s*(?:\([^()=\d]*\))?\s*(?:=|\\approx|\\sim(?:eq)?)(?![A-Za-z=])"
)
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\S")
_WORD = re.compile(r"(?<![\\A-Za-z])(?:[A-Za-z]{4,}|(?i:yes|not?|and|for|all|any|odd|are|the)(?![A-Za-z]))")
_SIDE_BY_SIDE = re.compile(r"(?<!frac )(?<!\d)\d+ \d")
_LAST_LETTERS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]+$")
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\{[pbvBV]?matrix\}")

_TURNED = {
    "+": "-", "-": "+", "*": "+", "/": "+", "^": "+", "=": "<", "<": ">", ">": "<", ",": "+", "!": "",
    "&": "+", "\\cdot": "+", "\\times": "+", "\\div": "+", "\\pm": "+", "\\mp": "+", "\\cup": "\\cap",
    "\\cap": "\\cup", "\\le": ">", "\\leq": ">", "\\leqslant": ">", "\\ge": "<", "\\geq": "<",
    "\\geqslant": "<", "\\lt": ">", "\\gt": "<",
}  # fmt: skip
"""A sign, and what it is changed into."""
_FUNCTIONS = frozenset(
    "sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan ln log exp max min gcd det".split()
)
_NAMES = frozenset([*GREEK, *(f"var{letter}" for letter in GREEK), "pi", "infty"])
_STRUCTURE = frozenset(
    "frac sqrt binom int sum prod lim lfloor rfloor lceil rceil lvert rvert vert to".split()
)
_KNOWN = (
    _FUNCTIONS | _NAMES | _STRUCTURE | {sign[1:] for sign in _TURNED if sign[0] == "\\"} | {"{", "}", "\\"}
)
_SIGNS = frozenset("()[]{}|.+-*/^_=<>,!&")
_OPENING, _CLOSING = ("(", "[", "{", "\\{"), (")", "]", "}", "\\}")
_JOINING = ("+", "-", "*", "/", "^", "_", "=", "<", ">")
"""Signs with which no formula ends: what does was cut off."""


def formula(text: str) -> str:
    """`text` without dollars, layout and the name that it is given."""
    text = " ".join(_LAYOUT.sub(" ", plain_unicode(text)).split()).rstrip(".,; ")
    for opens, closes in _DELIMITERS:
        inside = text[len(opens) : -len(closes)]
        if text == f"{opens}{inside}{closes}" and not any(d in inside for d in ("$", "\\(", "\\[")):
            text = inside
    text = _NAMED_FUNCTION.sub(
        lambda m: f"\\{m[1]} " if m[1] in _FUNCTIONS else m[0], _FRACTION.sub(r"\\frac", text)
    )
    head = _HEAD.match(text)
    return (text[head.end() :] if head else text).strip(" .,;")


def name(text: str) -> str:
    """What the formula is said to be: "y" in `y(x) = 2x`; empty where nothing is."""
    head = _HEAD.match(_LAYOUT.sub(" ", plain_unicode(text).strip("$ ")))
    return head[1].replace("{", "").replace("}", "") if head else ""


def is_known(text: str) -> bool:
    """Whether it is a formula, no word among its letters, all of whose signs math-verify reads."""
    text = _ENVIRONMENT.sub(" ", text)
    tokens = _TOKEN.findall(text)
    words = {word.lower() for word in _WORD.findall(text)}
    return (
        0 < len(tokens) <= MAX_TOKENS
        and words <= _FUNCTIONS
        and tokens[-1] not in _JOINING
        and not _SIDE_BY_SIDE.search(text)
        and sum(map(tokens.count, _OPENING)) == sum(map(tokens.count, _CLOSING))
        and not _has_nested_integrals(tokens)
        and all(
            t[1:] in _KNOWN if t[0] == "\\" else t.isascii() and (t[0].isalnum() or t in _SIGNS)
            for t in tokens
        )
    )


def _has_nested_integrals(tokens: list[str]) -> bool:
    """Whether there are integrals at different depths, which computer algebra does not finish."""
    depths, depth = set(), 0
    for token in tokens:
        depth += (token in _OPENING) - (token in _CLOSING)
        if token == "\\int":
            depths.add(depth)
    return len(depths) > 1


def changes(source: str) -> Iterator[str]:
    """`source` with one number, letter or sign changed, or without its last letters: other formulas, all."""
    fresh = next(c for c in "wqvzkmW" if c not in source)
    for token in _TOKEN.finditer(_ENVIRONMENT.sub(lambda m: " " * len(m[0]), source)):
        if (other := _other(token[0], fresh)) is not None:
            yield source[: token.start()] + other + source[token.end() :]
    last = None if "\\int" in source else _LAST_LETTERS.search(source)
    if last is not None:  # a unit, perhaps, and no dx
        yield source[: last.start()]


def _other(token: str, fresh: str) -> str | None:
    if token[0].isdigit():
        return token[:-1] + ("8" if token[-1] == "9" else str(int(token[-1]) + 1))
    if token in _TURNED:
        return _TURNED[token]
    if token.isalpha():
        return fresh
    if token[1:] in _NAMES:
        return f" {fresh} "
    if token[1:] in _FUNCTIONS:
        return "\\cos" if token == "\\sin" else "\\sin"
    return None
