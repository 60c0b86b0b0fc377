r"""Answers in the usual spelling: one table of other ways to write the same, and units set off from numbers.

>>> respelled("0.\\dot{6}"), respelled("1 + -1i"), marked("12 m/s")
('0.\\overline{6}', '1 - 1i', '12 \\text{ m/s}')
"""

from __future__ import annotations

import ast
import re

from lm_eval_ext.grading.answers.lexicon.english import NUMERALS
from lm_eval_ext.grading.answers.lexicon.latex import GREEK
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
_TABLE = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r"\\dot\s*\{?(\d)\}?(\d*)\\dot\s*\{?(\d)\}?", r"\\overline{\1\2\3}"),  # 0.\dot{1}2\dot{3}
        (r"(?<=[.\d])\\dot\s*\{?(\d)\}?", r"\\overline{\1}"),
        (r"\+\s*-(?=\s*[\w\\(])", "- "),  # 1 + -1i
        (r"(?<=\d)\.(?=\s*[/*)])", ""),  # 1./3
        (r"\b(?:np|numpy|math)\.(?=[a-z])", ""),  # np.arcsin
        (
            r"(?<=\d)\s*\^?\s*\{?\s*(?:\\(?:text\w*|mathrm|rm)\s*\{\s*)?(?:st|nd|rd|th)\s*\}{0,2}(?![\w}])",
            "",
        ),  # 12th
        (r"\\operatorname\s*\{\s*cis\s*\}|\\text\s*\{\s*cis\s*\}|\\cis\b", " cis "),
        (r"^\s*([\]\[])([^][;(){}]+);([^][;(){}]+)([\]\[])\s*$", r"\1\2,\3\4"),  # ]a;b[
    )
)
_OUTWARD = re.compile(r"^\s*\]([^][(){}]+,[^][(){}]+)([\]\[])\s*$|^\s*\[([^][(){}]+,[^][(){}]+)\[\s*$")


def respelled(text: str) -> str:
    """The same answer in the usual spelling: data of JSON or Python, other decimals, ordinals, intervals."""
    text = _as_list(text)
    for pattern, new in _TABLE:
        text = pattern.sub(new, text)
    text = _OUTWARD.sub(_interval, text)
    return _MULTIPLE.sub(_multiplied, text)


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
        if len(data) == 1 and next(iter(data)).lower() in ("answer", "final_answer", "result"):
            return str(*data.values())
        named = all(_LETTER.fullmatch(name) or name in GREEK for name in data)
        return ", ".join(f"{name} = {value}" if named else f"{value}" for name, value in data.items())
    if isinstance(data, list) and data and all(isinstance(v, str) for v in data):
        return ", ".join(data)
    return text


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
    r"(?:[A-Za-z]\w{0,3}(?:_\{?\w{1,5}\}?)?\s*(?:=|\\approx|≈)\s*)?"
    r"(?:[^A-Za-z\\]|\\(?:[dt]?frac|times|cdot|sqrt|pi|left|right|approx|%|\$)(?![A-Za-z])|\\[,;:! (])*"
    r"[\d)}%]"
)
_GAP = r"((?:\s|~|\\[,;: ]|\\q?quad(?![a-z]))*)"
_NAMES = r"((?:[A-Za-z%]+(?:\s*\^\s*\{?-?\d\}?)?(?:\s*(?:[/*·]|\\cdot|\s)\s*)?)+)(?<![\s/*·])"
_WITH_UNIT = re.compile(rf"(\$?{_NUMBER}\$?){_GAP}{_NAMES}(\s*\\?\)?\$?\.?\s*)")
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
    return f"{found[1]} \\text{{ {unit}}}{found[4]}" if unit_parts(unit) else piece
