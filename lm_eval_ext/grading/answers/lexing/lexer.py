r"""From LaTeX, plain text or Unicode to one stream of tokens.

>>> [t.text for t in tokens(r"$\frac{1}{2}$ or √2")]
['frac', '{', '1', '}', '{', '2', '}', 'or', 'sqrt', '2']
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon.latex import (
    ACCENTS,
    ALIGNED,
    BOLD,
    COMMANDS,
    DROPPED,
    TEXT,
    UNICODE,
    UNIT_VECTORS,
    Sign,
)
from lm_eval_ext.grading.answers.lexicon.units import UNIT_SIGNS
from lm_eval_ext.grading.answers.lexing.words import letters
from lm_eval_ext.grading.normalization import plain_unicode

MAX_CHARS = 4_000
"""Longer answers are essays; nothing of that length is read as mathematics."""
_MAX_DIGITS = 1_000
_MAX_TOKENS = 1_500


@dataclass(frozen=True, slots=True)
class Token:
    """`kind`: "num", "name", "const", "func", "word" or "op"; `space`: white space stands before it."""

    kind: str
    text: str
    space: bool = False


_TOKEN = re.compile(
    r"""
    (?P<space> (?: \s | ~ | &nbsp; | \\[,;:!\ ] )+ )
  | (?P<repeating> (?P<whole>\d{0,20}) \. (?P<fixed>\d{0,20}?) (?:
        \\overline\s*\{?(?P<lined>\d{1,20})\}? | \((?P<bracketed>\d{1,20})\)
      | (?P<cycle>\d{1,9}?)(?P=cycle){2,9}\s*(?:\\[lc]?dots|\.\.\.) ) )
  | (?P<number> (?: \d+\.\d+ | \b1(?=[eE]-) )[eE][+-]?\d{1,3}(?![\dA-Za-z])
      | \d+(?:\.\d+)?(?:[eE](?:[+-](?=\d\d)|(?=\d))\d{1,3}(?![\dA-Za-z]))? | \.\d+ )
  | (?P<command> \\[A-Za-z]+ )
  | (?P<newline> \\\\ (?:\[[^\]]*\])? )
  | (?P<delimiter> \$ | \\[()\[\]] )
  | (?P<letters> [A-Za-z]+ (?: ['’](?:t|s)\b )? )
  | (?P<sign> \\[{}%$\#&_|] | <=|>=|!=|=>|<->|->|:=|\.\.\.+|\*\*|[-+*/^_=<>(){}\[\],;:|!%&'"?°.@\#~`] )
  | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_SIGNS: dict[str, Sign] = {
    "**": ("op", "^"), ":=": ("op", "="), "=>": ("word", "then"), "<->": ("word", "iff"),
    "\\%": ("op", "%"), "\\$": ("op", "$"), "\\|": ("op", "|"), "\\_": ("op", "_"), "\\&": ("word", "and"),
}  # fmt: skip
_IGNORED = frozenset(["`", "~", '"', "#", "\\#"])
_THOUSANDS = (
    re.compile(
        r"(?<![\d.,])(?<!(?<!\\)[(\[])(?<!\{)(\d{1,3})((?:,\d{3})+)(?![\d,])"
    ),  # 1,200; but (1,200) is a pair
    re.compile(r"(?<![\d.,])(\d{1,3})((?:(?:\{,\}|\\,|\\ | |\u202f)\d{3})+)(?!\d)"),  # 1{,}200, 1\,200, 1 200
)
_SPACED_COMMA = re.compile(r"(?<=\d),\\! ?(?=\d{3})")
"""Of 11,\\! 111: between the digits of one number."""
_BRACED_ROWS = re.compile(
    r"\\left\s*\\(?:\{|lbrace)\s*\\begin\s*\{(?P<kind>array|aligned|matrix)\}\s*(?:\{[lcr| ]*\})?"
    r"(?P<rows>.*?)"
    r"\\end\s*\{(?P=kind)\}\s*\\right\s*\.",
    re.DOTALL,
)
"""A brace to the left of several rows, however it is written."""
_COLUMNS = re.compile(r"\s*\{[lcr|@ ]*\}")
_LETTER = re.compile(r"\s*(?P<open>\{\s*)?\\?(?P<letter>(?<=\\)[A-Za-z]+|[A-Za-z])(?(open)\s*\})")
_NEGATED = {"=": "!=", "in": "notin", "|": "notdivides", "≡": "≢"}
_GROUP_MARK = re.compile(r"[^\d]+|,")
_DELIMITER = re.compile(r"\$|\\[()\[\]]")
_BEFORE_UNIT = frozenset([")", "}", "/", "*"])
_TEXT_ARGUMENT = re.compile(r"\s*\{((?:[^{}]|\{[^{}]*\})*)\}")


def tokens(text: str) -> list[Token]:
    """The tokens of an answer. Raises Unreadable for what is too long or has unknown commands."""
    if len(text) > MAX_CHARS:
        raise Unreadable(f"{len(text)} characters are an essay")
    plain = _SPACED_COMMA.sub("{,}", plain_unicode(text)).replace("\\!", "")
    plain = _BRACED_ROWS.sub(r"\\begin{cases}\g<rows>\\end{cases}", plain)
    for grouped in _THOUSANDS:
        plain = grouped.sub(lambda m: m[1] + _GROUP_MARK.sub("", m[2]), plain)
    found = _Lexer(plain).run()
    if len(found) > _MAX_TOKENS:
        raise Unreadable(f"{len(found)} signs and words are an essay")
    return found


class _Lexer:
    """Reads a text from `position` on; `math`: letters are multiplied unless they are long words."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.found: list[Token] = []
        self.has_delimiters = bool(_DELIMITER.search(text)) and text.count("$") % 2 == 0
        self.math = not self.has_delimiters and "\\" in text
        self.space = False
        self.negated = False
        self.is_aligned = False

    def run(self) -> list[Token]:
        while match := _TOKEN.match(self.text, self.position):
            self.position = match.end()
            _HANDLERS[match.lastgroup or ""](self, match)
        return self.found

    def put(self, kind: str, text: str) -> None:
        if self.negated:
            text, self.negated = _NEGATED.get(text, "?"), False
        self.found.append(Token(kind, text, self.space))
        self.space = False

    def white_space(self, match: re.Match[str]) -> None:
        value = match[0]
        if "\n" in value and not self.math and self.found and self.found[-1].text not in (";", "newline"):
            self.put("op", "newline")
        self.space = True

    def number(self, match: re.Match[str]) -> None:
        value = match[0]
        if len(value) > _MAX_DIGITS:
            raise Unreadable(f"a number of {len(value)} digits")
        if value[0] == "0" and value.isdigit() and len(value) > 1:
            raise Unreadable(f"{value} begins with a zero")  # a date, a code
        self.put("num", value)

    def repeating(self, match: re.Match[str]) -> None:
        """0.1(6) as a fraction "a/b": all the digits less those that do not repeat, over 9...90...0."""
        whole, fixed = match["whole"] or "0", match["fixed"]
        cycle = match["lined"] or match["bracketed"] or match["cycle"]
        top = int(whole + fixed + cycle) - int(whole + fixed)
        self.put("num", f"{top}/{int('9' * len(cycle) + '0' * len(fixed))}")

    def delimiter(self, match: re.Match[str]) -> None:
        value = match[0]
        if self.has_delimiters:
            self.math = value in ("\\(", "\\[") or (value == "$" and not self.math)
            self.space = True
        elif value == "$" and self._is_price():
            self.put("op", "$")

    def _is_price(self) -> bool:
        """Whether the dollar just read, which delimits nothing, stands beside a number."""
        after_number = bool(self.found) and self.found[-1].kind == "num"
        is_last = not self.text[self.position :].strip(" .")
        return (after_number and is_last) or self.text[self.position : self.position + 1].isdigit()

    def letters(self, match: re.Match[str]) -> None:
        for sign in letters(match[0], self.math, not self.found, self.text, self.position):
            self.put(*sign)

    def sign(self, match: re.Match[str]) -> None:
        value = match[0]
        if value.startswith("..."):
            self.put("op", "...")
        elif value not in _IGNORED and not (value == "&" and self.is_aligned):
            self.put(*_SIGNS.get(value, ("op", value)))

    def other(self, match: re.Match[str]) -> None:
        value = match[0]
        if value not in UNICODE:
            raise Unreadable(f"the sign {value!r} is not known")
        self.put(*UNICODE[value])

    def command(self, match: re.Match[str]) -> None:
        name = match[0][1:]
        if name in COMMANDS:
            self.put(*COMMANDS[name])
        elif name == "not":
            self.negated = True
        elif name in TEXT:
            self._text_command()
        elif name in ("begin", "end"):
            self._environment(name)
        elif (name in BOLD or name in ACCENTS) and self._letter(name):
            pass
        elif name == "mathbb" and (domain := _LETTER.match(self.text, self.position)):
            self.position = domain.end()
            self.put("domain", domain["letter"])
        elif name not in DROPPED:
            raise Unreadable(f"the command \\{name} is not known")
        elif name in ("left", "right") and self.text.startswith(".", self.position):
            self.position += 1

    def _environment(self, edge: str) -> None:
        name = (self._argument() or "").rstrip("*")
        if name in ALIGNED:
            self.is_aligned = edge == "begin"
            return
        if (name, edge) == ("array", "begin") and (columns := _COLUMNS.match(self.text, self.position)):
            self.position = columns.end()
        self.put("op", f"{edge} {name}")

    def _letter(self, command: str) -> bool:
        r"""Put the letter of \\mathbf{i}, \\bar x, \\hat\\beta; False where no single letter follows."""
        match = _LETTER.match(self.text, self.position)
        if match is None:
            return False
        letter = match["letter"]
        if command in BOLD and letter in UNIT_VECTORS:
            sign = ("vec", UNIT_VECTORS[letter])
        elif len(letter) == 1 or COMMANDS.get(letter, ("",))[0] == "name":
            sign = ("name", letter + ACCENTS.get(command, ""))
        else:
            return False
        self.position = match.end()
        self.put(*sign)
        return True

    def _argument(self) -> str | None:
        argument = _TEXT_ARGUMENT.match(self.text, self.position)
        if argument is None:
            return None
        self.position = argument.end()
        return argument[1]

    def _text_command(self) -> None:
        words = self._argument()
        if words is None:
            return
        self.space = True
        if not self._unit(words):
            outside = self.text, self.position, self.math
            self.text, self.position, self.math = " ".join(words.split()), 0, False
            self.run()
            self.text, self.position, self.math = outside
            self.space = True

    def _unit(self, text: str) -> bool:
        r"""Put the unit of 5\text{ m/s}, which is one by its place behind a number; False if it is none."""
        parts = unit_parts(text)
        last = self.found[-1] if self.found else None
        if not parts or last is None or not (last.kind in ("num", "const") or last.text in _BEFORE_UNIT):
            return False
        for sign, name, power in parts:
            if sign:
                self.put("op", sign)
            self.put("word", UNIT_SIGNS[name])
            for part in re.findall(r"\^|-|\d", f"^{power}") if power else ():
                self.put("num" if part.isdigit() else "op", part)
        return True


_UNIT = re.compile(r"([/*]?)([A-Za-z%]+)(?:\^\{?(-?\d)\}?)?")


def unit_parts(text: str) -> list[tuple[str, str, str]]:
    """(sign, name, power) of each unit in "m/s^2", "kg m"; empty where anything else is in the text."""
    text = re.sub(r"~|\\[,;: ]|\s+", " ", text).strip(" .")
    text = re.sub(r"\s*(?:([/*·])|\\cdot\b|\s(?=\w))\s*", lambda m: "/" if m[1] == "/" else "*", text)
    found = list(_UNIT.finditer(text))
    whole = "".join(m[0] for m in found) == text and all(m[1] or not i for i, m in enumerate(found))
    known = whole and all(m[2] in UNIT_SIGNS for m in found)
    return [(m[1], m[2], m[3] or "") for m in found] if known else []


_HANDLERS: dict[str, Callable[[_Lexer, re.Match[str]], None]] = {
    "space": _Lexer.white_space,
    "repeating": _Lexer.repeating,
    "number": _Lexer.number,
    "command": _Lexer.command,
    "delimiter": _Lexer.delimiter,
    "letters": _Lexer.letters,
    "sign": _Lexer.sign,
    "other": _Lexer.other,
    "newline": lambda lexer, _: lexer.put("op", "\\\\"),
}
"""By the group of `_TOKEN`."""
