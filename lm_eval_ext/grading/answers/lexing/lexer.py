r"""From LaTeX, plain text or Unicode to one stream of tokens.

>>> [t.text for t in tokens(r"$\frac{1}{2}$ or √2")]
['frac', '{', '1', '}', '{', '2', '}', 'or', 'sqrt', '2']
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.lexicon.latex import COMMANDS, DROPPED, GREEK, TEXT, UNICODE
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
  | (?P<number> \d+(?:\.\d+)?(?:[eE](?:[+-](?=\d\d)|(?<=\.\d[eE])[+-]|(?=\d))\d{1,3}(?![\dA-Za-z]))? | \.\d+ )
  | (?P<command> \\[A-Za-z]+ )
  | (?P<newline> \\\\ (?:\[[^\]]*\])? )
  | (?P<escaped> \\[{}%$\#&_|()\[\]] )
  | (?P<letters> [A-Za-z]+ (?: ['’](?:t|s)\b )? )
  | (?P<sign> <=|>=|!=|=>|<->|->|:=|\.\.\.+|\*\*|[-+*/^_=<>(){}\[\],;:|!%&'"?°.@\#~`$] )
  | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_SPELLED = {
    "**": ("op", "^"), ":=": ("op", "="), "=>": ("word", "then"), "<->": ("word", "iff"), "->": ("op", "->"),
    "°": ("op", "°"),
}  # fmt: skip
_ESCAPED = {"\\{": "\\{", "\\}": "\\}", "\\%": "%", "\\$": "$", "\\|": "|", "\\&": "and", "\\_": "_"}
_THOUSANDS = (
    re.compile(
        r"(?<![\d.,])(?<!(?<!\\)[(\[])(?<!\{)(\d{1,3})((?:,\d{3})+)(?![\d,])"
    ),  # 1,200; but (1,200) is a pair
    re.compile(r"(?<![\d.,])(\d{1,3})((?:(?:\{,\}|\\,|\\ | |\u202f)\d{3})+)(?!\d)"),  # 1{,}200, 1\,200, 1 200
)
_SPACED_COMMA = re.compile(r"(?<=\d),\\! ?(?=\d{3})")
"""Of 11,\\! 111: between the digits of one number."""
_NEGATED = {"=": "!=", "in": "notin", "|": "notdivides", "≡": "≢"}
_GROUP_MARK = re.compile(r"[^\d]+|,")
_REPEATING = re.compile(
    r"(\d{0,20})\.(\d{0,20}?)"
    r"(?:\\overline\s*\{?(\d{1,20})\}?|\((\d{1,20})\)|(\d{1,9}?)\5{2,9}\s*(?:\\[lc]?dots|\.\.\.))"
)
_DELIMITER = re.compile(r"\$|\\\(|\\\[|\\\)|\\\]")
_TEXT_ARGUMENT = re.compile(r"\s*\{((?:[^{}]|\{[^{}]*\})*)\}")


def tokens(text: str) -> list[Token]:
    """The tokens of an answer. Raises Unreadable for what is too long or has unknown commands."""
    if len(text) > MAX_CHARS:
        raise Unreadable(f"{len(text)} characters are an essay")
    plain = _SPACED_COMMA.sub("{,}", plain_unicode(text)).replace("\\!", "")
    for grouped in _THOUSANDS:
        plain = grouped.sub(lambda m: m[1] + _GROUP_MARK.sub("", m[2]), plain)
    return _Lexer(plain).run()


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Token] = []
        self.has_delimiters = bool(_DELIMITER.search(text)) and text.count("$") % 2 == 0
        self.space = False
        self.negated = False

    def run(self) -> list[Token]:
        self._lex(self.text, math=not self.has_delimiters and "\\" in self.text)
        if len(self.found) > _MAX_TOKENS:
            raise Unreadable(f"{len(self.found)} signs and words are an essay")
        return self.found

    def _put(self, kind: str, text: str) -> None:
        if self.negated:
            text, self.negated = _NEGATED.get(text, "?"), False
        self.found.append(Token(kind, text, self.space))
        self.space = False

    def _lex(self, text: str, math: bool) -> None:
        position = 0
        while position < len(text):
            if repeating := _REPEATING.match(text, position):
                self._put("num", _repeating(repeating))
                position = repeating.end()
                continue
            match = _TOKEN.match(text, position)
            assert match is not None
            position = match.end()
            kind, value = match.lastgroup, match.group()
            if kind == "space":
                self._space(value, math)
            elif kind == "command":
                position = self._command(value[1:], text, position)
            elif (kind == "escaped" and value[1] in "()[]") or value == "$":
                if self.has_delimiters:
                    math = value[1:] in ("(", "[") or (value == "$" and not math)
                    self.space = True
                elif value == "$" and self._is_price(text, position):
                    self._put("op", "$")
            elif kind == "letters":
                self._letters(value, math, text, position)
            else:
                self._sign(str(kind), value)

    def _space(self, value: str, math: bool) -> None:
        if "\n" in value and not math and self.found and self.found[-1].text not in (";", "newline"):
            self._put("op", "newline")
        self.space = True

    def _sign(self, kind: str, value: str) -> None:
        if kind == "number":
            if len(value) > _MAX_DIGITS:
                raise Unreadable(f"a number of {len(value)} digits")
            if value[0] == "0" and value.isdigit() and len(value) > 1:
                raise Unreadable(f"{value} begins with a zero")  # a date, a code
            self._put("num", value)
        elif kind == "newline":
            self._put("op", "\\\\")
        elif kind == "escaped":
            if value != "\\#":
                word = _ESCAPED.get(value, value)
                self._put("word" if word == "and" else "op", word)
        elif kind == "other":
            if value not in UNICODE:
                raise Unreadable(f"the sign {value!r} is not known")
            self._put(*UNICODE[value])
        elif value.startswith("..."):
            self._put("op", "...")
        elif value not in ("`", "~", '"', "#"):
            self._put(*_SPELLED.get(value, ("op", value)))

    def _command(self, name: str, text: str, position: int) -> int:
        if name == "not":
            self.negated = True
            return position
        if name in DROPPED:
            if name in ("left", "right") and text[position : position + 1] == ".":
                return position + 1
            return position
        if name in TEXT:
            argument = _TEXT_ARGUMENT.match(text, position)
            if argument is None:
                return position
            self.space = True
            if self._unit(argument[1]):
                return argument.end()
            self._lex(" ".join(argument[1].split()), math=False)
            self.space = True
            return argument.end()
        if name in ("begin", "end"):
            argument = _TEXT_ARGUMENT.match(text, position)
            self._put("op", f"{name} {argument[1].rstrip('*') if argument else ''}")
            return argument.end() if argument else position
        if name not in COMMANDS:
            raise Unreadable(f"the command \\{name} is not known")
        self._put(*COMMANDS[name])
        return position

    def _is_price(self, text: str, end: int) -> bool:
        """Whether the dollar before `end`, which delimits nothing, stands beside a number."""
        behind = bool(self.found) and self.found[-1].kind == "num" and not text[end:].strip(" .")
        return behind or text[end : end + 1].isdigit()

    def _unit(self, text: str) -> bool:
        r"""Puts the unit of 5\text{ m/s}, which is one by its place behind a number; False if it is none."""
        parts = re.split(r"([/*])", text.replace("~", "").replace("\\,", "").strip(" ."))
        known = all(p in "/*" if i % 2 else p in english.UNIT_SIGNS for i, p in enumerate(parts))
        last = self.found[-1] if self.found else None
        if not known or last is None or not (last.kind in ("num", "const") or last.text in _BEFORE_UNIT):
            return False
        for part in parts:
            self._put("op" if part in "/*" else "word", english.UNIT_SIGNS.get(part, part))
        return True

    def _letters(self, run: str, math: bool, text: str, end: int) -> None:
        word = run.lower().replace("’", "'")
        if run == "in" and not math and self.found and _REGION.match(text, end):
            self._put("op", "in")
            return
        if run == "an" and _NEXT_SIGN.match(text, end):  # "a1 = ... = an = 0"
            self._put("name", "a")
            self.found += [Token("op", "_"), Token("name", "n")]
            return
        function = english.FUNCTION_ALIASES.get(word, word)
        if word in ("oo", "inf", "infinity"):
            self._put("const", "oo")
            return
        if len(run) > 1 and (run in GREEK or word == "pi"):
            self._put(*COMMANDS[run if run in GREEK else word])
            return
        if function in english.FUNCTIONS and (not math or len(word) > 2) and self._calls(word, text, end):
            self._put("func", function)
        elif self._is_word(run, word, math) or (not math and run == "a" and _is_article(text, end)):
            self._put("word", word)
        elif not math and len(run) == 1 and text[end : end + 1].isdigit():
            self._put("name", run)
            self.found.append(Token("op", "_"))
        else:
            for letter in run.rstrip("s'’") if "'" in run or "’" in run else run:
                self._put("const" if letter in "ei" else "name", letter)

    @staticmethod
    def _calls(word: str, text: str, end: int) -> bool:
        """ "max" in "max(a, b)" is a function, in "max = 3" a word."""
        return word not in ("min", "max", "sum", "sign") or text[end : end + 2].lstrip()[:1] in ("(", "{")

    def _is_word(self, run: str, word: str, math: bool) -> bool:
        if 1 < len(run) < 4 and run.isupper() and word not in ("yes", "no"):  # AB, CM, ABC: points
            return False
        if word in english.KNOWN and (len(run) > 1):
            return not math or len(run) > 2 or word in ("or", "if", "is", "of", "in", "no")
        if len(run) == 1:
            return False
        if math:
            return False
        return len(run) > 3 or (len(run) == 3 and not (run.islower() or run.isupper()))


_BEFORE_UNIT = frozenset([")", "}", "/", "*"])
_NEXT_WORD = re.compile(r"\s+([A-Za-z-]{3,})")
_CONNECTIVES = frozenset("and for where with has when that are can".split())


_REGION = re.compile(r"\s*(?:[\[({\\]|[RZNQC]\b)")
_NEXT_SIGN = re.compile(r"\s*(?:[=<>≤≥^+*/,)-]|$)")


def _is_article(text: str, end: int) -> bool:
    """Whether the "a" before `end` is the article of a following noun, not a letter."""
    following = _NEXT_WORD.match(text, end)
    return following is not None and following[1].lower() not in _CONNECTIVES


def _repeating(match: re.Match[str]) -> str:
    """0.1(6) as a fraction "a/b": all the digits less those that do not repeat, over 9...90...0."""
    whole, fixed, cycle = match[1] or "0", match[2], match[3] or match[4] or match[5]
    top = int(whole + fixed + cycle) - int(whole + fixed)
    return f"{top}/{int('9' * len(cycle) + '0' * len(fixed))}"
