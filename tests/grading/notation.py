"""The same answer in other words: converters of notation, renamed letters, other orders.

Each takes an answer and gives None where it does not apply or cannot be sure.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.grading.mutations import pieces

_BRACED = r"\{((?:[^{}]|\{[^{}]*\})*)\}"
_FRACTION = re.compile(rf"\\[dt]?frac\s*{_BRACED}\s*{_BRACED}")
_ROOT = re.compile(rf"\\sqrt\s*{_BRACED}")
_SHORT = re.compile(r"\\[dt]?frac\s*(\d)\s*(\d)")
_TEXT = re.compile(r"\\(?:text|mathrm|textbf)\s*\{([^{}]*)\}")
_LOOKS = re.compile(r"\\(?:left|right|displaystyle)(?![a-z])|\\[,;:!]|\\quad|\$|\\[()\[\]]")
_ATOM = re.compile(r"\d+|[a-z]|\([^()]*\)")
_POWER = re.compile(r"\^(?:\{(\d+)\}|(\d)(?!\d))")
_INDEX = re.compile(r"(?<=[a-z])_(?:\{(\d)\}|(\d))")
_UNICODE = {
    "cdot": "·", "times": "×", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠", "pi": "π",
    "infty": "∞", "in": "∈", "cup": "∪", "pm": "±", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉",
    "ldots": "…", "dots": "…", "mid": "∣", "emptyset": "∅", "alpha": "α", "theta": "θ", "lambda": "λ",
}  # fmt: skip
_PLAIN = {
    "cdot": "*", "times": "*", "leq": "<=", "le": "<=", "geq": ">=", "ge": ">=", "neq": "!=", "ne": "!=",
    "pi": " pi ", "pm": "±", "ldots": "...", "dots": "...", "sin": " sin ", "cos": " cos ",
    "tan": " tan ", "log": " log ", "ln": " ln ", "min": " min ", "max": " max ", "alpha": " alpha ",
}  # fmt: skip


def _grouped(text: str) -> str:
    return text if _ATOM.fullmatch(text.strip()) else f"({text})"


def _is_mixed(answer: str) -> bool:
    return re.search(r"\d\s*\\[dt]?frac|[½⅓¼]", answer) is not None


def _without_structure(answer: str, root: str) -> str:
    """Fractions and roots as slashes and words or signs, from the innermost out."""
    text = _SHORT.sub(r"\\frac{\1}{\2}", _TEXT.sub(r" \1 ", _LOOKS.sub(" ", answer)))
    for _ in range(6):
        text = _ROOT.sub(lambda m: f"{root}({m[1]})", text)
        text = _FRACTION.sub(lambda m: f"({_grouped(m[1])}/{_grouped(m[2])})", text)
    return text.replace(r"\{", "{").replace(r"\}", "}").replace(r"\%", "%")


def _finished(text: str, answer: str) -> str | None:
    return (
        None
        if "\\" in text or _is_mixed(answer) or text.strip() == answer.strip()
        else " ".join(text.split())
    )


def to_unicode(answer: str) -> str | None:
    """LaTeX as people type it with a good keyboard: √(2), x², ≤, ℝ."""
    text = re.sub(r"\^\s*\{?\\circ\}?", "°", _without_structure(answer, "√"))
    text = re.sub(r"\\mathbb\s*\{?([RZNQC])\}?", lambda m: "ℝℤℕℚℂ"["RZNQC".index(m[1])], text)
    text = re.sub(r"\\([a-z]+)", lambda m: _UNICODE.get(m[1], m[0]), text)
    superscripts, subscripts = (
        str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"),
        str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"),
    )
    text = _POWER.sub(lambda m: (m[1] or m[2]).translate(superscripts), text)
    text = _INDEX.sub(lambda m: (m[1] or m[2]).translate(subscripts), text)
    return _finished(text, answer)


def to_plain(answer: str) -> str | None:
    """LaTeX as people type it in a plain-text mail: sqrt(2), x^2, <=."""
    text = _without_structure(answer, "sqrt")
    text = re.sub(r"\\([a-z]+)", lambda m: _PLAIN.get(m[1], m[0]), text)
    return _finished(re.sub(r"\^\{(\w)\}", r"^\1", text), answer)


def to_latex(answer: str) -> str | None:
    """Plain text or Unicode as LaTeX; prose stays as it is."""
    if "\\" in answer or "$" in answer:
        return None
    text = re.sub(r"(?<![\w.)^])(\d+)/(\d+)(?![\w.(^])", r"\\frac{\1}{\2}", answer)
    text = re.sub(r"sqrt\(([^()]*)\)", r"\\sqrt{\1}", text)
    text = re.sub(r"√(\d+)", r"\\sqrt{\1}", text)
    back = {sign: name for name, sign in _UNICODE.items() if name not in ("leq", "geq", "neq", "dots")}
    text = "".join(rf"\{back[sign]} " if sign in back else sign for sign in text)
    text = text.replace("<=", r"\le ").replace(">=", r"\ge ").replace("*", r" \cdot ")
    if re.search(r"(?<![\\A-Za-z])[A-Za-z]{3,}", text):  # prose: formulas in it would need their dollars
        return None
    return None if text == answer else f"${text}$"


_LETTERS = re.compile(r"\\[A-Za-z]+|[A-Za-z]+")
_SHORT_WORDS = frozenset(
    "in is or if of an all for any and are the has exp sin cos tan log max min gcd mod".split()
)


def _renamed(answer: str, old: str, new: str) -> str | None:
    """Letters in products as well, but not those of words and commands."""
    runs = [m[0] for m in _LETTERS.finditer(answer) if len(m[0]) <= 3 and m[0] not in _SHORT_WORDS]
    if any(new in run for run in runs if run[0] != "\\"):
        return None

    def rename(run: re.Match[str]) -> str:
        is_word = run[0][0] == "\\" or len(run[0]) > 3 or run[0] in _SHORT_WORDS
        return run[0] if is_word else run[0].replace(old, new)

    return _LETTERS.sub(rename, answer)


_ARGUMENT = re.compile(r"(?<![A-Za-z\\])([fghPQ])\(([a-z])\)\s*=")
_PARAMETER = re.compile(
    r"(?<![A-Za-z\\])([a-z])\s*(?:\\in|∈)\s*(?:\\mathbb\s*\{?[RZN]\}?|[ℝℤℕ])"
    r"|(?:integers?|reals?|constants?)\s*\$?([a-z])(?![A-Za-z])"
    r"|(?<![A-Za-z\\])([a-z])\$?\s+(?:is\s+)?(?:an?\s+)?(?:any\s+)?(?:integer|real)"
)


def with_other_argument(answer: str) -> str | None:
    """f(x) = 2x is f(u) = 2u."""
    found = {m[2] for m in _ARGUMENT.finditer(answer)}
    return _renamed(answer, found.pop(), "u") if len(found) == 1 else None


def with_other_parameter(answer: str) -> str | None:
    """k pi for integers k is m pi for integers m; not where k is what the answer is about."""
    found = {m[1] or m[2] or m[3] for m in _PARAMETER.finditer(answer)}
    if len(found) != 1 or _ARGUMENT.search(answer) or "all" in answer:
        return None
    letter = found.pop()
    if not re.search(rf"=[^=]*(?<![A-Za-z\\]){letter}(?![A-Za-z])", answer) or re.search(
        rf"{letter}\s*=", answer
    ):
        return None
    return _renamed(answer, letter, "m")


_NAMED = re.compile(r"\s*([A-Za-z](?:_\d)?)\s*=[^=]*")
_PAIR = re.compile(r"\s*\\?\(.*\)\s*", re.DOTALL)
_SET = re.compile(r"(.*\\\{)(.*)(\\\}\$?)", re.DOTALL)


def backwards(answer: str) -> str | None:
    """Named unknowns, pairs, and elements of sets from the last to the first."""
    if found := _SET.fullmatch(answer.strip()):
        inner = pieces(found[2])
        if len(inner) > 1 and found[1].count(r"\{") == 1 and ":" not in found[2] and "mid" not in found[2]:
            return found[1] + ", ".join(p.strip() for p in reversed(inner)) + found[3]
        return None
    parts = pieces(answer)
    names = [m[1] for part in parts if (m := _NAMED.fullmatch(part))]
    if len(parts) > 1 and (len(set(names)) == len(parts) or all(map(_PAIR.fullmatch, parts))):
        return ", ".join(part.strip() for part in reversed(parts))
    return None


TRANSFORMATIONS: dict[str, Callable[[str], str | None]] = {
    "in Unicode": to_unicode,
    "in plain text": to_plain,
    "in LaTeX": to_latex,
    "another argument": with_other_argument,
    "another parameter": with_other_parameter,
    "backwards": backwards,
}
