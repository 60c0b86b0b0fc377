r"""Names of several signs in front of "=", each as one letter: \dim(V \cap W) = 1, \nabla \times F = 0.

>>> named(r"\sup A = 3")
'X_{s u p}=  3'
"""

from __future__ import annotations

import re
from collections import Counter

_OPERATORS = (
    r"ker|dim|sup|inf|lim\s?sup|lim\s?inf|proj|comp|curl|div|grad|Res|Gal|Aut|Var|Cov|Corr|"
    r"Nul|Col|Row|span|ord|E(?=\s*(?:\\left)?[\[(]\s*[A-Z])"
)
_HEAD = re.compile(
    r"(?:^|(?<=[,;$\n])|(?<=and\s)|(?<=quad)|(?<=and\}))\s{0,4}(?:\\left)?"
    r"(?:\\nabla\s*\\(?P<field>times|cdot)"
    rf"|(?:\\(?:operatorname\*?|mathrm|text)\s*\{{\s*|\\|\b)(?P<operator>{_OPERATORS})(?![A-Za-z]))"
    r"\s*\}?(?P<of>(?:_\{[^{}]{1,20}\})?(?:\s*(?:\\left)?[(\[][^()=]{1,30}[)\]]|[^=<>≈,;()$]{0,40}))"
    r"\s*(?:=|\\cong(?![a-z])|≅)"
)
_LAYOUT = re.compile(
    r"_\{?[a-z]\s*(?:\\to|\\rightarrow|→)\s*(?:\\infty|∞)\s*\}?"
    r"|\\(?:[a-z]{2,}(?=\{|\\?[()\[\]])|[,;! ])|[\s{}()\[\]$]"
)
_WORDS = {"times": "curl", "cdot": "div", "e": "expectation"}
_MOMENTS = {"expectation": r"\mu", "var": r"\sigma^2"}


def named(text: str) -> str:
    """With a letter in place of each such name; what it is of counts where there are several, or numbers."""
    if "=" not in text and "\\cong" not in text:
        return text
    found = Counter(map(_operator, _HEAD.finditer(text)))
    letters = _MOMENTS if all(found[operator] == 1 for operator in _MOMENTS) else {}
    return _HEAD.sub(lambda m: letters.get(_operator(m), f"X_{{{' '.join(_spelt(m, found))}}}") + "= ", text)


def _operator(head: re.Match[str]) -> str:
    found = re.sub(r"\s", "", head["operator"] or head["field"]).lower()
    return _WORDS.get(found, found)


def _spelt(head: re.Match[str], found: Counter[str]) -> str:
    """In small letters alone."""
    operator, of = _operator(head), _LAYOUT.sub("", head["of"])
    counts = found[operator] > 1 or any(c.isdigit() for c in of)
    return operator + "".join(_letters(c) for c in of if counts)


def _letters(sign: str) -> str:
    code = ord(sign)
    return sign if "a" <= sign <= "p" else f"q{chr(97 + code // 16 % 26)}{chr(97 + code % 16)}"
