r"""Answers in the usual spelling: one table of other ways to write the same, and units set off from numbers.

>>> respelled("0.\\dot{6}"), respelled("1 + -1i"), marked("12 m/s")
('0.\\overline{6}', '1 - 1i', '12 \\text{ m/s}')
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

from lm_eval_ext.grading.answers.lexicon.english import NUMERALS
from lm_eval_ext.grading.answers.lexicon.latex import GREEK
from lm_eval_ext.grading.answers.lexing.bounds import with_signs
from lm_eval_ext.grading.answers.lexing.heads import named
from lm_eval_ext.grading.answers.lexing.lexer import unit_parts
from lm_eval_ext.grading.normalization import plain_unicode

_MAX_DATA_CHARS = 500
_LETTER = re.compile(r"[A-Za-z](?:_?\w{1,2})?")
_MAX_UNIT_CHARS = 300
_MULTIPLES = {
    "dozen": "12",
    "thousand": "10^{3}",
    "million": "10^{6}",
    "billion": "10^{9}",
    "trillion": "10^{12}",
}
_WORD_FOR_NUMBER = "|".join(NUMERALS)
_MULTIPLE = re.compile(
    rf"(?:(?<![\w.,/^])(\d+(?:[.,]\d+)*|an?|{_WORD_FOR_NUMBER})\s+)?\b({'|'.join(_MULTIPLES)})\b(?!\s+(?:of|or|and)\b)",
    re.IGNORECASE,
)
_FORMULA = r"(?:\$([^$]{1,80})\$)"
_AT_MOST = (
    r"(?:not\s+(?:exceeding|(?:greater|larger)\s+than)|(?:less|smaller)\s+than\s+or\s+equal\s+to|at\s+most)"
)
_AT_LEAST = r"(?:not\s+(?:less|smaller)\s+than|greater\s+than\s+or\s+equal\s+to|at\s+least)"
_DISTRIBUTION = (
    r"(?:\\(?:text|operatorname|mathrm)\s*\{\s*)?"
    r"(?<![\\A-Za-z])(Poi|Expon|Bin|Geo|Unif|Gam|Beta)[a-z]*\s*\}?\s*(?=\()"
)
_TABLE: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r"\\dot\s*\{?(\d)\}?(\d*)\\dot\s*\{?(\d)\}?", r"\\overline{\1\2\3}"),  # 0.\dot{1}2\dot{3}
        (r"(?<=[.\d])\\dot\s*\{?(\d)\}?", r"\\overline{\1}"),
        (r"(?:\b[a-z]\s*:\s*)?\b([a-z])\s*(?:\\mapsto(?![a-z])|↦)", r"f(\1) ="),  # x \mapsto 2x
        (
            r"\b([a-z])\s*(?:=|\\equiv)\s*\\(?:mathrm|operatorname|text)\s*\{\s*[iI]d\s*\}",
            r"\1(x) = x",
        ),  # f = id
        (r"\+\s*-(?=\s*[\w\\(])", "- "),  # 1 + -1i
        (r"\\AA\b|[\u00c5\u212b]", " angstrom "),
        (r"\$([a-z])\$\s+divides\s+\$([a-z0-9]+)\$", r"$\1 \\mid \2$"),
        (r"(?<=\d)\.(?=\s*[/*)])", ""),  # 1./3
        (r"\b(?:np|numpy|math)\.(?=[a-z])", ""),  # np.arcsin
        (
            r"(?<=\d)\s*\^?\s*\{?\s*(?:\\(?:text\w*|mathrm|rm)\s*\{\s*)?(?:st|nd|rd|th)\s*\}{0,2}(?![\w}])",
            "",
        ),  # 12th
        (r"\\operatorname\s*\{\s*cis\s*\}|\\text\s*\{\s*cis\s*\}|\\cis\b", " cis "),
        (rf"(?:the\s+)?(?:greatest|largest)\s+integer\s+{_AT_MOST}\s+{_FORMULA}", r"$\\lfloor \1 \\rfloor$"),
        (rf"(?:the\s+)?(?:smallest|least)\s+integer\s+{_AT_LEAST}\s+{_FORMULA}", r"$\\lceil \1 \\rceil$"),
        (r"(?i)\bthe\s+(?:player|one)\s+who\s+(?:moves|goes|plays)\s+(first|second)\b", r"the \1 player"),
        (
            r"(?i)(\$[^$]{1,80}\$|(?<![\d./])\d[\d./]*+)\s+(?:in|for)\s+(?:part|case|question)\s+\(?([a-h])\)?(?=\s*(?:[,;.]|and\b|$))",
            r"\2) \1",
        ),
        (
            r"\$?\b([a-z])\$?\s+and\s+\$?([a-z])\$?\s+are\s+\$?(-?\d+)\$?\s+and\s+\$?(-?\d+)\$?",
            r"$(\1,\2)=(\3,\4)$",
        ),
        (r"\(\s*([fgh])\s*(?:\\circ|∘)\s*([fgh])\s*\)\s*\(([a-z])\)", r"\1(\2(\3))"),  # (f \circ g)(x)
        (r"(?<![\w/])d([A-Za-z])/d([a-z])\b", r"\\frac{d\1}{d\2}"),
        (r"(?<![.\d])\\bar\s*\{?(\d{1,3})\}?", r"\1"),  # the class of a number
        (r"(?i)\b(?:the\s+)?(?:symmetric|alternating|dihedral)\s+group\s+(?=\$?[SAD]_)", ""),
        (r"(?i)\b(?:the\s+)?(?:principal\s+)?ideal\s+generated\s+by\s+", ""),
        (
            r"^(\s*+(?:\$\s*+)?)\\(?:oint|o?iint|iiint|lim(?=_))(?![a-z])[^=]{1,120}=",
            r"\1",
        ),  # an integral and its value
        (r"^(\s*+(?:\$\s*+)?)(?:\\left)?\[[^]=,]{1,20}\]_[^=]{1,20}=", r"\1"),  # [x]_B = ..., of a basis B
        (
            r"^(\s*+(?:\$\s*+)?)(?:[Tt]he\s+|[Aa]\s+)?\d\d(?:\.\d)?\s*\\?%\s*(?:\\text\s*\{\s*)?"
            r"(?:CI|confidence\s+interval)(?:\s+is)?\s*:?\s*\}?\s*[:=]?",
            r"\1",
        ),
        (r"(\\pm\s*\d[\d.]*\s*)=\s*(?=[(\[])", r"\1, that is, "),  # 74 \pm 3 = (71, 77)
        (
            r"\b(?i:Poisson)(?:\s+distribution)?\s+with\s+(?:parameter|mean|rate)\s+"
            r"\$?(?:\\?[a-zλ]+\s*=\s*)?([\w.]{1,9})\$?",
            r"Poisson(\1)",
        ),
        (
            rf"^(\s*+(?:\$\s*+)?)[A-Z][\w+ ]{{0,12}}(?:\\sim|~|∼)\s*(?={_DISTRIBUTION}|\\?\w*\{{?N\b)",
            r"\1",
        ),  # X ~ N(0, 1)
        (_DISTRIBUTION, lambda m: f"P_{{{m[1].lower()}}}"),
        (
            r"(?:\^\s{0,2}\{?\s{0,2}\\circ|°)\s{0,2}\}?\s{0,2}(?:\\(?:text|mathrm)\s{0,2}\{\s{0,2})?C\b\s{0,2}\}?",
            r" \\text{ celsius}",
        ),
        (
            r"(?:\^\s{0,2}\{?\s{0,2}\\circ|°)\s{0,2}\}?\s{0,2}(?:\\(?:text|mathrm)\s{0,2}\{\s{0,2})?F\b\s{0,2}\}?",
            r" \\text{ fahrenheit}",
        ),
        (r"(?i)\bdegrees?\s+(celsius|fahrenheit)", r"\1"),
        (r"\\in\s*(?=\\(?:Theta|Omega)\b)", "= "),  # T(n) \in \Theta(n)
        (
            r"(?i)(?<!\s)\s++but\s++(?:is\s++|does\s++)?not\s++(?:converge\s++)?absolutely(?:\s++converge(?:nt|s)?)?",
            " conditionally",
        ),
        (r"(?i)^(\s*+)(?:for\s+)?all\s+(?:values\s+of\s+)?(\$?[a-z]\$?)\s+except\b", r"\1all real \2 except"),
        (
            r"[,;]?\s?(?:\\text\s*\{[,;]?\s*)?\b(?:reject|discard)(?:ing)?\s*\}?\s*\$?[a-z]\s*=[^,;=]{1,40}$",
            "",
        ),  # another root
        (r"(?i)\bcyclic\s+(?:shift|rotation)", "cyclic permutation"),
        (
            r"(?i)^(?:(?:the\s+function|it|f)\s+)?(?:is\s+)?neither\s+(?:even\s+nor\s+odd|odd\s+nor\s+even)\.?$",
            "neither",
        ),
        (r"(?i)\bup\s+to\s+(?:(?:re)?order(?:ing)?|symmetry)\b", "up to permutation"),
        (
            r"(?i)(?<![\s,])\s*+,?\s*+(?:(?:with|for)\s++)?(?:all|any|every)\s++(?:\w+\s++){0,2}signs?(?:\s++(?:combination|choice)s?)?\b",
            "",
        ),
        (
            r"(?i)\b(?:the\s+)?(?:statement|claim|assertion|answer|question|part)s?\s+(?:in|to|of|for)?\s*\(?([a-h])\)\s+is\s+"
            r"(?:affirmative|(yes|no|true|false)|negative)\b",
            r"\1) \2",
        ),
        (r"^\s*([\]\[])([^][;(){}]+);([^][;(){}]+)([\]\[])\s*$", r"\1\2,\3\4"),  # ]a;b[
    )
)
_END = r"(?:[-+]?(?:\\infty|∞|\d+(?:\.\d+)?|\\frac\{\d+\}\{\d+\}|\\sqrt\{?\d+\}?|[a-z]))"
_SPACE = r"(?:\s|\\[,;:! ])*"
_INSIDE = re.compile(rf"([\]\[]){_SPACE}({_END}){_SPACE}[,;]{_SPACE}({_END}){_SPACE}\[")
"""]a, b[ and [a, b[ within a sentence."""
_OUTWARD = re.compile(r"^\s*\]([^][(){}]+,[^][(){}]+)([\]\[])\s*$|^\s*\[([^][(){}]+,[^][(){}]+)\[\s*$")


def respelled(text: str) -> str:
    """The same answer in the usual spelling: data of JSON or Python, other decimals, ordinals, intervals."""
    text = _LISTED.sub(_in_list, _as_list(text))
    for pattern, new in _TABLE:
        text = pattern.sub(new, text)
    text = named(text)
    text = _INSIDE.sub(
        lambda m: f"{'(' if m[1] == ']' else '['}{m[2]},{m[3]})", _OUTWARD.sub(_interval, text)
    )
    return with_signs(_MULTIPLE.sub(_multiplied, text))


_DOTS = r"(?:\\[lc]?dots[cbmi]?|\.\.\.|…)"
_SMALL = r"\d{1,9}(?!\d)"
_LISTED = re.compile(
    rf"(\b(?:with|for|where|when|and)\s+|,\s*|\(\s*)(\$?)\b([ijklmn])\s*=\s*({_SMALL}(?:\s*,\s*(?:{_SMALL}|{_DOTS}))+)(?![\d.]*\s*(?:[=^/*+-]|,\s*[\w\\]))"
)
"""k = 1, 2, 3 and k = 1, ..., 6 in a condition."""


def _in_list(match: re.Match[str]) -> str:
    """k in {1, 2, 3}, or 1 <= k <= 6; "k = 1, 3, ..., 9", in other steps, stays."""
    values = [v.strip() for v in match[4].split(",")]
    if all(v.isdigit() for v in values):
        return f"{match[1]}{match[2]}{match[3]} \\in \\{{{match[4]}\\}}"
    *first, dots, last = values
    numbers = [int(v) for v in first if v.isdigit()]
    if (
        dots.isdigit()
        or not last.isdigit()
        or numbers != [*range(int(values[0]), int(values[0]) + len(first))]
    ):
        return match[0]
    return f"{match[1]}{match[2]}{values[0]} \\le {match[3]} \\le {last}"


def _multiplied(match: re.Match[str]) -> str:
    """Two dozen is 2*12."""
    count = (match[1] or "1").lower()
    count = str(NUMERALS.get(count, 1 if count in ("a", "an") else count))
    return f"{count}*{_MULTIPLES[match[2].lower()]}"


def _interval(match: re.Match[str]) -> str:
    """]a, b[ is (a, b), [a, b[ is [a, b)."""
    if match[1]:
        return f"({match[1]}{')' if match[2] == '[' else ']'}"
    return f"[{match[3]})"


def _as_list(text: str) -> str:
    """{'a': 1, 'b': 4} as "a = 1, b = 4", ["B", "F"] as "B, F"; anything else as it is."""
    data = _data_in(text)
    if isinstance(data, dict) and data and all(isinstance(k, str) and _is_plain(v) for k, v in data.items()):
        return _as_equations(data)
    if isinstance(data, list) and data and all(isinstance(v, str) for v in data):
        return ", ".join(data)
    return text


def _as_equations(data: dict[str, Any]) -> str:
    if len(data) == 1 and next(iter(data)).lower() in ("answer", "final_answer", "result"):
        return str(*data.values())
    named = all(_LETTER.fullmatch(name) or name in GREEK for name in data)
    return ", ".join(f"{name} = {value}" if named else f"{value}" for name, value in data.items())


def _data_in(text: str) -> object:
    """The value of a text that is a dictionary or list of Python or JSON with quotes in it; else None."""
    bare = re.sub(r"^```(?:json|python)?\s*|\s*```$", "", text.strip())
    bare += "}" if bare.count("{") == 1 and bare[0] == "{" and "}" not in bare else ""
    is_data = len(bare) <= _MAX_DATA_CHARS and bare[:1] + bare[-1:] in ("{}", "[]")
    if not is_data or not re.search(r"['\"]", bare):
        return None
    try:
        return ast.literal_eval(bare)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


_NUMBER = (
    r"(?:[A-Za-z]\w{0,3}(?:_\{?\w{1,5}\}?|/d[a-z])?\s*(?:=|\\approx|≈)\s*)?"
    r"(?:[^A-Za-z\\]|(?<=\d)[eE](?=[+-]?\d)"
    r"|\\(?:[dt]?frac|times|cdot|sqrt|pi|left|right|approx|%|\$)(?![A-Za-z])|\\[,;:! (])*"
    r"(?:[\d)}%]|\\pi(?![A-Za-z]))"
)
_GAP = r"((?:\s|~|\\[,;: ]|\\q?quad(?![a-z]))*)"
_NAME = r"[A-Za-z%]+(?:\s*\^\s*\{?-?\d\}?)?"
_NAMES = rf"((?:sq\.?\s+|cu\.?\s+)?{_NAME}(?:(?:\s*(?:[/*·]|\\cdot)\s*|\s+|(?<=[\d}}])){_NAME})*)"
_WITH_UNIT = re.compile(rf"(\$?{_NUMBER}\$?){_GAP}{_NAMES}(\s*\\?\)?\$?\.?\s*)")
_OF_POWER = re.compile(r"\b(square|sq\.?|cubic|cu\.?)\s+([A-Za-z]+)", re.IGNORECASE)
_OF_WHAT = re.compile(r"\s+(?:of\s|old\b).*", re.DOTALL)
_BETWEEN = re.compile(r"(\s*(?:,\s|;|\band\b|\bor\b)\s*)")


def marked(text: str, *, spaced: bool = True) -> str:
    r"""12 m/s as 12 \text{ m/s}, where that is all, or each of a list; `spaced`: a space stands between."""
    if len(text) > _MAX_UNIT_CHARS:
        return text
    pieces = _BETWEEN.split(plain_unicode(text))
    return "".join(piece if i % 2 else _marked(piece, spaced) for i, piece in enumerate(pieces))


def _marked(piece: str, spaced: bool) -> str:
    found = _WITH_UNIT.fullmatch(piece)
    if found is None or (spaced and not found[2]) or not any(c.isdigit() for c in found[1]):
        return piece
    unit = re.sub(r"\s+per\s+", "/", _OF_WHAT.sub("", found[3]))
    unit = _OF_POWER.sub(lambda m: f"{m[2]}^{2 if m[1][0] in 'sS' else 3}", unit)
    return f"{found[1]} \\text{{ {unit}}}{found[4]}" if unit_parts(unit) else piece
