r"""Answers in normalized notation: the same mathematics, one spelling.

One table drives it: (pattern, replacement, why). Replacements never change the mathematical value; they run
in order, once each, in linear time. What they leave different is compared as mathematics.

    >>> normalize(r"$x = \dfrac{1}{2}$.")
    'x=\\frac{1}{2}'
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

Replacement = tuple[re.Pattern[str], str, str]


def _compiled(*rows: tuple[str, str, str]) -> tuple[Replacement, ...]:
    return tuple((re.compile(pattern), replacement, why) for pattern, replacement, why in rows)


REPLACEMENTS: tuple[Replacement, ...] = _compiled(
    (r"\\left(?![a-z])\s*\.?|\\right(?![a-z])\s*\.?|\\[Bb]ig+[lr]?(?![a-z])", "", "sizes of delimiters"),
    (r"\\(?:displaystyle|textstyle|limits)(?![a-z])", "", "sizes of formulas"),
    (r"\\[,;:!]|\\q?quad(?![a-z])|\\ |~|&nbsp;", " ", "spacing"),
    (r"\\[()\[\]]|(?<!\\)\$", " ", "math delimiters: $x$ is x"),
    (r"\s+", " ", "runs of space"),
    (r"\\[dtc]frac(?![a-z])", r"\\frac", "one fraction command"),
    (r"\\frac\s*(\d)\s*(\d)", r"\\frac{\1}{\2}", r"\frac12 is \frac{1}{2}"),
    (r"\\frac\s*(\d)\s*\{", r"\\frac{\1}{", r"\frac1{2} is \frac{1}{2}"),
    (r"\\sqrt\s*(\d)", r"\\sqrt{\1}", r"\sqrt2 is \sqrt{2}"),
    (r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|operatorname|mbox)\s*\{([^{}]*)\}", r" \1 ", "fonts"),
    (r"\\(?:cdot|times|ast)(?![a-z])|[·×∙⋅]", "*", "one multiplication sign"),
    (r"\\le(?:q|qslant)?(?![a-z])|≤|⩽", "<=", "one sign for at most"),
    (r"\\ge(?:q|qslant)?(?![a-z])|≥|⩾", ">=", "one sign for at least"),
    (r"\\neq?(?![a-z])|≠", "!=", "one sign for different"),
    (r"\\infty(?![a-z])|∞", "oo", "one infinity"),
    (r"\\pi(?![a-z])|π", "pi", "one pi"),
    (r"\\cup(?![a-z])|∪", "U", "one union sign"),
    (r"\\in(?![a-z])|∈", " in ", "one membership sign"),
    (r"\\mathbb\s*\{?\s*([A-Z])\s*\}?", r"\1", r"\mathbb{R} is R"),
    (r"\\(?:emptyset|varnothing)(?![a-z])|∅", "{}", "one empty set"),
    (
        r"^( *-?[\d.]+) *(?:\^ *\{? *\\?circ *\}?|°|\\degrees?) *(\.?) *$",
        r"\1\2",
        "30° is 30, where that is all",
    ),
    (r"\\([%$#&_])", r"\1", "escaped signs"),
    (r"(?<=\d)\s*%", "%", "a percent sign follows its number"),
    (r"^\$\s*(?=[\d.])", "", "dollars in front of an amount"),
    (r"\\([{}])", r"\1", "braces of a set"),
    (r"(?<![\w.])\.(?=\d)", "0.", ".5 is 0.5"),
    (r"(?<=\d)\.0+(?!\d)", "", "2.0 is 2"),
    (r"[−–]", "-", "one minus sign"),
    (r"\s*([-+*/^=<>(){}\[\],;:|!])\s*", r"\1", "space around operators and brackets"),
    (r"\^\{(\w)\}", r"^\1", "x^{2} is x^2"),
    (r"_\{(\w)\}", r"_\1", "a_{1} is a_1"),
    (r"\s+", " ", "runs of space"),
)
_THOUSANDS = re.compile(r"(?<![\d.,(\[{])\d{1,3}(?:,\d{3})+(?![\d,])")
_SCRIPTS = (("^", re.compile("[⁰¹²³⁴-⁹⁺⁻ⁿⁱ]+")), ("_", re.compile("[₀-₉₊₋ₐₙₖ]+")))
_VULGAR = re.compile("[¼-¾⅐-⅞]")
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_TEX_THOUSANDS = re.compile(r"(?<=\d),(?:\\!\s*)+(?=\d{3}(?!\d))")
_WORDS = re.compile(r"[A-Za-z]{2}[A-Za-z .'-]*")
_NAMED = re.compile(r"^[A-Za-z](?:_\w|\([A-Za-z]\))?\s*=\s*(?=[^=])")


_UNESCAPED = re.compile(
    "\x07(?=lpha|ngle|pprox|rc)|\x08(?=eta|inom|egin|oxed|ullet)|\t(?=ext|imes|an|heta|frac|riangle)"
    "|\x0b(?=ec|ert|arphi)|\x0c(?=rac|orall|loor)|\r(?=ight|ho|angle)"
)
"""A control character that was a backslash and a letter, before a string literal was read: `\\frac`."""
_DOUBLED = re.compile(
    r"(?<!\\)\\(?=\\(?:[dt]?frac|sqrt|pi|cdot|times|text|left|right|infty|theta|alpha|beta)(?![A-Za-z]))"
)
"""A backslash doubled as in a string literal: not the end of a row, which no letter follows."""
_CIRCLED = re.compile("[①-⑳](?=[①-⑳])")
_LETTERS_OF = dict(zip("\a\b\t\v\f\r", "abtvfr", strict=True))


def plain_unicode(text: str) -> str:
    """Unicode mathematics as ASCII: "x² + 2½" is "x^{2} + 2 1/2". NFKC alone would make x² into x2."""
    text = _DOUBLED.sub("", _UNESCAPED.sub(lambda m: f"\\{_LETTERS_OF[m[0]]}", text))
    text = _CIRCLED.sub(r"\g<0>, ", text)  # NFKC alone would make ②③ into 23
    for sign, script in _SCRIPTS:
        text = script.sub(rf"{sign}{{\g<0>}}", text)  # NFKC below turns the digits into plain ones
    text = _TEX_THOUSANDS.sub("{,}", text)  # 1,\\! 234 is a number, no pair
    text = _VULGAR.sub(lambda m: f" {_nfkc(m.group())} ", text)
    return _nfkc(_INVISIBLE.sub("", text)).strip()


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("\N{FRACTION SLASH}", "/")


@lru_cache(maxsize=1024)  # many answers share a gold
def normalize(answer: str) -> str:
    """`answer` in the notation of the table."""
    text = plain_unicode(answer)
    text = _THOUSANDS.sub(lambda m: m.group().replace(",", ""), text.replace("{,}", ",").replace("\\!", ""))
    for pattern, replacement, _ in REPLACEMENTS:
        text = pattern.sub(replacement, text)
    text = text.strip().removesuffix(" .").rstrip()  # a full stop behind one that is the text's own
    text = text if text.endswith("..") else text.removesuffix(".").strip()
    return text.lower() if _WORDS.fullmatch(text) else text


def without_name(answer: str) -> str:
    """The right side of "x = 5" or "f(n) = 5": the name of what was asked for is not the answer.

    "x = x" names nothing and stays.
    """
    bare = _NAMED.sub("", answer, count=1)
    return answer if answer.removesuffix(bare) == f"{bare}=" else bare
